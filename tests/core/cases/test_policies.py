"""The database repeats the predicate: whatever is asked inside walls, it shows what the posts allow and no more."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import Error, connection, transaction
from django.db.models import ForeignKey
from hypothesis import HealthCheck, given, settings

import lucheng
from lucheng.core.cases import engine, intake, policies
from lucheng.core.cases.models import Case, State, Text
from lucheng.core.errors import NotFound
from lucheng.core.ledger.models import Event
from lucheng.core.organisation import walls
from lucheng.core.organisation.access import NOBODY, Grant, Scope
from lucheng.core.privacy.models import Contact, Reveal
from lucheng.postgresql import context
from tests.core.organisation.test_access import rows, scopes
from tests.factories import NOW, City, case_in, received

__all__ = ["rows"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scope=scopes)
def test_the_database_shows_exactly_what_a_single_look_allows(rows: list[Case], scope: Scope) -> None:
    units = sorted({u for c in rows for u in c.units})
    author = next(c.intake_by_id for c in rows if c.intake_by_id is not None)
    scope = Scope(
        person_id=author if scope.person_id else None,
        grants=tuple(
            Grant(g.role, g.reach, g.capabilities, g.place, tuple(units[u - 1] for u in g.units), g.domains)
            for g in scope.grants
        ),
        recused=frozenset(units[u - 1] for u in scope.recused),
    )
    with context.within(walls.of(scope)):
        shown = set(Case.objects.values_list("pk", flat=True))
        events = set(Event.objects.values_list("case_id", flat=True))
    allowed = {c.pk for c in rows if scope.allows("case.view", c)}
    assert shown == events == allowed


@pytest.fixture
def walled(city: City) -> Iterator[City]:
    """A city with a case, seen from inside walls with no context."""
    received(phone="13800002210", name="张三")
    with context.within(context.NOTHING):
        yield city


def test_without_a_context_there_is_nothing(walled: City) -> None:
    for model in policies.walled():
        assert not model._default_manager.exists(), model
    assert Case.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("select current_user, (select count(*) from cases_case)")
        assert cursor.fetchone() == (context.ROLE, 0)


def test_every_table_that_hangs_on_a_case_has_walls(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select relname from pg_class where relrowsecurity")
        protected = {name for (name,) in cursor.fetchall()}
    hanging = {
        model._meta.db_table
        for model in apps.get_models()
        for f in model._meta.concrete_fields
        if isinstance(f, ForeignKey) and f.related_model is Case
    }
    assert {"ledger_event", "privacy_contact", "clocks_clock"} <= hanging <= protected
    assert Reveal._meta.db_table in protected  # it hangs on a contact


def test_a_tracking_code_shows_its_own_case_and_nothing_else(city: City) -> None:
    mine, other = received(phone="13800002210"), received(phone="13800002211")
    with context.within(context.NOTHING):
        walls.read_by_code(mine.code)
        assert list(Case.objects.all()) == [mine]
        assert set(Contact.objects.values_list("case_id", flat=True)) == {mine.pk}
        walls.read_by_code("")
        assert not Case.objects.exists()
    assert other.code != mine.code


@pytest.mark.parametrize(
    "write",
    [
        lambda case: Case.objects.filter(pk=case.pk).update(title="x"),
        lambda case: Text.objects.create(case=case, seq=1, name="note", text="x"),
        lambda case: Case.objects.filter(pk=case.pk).delete(),
    ],
)
def test_who_only_reads_a_case_cannot_write_it(walled: City, write: Callable[[Case], Any]) -> None:
    context.become(walls.of(walled.scope("dispatcher")))
    case = Case.objects.get()
    before = case.version, case.title
    with suppress(Error), transaction.atomic():
        write(case)
    case = Case.objects.get()
    assert (case.version, case.title) == before
    assert not case.texts.exists()


def test_the_ledger_cannot_be_changed_even_by_code_that_sees_everything(walled: City) -> None:
    for statement in (
        "delete from ledger_event",
        "update ledger_event set action = 'x'",
        "truncate cases_case",
    ):
        with (
            pytest.raises(Error, match="permission denied"),
            context.everything("a test"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_a_rolled_back_step_leaves_no_context_behind(walled: City) -> None:
    """The settings of a transaction that is rolled back are gone, and so must be what we believe of them."""
    for _time in range(2):
        with suppress(KeyError), context.everything("a test"), transaction.atomic():
            assert Case.objects.count() == 1
            raise KeyError
        assert Case.objects.count() == 0
    with context.everything("a test"):
        with suppress(KeyError), transaction.atomic(), context.within(context.NOTHING):
            assert Case.objects.count() == 0
            raise KeyError
        assert Case.objects.count() == 1


def test_who_reads_may_become_known_while_the_walls_stand_open(walled: City) -> None:
    """A page asks for its reader's scope when it first needs it, perhaps within such a stretch."""
    with context.everything("a test"):
        walls.read_as(walled.scope("stoker"))
        assert Case.objects.count() == 1
    assert Case.objects.count() == 0
    with context.everything("a test"):
        walls.read_as(walled.scope("dispatcher"))
    assert Case.objects.count() == 1


