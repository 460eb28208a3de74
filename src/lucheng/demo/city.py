"""The whole demo city, from a seed number to the last row, in one transaction: it stands whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Model

from lucheng.core.clocks import pack as clocks_pack
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.copy import next_id
from lucheng.core.dispatch import editions, matters
from lucheng.core.dispatch.models import Matter
from lucheng.core.organisation import roles
from lucheng.core.organisation.models import Person, Post, Unit
from lucheng.core.places.models import Building, Division, Estate
from lucheng.core.registers.register import registers
from lucheng.core.revisions import snapshot
from lucheng.core.revisions.models import Revision
from lucheng.core.revisions.snapshot import bump
from lucheng.core.sheets import Progress
from lucheng.core.triage import templates, training
from lucheng.demo import catalogue, organisation, store
from lucheng.demo.cases import rhythm, world
from lucheng.demo.cases.store import TABLES, generate_cases
from lucheng.demo.geography import buildings, plan

#: Under this name the revisions say that the demo city stands.
_MARK = "demo city"

Step = Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class Made:
    """What was made, for the table at the end."""

    divisions: int
    grids: int
    estates: int
    buildings: int
    households: int
    residents: int
    units: int
    people: int
    grid_workers: int
    rules: int
    cases: int
    events: int


def stands() -> bool:
    """Whether the demo city has been made in this database."""
    return Revision.objects.filter(name=_MARK).exists()


def is_empty() -> bool:
    """Whether no city stands here at all, so that the demo city may."""
    return not (Division.objects.exists() or Unit.objects.exists() or Person.objects.exists())


def clear() -> None:
    """Delete everything in the database, tables and all."""
    with connection.cursor() as cursor:
        cursor.execute("drop schema public cascade; create schema public")
    snapshot.forget()


def migrate() -> None:
    """Bring the database to the shape that this version expects."""
    call_command("migrate", interactive=False, verbosity=0)


def load_packs() -> None:
    """Roles, classes of matter, calendar and limits that every city starts from."""
    roles.load()
    matters.load()
    clocks_pack.load_pack()


def prepare(now: dt.datetime, step: Step) -> None:
    """Load the national packs and train the category model on them: before there are cases, since generated ones repeat
    the packs' own sentences and would flatter it."""
    with step("packs: roles, matters, calendar, limits"):
        load_packs()
    with step("reply templates"):
        templates.load(now)
    with step("category model: training") as report:
        training.train(now, progress=report)


def tidy_up(step: Step) -> None:
    """Let the database take stock of what it was given, as it would do by itself in a while."""
    with step("database: taking stock") as report, connection.cursor() as cursor:
        kept = [register.model for register in registers().values()]
        models: tuple[type[Model], ...] = (*TABLES, Division, Building, Estate, Unit, Person, Post, *kept)
        tables = [m._meta.db_table for m in models]
        for done, table in enumerate(tables):
            report(done, len(tables))
            cursor.execute(f'vacuum (analyze) "{table}"')


@transaction.atomic
def make(seed: int, until: dt.datetime, step: Step, *, scale: float = 1.0, cases: int | None = None) -> Made:
    """Make the city as it stands at ``until``, in an empty database. ``step`` shows each long step: it is called with
    the step's name.

    The same seed, moment and scale make the same rows, but for what is sealed under the installation's own keys.
    """
    if not Matter.objects.exists():
        with step("packs: roles, matters, calendar, limits"):
            load_packs()
    with step("divisions, grids and buildings: planning"):
        city = plan.divide(seed, scale)
        stock = buildings.build(city, seed)
    with step("divisions, grids and buildings: writing") as report:
        store.places(city, stock, report=report)
    with step("units, people and posts: planning"):
        staff = organisation.organise(
            city, seed, first_unit=next_id(Unit), first_person=next_id(Person), first_post=next_id(Post)
        )
    with step("units, people and posts: writing") as report:
        store.people(staff, seed, report=report)
    with step("dispatch catalogue"):
        snapshot.forget()
        rules = _catalogue(staff, until)
    with step("cases of twelve months") as report:
        snapshot.forget()
        here = world.load(seed, until.astimezone(ZONE).date())
        count = cases if cases is not None else max(1, round(rhythm.plan()["cases"] * scale))
        events = generate_cases(here, count, seed, until, report=report)
    with step("what the rooms keep"):
        snapshot.forget()
        fill_rooms(until)
    bump(_MARK)
    return Made(
        divisions=sum(1 for d in city.divisions() if len(d.code) < 15),
        grids=sum(1 for _ in city.grids()),
        estates=len(stock.estates),
        buildings=len(stock.buildings),
        households=city.households,
        residents=city.residents,
        units=len(staff.units),
        people=len(staff.people),
        grid_workers=sum(1 for p in staff.posts if p.role == "grid_worker"),
        rules=rules,
        cases=count,
        events=events,
    )


def fill_rooms(until: dt.datetime) -> None:
    """Let every room that has a ``demo.py`` add its share, by its ``fill(until)``."""
    for config in apps.get_app_configs():
        if config.name.startswith("lucheng.") and find_spec(f"{config.name}.demo"):
            import_module(f"{config.name}.demo").fill(until)


def _catalogue(staff: organisation.Organisation, until: dt.datetime) -> int:
    grassroots = Matter.objects.filter(grassroots=True).values_list("code", flat=True)
    above = {code[:-2] for code in Matter.objects.values_list("code", flat=True)}
    rows = catalogue.rows(staff, [code for code in grassroots if code not in above])
    start = until - dt.timedelta(days=rhythm.plan()["days"] + 1)
    version = editions.create(list(enumerate(rows, 2)), "演示目录第一版", start)
    publisher = Person.objects.get(username="duty")
    editions.publish(version, publisher, start, replaces=0)
    return len(rows)
