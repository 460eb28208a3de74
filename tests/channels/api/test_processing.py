"""The registers over the API, for programs of the data-protection officer."""

from __future__ import annotations

from lucheng.core.privacy import registers
from lucheng.core.privacy.models import Register
from tests import factories
from tests.channels.api.conftest import Callers
from tests.factories import NOW


def test_a_register_is_listed_a_page_at_a_time_to_who_audits_personal_data(
    caller: Callers, city: factories.City
) -> None:
    city.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    city.people["county"] = factories.person("county", "data_protection_officer", factories.WEST)
    registers.load(now=NOW)
    who = caller("officer")
    seen: list[str] = []
    page = who.get("/processing-registers/processing?limit=7")
    while True:
        assert page.status == 200, page
        seen += [e["code"] for e in page.json["entries"]]
        if page.json["next"] is None:
            break
        page = who.get(f"/processing-registers/processing?limit=7&after={page.json['next']}")
    assert seen == [e.code for e in registers.listed(NOW)] and len(seen) > 14
    waiting = who.get("/processing-registers/processing?state=waiting").json["entries"]
    assert {e["waits"]["code"] for e in waiting} == {"unassessed"}
    assert [e["code"] for e in who.get("/processing-registers/processing?text=日志").json["entries"]] == [
        "logs"
    ]
    assert who.get("/processing-registers/assessment").json == {"entries": [], "next": None}
    assert who.get("/processing-registers/people").status == 422
    assert who.get("/processing-registers/processing?limit=0").faults.keys() == {"limit"}
    for name in ("text", "after"):
        assert who.get(f"/processing-registers/processing?{name}=%00").status == 400
    assert who.get("/processing-registers/processing/LOGS").status == 422
    for nobody in ("operator", "administrator", "county"):
        assert caller(nobody).get("/processing-registers/processing").status == 403
        assert caller(nobody).get("/processing-registers/processing/logs").status == 403


def test_one_entry_comes_with_every_version_that_is_kept(caller: Callers, city: factories.City) -> None:
    by = city.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    registers.load(now=NOW)
    before = registers.last(Register.PROCESSING, "logs", NOW)
    fields = before.fields | {"kept": "一年"}
    registers.write(
        Register.PROCESSING, "logs", before.title, fields, by=by, note="本市规定", after=1, now=NOW
    )
    found = caller("officer").get("/processing-registers/processing/logs").json
    assert (found["version"], found["made_by"], found["note"]) == (2, "officer", "本市规定")
    assert found["fields"]["kept"] == "一年" and found["state"]["code"] == "in_force"
    assert [(v["version"], v["made_by"]) for v in found["versions"]] == [(2, "officer"), (1, "")]
    assert found["versions"][1]["fields"] == before.fields
    assert caller("officer").get("/processing-registers/processing/nothing").status == 404
