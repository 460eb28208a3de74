"""Registers over the API."""

from __future__ import annotations

import pytest

from lucheng.core.organisation.models import Post
from tests import factories
from tests.channels.api.conftest import Caller, Callers
from tests.core.registers.centres import centre, given
from tests.factories import COMMUNITY, EAST, WEST, City


@pytest.fixture
def keeper(caller: Callers, city: City) -> Caller:
    city.people["keeper"] = factories.person("keeper", "centres_keeper", WEST)
    return caller("keeper")


def test_what_registers_there_are_and_what_may_stand_in_them(keeper: Caller, caller: Callers) -> None:
    by_slug = {r["slug"]: r for r in keeper.get("/registers").json}
    found = by_slug["centres"]
    assert found["writable"] and not by_slug["targets"]["writable"]
    fields = {f["name"]: f for f in found["fields"]}
    assert (
        fields["level"]["kind"] == "choice"
        and {"code": "community", "name": "urban community"} in fields["level"]["choices"]
    )
    assert fields["name"]["required"] and not fields["code"]["required"]
    assert not any(r["writable"] for r in caller("operator").get("/registers").json)


def test_an_entry_is_added_read_changed_and_ended(keeper: Caller) -> None:
    made = keeper.post("/registers/centres", {**given(), "code": "C1", "access": ["lift"]})
    assert made.status == 201, made.body
    assert made.json["fields"]["place"] == COMMUNITY and made.json["fields"]["access"] == ["lift"]
    assert keeper.post("/registers/centres", {**given(), "code": "C1"}).status == 409
    changed = keeper.put("/registers/centres/C1", given(phone="0472-1"), if_match='"1"')
    assert (changed.status, changed.json["version"], changed.headers["ETag"]) == (200, 2, '"2"')
    assert keeper.put("/registers/centres/C1", given(), if_match='"1"').status == 409
    assert keeper.put("/registers/centres/C1", given()).status == 428
    ended = keeper.put("/registers/centres/C1", given(valid_to="2026-01-01"), if_match='"2"')
    assert ended.status == 200
    assert keeper.get("/registers/centres").json == {"entries": [], "next": None}
    one = keeper.get("/registers/centres/C1").json
    assert [h["how"]["code"] for h in one["history"]] == ["retired", "changed", "added"]
    assert [h["by"] for h in one["history"]] == ["keeper"] * 3


def test_what_is_wrong_is_said_at_its_field(keeper: Caller) -> None:
    wrong = keeper.post("/registers/centres", {**given(level="x", area="y", name=7), "code": "C1"})
    assert wrong.status == 422 and wrong.faults.keys() == {"level", "area", "name"}
    assert keeper.post("/registers/centres", given()).faults.keys() == {"code"}
    assert keeper.get("/registers/centres/C9").status == 404
    assert keeper.get("/registers/gardens").status == 404
    assert keeper.get("/registers/centres?text=%00").status == 422


def test_lists_are_paged_and_narrowed(keeper: Caller) -> None:
    for n in range(5):
        centre(f"C{n}", name=f"中心{n}")
    first = keeper.get("/registers/centres?limit=3").json
    rest = keeper.get(f"/registers/centres?limit=3&after={first['next']}").json
    assert [e["code"] for e in first["entries"] + rest["entries"]] == [f"C{n}" for n in range(5)]
    assert rest["next"] is None
    assert [e["code"] for e in keeper.get("/registers/centres?text=中心3").json["entries"]] == ["C3"]
    assert keeper.get(f"/registers/centres?place={EAST}").json["entries"] == []


def test_nobody_writes_beyond_their_posts_and_without_one_nobody_reads(
    keeper: Caller, caller: Callers, city: City
) -> None:
    centre("C1")
    assert keeper.post("/registers/centres", {**given(place=EAST), "code": "C2"}).status == 403
    assert caller("operator").post("/registers/centres", {**given(), "code": "C2"}).status == 403
    assert caller("operator").get("/registers/centres/C1").status == 200
    Post.objects.filter(person=city.people["operator"]).delete()
    assert caller("operator").get("/registers").json == []
    assert caller("operator").get("/registers/centres/C1").status == 403
