"""Entries of one register, the party-service centres, as the tests of all registers write them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from lucheng.core.organisation.access import Grant, Scope
from lucheng.core.registers import book
from lucheng.core.registers.register import named
from lucheng.projects.party_centres.models import Centre
from tests.factories import COMMUNITY, NOW

CENTRES = "centres"
DAY = dt.date(2026, 3, 2)


def keeper(place: str) -> Scope:
    """Whoever keeps the register over ``place``."""
    return Scope(1, (Grant("keeper", "none", frozenset({"party_centres.edit"}), place, (), ()),))


def given(**changes: Any) -> dict[str, Any]:
    return {
        "name": "花园社区党群服务中心",
        "place": COMMUNITY,
        "level": "community",
        "valid_from": "2020-06-01",
        **changes,
    }


def centre(code: str = "C1", **changes: Any) -> Centre:
    made = book.write(named(CENTRES), code, given(**changes), by=None, scope=None, now=NOW)
    assert isinstance(made, Centre)
    return made
