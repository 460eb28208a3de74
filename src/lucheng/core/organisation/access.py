"""The one predicate of who may see and do what.

It follows from posts: role x place prefix x unit x matter domain x confidentiality. A :class:`Scope` is compiled once
from the posts a person holds today, and answers in two forms that must always agree (a property test holds them
together): :meth:`Scope.q` for lists, searches, maps, exports and counts, and :meth:`Scope.allows` for one row.

Sources: Jinan 12345 regulation art. 32 (content and identity of a complaint never reach the unit complained of; who
has an interest is recused), Weifang art. 11 and Jinan arts 16, 24 (a requester may ask for secrecy).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from lucheng.core.fields import within
from lucheng.core.organisation.capabilities import KEEPERS
from lucheng.core.organisation.models import Interest, Person, Post, Role

#: What a keeper may do besides working on the cases that they keep.
_OF_A_KEEPER = ("case.view", "contact.reveal")


class Facts(Protocol):
    """What the predicate must know of a case; :class:`lucheng.core.cases.models.Case` has it."""

    place: str
    units: list[int]
    matter: str
    confidential: bool
    lead_unit_id: int | None
    accused_unit_id: int | None
    intake_by_id: int | None
    kept_by: str


@dataclass(frozen=True)
class Grant:
    """What one post gives: capabilities over a part of the cases."""

    role: str
    reach: str
    capabilities: frozenset[str]
    place: str
    units: tuple[int, ...]
    domains: tuple[str, ...]
    #: The unit of the post itself, the top of ``units``.
    unit: int | None = None

    def q(self, author: int | None) -> Q | None:
        """The cases in reach, secrecy, recusal and keepers apart; None where the role reaches none.

        With ``author``, what that person entered is in reach of a post that reaches its unit's cases: a grid worker
        follows a finding before any unit has it.
        """
        if self.reach == Role.Reach.NONE:
            return None
        q = within("place", self.place)
        if self.reach == Role.Reach.UNIT:
            theirs = Q(units__overlap=list(self.units))
            q &= theirs if author is None else theirs | Q(intake_by=author)
        if self.domains:
            domain = Q()
            for d in self.domains:
                domain |= within("matter", d)
            q &= domain
        if "case.confidential" not in self.capabilities:
            q &= Q(confidential=False)
        return q

    def reaches(self, case: Facts, author: int | None) -> bool:
        """The same for one row."""
        if self.reach == Role.Reach.NONE or not case.place.startswith(self.place):
            return False
        theirs = set(self.units) & set(case.units) or (author is not None and case.intake_by_id == author)
        if self.reach == Role.Reach.UNIT and not theirs:
            return False
        if self.domains and not any(case.matter.startswith(d) for d in self.domains):
            return False
        return not case.confidential or "case.confidential" in self.capabilities


@dataclass(frozen=True)
class Scope:
    """Everything the posts of one person allow today."""

    person_id: int | None
    grants: tuple[Grant, ...] = ()
    #: Units whose accused cases the person never sees: those they serve in, and those they declared an interest in.
    recused: frozenset[int] = frozenset()

    def can(self, capability: str, reach: str = "") -> bool:
        """Whether any post (of that reach, if given) gives the capability, anywhere. For showing a menu; never enough
        to act on a case."""
        return any(capability in g.capabilities and reach in ("", g.reach) for g in self.grants)

    def sees_cases(self) -> bool:
        """Whether any post shows cases at all. For showing a menu."""
        return any(self.can(c) for c in ("case.view", *KEEPERS))

    def _author(self, capability: str) -> int | None:
        """Who entered a case may see it; every other capability over it comes from its unit."""
        return self.person_id if capability == "case.view" else None

    def role_for(self, capability: str, case: Facts | None = None, by: str = "") -> str | None:
        """The role of :meth:`grant_for`, for the ledger."""
        grant = self.grant_for(capability, case, by)
        return grant.role if grant is not None else None

    def grant_for(self, capability: str, case: Facts | None = None, by: str = "") -> Grant | None:
        """What the first post gives that gives the capability (over ``case``, if given).

        ``by`` narrows it: ``lead`` to people of the lead unit, so that who assists only assists (首接负责制; Beijing
        art. 14), ``author`` to the person who entered the case.
        """
        if case is None:
            return next((g for g in self.grants if capability in g.capabilities), None)
        if case.kept_by or capability in KEEPERS:
            return self._keeps(capability, case)
        if case.accused_unit_id in self.recused:
            return None
        if by == "author" and (self.person_id is None or case.intake_by_id != self.person_id):
            return None
        author = self.person_id if by == "author" else self._author(capability)
        for g in self.grants:
            if capability not in g.capabilities or not g.reaches(case, author):
                continue
            if by == "lead" and g.reach == Role.Reach.UNIT and case.lead_unit_id not in g.units:
                continue
            return g
        return None

    def _keeps(self, capability: str, case: Facts) -> Grant | None:
        """The same for a case that has a keeper: whoever keeps it sees it, works on it, and may reach its requester."""
        if not case.kept_by or capability not in (case.kept_by, *_OF_A_KEEPER):
            return None
        return next(
            (g for g in self.grants if case.kept_by in g.capabilities and case.place.startswith(g.place)),
            None,
        )

    def allows(self, capability: str, case: Facts) -> bool:
        """Whether the person may use the capability on this case."""
        return self.role_for(capability, case) is not None

    def q(self, capability: str = "case.view") -> Q:
        """The condition on cases over which the person has the capability. With no post it holds for no row."""
        reach: Q | None = None
        for g in self.grants:
            if capability not in g.capabilities or capability in KEEPERS:
                continue
            q = g.q(self._author(capability))
            if q is not None:
                reach = q if reach is None else reach | q
        if reach is not None:
            reach &= Q(kept_by="")
            if self.recused:
                reach &= Q(accused_unit=None) | ~Q(accused_unit__in=sorted(self.recused))
        for keeper, place in self.kept():
            if capability in (keeper, *_OF_A_KEEPER):
                q = Q(kept_by=keeper) & within("place", place)
                reach = q if reach is None else reach | q
        return Q(pk__in=[]) if reach is None else reach

    def kept(self) -> list[tuple[str, str]]:
        """What the person keeps: each keeper's capability with the place over which it is held."""
        return [(k, g.place) for k in KEEPERS for g in self.grants if k in g.capabilities]

    def covers(self, capability: str, place: str) -> bool:
        """Whether the capability is held over all of ``place``: for creating there and for editing registers."""
        return any(capability in g.capabilities and place.startswith(g.place) for g in self.grants)


