"""The data-protection officer's list of looks over the API."""

from __future__ import annotations

from django.utils import timezone

from lucheng.core.privacy.contacts import reveal
from tests import factories
from tests.channels.api.conftest import Callers


def test_looks_are_listed_a_page_at_a_time_to_who_audits_them(caller: Callers, city: factories.City) -> None:
    city.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    for _ in range(3):
        case = factories.received()
        reveal(
            case.contact, person=city.people["operator"], role="operator", unit_id=city.units["hotline"].pk,
            reason="回访核实", now=timezone.now(), fields=["phone"],
        )  # fmt: skip
    who = caller("officer")
    first = who.get("/looks?limit=2")
    assert first.status == 200, first
    newest = first.json["looks"][0]
    assert (newest["number"], newest["fields"], newest["username"]) == (case.number, ["phone"], "operator")
    assert newest["unit"]["name"] == city.units["hotline"].name
    assert "13800000000" not in str(first.json)
    rest = who.get(f"/looks?limit=2&before={first.json['next']}")
    assert (len(rest.json["looks"]), rest.json["next"]) == (1, None)
    assert who.get("/looks?person=nobody").json["looks"] == []
    assert who.get("/looks?limit=0").faults.keys() == {"limit"}
    for nobody in ("operator", "administrator"):
        assert caller(nobody).get("/looks").status == 403
