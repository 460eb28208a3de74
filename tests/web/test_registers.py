"""The pages of registers, on the party-service centres: reading, writing, ending, sheets and the map."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook
from pytest_django import DjangoAssertNumQueries

from lucheng.core.organisation.models import Post
from lucheng.core.registers import sweeps
from lucheng.core.registers.models import Import
from lucheng.projects.party_centres.models import Centre
from tests import factories
from tests.core.registers.centres import centre, given
from tests.core.registers.test_exchange import sheet
from tests.factories import EAST, NOW, SUMU, WEST, City, client

LIST = "/registers/centres/"


@pytest.fixture
def keeper(city: City) -> Client:
    city.people["keeper"] = factories.person("keeper", "centres_keeper", WEST)
    return client(city, "keeper")


def form(**changes: Any) -> dict[str, Any]:
    return {k: v for k, v in given(**changes).items() if v is not None}


def brought(keeper: Client, *rows: dict[str, Any], name: str = "中心.xlsx") -> str:
    answer = keeper.post(f"{LIST}imports/", {"file": SimpleUploadedFile(name, sheet(*rows).getvalue())})
    assert answer.status_code == 302, answer.content.decode()
    sweeps.work(NOW)
    return str(answer["Location"])


def test_staff_read_and_whoever_has_no_post_does_not(keeper: Client, city: City) -> None:
    centre("C1")
    operator = client(city, "operator")
    for address in (
        "/registers/",
        LIST,
        f"{LIST}map/",
        f"{LIST}located/",
        f"{LIST}entry/C1/",
        f"{LIST}sheet/",
    ):
        assert operator.get(address).status_code == 200, address
        assert Client().get(address).status_code == 302, address
    shown = operator.get(f"{LIST}entry/C1/").content.decode()
    assert "修改" not in re.sub(r"修改记录", "", shown.split("<main")[1])
    Post.objects.filter(person=city.people["operator"]).delete()
    for address in ("/registers/", LIST, f"{LIST}entry/C1/", f"{LIST}sheet/", f"{LIST}located/"):
        assert operator.get(address).status_code == 403, address


def test_only_keepers_write_and_only_where_their_posts_reach(keeper: Client, city: City) -> None:
    centre("C1", place=SUMU)
    operator = client(city, "operator")
    for address in (f"{LIST}new/", f"{LIST}imports/", f"{LIST}template/", f"{LIST}entry/C1/write/"):
        assert operator.get(address).status_code == 403, address
    assert operator.post(f"{LIST}new/", form()).status_code == 403
    assert keeper.get(f"{LIST}entry/C1/write/").status_code == 403
    assert keeper.post(f"{LIST}entry/C1/write/", form(version=1)).status_code == 403
    assert keeper.post(f"{LIST}entry/C1/retire/", {"day": "2026-01-01", "version": 1}).status_code == 403
    assert keeper.post(f"{LIST}new/", form(place=EAST)).status_code == 403
    assert Centre.objects.count() == 1


def test_an_entry_is_added_and_changed_by_name_as_people_choose_it(keeper: Client) -> None:
    answer = keeper.post(
        f"{LIST}new/", form(place="花园社区 [990101001001]", access=["lift", "toilet"]), follow=True
    )
    shown = answer.content.decode()
    made = Centre.objects.get()
    assert "“花园社区党群服务中心”已保存。" in shown and "电梯、无障碍卫生间" in shown
    page = keeper.get(f"{LIST}entry/{made.code}/write/").content.decode()
    assert 'name="code"' not in page and 'value="lift"' in page and 'value="2020-06-01"' in page
    answer = keeper.post(f"{LIST}entry/{made.code}/write/", form(phone="0472-1", version=1), follow=True)
    shown = answer.content.decode()
    assert "<ins>0472-1</ins>" in shown and "keeper" in shown


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(keeper: Client) -> None:
    answer = keeper.post(f"{LIST}new/", form(area="很大", place="月球", name="甲"))
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "请填写整数。" in shown and "没有名为“月球”的区划" in shown
    assert 'value="很大"' in shown and 'value="甲"' in shown
    assert not Centre.objects.exists()


def test_whoever_comes_second_sees_both_and_decides(keeper: Client) -> None:
    centre("C1")
    assert keeper.post(f"{LIST}entry/C1/write/", form(phone="0472-1", version=1)).status_code == 302
    late = keeper.post(f"{LIST}entry/C1/write/", form(phone="0472-2", version=1))
    shown = late.content.decode()
    assert late.status_code == 409 and "0472-1" in shown and 'value="0472-2"' in shown
    again = form(phone="0472-2", version=re.findall(r'name="version" value="(\d+)"', shown)[0])
    assert keeper.post(f"{LIST}entry/C1/write/", again).status_code == 302
    assert Centre.objects.get().phone == "0472-2"


def test_an_entry_ends_on_a_day_and_stays_with_its_history(keeper: Client) -> None:
    centre("C1")
    for day in ("", "2026-02-30", "x"):
        assert keeper.post(f"{LIST}entry/C1/retire/", {"day": day, "version": 1}).status_code == 422
    assert keeper.post(f"{LIST}entry/C1/retire/", {"day": "2020-01-01", "version": 1}).status_code == 422
    assert keeper.post(f"{LIST}entry/C1/retire/", {"day": "2026-01-01", "version": 1}).status_code == 302
    assert "C1" not in keeper.get(LIST).content.decode()
    assert "C1" in keeper.get(f"{LIST}?state=ended").content.decode()
    assert "C1" in keeper.get(f"{LIST}?day=2025-12-31").content.decode()
    assert "停用" in keeper.get(f"{LIST}entry/C1/").content.decode()


@pytest.mark.parametrize(
    "query", ["place=东原区", "place=" + WEST, "q=花园", "level=community", "sort=-valid_from"]
)
def test_lists_are_narrowed_by_what_the_form_asks(keeper: Client, query: str) -> None:
    centre("C1")
    shown = keeper.get(f"{LIST}?{query}").content.decode()
    assert f"{LIST}entry/C1/" in shown


@pytest.mark.parametrize(
    "query",
    [
        "place=nowhere",
        "day=2026-02-31",
        "sort=password",
        "level=galaxy",
        "state=x",
        "after=%00~",
        "before=x&sort=-valid_from",
    ],
)
def test_an_address_that_makes_no_sense_gives_a_page_all_the_same(keeper: Client, query: str) -> None:
    centre("C1")
    assert keeper.get(f"{LIST}?{query}").status_code == 200


def test_empty_lists_say_what_to_do(keeper: Client) -> None:
    assert "还没有有效的条目" in keeper.get(LIST).content.decode()
    assert "没有符合条件的条目" in keeper.get(f"{LIST}?q=无").content.decode()
    assert keeper.get("/registers/gardens/").status_code == 404
    assert keeper.get(f"{LIST}entry/C9/").status_code == 404


def test_a_list_costs_the_same_queries_at_one_entry_and_at_forty(
    keeper: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for n in (1, 40):
        while Centre.objects.count() < n:
            centre(f"C{Centre.objects.count()}", name=f"中心{Centre.objects.count()}")
        keeper.get(LIST)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            keeper.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_map_draws_what_the_list_holds(keeper: Client) -> None:
    centre("C1", lon=110.005, lat=40.005)
    centre("C2", name="无坐标")
    shown = keeper.get(f"{LIST}map/").content.decode()
    assert "1 个有坐标" in shown and "1 个没有坐标" in shown
    (point,) = keeper.get(f"{LIST}located/").json()["features"]
    assert point["properties"]["href"] == f"{LIST}entry/C1/"
    assert keeper.get(f"{LIST}located/?place={EAST}").json()["features"] == []


def test_a_list_is_kept_as_a_sheet_as_it_is_narrowed(keeper: Client) -> None:
    centre("C1")
    centre("C2", name="另一个")
    answer = keeper.get(f"{LIST}sheet/?q=另一个")
    rows = list(load_workbook(io.BytesIO(b"".join(answer))).active.iter_rows(values_only=True))  # type: ignore[union-attr, arg-type]
    assert [r[0] for r in rows] == ["编号", "C2"]
    csv = b"".join(keeper.get(f"{LIST}sheet/?kind=csv")).decode("utf-8-sig")  # type: ignore[arg-type]
    assert len(csv.splitlines()) == 3


def test_a_sheet_is_brought_looked_at_taken_over_and_taken_back(keeper: Client) -> None:
    address = brought(keeper, given(), given(name="乙"))
    shown = keeper.get(address).content.decode()
    assert "已检查，请核对后导入" in shown and not Centre.objects.exists()
    keeper.post(address, {"do": "approve"})
    assert 'hx-trigger="every 2s"' in keeper.get(address).content.decode()
    sweeps.work(NOW)
    assert "撤销导入" in keeper.get(address).content.decode() and Centre.objects.count() == 2
    assert keeper.post(address, {"do": "approve"}).status_code == 409
    keeper.post(address, {"do": "undo"})
    sweeps.work(NOW)
    assert "已撤销" in keeper.get(address).content.decode() and not Centre.objects.exists()


def test_faults_of_a_sheet_are_shown_at_row_and_cell_in_the_readers_language(keeper: Client) -> None:
    address = brought(keeper, given(), given(name="乙", level="?"), given(name="丙", place=SUMU))
    shown = keeper.get(address).content.decode()
    assert "2处错误" in shown and "您的岗位无权维护此区划" in shown and "城市社区" in shown
    assert "确认导入" not in shown
    english = keeper.get(address, headers={"accept-language": "en"}).content.decode()
    assert "Your posts do not let you write at this place." in english
    assert not Centre.objects.exists()


def test_others_do_not_see_the_sheets_of_a_register_that_they_do_not_keep(keeper: Client, city: City) -> None:
    address = brought(keeper, given())
    operator = client(city, "operator")
    assert operator.get(address).status_code == 403
    assert operator.post(address, {"do": "approve"}).status_code == 403
    assert keeper.get(address.replace("imports/", "imports/9")).status_code == 404
    assert keeper.post(f"{LIST}imports/", {}).status_code == 422
    assert Import.objects.count() == 1
