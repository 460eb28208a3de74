"""An act and the change that it tells of stand or fall together, in one chain, with the name of whoever did it."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

import lucheng
from lucheng.core.cases.models import State
from lucheng.core.ledger import acts, chain
from lucheng.core.ledger.models import Act
from lucheng.core.ledger.verify import Tally, verify
from lucheng.core.organisation import people, roles, tokens, units
from lucheng.core.organisation.models import Person, Unit
from lucheng.postgresql import context
from tests import factories
from tests.factories import City

pytestmark = pytest.mark.django_db


def parks() -> Unit:
    return units.add_unit("parks", units.Entered("园林局", Unit.Kind.DEPARTMENT, factories.CITY))


def newest() -> Act:
    act = acts.last()
    assert act is not None
    return act


def test_an_act_says_who_by_which_post_did_what_to_what(city: City) -> None:
    administrator, unit = city.people["administrator"], city.units["government"]
    before = timezone.now()
    with acts.by(administrator, "administrator", unit.pk):
        parks()
    act = newest()
    assert (act.person, act.role, act.unit) == (administrator, "administrator", unit)
    assert (act.action, act.kind, act.name) == ("unit_added", "unit", "parks")
    assert act.details == {"place": factories.CITY, "parent": ""}
    assert before <= act.at <= timezone.now()


def test_a_command_is_the_act_of_the_operator_of_the_system(city: City) -> None:
    with acts.by(city.people["administrator"], "administrator"):
        pass
    parks()
    assert (newest().person, newest().role) == (None, acts.CONSOLE)


def test_what_is_rolled_back_leaves_no_act(city: City) -> None:
    before = Act.objects.count()
    with pytest.raises(KeyError), transaction.atomic():
        parks()
        assert Act.objects.count() == before + 1
        raise KeyError
    assert not Unit.objects.filter(code="parks").exists()
    assert Act.objects.count() == before


def test_what_leaves_no_act_is_not_done(city: City) -> None:
    """Inside walls whoever does it must be named: a door that forgets to say so does nothing."""
    with context.within(context.NOTHING):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(context, "_process", context.NOTHING)
            with pytest.raises(LookupError, match="whose act"):
                parks()
        assert not Unit.objects.filter(code="parks").exists()


def test_a_refused_change_is_no_act(city: City) -> None:
    before = Act.objects.count()
    for refused in (
        lambda: people.add_person("", ""),
        lambda: units.close_unit(city.units["utilities"], seen="never"),
        lambda: tokens.revoke(city.people["handler"], "none"),
    ):
        with pytest.raises(lucheng.core.errors.Refused):
            refused()
    assert Act.objects.count() == before


def test_what_changes_nothing_is_no_act(city: City) -> None:
    before = Act.objects.count()
    roles.load()
    assert Act.objects.count() == before


@pytest.mark.parametrize(
    ("action", "details", "error"),
    [
        ("unit_sold", {}, KeyError),
        ("unit_added", {"colour": "red"}, KeyError),
        ("unit_added", {"count": 1.5}, TypeError),
        ("unit_added", {"from": dt.date(2026, 3, 2)}, TypeError),
    ],
)
def test_an_act_that_nobody_could_read_or_prove_is_refused(
    action: str, details: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        acts.wrote(action, "parks", details)
    assert not Act.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_act_is_written_in_the_transaction_of_what_it_tells_of_or_not_at_all() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        acts.wrote("unit_added", "parks")
    assert not Act.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_acts_at_the_same_moment_stand_one_behind_the_other() -> None:
    ready = threading.Barrier(4)

    def run(n: int) -> None:
        try:
            ready.wait(10)
            for m in range(5):
                people.add_person(f"li{n}{m}", "李")
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert list(Act.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 21))
    assert Person.objects.count() == 20
    tally = Tally()
    assert list(verify(tally)) == []
    assert tally.acts == 20


@pytest.mark.django_db(transaction=True)
def test_whoever_is_just_being_given_a_post_may_act_meanwhile() -> None:
    """Whoever gives it holds that person's row and may wait to write an act: nobody may wait the other way round."""
    wang = people.add_person("wang", "王")
    with psycopg.connect(**connection.get_connection_params()) as other, connection.cursor() as cursor:
        other.execute("select from organisation_person where id = %s for update", [wang.pk])
        cursor.execute("set lock_timeout = '500ms'")
        try:
            with acts.by(wang, "administrator"):
                people.add_person("li", "李")
        finally:
            cursor.execute("reset lock_timeout")
    assert newest().person == wang


def test_each_act_continues_from_the_one_before() -> None:
    people.add_person("li", "李")
    people.add_person("wang", "王")
    first, second = Act.objects.order_by("seq")
    assert bytes(first.prev) == chain.GENESIS
    assert bytes(second.prev) == bytes(first.hash) == acts.link(first)


@pytest.mark.parametrize("attempt", ["update ledger_act set name = 'x'", "delete from ledger_act"])
def test_inside_walls_acts_are_out_of_sight_and_out_of_reach(city: City, attempt: str) -> None:
    parks()
    count = Act.objects.count()
    with context.within(context.NOTHING):
        assert not Act.objects.exists()
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            context.everything("a test"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(attempt)
    assert Act.objects.count() == count


def test_an_act_is_written_by_whoever_sees_none(city: City) -> None:
    parks()
    with context.within(context.NOTHING), acts.by(city.people["administrator"]):
        people.add_person("li", "李")
    assert newest().name == "li"


def test_every_action_is_written_somewhere_and_nothing_else_is() -> None:
    source = Path(lucheng.__file__).parent
    written = {
        action
        for file in source.rglob("*.py")
        for call in re.findall(r"\bwrote\(\s*([^)]*)", file.read_text("utf-8"))
        for action in re.findall(r'"([a-z]+_[a-z_]+)"', call.split(",")[0])
    }
    assert written == acts.ACTIONS.keys()
    assert {a.kind for a in acts.ACTIONS.values()} == acts.KINDS.keys()
    assert all(len(code) <= 30 and len(a.kind) <= 12 for code, a in acts.ACTIONS.items())


FINDING: list[tuple[dict[str, str], Callable[[Act], bool]]] = [
    ({"person": "administrator"}, lambda a: a.person is not None),
    ({"person": "console"}, lambda a: a.person is None),
    ({"action": "person_added"}, lambda a: a.action == "person_added"),
    ({"object": "PARK"}, lambda a: "park" in a.name),
    ({"person": "nobody"}, lambda a: False),
]


@pytest.mark.parametrize(("wanted", "fits"), FINDING)
def test_acts_are_found_by_person_action_and_object(
    city: City, wanted: dict[str, str], fits: Callable[[Act], bool]
) -> None:
    with acts.by(city.people["administrator"], "administrator"):
        parks()
    people.add_person("parker", "朴")
    found = list(acts.find(acts.Asked(**wanted)))
    assert found == sorted(filter(fits, Act.objects.all()), key=lambda a: -a.seq)
    assert len(acts.find(acts.Asked(since=timezone.now()))) == 0
    assert len(acts.find(acts.Asked(until=timezone.now()))) == Act.objects.count()


def test_no_step_on_a_case_is_an_act(city: City) -> None:
    before = Act.objects.count()
    factories.case_in(State.CLOSED, city)
    assert Act.objects.count() == before
