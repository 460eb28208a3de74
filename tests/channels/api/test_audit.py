"""Acts, sign-ins and verifications over the API: for the audit administrator alone."""

from __future__ import annotations

import pytest
from django.utils import timezone

from lucheng.core.ledger import acts, verifications
from lucheng.core.ledger.models import Act, Verification
from lucheng.core.organisation import people, signing_in
from lucheng.core.organisation.models import SignIn
from tests import factories
from tests.channels.api.conftest import Callers
from tests.core.ledger.stories import case_of_a_broken_lamp
from tests.core.ledger.test_verify import tamper


@pytest.mark.parametrize("path", ["/acts", "/sign-ins", "/verifications"])
def test_nobody_else_reads_them(caller: Callers, city: factories.City, path: str) -> None:
    city.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    city.people["district"] = factories.person("district", "auditor", factories.WEST)
    assert caller("auditor").get(path).status == 200
    assert caller(None).get(path).status == 401
    for who in ("administrator", "officer", "dispatcher", "district"):
        assert caller(who).get(path).status == 403
        if path == "/verifications":
            assert caller(who).post(path, {}).status == 403
    assert not Verification.objects.exists()


def test_acts_are_listed_a_page_at_a_time_with_all_that_proves_them(
    caller: Callers, city: factories.City
) -> None:
    who = caller("auditor")
    with acts.by(city.people["administrator"], "administrator", city.units["government"].pk):
        for name in ("li", "wang", "zhao"):
            people.add_person(name, name)
    first = who.get("/acts?action=person_added&limit=2")
    assert first.status == 200, first
    newest = first.json["acts"][0]
    act = Act.objects.get(name="zhao")
    assert newest["words"] == "person added"
    assert newest["person"] == {"name": "administrator", "username": "administrator"}
    assert newest["unit"]["name"] == city.units["government"].name
    assert (newest["seq"], newest["hash"], newest["prev"]) == (
        act.seq,
        bytes(act.hash).hex(),
        bytes(act.prev).hex(),
    )
    rest = who.get(f"/acts?action=person_added&limit=2&before={first.json['next']}")
    assert ([a["name"] for a in rest.json["acts"]], rest.json["next"]) == (["li"], None)
    assert who.get("/acts?person=nobody").json["acts"] == []
    assert who.get("/acts?person=console&object=auditor").json["acts"][0]["action"] == "key_issued"
    assert who.get("/acts?limit=0").faults.keys() == {"limit"}


def test_sign_ins_are_listed_a_page_at_a_time(caller: Callers, city: factories.City) -> None:
    who, now = caller("auditor"), timezone.now()
    signing_in.note(SignIn.Outcome.IN, city.people["handler"], now=now, address="192.0.2.1", by="app")
    signing_in.note(SignIn.Outcome.REFUSED, None, now=now, address="192.0.2.2", by="password", reason="wrong")
    first = who.get("/sign-ins?limit=1")
    (refused,) = first.json["sign_ins"]
    assert (refused["person"], refused["outcome"], refused["reason"], refused["address"]) == (
        None,
        "refused",
        "wrong",
        "192.0.2.2",
    )
    (came,) = who.get(f"/sign-ins?before={first.json['next']}").json["sign_ins"]
    assert (came["person"]["username"], came["by"]) == ("handler", "app")
    assert len(who.get("/sign-ins?outcome=in").json["sign_ins"]) == 1
    assert who.get("/sign-ins?outcome=maybe").faults.keys() == {"outcome"}


def test_a_verification_is_asked_for_and_read(caller: Callers, city: factories.City) -> None:
    who = caller("auditor")
    case = case_of_a_broken_lamp(events=3)
    asked = who.post("/verifications", {"files": True})
    assert (asked.status, asked.json["state"], asked.json["files"]) == (202, "waiting", True)
    again = who.post("/verifications", {})
    assert (again.status, again.json["id"]) == (202, asked.json["id"])
    act = acts.last()
    assert act is not None
    assert (act.action, act.person, act.role) == ("verification_asked", city.people["auditor"], "auditor")
    tamper("delete from ledger_event where case_id = %s and seq = 2", case.pk)
    verifications.carry_out(timezone.now())
    (done,) = who.get("/verifications").json["verifications"]
    assert (done["state"], done["findings"]) == ("done", 1)
    assert done["found"] == [{"kind": "missing", "case": case.number, "seq": 2, "text": "event 2 is missing"}]
    assert who.post("/verifications", {"colour": "red"}).status == 422
