"""Editions of the catalogue: draft, compare, publish. What is published is never edited, only replaced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.dispatch.models import Rule, Version
from lucheng.core.dispatch.rules import MATTER, Checker, Row, rows_of
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.faults import Fault, Faulty
from lucheng.core.ledger import acts
from lucheng.core.organisation.access import scope_of
from lucheng.core.organisation.models import Person
from lucheng.core.places.names import place_name
from lucheng.core.revisions.snapshot import bump


def _one_at_a_time() -> None:
    """Hold the catalogue's editions for this transaction: numbering and publishing happen one after another."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('dispatch_version'))")


def in_force() -> Version | None:
    """The published edition as the database has it now."""
    return Version.objects.filter(state=Version.State.PUBLISHED).first()


def get(number: int) -> Version:
    """The edition with this number. Raises NotFound."""
    version = Version.objects.filter(number=number).first()
    if version is None:
        raise NotFound(format_lazy(_("There is no edition {number}."), number=number))
    return version


def _draft(version: Version) -> Version:
    """The row of a draft, locked. Raises Conflict where it is no draft any more."""
    locked = Version.objects.select_for_update().filter(pk=version.pk, state=Version.State.DRAFT).first()
    if locked is None:
        raise Conflict(
            format_lazy(
                _("Edition {number} is not a draft: it can no longer be changed."), number=version.number
            )
        )
    return locked


def _write(version: Version, rows: Sequence[Row], units: dict[str, int]) -> None:
    rules = Rule.objects.bulk_create(
        [
            Rule(
                version=version,
                matter=row.matter,
                place=row.place,
                lead_id=units[row.lead],
                basis=row.basis,
                note=row.note,
            )
            for row in rows
        ],
        batch_size=2000,
    )
    helpers = Rule.assists.through
    helpers.objects.bulk_create(
        [
            helpers(rule_id=rule.pk, unit_id=units[code])
            for rule, row in zip(rules, rows, strict=True)
            for code in row.assists
        ],
        batch_size=5000,
    )


def create(
    rows: Sequence[tuple[int, Row]], note: str, now: dt.datetime, *, faults: Sequence[Fault] = ()
) -> Version:
    """A new draft with the numbered ``rows``, all or none.

    Raises Faulty with what :class:`Checker` finds, after the ``faults`` that the caller has found already.
    """
    checker = Checker(timezone.localdate(now))
    found = sorted([*faults, *checker.rows(rows)], key=lambda f: f.row)
    if found:
        raise Faulty(found)
    with transaction.atomic():
        version = _new(note, now)
        _write(version, [row for _number, row in rows], {code: u.id for code, u in checker.units.items()})
        acts.wrote("edition_drafted", version.number, {"count": len(rows)})
    return version


def _new(note: str, now: dt.datetime) -> Version:
    _one_at_a_time()
    highest = Version.objects.aggregate(highest=Max("number"))["highest"] or 0
    return Version.objects.create(number=highest + 1, note=note.strip()[:200], created_at=now)


def draft_from_published(note: str, now: dt.datetime) -> Version:
    """A new draft with the rows of the edition in force; an empty one where there is none."""
    with transaction.atomic():
        version = _new(note, now)
        current = in_force()
        rows = rows_of(current) if current is not None else []
        if current is not None:
            units = dict(Rule.objects.filter(version=current).values_list("lead__code", "lead_id"))
            units |= dict(
                Rule.assists.through.objects.filter(rule__version=current).values_list(
                    "unit__code", "unit_id"
                )
            )
            _write(version, rows, units)
        acts.wrote("edition_drafted", version.number, {"count": len(rows)})
    return version


def _take_out(version: Version, seen: Row) -> None:
    """Delete a row of a locked draft as somebody saw it. Raises Conflict where it is no longer that row."""
    if seen not in rows_of(version, matter=seen.matter, place=seen.place):
        raise Conflict(_("Somebody has changed this row meanwhile. Look at it again."))
    Rule.objects.filter(version=version, matter=seen.matter, place=seen.place).delete()


def put(version: Version, row: Row, now: dt.datetime, *, instead_of: Row | None = None) -> None:
    """Write one row into a draft; ``instead_of`` is the row that it replaces, as its editor saw it.

    Raises Invalid at the columns of the sheet; Conflict where the version is no draft, or somebody else has
    changed the row meanwhile.
    """
    checker = Checker(timezone.localdate(now))
    wrong = checker.row(row)
    with transaction.atomic():
        version = _draft(version)
        if instead_of is not None:
            _take_out(version, instead_of)
        if Rule.objects.filter(version=version, matter=row.matter, place=row.place).exists():
            wrong.append((MATTER, _("This draft has a row for this matter at this place already.")))
        if wrong:
            raise Invalid(dict(reversed(wrong)))
        _write(version, [row], {code: u.id for code, u in checker.units.items()})
        details = {"matter": row.matter, "place": row.place, "unit": row.lead}
        acts.wrote("edition_row_written", version.number, details)


