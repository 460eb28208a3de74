"""Retention: a sweep proposes what is due by the rules, a person approves, the worker destroys.

Personal data is kept no longer than its purpose needs (Personal Information Protection Law, 个人信息保护法, arts 19 and
47); how long that is stands in editions of rules, which nobody can change afterwards. Nothing that is open, under
appeal or under a hold is proposed or destroyed, and nobody approves by rules that they made themselves.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import packs
from lucheng.core.cases.kinds import KINDS
from lucheng.core.cases.models import Case
from lucheng.core.cases.text import one_line
from lucheng.core.dispatch import matters
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.faults import Fault, Faulty
from lucheng.core.fields import within
from lucheng.core.ledger import acts
from lucheng.core.organisation.models import Person
from lucheng.core.privacy import contacts, destruction
from lucheng.core.privacy.models import (
    RetentionBatch,
    RetentionEdition,
    RetentionHold,
    RetentionItem,
    RetentionRule,
    What,
)

#: The rules that every city starts from.
NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "retention.toml"
#: Who looks at batches and approves them.
CAPABILITY = "privacy.audit"

#: Things in one batch: what a person can look through.
MOST = 2000
LONGEST = 1200  # months
#: Things destroyed in one run of the worker's sweep.
BATCH = 100

_FIELDS = {
    "kind": packs.Field(required=True, longest=40),
    "what": packs.Field(required=True, longest=11),
    "months": packs.Field(int, required=True),
    "matter": packs.Field(longest=12),
    "basis": packs.Field(required=True, longest=300),
}

_Batch, _Item = RetentionBatch.State, RetentionItem.State


# --- rules ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """One row of an edition, before it has one."""

    kind: str
    what: str
    months: int
    matter: str
    basis: str


def read(path: Path) -> list[Rule]:
    """The rules of a file. Raises Faulty with every fault at its entry."""
    rows = [Rule(**{"matter": "", **e}) for e in packs.read(path, "rule", _FIELDS, key="")]
    faults: list[Fault] = []
    seen: dict[tuple[str, str, str], int] = {}
    for n, rule in enumerate(rows, 1):
        if rule.kind not in KINDS:
            choices = ", ".join(sorted(KINDS))
            faults.append(Fault(n, "kind", format_lazy(_("write one of {choices}"), choices=choices)))
        if rule.what not in What.values:
            choices = ", ".join(What.values)
            faults.append(Fault(n, "what", format_lazy(_("write one of {choices}"), choices=choices)))
        if not 1 <= rule.months <= LONGEST:
            text = format_lazy(_("write a whole number of months from 1 to {most}"), most=LONGEST)
            faults.append(Fault(n, "months", text))
        if rule.matter and not matters.exists(rule.matter):
            faults.append(Fault(n, "matter", _("no such matter is loaded")))
        before = seen.setdefault((rule.kind, rule.matter, rule.what), n)
        if before != n:
            faults.append(Fault(n, "what", format_lazy(_("the same as in entry {row}"), row=before)))
    if faults:
        raise Faulty(faults)
    return rows


def load(
    path: Path | None = None, *, by: Person | None = None, note: str = "", now: dt.datetime
) -> RetentionEdition | None:
    """Put the rules of a file in force as a new edition; None where they are those in force. The national pack comes
    without anybody's name, a city's own file with the name of whoever answers for it.

    Raises Faulty for what is wrong in the file, Invalid (field ``by``) where a name is missing.
    """
    if path is not None and by is None:
        raise Invalid({"by": _("Say who answers for these rules.")})
    rules = read(path or NATIONAL)
    with transaction.atomic():
        before = RetentionEdition.objects.select_for_update().order_by("-number").first()
        if before is not None and _rows(before) == set(rules):
            return None
        edition = RetentionEdition.objects.create(
            number=before.number + 1 if before is not None else 1,
            made_at=now,
            made_by=by,
            note=one_line(note, 200),
        )
        RetentionRule.objects.bulk_create(
            RetentionRule(
                edition=edition, kind=r.kind, what=r.what, months=r.months, matter=r.matter, basis=r.basis
            )
            for r in rules
        )
        acts.wrote("retention_loaded", edition.number, {"count": len(rules)})
    return edition


def _rows(edition: RetentionEdition) -> set[Rule]:
    return {Rule(r.kind, r.what, r.months, r.matter, r.basis) for r in edition.rules.all()}


def in_force() -> RetentionEdition | None:
    """The edition that holds; none where none was loaded."""
    return RetentionEdition.objects.select_related("made_by").order_by("-number").first()


# --- what is due ----------------------------------------------------------------------------------------------------


def months_before(moment: dt.datetime, months: int) -> dt.datetime:
    """The same day and time of the city, so many calendar months earlier; the month's last day where it is shorter.

    What is due by this is never due before its own day: it may be a day or two later at the end of a month.
    """
    local = timezone.localtime(moment)
    count = local.year * 12 + local.month - 1 - months
    year, month = divmod(count, 12)
    if year < dt.MINYEAR:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day)


def untouchable() -> Q:
    """The condition on cases of which nothing may be destroyed: open, under appeal, or under a hold."""
    hold = RetentionHold.objects.filter(case=OuterRef("pk"), lifted_at=None)
    return Q(open=True) | Q(closed_at=None) | ~Q(appealed_at=None) | Q(Exists(hold))


def due(rule: RetentionRule, rules: Iterable[RetentionRule], now: dt.datetime) -> QuerySet[Case]:
    """The cases of which the rule lets something be destroyed now. ``rules`` are all of its edition: where one names
    a longer matter, it holds instead."""
    rows = Case.objects.filter(
        within("matter", rule.matter), kind=rule.kind, closed_at__lte=months_before(now, rule.months)
    )
    for other in rules:
        if (other.kind, other.what) == (rule.kind, rule.what) and (
            len(other.matter) > len(rule.matter) and other.matter.startswith(rule.matter)
        ):
            rows = rows.exclude(within("matter", other.matter))
    return rows.filter(destruction.held(rule.what)).exclude(untouchable())


def propose(now: dt.datetime, most: int = MOST) -> int:
    """Put what is due into a batch for a person to look at; returns how many things. Nothing is destroyed.

    One batch waits at a time; where the rules have changed since it was made, it is dropped and made anew.
    """
    with transaction.atomic():
        # Locked: two workers would propose the same.
        edition = RetentionEdition.objects.select_for_update().order_by("-number").first()
        if edition is None:
            return 0
        waiting = RetentionBatch.objects.filter(state=_Batch.PROPOSED).first()
        if waiting is not None:
            if waiting.edition_id == edition.pk:
                return 0
            RetentionBatch.objects.filter(pk=waiting.pk).update(state=_Batch.DROPPED, ended_at=now)
        rules = list(edition.rules.order_by("id"))
        items: list[RetentionItem] = []
        for rule in rules:
            in_hand = RetentionItem.objects.filter(
                case=OuterRef("pk"), what=rule.what, batch__state=_Batch.APPROVED, state=_Item.PROPOSED
            )
            rows = due(rule, rules, now).exclude(Exists(in_hand)).order_by("closed_at", "id")
            items += [
                RetentionItem(
                    case_id=pk, rule=rule, number=number, kind=kind, what=rule.what, closed_at=closed_at
                )
                for pk, number, kind, closed_at in rows.values_list("pk", "number", "kind", "closed_at")[
                    : most - len(items)
                ]
                if closed_at is not None
            ]
        if items:
            batch = RetentionBatch.objects.create(edition=edition, proposed_at=now)
            for item in items:
                item.batch = batch
            RetentionItem.objects.bulk_create(items, batch_size=500)
    return len(items)


# --- looking at a batch ---------------------------------------------------------------------------------------------


def batches() -> QuerySet[RetentionBatch]:
    """All batches, the newest first, with how many things each holds in which state."""
    counts = {s.value: Count("items", filter=Q(items__state=s)) for s in _Item}
    return (
        RetentionBatch.objects.select_related("edition__made_by", "approved_by")
        .annotate(**{f"n_{k}": v for k, v in counts.items()})
        .order_by("-pk")
    )


def counts(batch: RetentionBatch) -> list[dict[str, Any]]:
    """How many things of a batch there are by kind of case, what, and rule: ``kind, what, months, basis, n, held``."""
    rows = (
        batch.items.values("kind", "what", "rule__months", "rule__matter", "rule__basis")
        .annotate(n=Count("pk", filter=~Q(state=_Item.HELD)), held=Count("pk", filter=Q(state=_Item.HELD)))
        .order_by("kind", "what", "rule__matter")
    )
    return [dict(row) for row in rows]


def to_destroy(batch: RetentionBatch) -> int:
    """How many things of a batch are still to be destroyed."""
    return batch.items.filter(state=_Item.PROPOSED).count()


def _batch(pk: int) -> RetentionBatch:
    batch = (
        RetentionBatch.objects.select_for_update(of=("self",)).select_related("edition").filter(pk=pk).first()
    )
    if batch is None:
        raise NotFound(_("There is no such batch."))
    return batch


def approve(pk: int, *, person: Person, seen: int, now: dt.datetime) -> RetentionBatch:
    """Let a batch be destroyed. ``seen`` is how many things the person was shown that would be.

    The caller has checked that the person may (:data:`CAPABILITY`).

    Raises NotFound; Forbidden where the person made the rules; Conflict where the batch was approved already, the
    rules have changed, or the number of things has.
    """
    with transaction.atomic():
        batch = _batch(pk)
        if batch.state == _Batch.APPROVED and batch.approved_by_id == person.pk:
            return batch  # the same request twice
        if batch.state != _Batch.PROPOSED:
            raise Conflict(_("This batch no longer waits for approval."))
        if batch.edition.made_by_id == person.pk:
            raise Forbidden(_("You made these rules: somebody else approves what is destroyed by them."))
        newest = in_force()
        if newest is None or newest.pk != batch.edition_id:
            raise Conflict(
                _("The rules have changed since this was proposed. It is proposed anew by itself.")
            )
        if to_destroy(batch) != seen:
            raise Conflict(_("Something of this batch was held meanwhile: look at it again."))
        batch.state, batch.approved_at, batch.approved_by = _Batch.APPROVED, now, person
        batch.save(update_fields=["state", "approved_at", "approved_by"])
        acts.wrote("batch_approved", pk, {"edition": batch.edition.number, "count": seen})
    return batch


# --- holds ----------------------------------------------------------------------------------------------------------


def _hold(case_id: int, reason: str, person: Person, now: dt.datetime) -> bool:
    # Locked as for destroying: what a hold was placed on in time is not destroyed.
    case = Case.objects.select_for_update(of=("self",)).get(pk=case_id)
    try:
        with transaction.atomic():
            RetentionHold.objects.create(
                case=case, number=case.number, reason=reason, held_at=now, held_by=person
            )
    except IntegrityError:
        return False  # it stands already
    RetentionItem.objects.filter(
        case=case, state=_Item.PROPOSED, batch__state__in=(_Batch.PROPOSED, _Batch.APPROVED)
    ).update(state=_Item.HELD)
    return True


def hold_items(pk: int, items: Collection[int], *, reason: str, person: Person, now: dt.datetime) -> int:
    """Hold the cases of some things of a batch: nothing of them is destroyed until the hold is lifted. Returns how
    many cases are newly held.

    Raises NotFound, Conflict where the batch is at its end, Invalid (``reason``, ``items``).
    """
    reason = contacts.checked_reason(reason)
    with transaction.atomic():
        batch = _batch(pk)
        if batch.state not in (_Batch.PROPOSED, _Batch.APPROVED):
            raise Conflict(_("This batch has been carried out."))
        found = batch.items.filter(pk__in=items, state=_Item.PROPOSED).order_by("case_id")
        cases = list(found.values_list("case_id", flat=True).distinct())
        if not cases:
            raise Invalid({"items": _("Choose at least one order that is still to be destroyed.")})
        count = sum(_hold(case, reason, person, now) for case in cases)
        acts.wrote("batch_held", pk, {"count": count})
    return count


def hold(number: str, *, reason: str, person: Person, now: dt.datetime) -> None:
    """Hold one case by its order number, whether anything of it is due or not.

    Raises Invalid (``number``, ``reason``), Conflict where it is held already.
    """
    reason = contacts.checked_reason(reason)
    with transaction.atomic():
        case = _named(number)
        if not _hold(case, reason, person, now):
            raise Conflict(_("This order is held already."))
        acts.wrote("case_held", number.strip())


def _named(number: str) -> int:
    """The id of a case by its order number. Nothing of the case is shown."""
    text = number.strip()
    found = Case.objects.filter(number=text).values_list("pk", flat=True).first() if text.isascii() else None
    if found is None:
        raise Invalid(
            {
                "number": _("There is no order with the number “%(number)s”.")
                % {"number": one_line(number, 30)}
            }
        )
    return found


def lift(pk: int, *, reason: str, person: Person, now: dt.datetime) -> RetentionHold:
    """End a hold: what is due of the case is proposed again.

    Raises NotFound, Conflict where it has been lifted, Invalid (``reason``).
    """
    reason = contacts.checked_reason(reason)
    with transaction.atomic():
        found = RetentionHold.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if found is None:
            raise NotFound(_("There is no such hold."))
        if found.lifted_at is not None:
            raise Conflict(_("This hold has been lifted already."))
        found.lifted_at, found.lifted_by, found.lift_reason = now, person, reason
        found.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
        acts.wrote("hold_lifted", found.number)
    return found


def holds() -> QuerySet[RetentionHold]:
    """All holds: those that stand first, then the newest."""
    return RetentionHold.objects.select_related("held_by", "lifted_by").order_by("-lifted_at", "-pk")


# --- carrying out ---------------------------------------------------------------------------------------------------


def carry_out(now: dt.datetime, limit: int = BATCH) -> int:
    """Destroy what was approved, each thing in a transaction of its own, the oldest batch first; returns how many were
    handled. What a crash left half-done is gone on with. Several workers may do this at once.
    """
    handled = destruction.settle_all(now, limit)
    waiting = RetentionItem.objects.filter(state=_Item.PROPOSED, batch__state=_Batch.APPROVED)
    for pk in list(waiting.order_by("batch_id", "id").values_list("pk", flat=True)[:limit]):
        handled += _carry_out(pk, now)
    for batch in RetentionBatch.objects.filter(state=_Batch.APPROVED):
        if not batch.items.filter(state=_Item.PROPOSED).exists():
            RetentionBatch.objects.filter(pk=batch.pk, state=_Batch.APPROVED).update(
                state=_Batch.DONE, ended_at=now
            )
    return handled


def _carry_out(pk: int, now: dt.datetime) -> int:
    stone = None
    with transaction.atomic():
        case_id = RetentionItem.objects.values_list("case_id", flat=True).get(pk=pk)
        case = Case.objects.select_for_update(of=("self",)).get(pk=case_id)
        item = (
            RetentionItem.objects.select_for_update(of=("self",))
            .select_related("rule__edition", "batch__approved_by")
            .filter(pk=pk, state=_Item.PROPOSED)
            .first()
        )
        if item is None:
            return 0  # another worker has done it, or somebody holds it
        rule = item.rule
        if due(rule, _siblings(rule), now).filter(pk=case.pk).exists():
            cause = destruction.Cause(
                basis=rule.basis,
                approved_by=item.batch.approved_by,
                edition=rule.edition.number,
                months=rule.months,
                says={"batch": item.batch_id, "rule": rule.pk},
            )
            stone = destruction.destroy(case, item.what, cause, now)
        item.state = _Item.DESTROYED if stone is not None else _Item.PASSED
        item.save(update_fields=["state"])
    if stone is not None:
        destruction.settle(stone, now)
    return 1


def _siblings(rule: RetentionRule) -> Sequence[RetentionRule]:
    return list(RetentionRule.objects.filter(edition=rule.edition_id, kind=rule.kind, what=rule.what))
