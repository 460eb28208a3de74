"""A resident reports: the whole way, what is typed wrongly, and the same thing sent twice."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from lucheng.channels.citizen import drafts
from lucheng.core.cases.models import Case, State
from lucheng.core.privacy.models import Contact
from lucheng.core.privacy.sealing import unseal
from lucheng.web.sweeps import forget_sessions
from tests import factories
from tests.channels.citizen.conftest import Resident

LAMP = "鹿苑小区门口的路灯不亮，已经三天了。"


def picture(size: tuple[int, int] = (64, 48)) -> SimpleUploadedFile:
    body = io.BytesIO()
    Image.new("RGB", size, "navy").save(body, "JPEG")
    return SimpleUploadedFile("lamp.jpg", body.getvalue(), "image/jpeg")


def test_a_report_becomes_one_case_at_the_place_it_names(resident: Resident) -> None:
    code = resident.report(LAMP, phone="138 0013 2210", name="王女士")
    case = Case.objects.get()
    assert code.replace("-", "") == f"LC{case.code}"
    assert (case.content, case.place, case.channel, case.nature) == (LAMP, factories.GRID, "web", "help")
    assert case.state == State.RECEIVED
    assert Contact.objects.get(case=case).phone_mask == "138****2210"


def test_the_code_is_shown_to_be_kept(resident: Resident) -> None:
    code = resident.report(LAMP)
    page = resident.client.get(f"/t/{code}/?new=1").content.decode()
    assert f'<strong class="code-big">{code}</strong>' in page


def test_a_place_that_nobody_knows_is_left_to_the_operator(resident: Resident) -> None:
    resident.start("我家门口的路坏了")
    assert resident.at("place", where="unknown").status_code == 302
    resident.at("you", nature="help")
    assert Case.objects.get().place == factories.CITY


def test_words_for_the_place_bring_new_candidates_and_are_kept(resident: Resident) -> None:
    resident.start("路灯不亮")
    assert resident.choices() == ["point", "unknown"]
    assert resident.at("place", search="", address="鹿苑小区3号楼").status_code == 302
    first, *_rest = resident.choices()
    assert first.startswith(factories.GRID)
    resident.at("place", where=first, address="鹿苑小区3号楼")
    resident.at("you", nature="help")
    assert (Case.objects.get().place, Case.objects.get().address) == (factories.GRID, "鹿苑小区3号楼")


def test_the_point_where_the_telephone_stands_is_the_place(resident: Resident) -> None:
    resident.start("路灯不亮")
    lon, lat = factories.INSIDE_GRID
    assert resident.at("place", where="point", lon=lon, lat=lat).status_code == 302
    resident.at("you", nature="help")
    case = Case.objects.get()
    assert (case.place, case.lon, case.lat) == (factories.GRID, lon, lat)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "请选择一个地点"),
        ({"where": "point"}, "还没有标出位置"),
        ({"where": "point", "lon": "116.4", "lat": "39.9"}, "不在本市范围内"),
        ({"where": "point", "lon": "nan", "lat": "40"}, "还没有标出位置"),
        ({"where": "999999999999//"}, "这个地点已不在列表中"),
    ],
)
def test_a_wrong_place_is_refused_with_what_to_do(
    resident: Resident, fields: dict[str, str], said: str
) -> None:
    resident.start(LAMP)
    answer = resident.at("place", address="三号楼后面", **fields)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "三号楼后面" in answer.content.decode(), "what was typed is lost"


@pytest.mark.parametrize("text", ["", "   ", "\n\t \u3000", "\x00\x01"])
def test_spaces_alone_are_not_a_report(resident: Resident, text: str) -> None:
    answer = resident.start(text)
    assert answer.status_code == 422
    assert "不能只填空格" in answer.content.decode()
    assert not Case.objects.exists()


def test_fifty_thousand_characters_are_kept_whole(resident: Resident) -> None:
    text = "小区门口路灯不亮，" * 5556
    assert len(text) > 50_000
    resident.start(text)
    resident.at("place", where="unknown")
    resident.at("you", nature="help")
    assert Case.objects.get().content == text


def test_more_than_can_be_kept_is_refused_and_not_lost(resident: Resident) -> None:
    text = "路灯不亮" * 25_001
    answer = resident.start(text)
    assert answer.status_code == 422
    assert "100004" in answer.content.decode().replace(",", "")
    assert text in answer.content.decode()


def test_control_characters_go_and_markup_is_shown_as_typed(resident: Resident) -> None:
    code = resident.report("鹿苑小区\x00<script>alert(1)</script>\x1b[31m & 路灯")
    assert Case.objects.get().content == "鹿苑小区<script>alert(1)</script>[31m & 路灯"
    page = resident.client.get(f"/t/{code}/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_photograph_is_kept_with_the_case(resident: Resident) -> None:
    resident.start(LAMP, photo=picture())
    resident.at("place", where=resident.choices()[0])
    resident.at("you", nature="help")
    kept = Case.objects.get().attachments.get()
    assert (kept.width, kept.height) == (64, 48)


def test_a_photograph_waits_while_the_words_are_corrected(resident: Resident) -> None:
    answer = resident.start("  ", photo=picture())
    assert answer.status_code == 422
    assert "照片已保留" in answer.content.decode()
    assert resident.say(LAMP).status_code == 302
    resident.at("place", where="unknown")
    resident.at("you", nature="help")
    assert Case.objects.get().attachments.count() == 1


@pytest.mark.parametrize(
    "file",
    [
        SimpleUploadedFile("lamp.jpg", b"this is not a picture", "image/jpeg"),
        SimpleUploadedFile("lamp.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        SimpleUploadedFile("empty.jpg", b"", "image/jpeg"),
    ],
    ids=["text", "drawing", "empty"],
)
def test_what_is_not_a_photograph_is_refused_and_the_words_stay(
    resident: Resident, file: SimpleUploadedFile
) -> None:
    file.seek(0)
    answer = resident.start(LAMP, photo=file)
    assert answer.status_code == 422
    assert LAMP in answer.content.decode()
    assert 'id="id_photo_error"' in answer.content.decode()


def test_a_file_that_is_too_large_is_stopped_and_the_words_stay(resident: Resident, settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1024 * 1024
    answer = resident.start(LAMP, photo=SimpleUploadedFile("big.jpg", bytes(3 * 1024 * 1024), "image/jpeg"))
    assert answer.status_code == 422
    assert "超过 1 MB" in answer.content.decode()
    assert LAMP in answer.content.decode()


def test_a_number_that_is_none_is_refused_and_nothing_typed_is_lost(resident: Resident) -> None:
    resident.start(LAMP)
    resident.at("place", where="unknown")
    answer = resident.at("you", nature="complaint", phone="没有电话", name="王女士", confidential="on")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="id_phone_error"' in page
    assert 'value="没有电话"' in page
    assert 'value="王女士"' in page
    assert 'value="complaint" class="short" id="id_nature_2" checked' in page.replace(" required", "")
    assert not Case.objects.exists()


def test_whoever_stays_anonymous_leaves_no_contact(resident: Resident) -> None:
    resident.report(LAMP, phone="13800132210", name="王女士", contact_address="青年路 9 号", anonymous="on")
    assert Case.objects.get().anonymous
    assert not Contact.objects.exists()


def test_who_wants_a_letter_leaves_an_address_that_is_sealed_and_nobody_else_does(resident: Resident) -> None:
    resident.report(LAMP, contact_address="青年路 9 号 302")
    case = Case.objects.get()
    assert "青年路" not in case.address
    contact = Contact.objects.get()
    assert contact.address is not None
    assert unseal(contact.address, f"contact.address/{case.pk}") == "青年路 9 号 302"
    assert contact.phone is None and contact.phone_mask == ""
    assert "青年路" not in resident.client.get(f"/t/{case.code}/", follow=True).content.decode()


def test_a_wish_for_secrecy_stands_on_the_case(resident: Resident) -> None:
    resident.report(LAMP, nature="report", confidential="on", no_reply="on")
    case = Case.objects.get()
    assert (case.confidential, case.reply_wanted, case.nature) == (True, False, "report")


def test_sending_twice_makes_one_case(resident: Resident) -> None:
    code = resident.report(LAMP)
    again = resident.at("you", nature="help")
    assert again["Location"] == f"/t/{code}/?again=1"
    assert Case.objects.count() == 1


def test_two_clicks_at_once_make_one_case(resident: Resident) -> None:
    """The second request began before the first was answered: its session still has the draft."""
    resident.start(LAMP)
    resident.at("place", where="unknown")
    before = Session.objects.get()
    first = resident.at("you", nature="help")
    Session.objects.filter(pk=before.pk).update(session_data=before.session_data)
    second = resident.at("you", nature="help")
    assert first["Location"] == second["Location"]
    assert Case.objects.count() == 1


def test_going_back_to_the_first_page_after_sending_leads_to_the_case(resident: Resident) -> None:
    code = resident.report(LAMP)
    assert resident.say("同一件事，换个说法")["Location"] == f"/t/{code}/?again=1"
    assert resident.client.get(f"/report/{resident.draft}/place/")["Location"] == f"/t/{code}/?again=1"
    assert Case.objects.count() == 1


def test_going_back_before_sending_changes_the_draft(resident: Resident) -> None:
    resident.start("路灯")
    resident.say(LAMP)
    resident.at("place", where="unknown")
    resident.at("you", nature="help")
    assert Case.objects.get().content == LAMP


def test_a_draft_of_another_browser_is_not_there(resident: Resident, city: factories.City) -> None:
    resident.start(LAMP)
    other = Resident()
    other.draft = resident.draft
    for step in ("place", "nearby", "you"):
        assert other.client.get(f"/report/{other.draft}/{step}/").status_code == 410
    assert other.at("you", nature="help").status_code == 410
    assert not Case.objects.exists()


def test_a_draft_lies_sealed_in_the_session(resident: Resident) -> None:
    resident.start("王女士说鹿苑小区路灯不亮")
    kept = Session.objects.get().get_decoded()
    assert "鹿苑" not in str(kept)
    [(draft_id, sealed)] = kept["drafts"].items()
    session = {"drafts": {draft_id: sealed}}
    assert drafts.load(session, draft_id) is not None  # type: ignore[arg-type]
    assert drafts.load({"drafts": {"0" * 32: sealed}}, "0" * 32) is None  # type: ignore[arg-type]


def test_a_session_keeps_few_drafts(resident: Resident) -> None:
    for n in range(8):
        resident.start(f"第{n}件事")
    assert len(Session.objects.get().get_decoded()["drafts"]) == drafts.KEPT


@pytest.mark.parametrize("address", ["/", "/report/" + "0" * 32 + "/you/"])
def test_a_forged_draft_number_is_harmless(resident: Resident, address: str) -> None:
    answer = resident.client.post(address, {"draft": "../../etc/passwd", "text": LAMP})
    assert answer.status_code in (302, 410)


def test_emergency_words_bring_the_numbers_to_the_top(resident: Resident) -> None:
    resident.start("鹿苑小区着火了，快来人")
    for step in ("place", "you"):
        page = resident.client.get(f"/report/{resident.draft}/{step}/").content.decode()
        assert page.index("tel:119") < page.index("<h1")
    fragment = resident.client.post("/report/urgent/", {"text": "有人触电了"}).content.decode()
    assert "tel:120" in fragment
    assert "tel:" not in resident.client.post("/report/urgent/", {"text": "路灯不亮"}).content.decode()


def test_look_alikes_nearby_are_shown_without_the_words_of_others(resident: Resident) -> None:
    words = "鹿苑小区门口的路灯不亮了，我姓赵，住3号楼501"
    factories.received(timezone.now(), content=words, matter=factories.LAMP)
    resident.start(LAMP)
    resident.at("place", where=resident.choices()[0])
    page = resident.client.get(f"/report/{resident.draft}/nearby/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "花园社区" in text
    for word in ("赵", "501", "我姓"):
        assert word not in text


def test_who_says_mine_too_has_a_case_of_their_own_that_names_the_other(resident: Resident) -> None:
    other = factories.received(timezone.now(), content="鹿苑小区门口的路灯不亮了", matter=factories.LAMP)
    resident.start(LAMP)
    resident.at("place", where=resident.choices()[0])
    resident.client.get(f"/report/{resident.draft}/nearby/")
    resident.at("nearby", same="0")
    resident.at("you", nature="help")
    mine = Case.objects.exclude(pk=other.pk).get()
    assert mine.fields == {"same_as": other.number}
    assert mine.code != other.code


@pytest.mark.parametrize("same", ["1", "99", "-1", "x", ""])
def test_what_was_not_shown_cannot_be_named_as_the_same(resident: Resident, same: str) -> None:
    factories.received(timezone.now(), content="鹿苑小区门口的路灯不亮了", matter=factories.LAMP)
    secret = "鹿苑小区门口的路灯不亮了，保密"
    factories.received(timezone.now(), content=secret, matter=factories.LAMP, confidential=True)
    resident.start(LAMP)
    resident.at("place", where=resident.choices()[0])
    resident.client.get(f"/report/{resident.draft}/nearby/")
    resident.at("nearby", same=same)
    resident.at("you", nature="help")
    assert Case.objects.get(channel="web").fields == {}


def test_a_draft_is_gone_the_day_after(resident: Resident) -> None:
    """What the page promises: kept for a day in the browser that began it, and then nowhere."""
    resident.start(LAMP)
    begun = timezone.now()
    assert forget_sessions(begun + dt.timedelta(hours=23)) == 0
    assert forget_sessions(begun + dt.timedelta(hours=25)) == 1
    assert resident.client.get(f"/report/{resident.draft}/place/").status_code == 410


def test_too_many_reports_are_refused_in_words_and_nothing_typed_is_lost(
    resident: Resident, settings: Any
) -> None:
    settings.LIMITS = {**settings.LIMITS, "report.number": (1, dt.timedelta(hours=1))}
    resident.report(LAMP, phone="13800132210")
    resident.start("鹿苑小区的井盖松了")
    resident.at("place", where=resident.choices()[0])
    answer = resident.at("you", nature="help", phone="13800132210")
    page = answer.content.decode()
    assert answer.status_code == 429
    assert 3590 < int(answer["Retry-After"]) <= 3600
    assert "尝试次数过多，请于" in page
    assert 'value="13800132210"' in page
    settings.LIMITS = {**settings.LIMITS, "report.number": (2, dt.timedelta(hours=1))}
    assert resident.at("you", nature="help", phone="13800132210").status_code == 302


@pytest.mark.parametrize(("decision", "kept"), [("cover", "请打****"), ("leave", "请打13800132210")])
def test_a_number_typed_into_a_report_is_offered_to_be_covered_and_the_resident_decides(
    resident: Resident, decision: str, kept: str
) -> None:
    words = "鹿苑小区门口的路灯不亮，请打13800132210"
    asked = resident.start(words, photo=picture())
    page = asked.content.decode()
    assert asked.status_code == 422
    assert "<strong>13800132210</strong>" in page
    assert words in page
    assert resident.client.get(f"/report/{resident.draft}/place/").status_code == 410
    assert resident.say(words, numbers=decision).status_code == 302
    assert kept in resident.client.get(f"/report/{resident.draft}/place/").content.decode()
    resident.at("place", where="unknown")
    resident.client.post(f"/report/{resident.draft}/nearby/", {"same": ""})
    resident.at("you", nature="help")
    case = Case.objects.get()
    assert case.content.endswith(kept)
    assert case.attachments.count() == 1
