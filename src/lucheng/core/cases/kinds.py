"""Kinds of case, declared by the projects: what they are called, what they ask, how they differ. One engine for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

from lucheng.core.cases.models import Nature, State
from lucheng.core.clocks.models import ClockKind

Text = str | Promise


@dataclass(frozen=True)
class CaseKind:
    """One kind of case.

    ``states`` gives the project's own words for states (domain words such as 待立案 for received); the neutral word
    stands where it gives none. ``without`` names actions of the common table that this kind does not have.
    """

    code: str
    name: Text
    natures: tuple[Nature, ...]
    #: A requester outside the administration stands behind it: contact or anonymity, messages, tracking, callback.
    has_requester: bool = True
    states: Mapping[State, Text] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    #: The capability whose holders alone see and work on such cases (Case.kept_by). They are not dispatched, nothing is
    #: proposed for them, and they count in no figure of others.
    kept_by: str = ""
    #: The clock that runs from receipt.
    clock: ClockKind = ClockKind.DISPATCH
    #: Checks what this kind asks beyond the common fields (Case.fields), which came in for this role. Raises Invalid.
    check: Callable[[Mapping[str, Any], str], None] = lambda fields, role: None

    def state_name(self, state: str) -> Text:
        return self.states.get(State(state), State(state).label)


KINDS: dict[str, CaseKind] = {}


def without_requester() -> list[str]:
    """The codes of the kinds whose result is verified on site (核查), since nobody can be called back."""
    return [kind.code for kind in KINDS.values() if not kind.has_requester]


def declare(kind: CaseKind) -> CaseKind:
    """Make a kind known. Called at import of a project's ``cases.py``.

    Raises ValueError if another kind has the code already.
    """
    if KINDS.get(kind.code, kind) != kind:
        raise ValueError(f"two kinds of case have the code {kind.code}")
    KINDS[kind.code] = kind
    return kind
