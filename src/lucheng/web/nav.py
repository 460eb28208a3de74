"""The bar on top, found by name: a room's ``pages.py`` may say what stands in it.

``NAV = [Entry(_("Board"), "board", "case.view", order=30, home="case.arbitrate")]``
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.urls import reverse
from django.utils.functional import Promise

from lucheng.core.organisation.access import Scope


@dataclass(frozen=True)
class Entry:
    """One entry of the bar: its words, the name of its page, and the capability that shows it ("" for all staff,
    several where any of them does).

    ``reach`` shows it only where a post of that reach gives the capability.

    The lower ``order`` stands first. Who has the capability ``home`` begins their day on this page; where several
    fit, on the one with the lowest ``first``.
    """

    label: str | Promise
    page: str
    capability: str | tuple[str, ...]
    order: int = 90
    home: str = ""
    first: int = 90
    reach: str = ""

    def opens(self, scope: Scope) -> bool:
        """Whether ``scope`` is shown this entry."""
        of = (self.capability,) if isinstance(self.capability, str) else self.capability
        return "" in of or any(scope.can(c, self.reach) for c in of)


@cache
def entries() -> tuple[Entry, ...]:
    """What every room declares, in order."""
    found: list[Entry] = []
    for config in apps.get_app_configs():
        if config.name.startswith("lucheng.") and find_spec(f"{config.name}.pages"):
            declared: Sequence[Entry] = getattr(import_module(f"{config.name}.pages"), "NAV", ())
            found += declared
    return tuple(sorted(found, key=lambda entry: entry.order))


def items(scope: Scope) -> list[tuple[str, str]]:
    """Label and address of the pages that ``scope`` opens."""
    return [(str(e.label), reverse(e.page)) for e in entries() if e.opens(scope)]


def home(scope: Scope) -> str | None:
    """The address on which the holder of ``scope`` begins their day; None where no page is theirs."""
    begun = [e for e in entries() if e.home and scope.can(e.home)]
    if begun:
        return reverse(min(begun, key=lambda e: e.first).page)
    return next((address for _label, address in items(scope)), None)
