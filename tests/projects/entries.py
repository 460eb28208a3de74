"""Entries of the rooms' registers, written as the console does, and what is said where one is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from lucheng.core.errors import Invalid
from lucheng.core.indicators.indicator import named as indicator_named
from lucheng.core.indicators.periods import window
from lucheng.core.registers import book
from lucheng.core.registers.register import named
from tests.factories import CITY, NOW

#: The day on which figures are asked for.
TODAY = dt.date(2026, 3, 2)


def write(slug: str, code: str = "", **given: Any) -> Any:
    """The entry ``code`` of the register ``slug``, written over what stands there."""
    register = named(slug)
    before = register.model.objects.filter(code=code).first() if code else None
    version = before.version if before is not None else None
    return book.write(register, code, given, by=None, scope=None, now=NOW, version=version)


def refused(entry: Callable[..., Any], **given: Any) -> list[str]:
    """The fields at which ``entry`` is refused when it is given this."""
    with pytest.raises(Invalid) as wrong:
        entry(**given)
    return sorted(wrong.value.fields)


def value(id: str, period: str = "2020", place: str = CITY) -> float | None:
    """What an indicator comes to."""
    return indicator_named(id).value(window(period, TODAY), place).value
