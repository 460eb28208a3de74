"""A small share of the city in a real database: whole, consistent, and the same from the same seed."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.db.models import Count
from django.test import TestCase

from lucheng.core import copy
from lucheng.core.cases.lifecycle import BY_ACTION
from lucheng.core.cases.models import Case, State
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.clocks.models import Clock
from lucheng.core.copy import quiet
from lucheng.core.dispatch import catalogue
from lucheng.core.dispatch.models import Alarm
from lucheng.core.ledger import verify
from lucheng.core.ledger.models import Event, Message
from lucheng.core.organisation.models import Post
from lucheng.core.places import locate, names
from lucheng.core.places.models import Building, Division, Kind
from lucheng.core.privacy.models import Contact
from lucheng.core.privacy.sealing import unseal
from lucheng.core.revisions import snapshot
from lucheng.core.sheets import Progress
from lucheng.demo import city
from lucheng.demo.cases import world
from lucheng.demo.cases.generate import lives

UNTIL = dt.datetime(2026, 3, 18, 15, 0, tzinfo=ZONE)
#: Tables by their rooms. Revisions count changes, and tests make many.
ROOMS = ("places", "organisation", "cases", "clocks", "dispatch", "ledger", "privacy", "triage")
#: Events that are no row of the life cycle: the beginning, the split, and what the clocks say.
BESIDE = {"create", "split", "clock.warned", "clock.urged", "clock.escalated"}


@contextlib.contextmanager
def silent(name: str) -> Iterator[Progress]:
    yield quiet


class SmallCity(TestCase):
    made: city.Made

    @classmethod
    def setUpTestData(cls) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(copy, "_may_rest", lambda cursor: False)  # every foreign key is checked
            cls.made = city.make(3, UNTIL, silent, scale=0.01, cases=1500)

    def test_the_database_holds_what_was_made(self) -> None:
        assert city.stands()
        assert not city.is_empty()
        assert Division.objects.filter(level=15).count() == self.made.grids
        assert Building.objects.count() == self.made.buildings
        assert Case.objects.count() == self.made.cases == 1500
        assert Event.objects.count() == self.made.events
        assert Post.objects.filter(role="grid_worker").count() == self.made.grid_workers

    def test_every_reference_leads_somewhere(self) -> None:
        connection.check_constraints()

    def test_points_of_buildings_are_found_in_their_grids(self) -> None:
        rows = list(Building.objects.values_list("lon", "lat", "grid"))
        lon, lat, grids = zip(*rows, strict=True)
        assert list(locate.locate_points(np.array(lon), np.array(lat))) == list(grids)

    def test_a_grid_counts_the_people_of_its_buildings_and_everything_above_its_parts(self) -> None:
        people: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for grid, households, residents in Building.objects.values_list("grid", "households", "residents"):
            for length in (4, 6, 9, 12, 15):
                people[grid[:length]][0] += households
                people[grid[:length]][1] += residents
        for code, households, residents in Division.objects.values_list("code", "households", "residents"):
            assert [households, residents] == people[code]

    def test_histories_are_walks_of_the_life_cycle(self) -> None:
        states = dict(Case.objects.values_list("id", "state"))
        at: dict[int, str] = {}
        for case, action, body in Event.objects.order_by("case", "seq").values_list("case", "action", "body"):
            if action.startswith("clock."):
                continue
            assert body["from"] == at.get(case, "")
            if action not in BESIDE:
                row = BY_ACTION[action, body["from"]]
                assert body["to"] == (row.to.value if row.to is not None else body["from"])
            at[case] = body["to"]
        assert at == states

    def test_there_are_cases_in_every_state(self) -> None:
        assert set(Case.objects.values_list("state", flat=True)) == {s.value for s in State}

    def test_the_ledger_verifies(self) -> None:
        assert list(verify.verify(verify.Tally())) == []

    def test_open_cases_are_due_when_the_first_of_their_clocks_is_and_ended_ones_have_none(self) -> None:
        running = defaultdict(list)
        for case, due in Clock.objects.filter(state="running").values_list("case", "due_at"):
            running[case].append(due)
        for pk, due, open_ in Case.objects.values_list("id", "due_at", "open"):
            assert due == min(running[pk], default=None)
            assert open_ or not running[pk]
        assert set(Clock.objects.values_list("state", flat=True)) == set(Clock.State.values)

    def test_nothing_waits_for_the_sweeper_and_nothing_lies_ahead(self) -> None:
        assert not Clock.objects.filter(state="running", next_at__lte=UNTIL).exists()
        assert not Event.objects.filter(at__gt=UNTIL).exists()
        assert not Case.objects.filter(created_at__lt=UNTIL - dt.timedelta(days=365)).exists()

    def test_the_queue_without_a_rule_is_alive(self) -> None:
        waiting = Alarm.objects.filter(settled_at=None)
        assert waiting.exists()
        for alarm in waiting.select_related("case"):
            assert alarm.case.lead_unit is None
            assert catalogue.decide(alarm.case.matter, alarm.case.place) is None

    def test_contacts_are_sealed_and_their_numbers_were_never_given_out(self) -> None:
        contact = Contact.objects.exclude(phone=None).first()
        assert contact is not None
        assert contact.phone is not None
        phone = unseal(contact.phone, f"contact.phone/{contact.case_id}")
        assert phone.startswith("100")
        assert len(phone) == 11
        assert phone not in contact.phone_mask
        assert not Contact.objects.filter(case__anonymous=True).exists()

    def test_messages_of_the_last_month_have_left(self) -> None:
        assert Message.objects.exists()
        assert not Message.objects.filter(created_at__lt=UNTIL - dt.timedelta(days=30)).exists()

    def test_texts_are_many(self) -> None:
        texts = Case.objects.aggregate(texts=Count("content", distinct=True))["texts"]
        assert texts > 0.97 * Case.objects.count()

    def test_what_comes_in_next_has_a_number_of_its_own(self) -> None:
        highest = Case.objects.order_by("-id").values_list("id", flat=True)[0]
        with connection.cursor() as cursor:
            cursor.execute("select nextval('case_block')")
            assert cursor.fetchone()[0] > highest

    def test_every_account_has_a_post_and_the_worker_a_basic_grid(self) -> None:
        from lucheng.demo import accounts

        listed = accounts.listed()
        assert [a.username for a in listed] == accounts.usernames()
        post = Post.objects.get(person__username="worker")
        assert Division.objects.get(code=post.place).kind == Kind.BASIC_GRID
        assert names.exists(post.place)

    def test_the_hotline_has_its_rhythm(self) -> None:
        here = world.load(3, UNTIL.date())
        every = [x for block in lives(here, 6000, 3, UNTIL, days=365, first_id=90_000_000) for x in block]
        calls = Counter(x.created_at.hour for x in every if x.nature != "finding")
        assert calls[9] > 5 * calls[3] > 0
        weekdays = Counter(x.created_at.weekday() for x in every)
        assert weekdays[0] > weekdays[5] > 0
        natures = Counter(x.nature for x in every if x.nature != "finding")
        assert natures["inquiry"] / natures.total() == pytest.approx(0.47, abs=0.03)
        assert 0.13 < sum(x.nature == "finding" for x in every) / len(every) < 0.17
        heating = [x.created_at.month for x in every if x.matter.startswith("0301")]
        assert sum(m in (10, 11, 12, 1, 2, 3, 4) for m in heating) > 0.9 * len(heating)


def _digest(tables: list[str]) -> dict[str, str]:
    """A hash of each table's rows in a fixed order, without what is sealed under this installation's keys, and without
    the moment at which the packs were really loaded."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            leave_out = {
                "privacy_contact": ["name", "phone", "phone_index"],
                "revisions_revision": ["number"],
                "ledger_act": ["at", "prev", "hash"],
            }.get(table, [])
            cursor.execute(
                "select column_name from information_schema.columns where table_name = %s order by ordinal_position",
                [table],
            )
            columns = ", ".join(f'"{c}"' for (c,) in cursor.fetchall() if c not in leave_out)
            cursor.execute(f'select {columns} from "{table}" order by 1, 2')
            sha = hashlib.sha256()
            for row in cursor.fetchall():
                sha.update(repr([bytes(v) if isinstance(v, memoryview) else v for v in row]).encode())
            found[table] = sha.hexdigest()
    return found


