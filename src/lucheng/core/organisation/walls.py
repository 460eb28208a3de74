"""From a scope to what the database is told of it: the predicate of :mod:`lucheng.core.organisation.access`, once more.

The policies of :mod:`lucheng.core.cases.policies` read what is told here. A property test holds both forms together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from lucheng.core.fields import after
from lucheng.core.organisation.access import Grant, Scope
from lucheng.core.organisation.models import Role
from lucheng.postgresql import context
from lucheng.postgresql.context import Context

_CONFIDENTIAL = "case.confidential"


def _array(ids: Iterable[int]) -> str:
    return "{" + ",".join(map(str, sorted(ids))) + "}"


def _grant(grant: Grant, author: int | None) -> dict[str, object]:
    of_unit = grant.reach == Role.Reach.UNIT
    return {
        "place_from": grant.place,
        "place_to": after(grant.place),
        "units": list(grant.units) if of_unit else None,
        "author": author if of_unit else None,
        "domains": list(grant.domains) or None,
        "confidential": _CONFIDENTIAL in grant.capabilities,
    }


def of(scope: Scope) -> Context:
    """The context in which the database shows exactly the cases that the scope lets its person see."""
    grants = [g for g in scope.grants if "case.view" in g.capabilities and g.reach != Role.Reach.NONE]
    kept = [{"by": by, "place_from": place, "place_to": after(place)} for by, place in scope.kept()]
    told = {"kept": json.dumps(kept)} if kept else {}
    if not grants:
        return Context(told)
    confidential = any(_CONFIDENTIAL in g.capabilities for g in grants)
    # One post that gives all the others give, and has no condition but its place: nothing more need be asked of a row.
    exact = any(
        g.reach == Role.Reach.PLACE
        and not g.domains
        and (_CONFIDENTIAL in g.capabilities) == confidential
        and all(other.place.startswith(g.place) for other in grants)
        for g in grants
    )
    return Context(
        {
            "place_from": min(g.place for g in grants),
            "place_to": max(after(g.place) for g in grants),
            "confidential": "on" if confidential else "",
            "exact": "on" if exact else "",
            "grants": "" if exact else json.dumps([_grant(g, scope.person_id) for g in grants]),
            "recused": _array(scope.recused),
            **told,
        }
    )


def read_as(scope: Scope) -> None:
    """What follows in this request is read with the rights of ``scope`` too. Outside walls it changes nothing."""
    now = context.reader()
    if now is not None:
        context.become(Context({**of(scope).told, "code": now.told.get("code", "")}))


def read_by_code(code: str) -> None:
    """What follows in this request shows the case with this tracking code (as stored) too: who asks holds it."""
    now = context.reader()
    if now is not None:
        context.become(Context({**now.told, "code": code}))
