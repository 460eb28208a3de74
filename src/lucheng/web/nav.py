"""The bar on top, found by name: a room's ``pages.py`` may say what stands in it.

``NAV = [(_("Board"), "board", "case.view")]``: label, name of the page, capability that shows it ("" for all staff).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.urls import reverse
from django.utils.functional import Promise

from lucheng.core.organisation.access import Scope

Entry = tuple[str | Promise, str, str]


@cache
def entries() -> tuple[Entry, ...]:
    """What every room declares: work on cases first, then the rest, each in the order of the rooms."""
    found: list[Entry] = []
    for config in apps.get_app_configs():
        if config.name.startswith("lucheng.") and find_spec(f"{config.name}.pages"):
            declared: Sequence[Entry] = getattr(import_module(f"{config.name}.pages"), "NAV", ())
            found += declared
    return tuple(sorted(found, key=lambda entry: not entry[2].startswith("case.")))


def items(scope: Scope) -> list[tuple[str, str]]:
    """Label and address of the pages that ``scope`` opens."""
    return [
        (str(label), reverse(name))
        for label, name, capability in entries()
        if not capability or scope.can(capability)
    ]