def _make(seed: int) -> dict[str, str]:
    from django.db import transaction

    with transaction.atomic():
        city.make(seed, UNTIL, silent, scale=0.004, cases=300)
        digests = _digest([t for t in connection.introspection.table_names() if t.startswith(ROOMS)])
        transaction.set_rollback(True)
    snapshot.forget()
    return digests


def test_the_same_seed_and_moment_make_the_same_rows(fresh_numbers: Any) -> None:
    from tests.demo.conftest import restart_sequences

    first = _make(11)
    restart_sequences()
    again = _make(11)
    restart_sequences()
    other = _make(12)
    assert first == again
    assert first["cases_case"] != other["cases_case"]
    assert first["places_division"] != other["places_division"]


@pytest.mark.django_db
def test_a_failure_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> int:
        raise RuntimeError("in the middle of the cases")

    monkeypatch.setattr(city, "generate_cases", broken)
    with pytest.raises(RuntimeError):
        city.make(3, UNTIL, silent, scale=0.003, cases=10)
    assert city.is_empty()
    assert not city.stands()


def test_indexes_are_as_before(db: None) -> None:
    def indexes() -> list[tuple[str, str]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "select indexname, indexdef from pg_indexes where schemaname = 'public' order by 1"
            )
            return list(cursor.fetchall())

    before = indexes()
    with copy.without_indexes([Case, Event]):
        assert len(indexes()) < len(before)
    assert indexes() == before
