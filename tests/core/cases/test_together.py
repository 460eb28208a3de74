"""Two people at once, each on a connection of their own: both steps stand, or one is told that somebody was first."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from lucheng.core.cases import engine, intake
from lucheng.core.cases.models import Case, Request, State
from lucheng.core.clocks.models import Clock
from lucheng.core.errors import Conflict, Invalid
from lucheng.core.ledger.models import Event
from tests import factories
from tests.factories import LAMP, NOW, City, call, case_in, received, step

pytestmark = pytest.mark.django_db(transaction=True)

LATER = NOW + dt.timedelta(hours=1)
Outcome = Case | Exception


@pytest.fixture
def city() -> City:
    return factories.city()


@pytest.fixture(autouse=True)
def chains_hold() -> Iterator[None]:
    yield
    for case in Case.objects.all():
        assert case.chain_length == case.version == Event.objects.filter(case=case).count()


def together(*steps: Callable[[], Any]) -> list[Any]:
    """Carry out steps at the same moment; what each gave, or the refusal it met. Anything else fails the test."""
    gate = threading.Barrier(len(steps))
    outcomes: list[Any] = [None] * len(steps)

    def run(n: int, take: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            gate.wait(10)
            outcomes[n] = take()
        except Exception as error:
            outcomes[n] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, take)) for n, take in enumerate(steps)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
        assert not t.is_alive()
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, Conflict | Invalid):
            raise outcome
    return outcomes


def refused(outcomes: list[Any]) -> list[Exception]:
    return [o for o in outcomes if isinstance(o, Exception)]


def test_of_two_who_sign_the_same_order_exactly_one_wins(city: City) -> None:
    for _ in range(5):
        case = case_in(State.DISPATCHED, city)
        outcomes = together(
            lambda: step(case, "sign", "handler", city, LATER),  # noqa: B023
            lambda: step(case, "sign", "colleague", city, LATER),  # noqa: B023
        )
        assert [type(e) for e in refused(outcomes)] == [Conflict]
        won = next(o for o in outcomes if isinstance(o, Case))
        assert Event.objects.get(case=case, action="sign").actor_id == won.handler_id
        assert Clock.objects.filter(case=case, kind="sign", state=Clock.State.MET).count() == 1


def test_an_order_merged_while_the_main_one_is_answered_gets_the_answer_or_is_refused(city: City) -> None:
    for _ in range(5):
        main, other = case_in(State.REPLIED, city), received()
        approved, merged = together(
            lambda: step(main, "approve", "dispatcher", city, LATER),  # noqa: B023
            lambda: step(other, "merge", "operator", city, LATER, main=main.number),  # noqa: B023
        )
        assert isinstance(approved, Case)
        other.refresh_from_db()
        if isinstance(merged, Invalid):  # the reply had gone out: there is nothing to wait for
            assert other.state == State.RECEIVED
        else:
            assert (other.state, other.public_reply) == (State.CALLBACK, "路灯已修好。")


def test_an_order_merged_while_the_main_one_is_withdrawn_is_not_lost(city: City) -> None:
    for _ in range(5):
        main, other = case_in(State.ACCEPTED, city), received()
        together(
            lambda: step(main, "withdraw", "operator", city, LATER, reason="来电要求撤回"),  # noqa: B023
            lambda: step(other, "merge", "dispatcher", city, LATER, main=main.number),  # noqa: B023
        )
        other.refresh_from_db()
        assert (other.state, other.main) in {(State.RECEIVED, None), (State.ACCEPTED, None)}


def test_of_two_orders_merged_into_each_other_one_stays_the_main_order(city: City) -> None:
    """Each step waits for the other's order: the database ends one, and it is told so in words."""
    for _ in range(3):
        one, two = received(), received()
        outcomes = together(
            lambda: step(one, "merge", "operator", city, LATER, main=two.number),  # noqa: B023
            lambda: step(two, "merge", "dispatcher", city, LATER, main=one.number),  # noqa: B023
        )
        assert len(refused(outcomes)) == 1
        states = sorted(Case.objects.filter(pk__in=[one.pk, two.pk]).values_list("state", flat=True))
        assert states == [State.MERGED, State.RECEIVED]


def test_one_key_on_two_orders_at_once_is_taken_for_one(city: City) -> None:
    one, two = case_in(State.DISPATCHED, city), case_in(State.DISPATCHED, city)
    handler = {"actor": city.people["handler"], "scope": city.scope("handler"), "now": LATER, "key": "a-key"}
    outcomes = together(
        lambda: engine.act(one.number, "sign", {}, version=one.version, **handler),
        lambda: engine.act(two.number, "sign", {}, version=two.version, **handler),
    )
    assert [type(e) for e in refused(outcomes)] == [Conflict]
    assert Request.objects.count() == Event.objects.filter(action="sign").count() == 1


def test_one_message_split_twice_at_once_is_split_once(city: City) -> None:
    case = received()
    given = {
        "actor": city.people["dispatcher"],
        "scope": city.scope("dispatcher"),
        "now": LATER,
        "key": "k" * 8,
    }
    parts = [{"title": "垃圾", "content": "小区门口垃圾没人清"}]
    outcomes = together(
        *[lambda: engine.split(case.number, parts, version=case.version, **given) for _ in range(3)]
    )
    assert {o[0].pk for o in outcomes} == {Case.objects.get(parent=case).pk}


def test_the_same_create_many_times_at_once_is_one_case(city: City) -> None:
    new = call(matter=LAMP, dispatch=True)
    given = {"actor": city.people["operator"], "role": "operator", "now": NOW, "idempotency_key": "the-same"}
    made = together(*[lambda: intake.create(new, **given) for _ in range(12)])
    assert len({m.number for m in made}) == 1
    assert [m.repeated for m in made].count(False) == 1
    assert Case.objects.count() == 1
