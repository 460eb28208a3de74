"""Reference data and advice: what there is, where things are, who would answer."""

from __future__ import annotations

import datetime as dt

import pytest

from lucheng.core.cases.kinds import KINDS
from lucheng.core.cases.lifecycle import TRANSITIONS
from lucheng.core.places.models import Division, Succession
from lucheng.core.revisions import snapshot
from tests import factories
from tests.channels.api.conftest import Callers

PATHS = [
    "/kinds",
    "/lifecycle",
    "/matters",
    "/units",
    "/divisions",
    "/divisions/9901",
    "/locate?text=x",
    "/catalogue/decide?matter=01&place=9901",
]


@pytest.mark.parametrize("path", PATHS)
def test_reference_data_is_for_whoever_has_signed_in(caller: Callers, path: str) -> None:
    assert caller(None).get(path).status == 401
    assert caller("grid_worker").get(path).status == 200


def test_kinds_matters_and_the_life_cycle_are_given_as_data(caller: Callers) -> None:
    who = caller("handler")
    assert {k["code"] for k in who.get("/kinds").json} == set(KINDS)
    table = who.get("/lifecycle").json
    assert [(t["action"], t["to"]) for t in table["transitions"]] == [
        (t.action, t.to.value if t.to else None) for t in TRANSITIONS
    ]
    fields = {f["name"] for f in table["fields"]}
    assert all(set(t["needs"]) | set(t["takes"]) <= fields for t in table["transitions"])
    lamp = next(m for m in who.get("/matters").json if m["code"] == factories.LAMP)
    assert lamp == {"code": factories.LAMP, "name": "Street lamp out", "grassroots": False, "urgency": ""}


def test_units_are_listed_under_a_place(caller: Callers, city: factories.City) -> None:
    city.units["sumu"].active = False
    city.units["sumu"].save()
    who = caller("handler")
    assert {u["code"] for u in who.get("/units").json} == set(city.units) - {"sumu"}
    assert {u["code"] for u in who.get("/units?under=990101").json} == {"west", "street"}


def test_divisions_are_asked_for_as_of_a_day(caller: Callers) -> None:
    before = Division.objects.get(code=factories.SUMU)
    before.valid_to = dt.date(2025, 1, 1)
    before.save()
    after = Division.objects.create(
        code=factories.SUMU, level=9, kind="town", name="白音镇", valid_from=dt.date(2025, 1, 1)
    )
    Succession.objects.create(
        before=before, after=after, at=after.valid_from, how="changed", basis="declared"
    )
    snapshot.forget()
    who = caller("handler")
    now = who.get(f"/divisions/{factories.SUMU}").json
    then = who.get(f"/divisions/{factories.SUMU}?as_of=2024-12-31").json
    assert (now["name"], now["kind"]["code"], [b["name"] for b in now["before"]]) == (
        "白音镇",
        "town",
        ["白音苏木"],
    )
    assert (then["name"], then["valid_to"], [a["name"] for a in then["after"]]) == (
        "白音苏木",
        "2025-01-01",
        ["白音镇"],
    )
    assert then["after"][0]["certain"] is True
    listed = who.get(f"/divisions?under={factories.EAST}&as_of=2024-12-31").json
    assert [d["name"] for d in listed] == ["白音苏木"]
    gone = who.get(f"/divisions/{factories.SUMU}?as_of=2019-12-31")
    assert (gone.status, "2019-12-31" in gone.json["detail"]) == (404, True)
    assert who.get("/divisions?as_of=soon").faults == {"as_of": "Write a date as 2026-07-09."}


def test_a_point_and_a_text_are_located(caller: Callers) -> None:
    who = caller("handler")
    lon, lat = factories.INSIDE_GRID
    assert who.get(f"/locate?lon={lon}&lat={lat}").json["candidates"][0]["place"] == factories.GRID
    found = who.get("/locate?text=鹿苑小区3号楼").json["candidates"][0]
    assert (found["place"], found["words"]) == (factories.GRID, ["estate:鹿苑小区", "building:3号楼"])
    assert who.get("/locate?text=无此地").json == {"candidates": []}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "text"),
        ("text=%20", "text"),
        ("lon=110", "lon"),
        ("lat=40", "lon"),
        ("lon=181&lat=40", "lon"),
        ("lon=nan&lat=40", "lon"),
        ("lon=x&lat=40", "lon"),
        ("lon=116.4&lat=39.9", "lon"),
    ],
)
def test_a_place_that_cannot_be_asked_for(caller: Callers, query: str, field: str) -> None:
    assert list(caller("handler").get(f"/locate?{query}").faults) == [field]


def test_the_catalogue_says_who_and_why(caller: Callers) -> None:
    who = caller("handler")
    decided = who.get(f"/catalogue/decide?matter={factories.LAMP}&place={factories.GRID}").json
    assert decided["ruling"]["lead_unit"]["name"] == "鹿原市城市管理局"
    assert decided["ruling"]["basis"] in decided["ruling"]["reason"]
    assert decided["why_none"] == ""
    none = who.get(f"/catalogue/decide?matter={factories.NO_RULE}&place={factories.GRID}").json
    assert none["ruling"] is None
    assert none["why_none"]
    assert who.get("/catalogue/decide?matter=999999&place=12").faults.keys() == {"matter", "place"}


def test_advice_is_given_within_what_the_caller_sees(caller: Callers, city: factories.City) -> None:
    case = factories.received(title="路灯不亮")
    text = {"text": "鹿苑小区3号楼前的路灯不亮，有人触电了"}
    mine, theirs = caller("west_dispatcher"), caller("east_dispatcher")
    advised = mine.post("/triage/propose", text).json
    assert advised["place"]["place"] == factories.GRID
    assert "触电:120" in advised["urgent"] or advised["urgent"]
    assert [a["number"] for a in advised["alike"]] in ([case.number], [])
    assert theirs.post("/triage/propose", text).json["alike"] == []
    assert mine.post("/triage/propose", {"text": ""}).status == 200
    assert mine.post("/triage/propose", {"txt": "x"}).faults.keys() == {"text", "txt"}
    assert caller("administrator").post("/triage/propose", text).status == 403
