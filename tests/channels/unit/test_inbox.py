"""The unit's inbox: who sees what in it, in which order, and several orders at once."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lucheng.core.cases.inbox import Tray
from lucheng.core.cases.models import Case, State
from lucheng.core.ledger.models import Event
from lucheng.core.revisions import snapshot
from lucheng.web import nav
from tests import factories
from tests.channels.unit.conftest import Door
from tests.factories import NOW, City, case_in, received, step


def numbers(page: bytes) -> list[str]:
    """The orders shown, in the order in which they are shown."""
    return re.findall(r'data-number="(\d+)"', page.decode())


def listed(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/unit/{query}")
    assert answer.status_code == 200
    return numbers(answer.content)


def chosen(*cases: Case) -> list[str]:
    return [f"{c.number}:{c.version}" for c in cases]


def test_a_handler_begins_the_day_in_the_inbox(city: City, door: Door) -> None:
    assert nav.home(city.scope("handler")) == "/unit/"
    assert 'href="/unit/"' in door("handler").get("/unit/").content.decode()


def test_yours_stand_apart_from_your_units_and_the_most_pressing_first(city: City, door: Door) -> None:
    late = case_in(State.SIGNED, city, NOW - dt.timedelta(days=30))
    soon = case_in(State.SIGNED, city)
    theirs = step(case_in(State.DISPATCHED, city), "sign", "colleague", city)
    unsigned = case_in(State.DISPATCHED, city)
    page = door("handler").get("/unit/").content
    yours, _sep, units = page.partition("<h2>本单位</h2>".encode())
    assert numbers(yours) == [late.number, soon.number]
    assert set(numbers(units)) == {theirs.number, unsigned.number}
    assert "overdue" in yours.decode()


@pytest.mark.parametrize(
    ("state", "tray"),
    [
        (State.DISPATCHED, Tray.TO_SIGN),
        (State.SIGNED, Tray.IN_HAND),
        (State.REWORK, Tray.SENT_BACK),
        (State.RETURN_REQ, Tray.DECISION),
        (State.EXTEND_REQ, Tray.DECISION),
        (State.SUSPENDED, Tray.SUSPENDED),
        (State.REPLIED, Tray.REPLIED),
    ],
)
def test_an_order_lies_in_the_tray_of_its_state(city: City, door: Door, state: State, tray: Tray) -> None:
    case = case_in(state, city)
    handler = door("handler")
    for other in Tray:
        assert listed(handler, f"?tray={other}") == ([case.number] if other is tray else [])
    assert re.search(r'<span class="figure">1</span>', handler.get("/unit/").content.decode())


def test_what_waits_for_others_is_not_among_what_there_is_to_do(city: City, door: Door) -> None:
    case_in(State.REPLIED, city)
    case_in(State.CALLBACK, city)
    waits = case_in(State.DISPATCHED, city)
    assert listed(door("handler")) == [waits.number]


def test_an_assisting_unit_is_asked_until_it_has_reported(city: City, door: Door) -> None:
    case = case_in(State.SIGNED, city)
    helper = door("helper")
    assert listed(helper, "?tray=assist") == [case.number]
    assert listed(helper, "?tray=in_hand") == []
    assert f"协办（{city.units['utilities'].name}）" in helper.get("/unit/").content.decode()
    step(case, "assist", "helper", city, assist_reply="已更换线缆")
    assert listed(helper) == []


def test_the_unit_complained_of_sees_nothing_of_it(city: City, door: Door) -> None:
    case = received(accused_unit=city.units["heating"].pk)
    case = step(case, "accept", "dispatcher", city, matter=factories.LAMP)
    case = step(case, "dispatch", "dispatcher", city)
    # Even asked to assist, by a mistake of whoever keeps the catalogue, it is not shown.
    Case.objects.filter(pk=case.pk).update(units=[*case.units, city.units["heating"].pk])
    stoker = door("stoker")
    assert listed(stoker) == []
    assert stoker.get(f"/unit/cases/{case.number}/").status_code == 404
    assert listed(door("handler")) == [case.number]


def test_another_units_orders_are_not_shown(city: City, door: Door) -> None:
    case_in(State.DISPATCHED, city)
    assert listed(door("stoker")) == []
    assert listed(door("street_handler")) == []


def test_who_handles_nothing_is_told_so(city: City, door: Door) -> None:
    assert door("dispatcher").get("/unit/").status_code == 403
    assert Client().get("/unit/").status_code == 302


def test_a_grid_finding_lies_in_the_inbox_and_asks_for_no_contact(city: City, door: Door) -> None:
    found = received(kind="grids.finding", nature="finding", channel="grid", name="", phone="")
    found = step(found, "accept", "dispatcher", city, matter=factories.LAMP)
    found = step(found, "dispatch", "dispatcher", city)
    handler = door("handler")
    assert listed(handler) == [found.number]
    step(found, "sign", "handler", city)
    page = handler.get(f"/unit/cases/{found.number}/").content.decode()
    assert 'id="panel-reply"' in page
    assert 'id="panel-contact"' not in page


def test_a_filter_narrows_and_nonsense_is_left_out(city: City, door: Door) -> None:
    mine = case_in(State.SIGNED, city)
    theirs = step(case_in(State.DISPATCHED, city), "sign", "colleague", city)
    unsigned = case_in(State.DISPATCHED, city)
    handler = door("handler")
    assert listed(handler, "?person=me") == [mine.number]
    assert listed(handler, "?person=none") == [unsigned.number]
    assert listed(handler, f"?person={city.people['colleague'].pk}") == [theirs.number]
    assert len(listed(handler, "?matter=01")) == 3
    assert listed(handler, "?matter=03") == []
    assert listed(handler, f"?place={factories.EAST}") == []
    assert len(listed(handler, f"?place={factories.WEST}")) == 3
    for nonsense in (
        "tray=x",
        "person=abc",
        "person=99999999999999999999",
        "place=999",
        "matter=zz",
        "page=-1",
    ):
        assert len(listed(handler, f"?{nonsense}")) == 3, nonsense


def test_the_inbox_asks_as_much_for_one_row_as_for_a_hundred(
    city: City, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_AGE", float("inf"))
    handler = door("handler")

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert handler.get("/unit/").status_code == 200
        return len(queries)

    case_in(State.SIGNED, city)
    step(case_in(State.DISPATCHED, city), "sign", "colleague", city)
    asked()
    first = asked()
    for _ in range(50):
        case_in(State.SIGNED, city)
        step(case_in(State.DISPATCHED, city), "sign", "colleague", city)
    assert asked() == first


def test_several_are_signed_for_and_each_that_cannot_be_is_named(city: City, door: Door) -> None:
    one, two = case_in(State.DISPATCHED, city), case_in(State.DISPATCHED, city)
    stale, strange = case_in(State.DISPATCHED, city), case_in(State.RECEIVED, city)
    sent = chosen(one, two, stale, strange)
    step(stale, "sign", "colleague", city)
    answer = door("handler").post("/unit/together/sign/", {"case": sent, "next": "/unit/"}, follow=True)
    page = answer.content.decode()
    assert "已签收 2 件。" in page
    assert f"{stale.number}: " in page and f"{strange.number}: " in page
    assert set(Case.objects.filter(state=State.SIGNED, handler=city.people["handler"])) == {one, two}
    stale.refresh_from_db()
    assert stale.handler == city.people["colleague"]


def test_nothing_chosen_is_said_and_an_address_elsewhere_is_not_followed(city: City, door: Door) -> None:
    answer = door("handler").post("/unit/together/sign/", {"next": "https://example.com/"}, follow=True)
    assert answer.redirect_chain == [("/unit/", 302)]
    assert "请至少选择一件工单" in answer.content.decode()
    assert door("handler").post("/unit/together/reply/").status_code == 404
    assert door("handler").get("/unit/together/sign/").status_code == 405


def test_an_assisting_unit_cannot_sign(city: City, door: Door) -> None:
    case = case_in(State.DISPATCHED, city)
    answer = door("helper").post("/unit/together/sign/", {"case": chosen(case)}, follow=True)
    assert f'role="alert">{case.number}: ' in answer.content.decode()
    assert not Event.objects.filter(case=case, action="sign").exists()


def test_a_head_hands_several_to_one_person(city: City, door: Door) -> None:
    one, two = case_in(State.DISPATCHED, city), case_in(State.SIGNED, city)
    colleague = city.people["colleague"]
    head = door("head")
    assert "所选转交" in head.get("/unit/").content.decode()
    answer = head.post(
        "/unit/together/assign/", {"case": chosen(one, two), "person": colleague.pk}, follow=True
    )
    assert "已转交 2 件。" in answer.content.decode()
    assert list(Case.objects.values_list("handler", flat=True).distinct()) == [colleague.pk]
    assert Case.objects.get(pk=one.pk).state == State.DISPATCHED
    assert "所选转交" not in door("handler").get("/unit/").content.decode()


def test_next_goes_through_yours_then_your_units_and_ends(city: City, door: Door) -> None:
    theirs = step(case_in(State.DISPATCHED, city, NOW - dt.timedelta(days=30)), "sign", "colleague", city)
    first, second = case_in(State.SIGNED, city, NOW - dt.timedelta(days=1)), case_in(State.SIGNED, city)
    handler = door("handler")

    def after(number: str) -> str:
        return str(handler.get(f"/unit/next/{number}/")["Location"])

    assert after(first.number) == f"/unit/cases/{second.number}/"
    assert after(second.number) == f"/unit/cases/{theirs.number}/"
    assert after(theirs.number) == "/unit/"
    assert after("0") == f"/unit/cases/{first.number}/"  # one that is no longer to do


def test_the_preview_shows_the_order_to_its_unit_alone(city: City, door: Door) -> None:
    case = case_in(State.DISPATCHED, city)
    assert (
        "鹿苑小区门口的路灯不亮"
        in door("handler").get(f"/unit/cases/{case.number}/preview/").content.decode()
    )
    assert door("stoker").get(f"/unit/cases/{case.number}/preview/").status_code == 404


def test_the_time_left_is_told_as_of_now(city: City, door: Door) -> None:
    case_in(State.DISPATCHED, city, timezone.now())
    assert "还有" in door("handler").get("/unit/").content.decode()
