"""Where a case that waits for dispatch would go, and the one call that sends it there.

A proposal is the catalogue's answer for a matter and a place. The matter is the one that a person has decided, or else
the one that triage advised. It is certain where nobody need look again: a decided matter with a row of the catalogue,
or advice that was sure down to a small class. Everything else has a doubt, in words: a person fills in the form.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases import engine, kinds, queries
from lucheng.core.cases.lifecycle import BY_ACTION, Transition
from lucheng.core.cases.models import Case, State
from lucheng.core.dispatch import catalogue, matters
from lucheng.core.dispatch.catalogue import Decision
from lucheng.core.errors import Conflict
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person

#: States in which a case waits to be dispatched.
WAITING = (State.RECEIVED, State.ACCEPTED, State.REOPENED)

#: Digits of a small class. A unit that answers for part of a large class may not answer for all of it.
_SMALL_CLASS = 6

#: What :func:`of` reads of a case besides ``rows.SHOWN``: ``.select_related("advice").only(*SHOWN, *READ)``.
READ = ("accused_unit", "advice__matter", "advice__matter_probability", "advice__model_version")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Where a case would go. ``matter`` is decided or advised, ``probability`` that of advice alone."""

    matter: str
    decided: bool
    probability: float | None
    model: str
    decision: Decision | None
    #: Why it cannot be dispatched as proposed; empty where it can.
    doubt: str | Promise

    @property
    def certain(self) -> bool:
        """Whether it may be dispatched as it is proposed, also among others."""
        return self.decision is not None and not self.doubt


def of(case: Case) -> Proposal | None:
    """The proposal for a case, or None where it does not wait for dispatch.

    Looks at memory only, if the case came with its ``advice``.
    """
    if case.state not in WAITING:
        return None
    try:
        advice = case.advice
    except ObjectDoesNotExist:
        advice = None
    decided = case.matter != ""
    matter = case.matter or (advice.matter if advice is not None else "")
    probability = advice.matter_probability if advice is not None and not decided else None
    model = advice.model_version if advice is not None and not decided else ""
    decision = catalogue.decide(matter, case.place) if matter else None
    return Proposal(matter, decided, probability, model, decision, _doubt(case, matter, decided, decision))


def _doubt(case: Case, matter: str, decided: bool, decision: Decision | None) -> str | Promise:
    if not matter:
        return _("No matter has been decided, and the advice was not sure of any: choose it.")
    if not decided and len(matter) < _SMALL_CLASS:
        return format_lazy(
            _("The advice was sure of “{matter}” only, not of a class in it: choose it."),
            matter=matters.name(matter),
        )
    if decision is None:
        return catalogue.why_none(matter, case.place)
    if case.accused_unit_id is not None:
        return _("This order complains of a unit: look where it goes, and dispatch it by the form.")
    return ""


@transaction.atomic
def dispatch(
    number: str,
    *,
    unit: int,
    actor: Person,
    scope: Scope,
    version: int,
    now: dt.datetime,
    key: str | None = None,
) -> Case:
    """Accept a case with its proposed matter, where that is still to be done, and dispatch it: both steps or neither.

    ``unit`` is the unit that the person saw proposed, ``version`` the version they saw; ``key`` is an idempotency key.

    Raises NotFound, Forbidden, Conflict (it has changed, another unit is proposed now, or none for sure), Invalid.
    """
    case = queries.find(queries.visible(scope).select_related("advice"), number)
    matter = case.matter
    if (proposal := of(case)) is not None:
        if proposal.decision is None or proposal.doubt:
            raise Conflict(proposal.doubt)
        if proposal.decision.lead_unit_id != unit:
            raise Conflict(
                _("The catalogue names %(unit)s now, not the unit that you saw: look at it again.")
                % {"unit": proposal.decision.lead_unit_name}
            )
        matter = proposal.matter
    return send(number, {"matter": matter}, actor=actor, scope=scope, version=version, now=now, key=key)


@transaction.atomic
def send(
    number: str,
    raw: Mapping[str, Any],
    *,
    actor: Person,
    scope: Scope,
    version: int,
    now: dt.datetime,
    key: str | None = None,
) -> Case:
    """Dispatch as the form ``raw`` says, and accept first where nobody has: both steps of the life cycle or neither.

    Raises as :func:`lucheng.core.cases.engine.act`.
    """
    if queries.visible(scope).filter(number=number, state=State.RECEIVED).exists():
        # The version that the person saw is checked here; the dispatch then follows on what this step left.
        version = engine.act(
            number,
            "accept",
            {name: raw[name] for name in ("matter", "place") if name in raw},
            actor=actor,
            scope=scope,
            version=version,
            now=now,
            key=f"{key}:a" if key else None,
        ).version
    return engine.act(
        number,
        "dispatch",
        raw,
        actor=actor,
        scope=scope,
        version=version,
        now=now,
        key=f"{key}:d" if key else None,
    )


def dispatch_row(case: Case, scope: Scope) -> Transition | None:
    """The row by which the person may dispatch the case by a form, accepting it first where nobody has."""
    if case.state == State.RECEIVED:
        accept = engine.row_for(case, "accept")
        row = BY_ACTION["dispatch", State.ACCEPTED.value]
        if accept is None or row.action in kinds.KINDS[case.kind].without:
            return None
        allowed = scope.allows(accept.who, case) and scope.allows(row.who, case)
        return row if allowed else None
    return next((r for r in engine.actions_for(case, scope) if r.action == "dispatch"), None)
