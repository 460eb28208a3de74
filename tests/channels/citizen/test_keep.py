"""What a resident takes home: the code to copy, to scan and to save; and what they wrote, when cookies are gone."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import segno
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from lucheng.channels.citizen import drafts, keepsake
from lucheng.core.cases import codes
from lucheng.core.cases.models import Case
from tests import factories
from tests.channels.citizen.conftest import Resident
from tests.channels.citizen.test_report import LAMP, picture

CODE = "LC-7Q4K-29XM-5TAB"
ADDRESS = f"https://12345.example.gov.cn/t/{CODE}/"


def modules(image: Image.Image, address: str) -> list[list[int]]:
    """The dark (1) and light (0) modules of the QR code in a picture, found by its first dark row and column."""
    grey = image.convert("L")
    size = segno.make(address, micro=False, error="m").symbol_size(border=0)[0]
    for top in range(grey.height):
        # A finder pattern begins with seven dark modules; letters are never that wide.
        runs = "".join("1" if grey.getpixel((x, top)) < 60 else "0" for x in range(grey.width))
        if run := re.search("1{56,}", runs):
            left, scale = run.start(), (run.end() - run.start()) / 7
            break
    return [
        [
            int(grey.getpixel((int(left + (x + 0.5) * scale), int(top + (y + 0.5) * scale))) < 128)
            for x in range(size)
        ]
        for y in range(size)
    ]


def test_the_qr_code_holds_the_full_address_of_the_tracking_page(resident: Resident) -> None:
    code = resident.report(LAMP)
    page = resident.client.get(f"/t/{code}/?new=1").content.decode()
    assert keepsake.drawing(f"http://localhost/t/{code}/") in page
    assert 'data-address="http://localhost/t/' in page
    assert " style=" not in keepsake.drawing(ADDRESS), "the content policy refuses inline styles"


def test_the_picture_can_be_scanned_and_is_a_png_to_save(resident: Resident) -> None:
    code = resident.report(LAMP)
    answer = resident.client.get(f"/t/{code}/code.png")
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"] == f'attachment; filename="{code}.png"'
    image = Image.open(io.BytesIO(answer.content))
    assert image.format == "PNG"
    address = f"http://localhost/t/{code}/"
    wanted = [list(map(int, row)) for row in segno.make(address, micro=False, error="m").matrix]
    assert modules(image, address) == wanted


def test_without_a_chinese_font_the_picture_still_has_code_and_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keepsake, "_FONTS", (("/no/such/font.ttc", 0),))
    keepsake._chinese.cache_clear()
    try:
        image = Image.open(io.BytesIO(keepsake.picture(CODE, ADDRESS)))
    finally:
        keepsake._chinese.cache_clear()
    assert modules(image, ADDRESS) == [
        list(map(int, row)) for row in segno.make(ADDRESS, micro=False, error="m").matrix
    ]
    above = image.convert("L").crop((0, 0, image.width, 140))
    assert min(above.tobytes()) < 100, "the code stands above in letters"


def test_a_long_address_stays_on_the_sheet() -> None:
    image = Image.open(io.BytesIO(keepsake.picture(CODE, "https://" + "very-long." * 12 + "example/t/")))
    edge = image.convert("L").crop((0, 0, 8, image.height)).tobytes()
    assert set(edge) == {255}


@pytest.mark.parametrize("code", ["LC-1111-1111-1112", "LC-0000-0000-0000", "x"])
def test_no_picture_is_made_of_a_code_that_nobody_has(client: Client, db: None, code: str) -> None:
    assert client.get(f"/t/{code}/code.png").status_code == 404


def test_who_said_mine_too_is_told_that_code_and_reply_are_their_own(
    client: Client, city: factories.City
) -> None:
    other = factories.received(phone="", channel="web")
    mine = factories.received(phone="", channel="web", fields={"same_as": other.number})
    page = client.get(
        f"/t/{codes.written(mine.code)}/?new=1", headers={"accept-language": "zh"}
    ).content.decode()
    assert "查询码和答复仍是您自己的一份" in page
    assert other.number not in page
    plain = client.get(
        f"/t/{codes.written(other.code)}/?new=1", headers={"accept-language": "zh"}
    ).content.decode()
    assert "查询码和答复仍是您自己的一份" not in plain


def test_what_is_done_with_the_data_is_told_short_and_in_layers(resident: Resident) -> None:
    resident.start(LAMP)
    resident.at("place", where="unknown")
    page = resident.client.get(f"/report/{resident.draft}/you/").content.decode()
    assert "只用于办理您的诉求和给您答复，不作他用。" in page
    assert page.partition('class="data"')[2].count("<details><summary>") == 3


# --- cookies are gone ------------------------------------------------------------------------------------------------


def carried(page: HttpResponse) -> str:
    found = re.search(r'name="carried" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def test_a_session_that_ended_between_the_steps_costs_nothing(resident: Resident) -> None:
    resident.start(LAMP, photo=picture())
    draft = carried(resident.client.get(f"/report/{resident.draft}/place/"))
    resident.client.cookies.clear()
    assert resident.at("place", where="unknown", carried=draft).status_code == 302
    draft = carried(resident.client.get(f"/report/{resident.draft}/you/"))
    resident.client.cookies.clear()
    assert resident.at("you", nature="help", phone="13800132210", carried=draft).status_code == 302
    case = Case.objects.get()
    assert case.content == LAMP
    assert case.attachments.count() == 1


def test_a_report_sent_again_after_cookies_were_cleared_is_the_same_case(resident: Resident) -> None:
    resident.start(LAMP)
    resident.at("place", where="unknown")
    draft = carried(resident.client.get(f"/report/{resident.draft}/you/"))
    first = resident.at("you", nature="help")["Location"]
    resident.client.cookies.clear()
    assert resident.at("you", nature="help", carried=draft)["Location"] == first
    assert Case.objects.count() == 1


@pytest.mark.parametrize("forged", ["", "AAAA", "not base64 at all!", "é"])
def test_a_forged_draft_opens_nothing(resident: Resident, forged: str) -> None:
    resident.start(LAMP)
    resident.client.cookies.clear()
    answer = resident.at("you", nature="help", carried=forged)
    assert answer.status_code == 410
    assert "返回键" in answer.content.decode(), "where the words still are"
    assert not Case.objects.exists()


def test_the_draft_of_another_report_does_not_open(resident: Resident) -> None:
    resident.start(LAMP)
    draft = carried(resident.client.get(f"/report/{resident.draft}/place/"))
    assert drafts.opened(draft, resident.draft) is not None
    assert drafts.opened(draft, drafts.new_id()) is None
    assert LAMP not in draft


@pytest.fixture
def strict(resident: Resident) -> Resident:
    """A resident whose forms must bring their token, as in a browser."""
    resident.client = Client(enforce_csrf_checks=True, headers={"accept-language": "zh-CN"})
    return resident


def test_a_front_page_without_its_token_gives_the_words_back(strict: Resident) -> None:
    answer = strict.client.post("/", {"draft": drafts.new_id(), "text": LAMP, "photo": picture()})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert LAMP in page
    assert "请再按一次按钮" in page
    assert "照片请重新选一次" in page
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    draft = re.search(r'name="draft" value="([^"]+)"', page)
    assert token and draft
    again = {"csrfmiddlewaretoken": token[1], "draft": draft[1], "text": LAMP}
    assert strict.client.post("/", again).status_code == 302


@pytest.mark.parametrize(
    ("step", "fields", "kept"),
    [
        ("place", {"address": "三号楼后面", "where": "unknown"}, "三号楼后面"),
        ("place", {"address": "三号楼后面", "search": ""}, "三号楼后面"),
        ("place", {"address": "三号楼后面", "in": factories.WEST}, "三号楼后面"),
        ("you", {"nature": "help", "name": "王女士", "phone": "13800132210"}, "王女士"),
    ],
)
def test_a_step_without_its_token_does_nothing_and_gives_everything_back(
    strict: Resident, step: str, fields: dict[str, str], kept: str
) -> None:
    draft_id = drafts.new_id()
    draft = drafts.sealed(draft_id, drafts.Draft(text=LAMP, where="unknown"))
    answer = strict.client.post(f"/report/{draft_id}/{step}/", {**fields, "carried": draft})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert kept in page
    assert "请再按一次按钮" in page
    assert not Case.objects.exists()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    again = {**fields, "carried": carried(answer), "csrfmiddlewaretoken": token[1]}
    assert strict.client.post(f"/report/{draft_id}/{step}/", again).status_code == 302


def test_an_addition_without_its_token_is_given_back_and_not_added(strict: Resident) -> None:
    case = factories.received()
    answer = strict.client.post(f"/t/{codes.written(case.code)}/supplement/", {"note": "又坏了一盏"})
    assert answer.status_code == 422
    assert "又坏了一盏" in answer.content.decode()
    assert 'name="digits"' in answer.content.decode()
    assert not case.texts.exists()


def test_a_page_of_staff_is_not_given_back(strict: Resident) -> None:
    answer = strict.client.post("/sign-in/", {"username": "operator", "password": "secret-words"})
    assert answer.status_code == 403
    assert "secret-words" not in answer.content.decode()


# --- the list of places ----------------------------------------------------------------------------------------------


def test_a_place_is_chosen_from_the_list_step_by_step(resident: Resident) -> None:
    resident.start("路灯不亮")
    for code in (factories.WEST, factories.STREET, factories.COMMUNITY):
        page = resident.client.get(f"/report/{resident.draft}/place/").content.decode()
        assert f'name="in" value="{code}"' in page
        answer = resident.at("place", **{"in": code, "address": "三号楼后面"})
        assert answer["Location"].endswith("?list=1#list")
    page = resident.client.get(f"/report/{resident.draft}/place/").content.decode()
    assert f'name="in" value="{factories.GRID}"' not in page, "nobody knows the number of their grid"
    assert 'value="三号楼后面"' in page
    chosen = f"{factories.COMMUNITY}//"
    assert resident.choices()[0] == chosen
    assert resident.at("place", where=chosen).status_code == 302
    resident.at("you", nature="help")
    assert Case.objects.get().place == factories.COMMUNITY


def test_the_list_leads_up_again(resident: Resident) -> None:
    resident.start("路灯不亮")
    resident.at("place", **{"in": factories.STREET})
    resident.at("place", **{"in": ""})
    page = resident.client.get(f"/report/{resident.draft}/place/?list=1").content.decode()
    assert f'name="in" value="{factories.EAST}"' in page
    assert resident.choices() == ["point", "unknown"]


@pytest.mark.parametrize("code", ["999999", "<script>", factories.GRID, "1" * 400])
def test_a_place_that_is_not_on_the_list_changes_nothing(resident: Resident, code: str) -> None:
    resident.start("路灯不亮")
    assert resident.at("place", **{"in": code}).status_code == 302
    assert resident.choices() == ["point", "unknown"]


def test_back_to_the_front_page_brings_the_words_along(resident: Resident) -> None:
    resident.start(LAMP, photo=picture())
    page = resident.client.get(f"/report/{resident.draft}/place/").content.decode()
    assert f'href="/?draft={resident.draft}"' in page
    front = resident.client.get(f"/?draft={resident.draft}").content.decode()
    assert LAMP in front
    assert "照片已保留" in front
    assert f'name="draft" value="{resident.draft}"' in front


def test_the_draft_of_somebody_else_is_not_taken_up(resident: Resident) -> None:
    resident.start(LAMP)
    front = Client().get(f"/?draft={resident.draft}").content.decode()
    assert LAMP not in front
    assert f'name="draft" value="{resident.draft}"' not in front


# --- names and scripts -----------------------------------------------------------------------------------------------


def test_a_name_of_60_characters_is_taken_and_of_61_is_not(resident: Resident) -> None:
    resident.start(LAMP)
    resident.at("place", where="unknown")
    answer = resident.at("you", nature="help", phone="13800132210", name="乌" * 61)
    assert answer.status_code == 422
    assert "乌" * 61 in answer.content.decode(), "what was typed stays"
    assert 'id="id_name_error"' in answer.content.decode()
    assert resident.at("you", nature="help", phone="13800132210", name="乌" * 60).status_code == 302


@pytest.mark.parametrize(
    "words", ["ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ ᠪᠠᠷ\u180eᠠ", "الشارع مظلم\u200f منذ أيام"], ids=["mongolian", "arabic"]
)
def test_other_scripts_are_kept_sign_for_sign_and_run_their_own_way(resident: Resident, words: str) -> None:
    words += " 鹿苑小区"
    code = resident.report(words)
    assert Case.objects.get().content == words
    page = resident.client.get(f"/t/{code}/").content.decode()
    assert f'<blockquote class="said" dir="auto">{words}</blockquote>' in page


def test_where_fonts_are_looked_for_is_a_path_and_an_index() -> None:
    assert all(Path(file).suffix == ".ttc" and index >= 0 for file, index in keepsake._FONTS)
