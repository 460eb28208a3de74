"""Today in figures over the API: the same rights as on the page, and every address leads to as many cases."""

from __future__ import annotations

import pytest
from django.utils import timezone

from lucheng.core.cases import today
from lucheng.core.cases.models import State
from tests import factories
from tests.channels.api.conftest import Callers


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(today, "LATE", 0.0)


def test_the_overview_is_for_posts_that_reach_a_place(caller: Callers) -> None:
    assert caller(None).get("/overview").status == 401
    for name in ("handler", "administrator"):
        assert caller(name).get("/overview").status == 403
    assert caller("east_dispatcher").get("/overview").status == 200


def test_every_count_leads_to_as_many_cases(caller: Callers, city: factories.City) -> None:
    now = timezone.now()
    factories.case_in(State.CLOSED, city, now)
    factories.case_in(State.RETURN_REQ, city, now)
    factories.case_in(State.ANSWERED, city, now, nature="inquiry")
    factories.case_in(State.SIGNED, city, now - 60 * today.DAY)
    who = caller("duty_officer")
    found = who.get("/overview").json

    def rows(address: str) -> int:
        assert address.startswith("/api/v1/cases")
        answer = who.get(address.removeprefix("/api/v1"))
        assert answer.status == 200, answer
        return int(answer.json["count"])

    assert {f["figure"]: f["count"] for f in found["figures"]} == {
        "received": 3,
        "answered": 1,
        "dispatched": 2,
        "closed": 1,
        "overdue": 1,
        "open": 3,
    }
    for part in ("figures", "hours", "counties", "townships", "needs"):
        assert found[part]
        for one in found[part]:
            assert rows(one["rows"]) == (one.get("count", one.get("open")) or 0), one
    for one in found["counties"]:
        assert rows(one["overdue_rows"]) == one["overdue"]
    assert found["needs"][0]["rule"] == "objection"
    assert found["events"][0].keys() == {"at", "action", "number", "place", "matter"}
    assert found["as_of"]


def test_a_list_by_what_happened_is_paged_like_any_other(caller: Callers) -> None:
    now = timezone.now()
    made = [factories.received(now).number for _ in range(3)]
    factories.received(now - 2 * today.DAY)
    who = caller("duty_officer")
    since = timezone.localtime(now).date().isoformat()
    first = who.get(f"/cases?happened=received&since={since}T00:00&limit=2").json
    second = who.get(f"/cases?happened=received&since={since}T00:00&limit=2&after={first['next']}").json
    assert [c["number"] for c in first["cases"] + second["cases"]] == made[::-1]
    assert list(who.get("/cases?happened=received&since=soon").faults) == ["since"]
    assert list(who.get("/cases?happened=eaten").faults) == ["happened"]
