"""The pages on which people without a programmer keep the dispatch catalogue."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from lucheng.core.dispatch import editions, exchange
from lucheng.core.dispatch.models import Version
from lucheng.core.dispatch.rules import Row, rows_of
from lucheng.core.organisation.models import Post, Unit
from tests.channels.administration.counting import queries
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db


@pytest.fixture
def units() -> dict[str, Unit]:
    return city.lay_out()


@pytest.fixture
def editor(client: Client, units: dict[str, Unit]) -> Client:
    client.force_login(city.officer("editor"))
    client.cookies["django_language"] = "en"
    return client


def sheet(version: Version, **cells: Any) -> SimpleUploadedFile:
    """The sheet of an edition with some cells changed, as a browser sends it."""
    file = io.BytesIO()
    exchange.export_xlsx(version, file)
    book = load_workbook(file)
    assert book.active is not None
    for cell, value in cells.items():
        book.active[cell] = value
    file = io.BytesIO()
    book.save(file)
    return SimpleUploadedFile("目录.xlsx", file.getvalue())


def text(response: Any) -> str:
    return str(response.content.decode())


PAGES = ["", "1/", "1/sheet/", "1/row/", "1/try/", "1/compare/", "1/publish/"]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_asks_for_the_capability(client: Client, units: dict[str, Unit], page: str) -> None:
    city.draft(city.LAMPS)
    assert client.get(f"/admin/catalogue/{page}").status_code == 302
    client.force_login(city.officer("reader", "case.view", "organisation.edit"))
    assert client.get(f"/admin/catalogue/{page}").status_code == 403
    client.force_login(city.officer("editor"))
    assert client.get(f"/admin/catalogue/{page}").status_code == 200


@pytest.mark.parametrize("page", ["draft/", "upload/", "1/discard/", "1/row/", "1/publish/"])
def test_every_change_asks_for_the_capability(client: Client, units: dict[str, Unit], page: str) -> None:
    city.draft(city.LAMPS)
    client.force_login(city.officer("reader", "case.view"))
    assert client.post(f"/admin/catalogue/{page}", {"replaces": "0"}).status_code == 403
    assert [(v.number, v.state) for v in Version.objects.all()] == [(1, "draft")]


def test_who_edits_may_not_publish(client: Client, units: dict[str, Unit]) -> None:
    city.draft(city.LAMPS)
    client.force_login(city.officer("writer", "catalogue.edit"))
    assert "Put edition" not in text(
        client.get("/admin/catalogue/1/publish/", headers={"Accept-Language": "en"})
    )
    assert client.post("/admin/catalogue/1/publish/", {"replaces": "0", "note": "x"}).status_code == 403
    assert editions.in_force() is None


def test_a_draft_is_made_from_what_is_in_force(editor: Client) -> None:
    city.in_force(city.LAMPS, city.CLUTTER)
    response = editor.post("/admin/catalogue/draft/", {"note": "春季调整"}, follow=True)
    assert response.redirect_chain[-1][0] == "/admin/catalogue/2/"
    page = text(response)
    assert "春季调整" in page and "市照明管理中心" in page and "钢铁区公安分局, 钢铁区城管局" in page


def test_the_list_shows_which_edition_is_in_force(editor: Client) -> None:
    city.in_force(city.LAMPS)
    city.draft(city.CLUTTER)
    page = text(editor.get("/admin/catalogue/"))
    assert page.index("/admin/catalogue/2/") < page.index("/admin/catalogue/1/")
    assert "yours-row" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("matter=0102", ["市照明管理中心"]),
        ("matter=道路", ["市照明管理中心"]),
        ("place=150203", ["钢花街道办事处"]),
        ("place=钢花", ["钢花街道办事处"]),
        ("unit=城管", ["钢花街道办事处"]),
        ("unit=照明", ["市照明管理中心"]),
        ("matter=nothing", []),
        ("closed=1", []),
        ("page=99", []),
        ("page=x&matter=%00", ["市照明管理中心", "钢花街道办事处"]),
    ],
)
def test_rows_are_narrowed(editor: Client, query: str, shown: list[str]) -> None:
    version = city.draft(city.LAMPS, city.CLUTTER)
    response = editor.get(f"/admin/catalogue/{version.number}/?{query}")
    assert response.status_code == 200
    assert [row.lead.name for row in response.context["rows"]] == shown


def test_rows_whose_unit_has_been_closed_are_found(editor: Client, units: dict[str, Unit]) -> None:
    city.in_force(city.LAMPS, city.CLUTTER)
    units["lighting"].active = False
    units["lighting"].save()
    response = editor.get("/admin/catalogue/1/?closed=1")
    assert [row.lead.name for row in response.context["rows"]] == ["市照明管理中心"]
    assert "closed" in text(response)


def test_a_sheet_downloaded_and_uploaded_is_a_new_draft(editor: Client) -> None:
    version = city.draft(city.LAMPS, city.CLUTTER)
    downloaded = editor.get("/admin/catalogue/1/sheet/")
    assert downloaded["Content-Type"].endswith("spreadsheetml.sheet")
    assert ".xlsx" in downloaded["Content-Disposition"]
    response = editor.post(
        "/admin/catalogue/upload/",
        {"file": SimpleUploadedFile("目录.xlsx", downloaded.getvalue())},
        follow=True,
    )
    assert "Draft 2 has been made" in text(response)
    assert rows_of(editions.get(2)) == rows_of(version)
    assert editions.get(2).note == "目录.xlsx"


def test_what_is_wrong_in_a_sheet_is_shown_at_row_and_column(editor: Client) -> None:
    version = city.draft(city.LAMPS, city.CLUTTER)
    response = editor.post(
        "/admin/catalogue/upload/", {"file": sheet(version, B2="0999", C2=None, D3="15", E3=None)}
    )
    assert response.status_code == 422
    page = text(response)
    assert "There is no matter 0999" in page and "There is no division or grid 15 in force" in page
    assert "区划编码" in page and Version.objects.count() == 1


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"file": SimpleUploadedFile("x.xlsx", b"")},
        {"file": SimpleUploadedFile("x.xlsx", b"\xd0\xcf\x11\xe0")},
    ],
)
def test_what_is_no_sheet_is_refused_in_words(editor: Client, data: dict[str, Any]) -> None:
    response = editor.post("/admin/catalogue/upload/", data)
    assert response.status_code == 422
    assert 'role="alert"' in text(response)
    assert not Version.objects.exists()


def test_an_oversized_upload_is_refused_before_it_is_read(
    editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lucheng.core import sheets

    monkeypatch.setattr(sheets, "MAX_BYTES", 10)
    response = editor.post("/admin/catalogue/upload/", {"file": sheet(city.draft(city.LAMPS))})
    assert response.status_code == 422 and "too large" in text(response)


def entered(row: Row) -> dict[str, str]:
    return {
        "事项编码": row.matter,
        "区划编码": row.place,
        "主办单位编码": row.lead,
        "协办单位编码": ",".join(row.assists),
        "依据": row.basis,
        "备注": row.note,
    }


CLUTTER_FORM = "/admin/catalogue/1/row/?matter=0201&place=150203001"


def test_a_row_is_added_changed_and_taken_out(editor: Client) -> None:
    version = city.draft(city.LAMPS)
    editor.post("/admin/catalogue/1/row/", entered(city.CLUTTER))
    assert rows_of(version) == [city.LAMPS, city.CLUTTER]
    opened = editor.get(CLUTTER_FORM)
    assert "钢花街道办事处 [street]" in text(opened) and "楼道堆物 [0201]" in text(opened)
    changed = replace(city.CLUTTER, assists=("urban",), basis="新清单第3项")
    editor.post(CLUTTER_FORM, entered(changed) | {"seen": opened.context["seen"]})
    assert rows_of(version) == [city.LAMPS, changed]
    editor.post(CLUTTER_FORM, {"drop": "1", "seen": editor.get(CLUTTER_FORM).context["seen"]})
    assert rows_of(version) == [city.LAMPS]


def test_of_two_who_edit_one_row_the_second_is_told(editor: Client) -> None:
    version = city.draft(city.CLUTTER)
    seen = editor.get(CLUTTER_FORM).context["seen"]
    mine, other = replace(city.CLUTTER, lead="urban", assists=()), replace(city.CLUTTER, basis="新清单")
    assert editor.post(CLUTTER_FORM, entered(mine) | {"seen": seen}).status_code == 302
    assert editor.post(CLUTTER_FORM, entered(other) | {"seen": seen}).status_code == 409
    assert editor.post(CLUTTER_FORM, {"drop": "1", "seen": seen}).status_code == 409
    assert editor.post(CLUTTER_FORM, entered(other) | {"seen": "{"}).status_code == 409
    assert rows_of(version) == [mine]


def test_the_same_row_sent_twice_is_written_once(editor: Client) -> None:
    version = city.draft(city.LAMPS)
    assert editor.post("/admin/catalogue/1/row/", entered(city.CLUTTER)).status_code == 302
    assert editor.post("/admin/catalogue/1/row/", entered(city.CLUTTER)).status_code == 422
    assert rows_of(version) == [city.LAMPS, city.CLUTTER]


@pytest.mark.parametrize(
    "page",
    [
        "99999999999999999999/",
        "1/?unit=%00&place=%00&matter=%00",
        "1/row/?matter=%00&place=%00",
        "1/?page=99999999999999999999",
        "1/try/?since=%00&until=0001-01-01",
        "1/try/?since=9999-12-31&until=9999-12-31",
        "1/try/?since=0001-01-01&until=0001-01-02",
    ],
)
def test_an_address_that_means_nothing_is_no_fault_of_ours(editor: Client, page: str) -> None:
    city.draft(city.LAMPS)
    assert editor.get(f"/admin/catalogue/{page}").status_code in (200, 404, 422)


def test_names_may_be_written_instead_of_codes(editor: Client) -> None:
    version = city.draft(city.LAMPS)
    editor.post(
        "/admin/catalogue/1/row/",
        entered(city.CLUTTER) | {"区划编码": "钢花街道", "主办单位编码": "钢花街道办事处"},
    )
    assert rows_of(version) == [city.LAMPS, city.CLUTTER]


def test_a_name_that_several_bear_must_be_written_as_a_code(editor: Client, units: dict[str, Unit]) -> None:
    Unit.objects.create(code="urban2", name="钢铁区城管局", kind="department", place="150203")
    city.draft(city.LAMPS)
    response = editor.post(
        "/admin/catalogue/1/row/", entered(city.CLUTTER) | {"主办单位编码": "钢铁区城管局"}
    )
    assert response.status_code == 422 and "urban, urban2" in text(response)


def test_a_row_against_the_law_is_refused_at_its_field(editor: Client) -> None:
    version = city.draft(city.LAMPS)
    response = editor.post("/admin/catalogue/1/row/", entered(replace(city.CLUTTER, matter="010201")))
    assert response.status_code == 422
    assert "list of duties" in text(response)
    assert rows_of(version) == [city.LAMPS]


def test_an_edition_in_force_has_no_form(editor: Client) -> None:
    city.in_force(city.LAMPS)
    assert editor.get("/admin/catalogue/1/row/").status_code == 409
    assert editor.post("/admin/catalogue/1/row/", entered(city.CLUTTER)).status_code == 409
    assert editor.post("/admin/catalogue/1/discard/").status_code == 409
    assert "/admin/catalogue/1/row/" not in text(editor.get("/admin/catalogue/1/"))


def test_a_draft_is_thrown_away(editor: Client) -> None:
    city.draft(city.LAMPS)
    editor.post("/admin/catalogue/1/discard/")
    assert not Version.objects.exists()
    assert editor.get("/admin/catalogue/1/").status_code == 404


def test_an_edition_is_tried_on_the_past_month(client: Client, units: dict[str, Unit]) -> None:
    client.force_login(city.officer("duty", "catalogue.edit", "case.view"))
    for n in range(1, 4):
        city.case(n, "010201", "150203001", units["urban"], timezone.now())
    city.case(4, "0201", "150223", units["urban"], timezone.now())
    city.draft(city.LAMPS)
    response = client.get("/admin/catalogue/1/try/")
    trial = response.context["trial"]
    assert (trial.cases, trial.moved, trial.unmatched) == (4, 3, 1)
    page = text(response)
    assert "市照明管理中心" in page and "2603040000004" in page and "草原旗" in page


def test_a_trial_counts_the_cases_of_the_readers_own_district(client: Client, units: dict[str, Unit]) -> None:
    for n, place in enumerate(["150203001", "150203001", "150223"], 1):
        city.case(n, "010201", place, units["urban"], timezone.now())
    city.draft(city.LAMPS)
    of_the_county = city.officer("county", "catalogue.edit", "case.view")
    Post.objects.filter(person=of_the_county).update(place="150223")
    client.force_login(of_the_county)
    tried = client.get("/admin/catalogue/1/try/")
    assert tried.context["trial"].cases == 1
    assert [m.line.samples for m in tried.context["trial"].moves] == [["2603040000003"]]


@pytest.mark.parametrize(
    "query", ["since=2026-03-01&until=2026-02-01", "since=x&until=y", "since=2020-01-01&until=2026-01-01"]
)
def test_a_period_that_is_none_is_refused(editor: Client, query: str) -> None:
    city.draft(city.LAMPS)
    assert editor.get(f"/admin/catalogue/1/try/?{query}").status_code == 422


def test_a_draft_is_compared_row_by_row_and_then_published(editor: Client) -> None:
    first = city.in_force(city.LAMPS, city.CLUTTER)
    city.draft(city.LAMPS, replace(city.CLUTTER, lead="urban", assists=()))
    page = text(editor.get("/admin/catalogue/2/publish/"))
    assert "in 1 row" in page and "钢花街道办事处" in page and "钢铁区城管局" in page
    assert f'name="replaces" value="{first.number}"' in page
    response = editor.post(
        "/admin/catalogue/2/publish/", {"replaces": first.number, "note": "春季调整"}, follow=True
    )
    assert "Edition 2 is in force" in text(response)
    current = editions.in_force()
    assert current is not None and current.number == 2


def test_who_is_second_is_told_and_compares_again(editor: Client) -> None:
    first = city.in_force(city.LAMPS)
    city.draft(city.CLUTTER)
    city.in_force(replace(city.LAMPS, lead="urban"))
    assert (
        editor.post("/admin/catalogue/2/publish/", {"replaces": first.number, "note": "春季调整"}).status_code
        == 409
    )
    assert editor.post("/admin/catalogue/2/publish/", {"replaces": "²", "note": "x"}).status_code == 409
    current = editions.in_force()
    assert current is not None and current.number == 3


def test_a_row_that_no_longer_holds_is_shown_and_nothing_is_published(
    editor: Client, units: dict[str, Unit]
) -> None:
    city.draft(city.LAMPS)
    units["lighting"].active = False
    units["lighting"].save()
    response = editor.post("/admin/catalogue/1/publish/", {"replaces": "0", "note": "x"})
    assert response.status_code == 422 and "has been closed" in text(response)
    assert editions.in_force() is None


def test_lists_ask_the_same_number_of_queries_for_one_row_and_for_a_hundred(
    editor: Client, units: dict[str, Unit]
) -> None:
    from lucheng.core.dispatch.models import Matter

    for n in range(100):
        Matter.objects.create(code=f"05{n:02d}", name=f"事项{n}", grassroots=False)
    city.draft(Row("0500", "1502", "urban", ("police", "lighting"), "三定方案"))
    city.draft(*(Row(f"05{n:02d}", "1502", "urban", ("police", "lighting"), "三定方案") for n in range(100)))

    for page in ("", "publish/"):
        assert queries(editor, f"/admin/catalogue/1/{page}") == queries(editor, f"/admin/catalogue/2/{page}")
    few = queries(editor, "/admin/catalogue/")
    for _n in range(60):
        editions.draft_from_published("", city.NOW)
    assert queries(editor, "/admin/catalogue/") == few


def test_a_draft_is_published_with_a_reason_only(editor: Client) -> None:
    city.draft(city.LAMPS)
    response = editor.post("/admin/catalogue/1/publish/", {"replaces": "0", "note": " "})
    assert response.status_code == 422 and "Why this edition is published" in text(response)
    assert editions.in_force() is None
    editor.post("/admin/catalogue/1/publish/", {"replaces": "0", "note": "机构改革"})
    published = editions.in_force()
    assert published is not None and published.note == "机构改革"
    assert "机构改革" in text(editor.get("/admin/catalogue/"))


def test_an_edition_is_shown_beside_the_one_before_it_and_beside_any_other(editor: Client) -> None:
    city.in_force(city.LAMPS)
    city.in_force(city.LAMPS, city.CLUTTER)
    changed = replace(city.CLUTTER, basis="新清单第3项")
    city.draft(changed)
    assert "钢花街道办事处" in text(editor.get("/admin/catalogue/2/compare/"))
    assert "no edition before it" in text(editor.get("/admin/catalogue/1/compare/"))
    beside = editor.get("/admin/catalogue/3/compare/?with=1")
    assert [(c["matter"], c["before"] is None, c["after"] is None) for c in beside.context["changes"]] == [
        ("0102", False, True),
        ("0201", True, False),
    ]
    assert [
        c["after"]["basis"]
        for c in editor.get("/admin/catalogue/3/compare/").context["changes"]
        if c["after"]
    ] == ["新清单第3项"]
    assert editor.get("/admin/catalogue/3/compare/?with=99").status_code == 404


def moved_by_a_draft(units: dict[str, Unit]) -> str:
    """A draft that sends the lamps to the county, cases of the unit that has them, and where they are listed."""
    for n, place in enumerate(["150203001001001", "150223"], 1):
        city.case(n, "010201", place, units["lighting"], timezone.now())
    city.draft(city.LAMPS, replace(city.LAMPS, place="150203", lead="urban"))
    return f"/admin/catalogue/1/try/cases/?had={units['lighting'].pk}&gets={units['urban'].pk}"


def test_the_cases_that_would_go_elsewhere_open_to_whoever_may_see_them(
    client: Client, units: dict[str, Unit]
) -> None:
    address = moved_by_a_draft(units)
    client.force_login(city.officer("duty", "catalogue.edit", "case.view"))
    tried = client.get("/admin/catalogue/1/try/")
    assert [(m.before, m.after, m.line.cases) for m in tried.context["trial"].moves] == [
        ("市照明管理中心", "钢铁区城管局", 1)
    ]
    assert "/try/cases/" in text(tried)
    assert [c.pk for c in client.get(address).context["cases"]] == [1]


def test_who_may_not_see_cases_has_nothing_counted(client: Client, units: dict[str, Unit]) -> None:
    address = moved_by_a_draft(units)
    client.force_login(city.officer("keeper", "catalogue.edit"))
    client.cookies["django_language"] = "en"
    tried = client.get("/admin/catalogue/1/try/")
    assert tried.context["trial"] is None and "None of your posts shows cases" in text(tried)
    listed = client.get(address)
    assert list(listed.context["cases"]) == [] and "门口" not in text(listed)
    for wrong in ("had=1", "had=x&gets=y", "had=999999&gets=999999"):
        assert client.get(f"/admin/catalogue/1/try/cases/?{wrong}").status_code == 404


def test_a_row_is_written_with_what_type_to_find_fills_in(editor: Client) -> None:
    version = city.draft(city.LAMPS)
    typed = {
        "事项编码": "楼道堆物 [0201]",
        "区划编码": "钢花街道 [150203001]",
        "主办单位编码": "钢花街道办事处 [street]",
        "协办单位编码": "钢铁区公安分局 [police]、钢铁区城管局 [urban]",
    }
    assert editor.post("/admin/catalogue/1/row/", entered(city.CLUTTER) | typed).status_code == 302
    assert rows_of(version) == [city.LAMPS, city.CLUTTER]
    wrong = editor.post("/admin/catalogue/1/row/", entered(city.CLUTTER) | {"事项编码": "无此事项"})
    assert wrong.status_code == 422 and "No matter is called" in text(wrong)
    shown = editor.get("/admin/catalogue/1/?unit=钢铁区公安分局 [police]&matter=楼道堆物 [0201]")
    assert [row.lead.name for row in shown.context["rows"]] == ["钢花街道办事处"]