def drop(version: Version, row: Row) -> None:
    """Take one row, as its editor saw it, out of a draft. Raises Conflict as :func:`put` does."""
    with transaction.atomic():
        _take_out(_draft(version), row)
        details = {"matter": row.matter, "place": row.place, "unit": row.lead}
        acts.wrote("edition_row_removed", version.number, details)


def discard(version: Version) -> None:
    """Delete a draft. Raises Conflict where it has been published: what decided cases stays."""
    with transaction.atomic():
        _draft(version).delete()
        acts.wrote("edition_discarded", version.number)


@dataclass(frozen=True)
class Change:
    """One row that differs between two editions; ``before`` or ``after`` is None where one of them lacks it."""

    before: Row | None
    after: Row | None

    @property
    def matter(self) -> str:
        return self.after.matter if self.after is not None else self.before.matter if self.before else ""

    @property
    def place(self) -> str:
        return self.after.place if self.after is not None else self.before.place if self.before else ""


def diff(before: Version | None, after: Version) -> list[Change]:
    """The rows in which two editions differ, by matter and place: in lead, assisting units or basis."""
    old = {(r.matter, r.place): r for r in rows_of(before)} if before is not None else {}
    new = {(r.matter, r.place): r for r in rows_of(after)}
    return [
        Change(old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if _says(old.get(key)) != _says(new.get(key))
    ]


def _says(row: Row | None) -> tuple[str, frozenset[str], str] | None:
    return None if row is None else (row.lead, frozenset(row.assists), row.basis)


def before(version: Version) -> Version | None:
    """The edition with which this one is compared: for a draft the one in force, for one that has been in force the
    one before it; None where there is none."""
    if version.published_at is None:
        return in_force()
    same_moment = Q(published_at=version.published_at, number__lt=version.number)
    earlier = Version.objects.filter(Q(published_at__lt=version.published_at) | same_moment)
    return earlier.order_by("-published_at", "-number").first()


def publish(
    version: Version,
    person: Person,
    now: dt.datetime,
    *,
    replaces: int | None = None,
    note: str | None = None,
) -> Version:
    """Put a draft in force and retire the edition before it, in one transaction.

    ``replaces`` is the number of the edition in force that the person has compared the draft with (0: none);
    where another has been published since, nothing happens. Left out, what was in force when this call began
    counts. ``note`` says why, in place of what the draft was for.

    Raises Forbidden without the capability ``catalogue.publish`` over every place whose rows change; Conflict
    where somebody else was first; Invalid for an empty draft; Faulty where a row no longer holds (a unit closed,
    a division gone since it was written).
    """
    day = timezone.localdate(now)
    publisher = scope_of(person, day)
    if not publisher.can("catalogue.publish"):
        raise Forbidden(_("Your posts do not allow publishing the dispatch catalogue."))
    if replaces is None:
        current = in_force()
        replaces = 0 if current is None else current.number
    with transaction.atomic():
        _one_at_a_time()
        current = in_force()
        if (0 if current is None else current.number) != replaces:
            raise Conflict(
                _("Another edition has been published meanwhile. Compare the draft with it first.")
            )
        version = _draft(version)
        rows = rows_of(version)
        if not rows:
            raise Invalid({"": _("This draft has no rows: no case would find a unit.")})
        faults = Checker(day).rows(enumerate(rows, 2))
        if faults:
            raise Faulty(faults)
        for change in diff(current, version):
            if not publisher.covers("catalogue.publish", change.place):
                text = _("This draft changes rows at {place}, which your posts do not cover.")
                raise Forbidden(format_lazy(text, place=place_name(change.place)))
        if current is not None:
            current.state = Version.State.RETIRED
            current.save(update_fields=["state"])
        version.state = Version.State.PUBLISHED
        version.published_at = now
        version.published_by = person
        if note is not None:
            version.note = note.strip()[:200]
        version.save(update_fields=["state", "published_at", "published_by", "note"])
        bump("catalogue")
        acts.wrote("edition_published", version.number, {"replaces": replaces})
    return version
