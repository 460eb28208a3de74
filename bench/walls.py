"""What row-level security costs: lists and creates inside the walls, and the same ones with none, in turns.

    python -m bench walls

Runs in the database of `python -m bench lists`, with its BENCH_CASES (1,000,000) cases. The peer is the same code in
the same process, signed in as the owner of the tables and telling the database nothing: no policies, no
round trip for the context. Requests with walls and without take turns; every figure is the median over ROUNDS of each.
Creates are whole ones with their commit, without the network. Then come the plans of the lists, as PostgreSQL ran them
inside the walls.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from bench import lists

ROUNDS = 200


@contextmanager
def _no_walls() -> Iterator[None]:
    """Leave every connection what it was when it signed in: the owner's."""
    from django.db import connection

    from lucheng.postgresql.base import DatabaseWrapper

    told = DatabaseWrapper._is_told
    DatabaseWrapper._is_told = lambda self: True  # type: ignore[method-assign]
    connection.close()
    try:
        yield
    finally:
        DatabaseWrapper._is_told = told  # type: ignore[method-assign]
        connection.close()


def _in_turns(calls: list[Callable[[], Any]]) -> tuple[float, float]:
    """Median milliseconds with walls and without, ten calls of each kind at a time."""
    times: tuple[list[float], list[float]] = ([], [])

    def some(into: list[float], start: int) -> None:
        calls[start]()  # the new connection, not counted
        for n in range(start, start + 10):
            began = time.perf_counter()
            calls[n % len(calls)]()
            into.append(1000 * (time.perf_counter() - began))

    for start in range(0, ROUNDS, 10):
        some(times[0], start % len(calls))
        with _no_walls():
            some(times[1], start % len(calls))
    return median(times[0]), median(times[1])


def _plan(scope: Any, wanted: Any, now: Any) -> str:
    from lucheng.core.cases import queries
    from lucheng.core.organisation import walls
    from lucheng.postgresql import context

    with context.within(walls.of(scope)):
        plan: str = queries.listed(scope, wanted, now)[:51].explain(analyze=True, costs=False, buffers=True)
    return plan


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client
    from django.utils import timezone

    from lucheng.core.cases import codes, intake
    from lucheng.core.cases.models import Case
    from lucheng.core.cases.queries import Filter
    from lucheng.core.organisation.access import scope_of
    from lucheng.core.organisation.models import Person
    from lucheng.postgresql import context

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    lists.use_database(lists.DATABASE)
    lists._fill()
    chance = random.Random(lists.SEED)
    now = timezone.now()
    print(f"  {Case.objects.count():,} cases, {Case.objects.filter(open=True).count():,} of them open")

    def people(role: str) -> list[Person]:
        found = list(Person.objects.filter(posts__role=role, is_active=True).distinct().order_by("id")[:2000])
        return chance.sample(found, min(20, len(found)))

    def pages(role: str, address: str) -> list[Callable[[], Any]]:
        calls = []
        for person in people(role):
            client = Client(headers={"accept-language": "zh-CN"})
            client.force_login(person)
            calls.append(lists._get(client, address))
        return calls

    resident = Client(headers={"accept-language": "zh-CN"})
    tracked = Case.objects.order_by("id").values_list("code", flat=True)[: lists.BASE]
    content = list(Case.objects.order_by("id").values_list("content", flat=True)[:ROUNDS])
    cases = list(Case.objects.filter(open=True).order_by("id").values_list("number", flat=True)[:20])
    dispatcher = people("dispatcher")[0]

    def create(n: int) -> Callable[[], Any]:
        def call() -> None:
            with context.within(context.NOTHING):
                intake.create(
                    intake.NewCase(
                        kind="command_centre.order", nature="help", content=content[n], phone="13800002210"
                    ),
                    actor=None,
                    role="requester",
                    now=timezone.now(),
                )

        return call

    asked = {
        "a unit's inbox": pages("handler", "/unit/"),
        "the board": pages("dispatcher", "/board/"),
        "the newest": pages("dispatcher", "/board/?all=1"),
        "an order": [call for number in cases for call in pages("duty_officer", f"/cases/{number}/")[:1]],
        "a tracking page": [
            lists._get(resident, f"/t/{codes.written(c)}/") for c in chance.sample(list(tracked), 20)
        ],
        "a create": [create(n) for n in range(len(content))],
    }
    print(f"\n  {'':<18}{'walls, ms':>11}{'none, ms':>11}{'cost':>8}")
    for name, calls in asked.items():
        for call in calls[:6]:
            call()
        walled, plain = _in_turns(calls)
        print(f"  {name:<18}{walled:>11.2f}{plain:>11.2f}{walled / plain - 1:>8.1%}", flush=True)

    handler = next(p for p in people("handler") if scope_of(p).grants)
    print("\na unit's inbox\n" + _plan(scope_of(handler), Filter(), now))
    print("\nthe board\n" + _plan(scope_of(dispatcher), Filter(), now))


if __name__ == "__main__":
    main()