NOBODY = Scope(person_id=None)


def subtree(unit_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """For each unit, itself and every unit below it, in one query."""
    ids = sorted(set(unit_ids))
    found: dict[int, list[int]] = {i: [] for i in ids}
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                with recursive tree(root, id) as (
                    select id, id from organisation_unit where id = any(%s)
                    union all
                    select tree.root, u.id from organisation_unit u join tree on u.parent_id = tree.id
                )
                select root, id from tree
                """,
                [ids],
            )
            for root, unit in cursor.fetchall():
                found[root].append(unit)
    return {root: tuple(sorted(units)) for root, units in found.items()}


def line_of_command(unit_ids: Iterable[int]) -> set[int]:
    """The units and all above them, the root of the tree (the city itself) apart, in one query."""
    ids = sorted(set(unit_ids))
    if not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            with recursive line(id, parent_id) as (
                select id, parent_id from organisation_unit where id = any(%s)
                union
                select u.id, u.parent_id from organisation_unit u join line on line.parent_id = u.id
            )
            select id from line where parent_id is not null or id = any(%s)
            """,
            [ids, ids],
        )
        return {row[0] for row in cursor.fetchall()}


def scope_of(person: Person, day: dt.date | None = None) -> Scope:
    """Compile the posts that ``person`` holds on ``day`` (today, if not given). Four queries."""
    if not person.is_active:
        return NOBODY
    day = day or timezone.localdate()
    posts = list(Post.objects.filter(Post.in_force(day), person=person).select_related("role").order_by("id"))
    interests = list(Interest.objects.filter(person=person).values_list("unit_id", flat=True))
    trees = subtree([*(p.unit_id for p in posts if p.unit_id is not None), *interests])
    grants = tuple(
        Grant(
            role=p.role_id,
            reach=p.role.reach,
            capabilities=frozenset(p.role.capabilities),
            place=p.place,
            units=trees[p.unit_id] if p.unit_id is not None else (),
            domains=tuple(p.domains),
            unit=p.unit_id,
        )
        for p in posts
    )
    # A unit complained of stands for itself and all it is part of or made of. A post that reaches every case of a place
    # (a dispatcher, an auditor) is recused only for its own line of command, not for all units of the city below it.
    recused = line_of_command(p.unit_id for p in posts if p.unit_id is not None)
    for p in posts:
        if p.role.reach == Role.Reach.UNIT and p.unit_id is not None:
            recused.update(trees[p.unit_id])
    for unit_id in interests:
        recused.update(trees[unit_id])
    return Scope(person_id=person.pk, grants=grants, recused=frozenset(recused))
