"""Lists over a million cases: inbox, board, a resident's tracking page and neighbourhood, as pages and as queries.

    python -m bench lists

Runs in a database of its own, in which the demo city stands with BENCH_CASES (1,000,000) cases: BASE of them with
their whole histories from the demo's generator, the others copies of the cases alone, some minutes apart, since lists
read nothing else. Tracking pages are asked for cases with a history. The database is kept between runs and made anew
where the number differs (BENCH_KEEP=0 drops it at the end).

Every figure is the whole request through Django, template and all, without the network: ROUNDS requests by people with
ordinary rights, each over other units, counties and cases. The peer in the same run is the same list with the plain
form of the question: containment by LIKE, the units by a join on the table of assists, and an exact count.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from statistics import median
from typing import Any

CASES = int(os.environ.get("BENCH_CASES", "1000000"))
KEEP = os.environ.get("BENCH_KEEP", "1") != "0"
ROUNDS = 60
BASE = 25_000
SEED = 1502
DATABASE = "lucheng_bench_lists"


def use_database(name: str) -> None:
    """Make the database if it is not there, and move this process into it."""
    from django.db import connection

    from lucheng.cli import ensure_database

    ensure_database()
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_database where datname = %s", [name])
        there = cursor.fetchone() is not None
        if not there:
            cursor.execute(f"create database {name} template template0 encoding 'UTF8' locale 'C'")
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name


def drop_database(name: str) -> None:
    from django.db import connection

    plain = os.environ.get("DATABASE_URL", "").rpartition("/")[2].partition("?")[0] or "lucheng"
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = plain
    with connection.cursor() as cursor:
        cursor.execute(f"drop database if exists {name}")


def _fill() -> None:
    """The demo city with its cases, unless it stands already."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from lucheng.core.cases.models import Case
    from lucheng.demo import city

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from cases_case")
        if cursor.fetchone()[0] >= CASES:
            return
    if Case.objects.exists():
        sys.exit(f"{DATABASE} holds another number of cases. Drop it: drop database {DATABASE}")

    @contextmanager
    def step(name: str) -> Any:
        started = time.monotonic()
        said = [started]

        def report(done: int, total: int) -> None:
            if time.monotonic() - said[0] > 15:
                said[0] = time.monotonic()
                print(f"  {name}: {done:,} of {total:,}", flush=True)

        yield report
        print(f"  {name}: {time.monotonic() - started:.0f} s", flush=True)

    base = min(CASES, BASE)
    city.make(SEED, timezone.now(), step, cases=base)
    with step("copies") as report:
        for copy in range(1, CASES // base):
            _copy(copy, base)
            report(copy * base, CASES)
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze")


def _copy(n: int, base: int) -> None:
    """Copy number ``n`` of the first ``base`` cases: other ids, numbers and codes, some minutes apart in time."""
    from django.db import connection

    from lucheng.core.cases.models import Case

    shift = f"interval '{n} minutes'"

    def columns(model: Any, changed: dict[str, str], key: str) -> tuple[str, str]:
        names = [f.column for f in model._meta.local_concrete_fields if not f.generated and f.column != key]
        return ", ".join(names), ", ".join(changed.get(name, name) for name in names)

    with connection.cursor() as cursor:
        cursor.execute(
            "select min(id), max(id) from (select id from cases_case order by id limit %s) as c", [base]
        )
        first, last = cursor.fetchone()
        step = (last - first + 1) * n
        names, values = columns(
            Case,
            {
                "number": f"'b' || {n} || '-' || id",
                "code": f"upper(substr(md5(id || '-{n}'), 1, 12))",
                "created_at": f"created_at - {shift}",
                "due_at": f"due_at - {shift}",
                "main_id": "null::bigint",
                "parent_id": "null::bigint",
                "idempotency_key": "null",
            },
            "id",
        )
        cursor.execute(
            f"insert into cases_case (id, {names}) select id + {step}, {values} from cases_case "
            f"where id between {first} and {last}"
        )


def _timed(calls: list[Callable[[], Any]]) -> tuple[float, float]:
    """p50 and p95 in milliseconds."""
    times = []
    for call in calls:
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    times.sort()
    return median(times), times[int(0.95 * len(times))]


def _get(client: Any, address: str) -> Callable[[], Any]:
    def call() -> None:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)

    return call


def _counted(client: Any, address: str) -> Callable[[], Any]:
    """The page of a neighbourhood, counted anew: its answer is otherwise kept for minutes."""
    from django.core.cache import cache

    get = _get(client, address)

    def call() -> None:
        cache.clear()
        get()

    return call


