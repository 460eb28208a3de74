"""A case with the least that a clock needs, and moments written as people write them."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

from lucheng.core.cases.models import Case, Channel, Nature, State, Urgency
from lucheng.core.clocks.calendar import ZONE
from lucheng.core.clocks.models import Clock
from lucheng.core.ledger.chain import GENESIS
from lucheng.core.organisation.models import Unit

_ids = itertools.count(1)


def at(text: str) -> dt.datetime:
    """``2026-11-23 09:00`` in Asia/Shanghai; that day is a Monday."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE)


def unit(name: str, kind: Unit.Kind = Unit.Kind.DEPARTMENT, place: str = "9901", **more: Any) -> Unit:
    return Unit.objects.create(code=name, name=name, kind=kind, place=place, **more)


def a_case(**changes: Any) -> Case:
    """An order of a caller who asks for help with a street lamp, dispatched to nobody yet."""
    number = next(_ids)
    given: dict[str, Any] = {
        "id": number,
        "number": f"T{number:08}",
        "code": f"code{number:08}",
        "kind": "command_centre.order",
        "state": State.ACCEPTED,
        "channel": Channel.PHONE,
        "nature": Nature.HELP,
        "matter": "010201",
        "title": "路灯不亮",
        "content": "路灯不亮",
        "urgency": Urgency.ORDINARY,
        "place": "990101001001001",
        "created_at": at("2026-11-23 09:00"),
        "chain_length": 0,
        "chain_head": GENESIS,
        "version": 1,
    }
    return Case.objects.create(**{**given, **changes})


def clock(case: Case, kind: str) -> Clock:
    """The latest clock of the kind."""
    return Clock.objects.filter(case=case, kind=kind).latest("id")


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """What ``work`` returned or raised in each of several threads that begin together, each on its own connection."""
    results: list[Any] = []
    start = threading.Barrier(count)

    def run() -> None:
        try:
            start.wait(10)
            results.append(work())
        except BaseException as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    return results