def test_a_step_on_a_case_out_of_sight_finds_none_also_where_the_application_forgets_to_ask(
    city: City,
) -> None:
    """The scope that the engine is given allows everything; the database was told of a stranger's."""
    case = case_in(State.DISPATCHED, city)
    with context.within(walls.of(city.scope("stoker"))), pytest.raises(NotFound):
        engine.act(
            case.number,
            "sign",
            {},
            actor=city.people["handler"],
            scope=city.scope("handler"),
            version=case.version,
            now=NOW,
        )
    with context.within(walls.of(city.scope("handler"))):
        engine.act(
            case.number,
            "sign",
            {},
            actor=city.people["handler"],
            scope=city.scope("handler"),
            version=case.version,
            now=NOW,
        )
    case.refresh_from_db()
    assert case.state == State.SIGNED


def test_a_create_needs_no_sight_and_gives_none(walled: City) -> None:
    made = intake.create(
        intake.NewCase(kind="command_centre.order", nature="help", content="路灯不亮"),
        actor=None,
        role="requester",
        now=NOW,
        idempotency_key="k",
    )
    again = intake.create(
        intake.NewCase(kind="command_centre.order", nature="help", content="路灯不亮"),
        actor=None,
        role="requester",
        now=NOW,
        idempotency_key="k",
    )
    assert again.repeated and again.id == made.id
    assert not Case.objects.exists()


def test_putting_the_walls_up_again_changes_nothing(db: None) -> None:
    def standing() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("select oid, polname, pg_get_expr(polqual, polrelid) from pg_policy order by oid")
            return cursor.fetchall()

    before = standing()
    policies.raise_walls()
    assert standing() == before


def test_a_policy_that_was_changed_by_hand_or_is_no_longer_wanted_is_put_right(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("drop policy see on cases_case")
        cursor.execute("create policy open on cases_case for select using (true)")
    policies.raise_walls()
    with connection.cursor() as cursor:
        cursor.execute("select polname from pg_policy where polrelid = 'cases_case'::regclass order by 1")
        assert [n for (n,) in cursor.fetchall()] == ["add", "lock_or_change", "remove", "see"]


def test_nobody_is_told_as_nothing(db: None) -> None:
    assert walls.of(NOBODY) == context.NOTHING


def test_an_owner_who_may_not_make_roles_is_told_what_to_run(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "ROLE", "lucheng_absent")
    monkeypatch.setattr(policies, "_MAKE_ROLE", "create role lucheng_absent")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("create role lucheng_plain")
        cursor.execute("set local role lucheng_plain")
        with pytest.raises(RuntimeError, match="create role lucheng_absent login; grant lucheng_absent to"):
            policies.raise_walls()
        transaction.set_rollback(True)


def test_every_place_that_opens_the_walls_stands_in_the_documentation() -> None:
    source = Path(lucheng.__file__).parent
    opened = {
        (".".join(file.relative_to(source.parent).with_suffix("").parts), call.args[0].value)
        for file in source.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name | ast.Attribute)
        and (call.func.id if isinstance(call.func, ast.Name) else call.func.attr) == "everything"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    page = (Path(__file__).parents[3] / "docs" / "walls.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([\w.]+)` \| (.+) \|$", page, re.M))
    assert opened == listed