def _plain(units: tuple[int, ...], place: str, now: dt.datetime) -> Callable[[], Any]:
    """The same list asked the plain way."""
    from django.db.models import Q

    from lucheng.core.cases.models import ENDED, Case

    def call() -> None:
        rows = Case.objects.exclude(state__in=ENDED).filter(place__startswith=place)
        if units:
            rows = rows.filter(Q(lead_unit__in=units) | Q(assists__unit__in=units)).distinct()
        rows = rows.order_by("due_at", "id")
        rows.count()
        list(rows.select_related("lead_unit")[:51])

    return call


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client
    from django.utils import timezone

    from lucheng.core.cases import codes
    from lucheng.core.cases.models import Case
    from lucheng.core.organisation.access import scope_of
    from lucheng.core.organisation.models import Person, Post

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"  # signing in is not what is measured
    use_database(DATABASE)
    _fill()
    chance = random.Random(SEED)
    now = timezone.now()
    open_cases = Case.objects.filter(open=True).count()
    print(f"  {Case.objects.count():,} cases, {open_cases:,} of them open")

    def clients(people: list[Person]) -> list[Any]:
        made = []
        for person in people:
            client = Client(headers={"accept-language": "zh-CN"})
            client.force_login(person)
            made.append(client)
        return made

    busy = list(
        Case.objects.filter(open=True, lead_unit__isnull=False).values_list("lead_unit", flat=True).distinct()
    )
    handlers = list(
        Person.objects.filter(
            posts__role="handler", posts__unit__in=chance.sample(busy, min(30, len(busy)))
        ).distinct()[:12]
    )
    places = sorted({c[:6] for c in Case.objects.values_list("place", flat=True)[:20_000] if len(c) >= 6})
    townships = sorted({c[:9] for c in Case.objects.values_list("place", flat=True)[:20_000] if len(c) >= 9})
    townships = chance.sample(townships, min(30, len(townships)))
    county = list(
        Post.objects.filter(role__in=("dispatcher", "duty_officer", "supervisor"), place__in=places)
        .select_related("person")
        .order_by("place", "id")
    )
    county = chance.sample(county, min(12, len(county)))
    tracked = chance.sample(
        list(Case.objects.order_by("id").values_list("code", flat=True)[: min(CASES, BASE)]), ROUNDS
    )
    inboxes = clients(handlers)
    boards = clients([p.person for p in county])
    resident = Client(headers={"accept-language": "zh-CN"})
    session = resident.session  # as if they had just sent them all: nothing is asked for
    session["sent"] = {str(n): codes.written(c) for n, c in enumerate(tracked)}
    session.save()
    resident.cookies["sessionid"] = session.session_key
    pages: dict[str, tuple[list[Callable[[], Any]], list[Callable[[], Any]] | None]] = {
        "a unit's inbox": (
            [_get(inboxes[n % len(inboxes)], "/unit/") for n in range(ROUNDS)],
            [
                _plain(
                    next((g.units for g in scope_of(handlers[n % len(handlers)]).grants if g.units), ()),
                    "",
                    now,
                )
                for n in range(min(ROUNDS, 12))
            ],
        ),
        "a county's board": (
            [
                _get(boards[n % len(boards)], f"/board/?place={county[n % len(county)].place}")
                for n in range(ROUNDS)
            ],
            [_plain((), county[n % len(county)].place, now) for n in range(min(ROUNDS, 12))],
        ),
        "a county's newest": (
            [
                _get(boards[n % len(boards)], f"/board/?all=1&place={county[n % len(county)].place}")
                for n in range(ROUNDS)
            ],
            None,
        ),
        "the tracking page": ([_get(resident, f"/t/{codes.written(c)}/") for c in tracked], None),
        "a township's numbers": (
            [_counted(resident, f"/around/{townships[n % len(townships)]}/?days=90") for n in range(ROUNDS)],
            None,
        ),
    }
    print(f"\n  {'page':<22}{'p50 ms':>9}{'p95 ms':>9}    {'plain query p50':>16}{'p95':>9}")
    for name, (ours, peer) in pages.items():
        for call in ours[:6]:
            call()  # the first request of a process loads reference data
        p50, p95 = _timed(ours)
        line = f"  {name:<22}{p50:>9.1f}{p95:>9.1f}"
        if peer is not None:
            plain50, plain95 = _timed(peer)
            line += f"    {plain50:>16.1f}{plain95:>9.1f}"
        print(line, flush=True)
    if not KEEP:
        drop_database(DATABASE)


if __name__ == "__main__":
    main()
