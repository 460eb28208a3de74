"""Acts: what administrators do, and the operator of the system by commands, as one chain (GB/T 22239-2019 8.1.4: time,
user, kind and result of every such act, protected against change).

Whatever function of the core changes something that administrators keep calls :func:`wrote` in its own transaction, so
that neither stands without the other, by whichever door it was asked for. Who it was is said once, at the door
(:func:`by`). Acts are rare: unlike the events of cases they form one chain, and one waits for the other.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from lucheng.core import paging, sheets
from lucheng.core.ledger import chain
from lucheng.core.ledger.models import Act
from lucheng.postgresql import context
from lucheng.postgresql.context import everything

if TYPE_CHECKING:
    from lucheng.core.organisation.models import Person

#: Who reads acts and sign-ins and has the ledger verified: the audit administrator.
AUDIT = "ledger.verify"
#: The role of the operator of the system, who holds no post.
CONSOLE = "console"
#: How far back is looked where nobody says since when.
USUAL_PERIOD = dt.timedelta(days=30)
#: Rows of one exported sheet at most: what is more is asked for in parts.
MOST_EXPORTED = 10_000

#: What an act is done to.
KINDS: Mapping[str, str | Promise] = {
    "edition": pgettext_lazy("act", "edition of the catalogue"),
    "unit": pgettext_lazy("act", "unit"),
    "person": pgettext_lazy("act", "person"),
    "role": pgettext_lazy("act", "role"),
    "calendar": pgettext_lazy("act", "calendar"),
    "limits": pgettext_lazy("act", "time limits"),
    "matters": pgettext_lazy("act", "matters"),
    "places": pgettext_lazy("act", "divisions and grids"),
    "triage": pgettext_lazy("act", "advice"),
    "message": pgettext_lazy("act", "text of a message"),
    "queue": pgettext_lazy("act", "queue"),
    "looks": pgettext_lazy("act", "looks at personal data"),
    "case": pgettext_lazy("act", "order"),
    "request": pgettext_lazy("act", "request about data"),
    "batch": pgettext_lazy("act", "retention batch"),
    "retention": pgettext_lazy("act", "retention rules"),
    "notice": pgettext_lazy("act", "privacy notice"),
    "processing": pgettext_lazy("act", "processing register"),
    "bulletin": pgettext_lazy("act", "template of the bulletin"),
    "ledger": pgettext_lazy("act", "ledger"),
}


@dataclass(frozen=True)
class Action:
    """What is done, to which of :data:`KINDS`, in words."""

    kind: str
    words: str | Promise


#: Everything that is written as an act, by its code.
ACTIONS: Mapping[str, Action] = {
    "edition_drafted": Action("edition", pgettext_lazy("act", "draft made")),
    "edition_row_written": Action("edition", pgettext_lazy("act", "row of a draft written")),
    "edition_row_removed": Action("edition", pgettext_lazy("act", "row taken out of a draft")),
    "edition_discarded": Action("edition", pgettext_lazy("act", "draft thrown away")),
    "edition_published": Action("edition", pgettext_lazy("act", "edition put in force")),
    "unit_added": Action("unit", pgettext_lazy("act", "unit added")),
    "unit_changed": Action("unit", pgettext_lazy("act", "unit changed")),
    "unit_closed": Action("unit", pgettext_lazy("act", "unit closed")),
    "unit_reopened": Action("unit", pgettext_lazy("act", "unit stands again")),
    "units_imported": Action("unit", pgettext_lazy("act", "sheet of units imported")),
    "person_added": Action("person", pgettext_lazy("act", "person added")),
    "person_locked": Action("person", pgettext_lazy("act", "account locked")),
    "person_unlocked": Action("person", pgettext_lazy("act", "account unlocked")),
    "password_given": Action("person", pgettext_lazy("act", "new first password given")),
    "factor_reset": Action("person", pgettext_lazy("act", "second factor taken away")),
    "post_given": Action("person", pgettext_lazy("act", "post given")),
    "post_ended": Action("person", pgettext_lazy("act", "post ended")),
    "key_issued": Action("person", pgettext_lazy("act", "key for a program issued")),
    "key_revoked": Action("person", pgettext_lazy("act", "key for a program revoked")),
    "role_changed": Action("role", pgettext_lazy("act", "role changed")),
    "roles_loaded": Action("role", pgettext_lazy("act", "pack of roles loaded")),
    "day_named": Action("calendar", pgettext_lazy("act", "day named")),
    "day_forgotten": Action("calendar", pgettext_lazy("act", "day follows its weekday again")),
    "calendar_loaded": Action("calendar", pgettext_lazy("act", "calendar replaced")),
    "limits_loaded": Action("limits", pgettext_lazy("act", "time limits replaced")),
    "matters_loaded": Action("matters", pgettext_lazy("act", "pack of matters loaded")),
    "divisions_imported": Action("places", pgettext_lazy("act", "lists of divisions imported")),
    "outlines_imported": Action("places", pgettext_lazy("act", "outlines imported")),
    "division_declared": Action("places", pgettext_lazy("act", "successor of a division declared")),
    "division_named": Action("places", pgettext_lazy("act", "other names of a division set")),
    "model_trained": Action("triage", pgettext_lazy("act", "model trained")),
    "message_worded": Action("message", pgettext_lazy("act", "message worded")),
    "messages_retried": Action("queue", pgettext_lazy("act", "messages tried again")),
    "clocks_retried": Action("queue", pgettext_lazy("act", "clocks tried again")),
    "looks_exported": Action("looks", pgettext_lazy("act", "sheet of looks taken")),
    "copy_made": Action("case", pgettext_lazy("act", "copy of personal data made")),
    "request_taken_down": Action("request", pgettext_lazy("act", "request taken down")),
    "request_erased": Action("request", pgettext_lazy("act", "data destroyed on request")),
    "request_corrected": Action("request", pgettext_lazy("act", "contact corrected on request")),
    "batch_approved": Action("batch", pgettext_lazy("act", "retention batch approved")),
    "batch_held": Action("batch", pgettext_lazy("act", "orders of a batch held back")),
    "case_held": Action("case", pgettext_lazy("act", "order held back")),
    "hold_lifted": Action("case", pgettext_lazy("act", "hold of an order lifted")),
    "retention_loaded": Action("retention", pgettext_lazy("act", "retention rules put in force")),
    "notice_loaded": Action("notice", pgettext_lazy("act", "privacy notice put in force")),
    "processing_written": Action(
        "processing", pgettext_lazy("act", "entry of a processing register written")
    ),
    "processing_ended": Action("processing", pgettext_lazy("act", "entry of a processing register ended")),
    "processing_destroyed": Action("processing", pgettext_lazy("act", "versions of an entry destroyed")),
    "bulletin_loaded": Action("bulletin", pgettext_lazy("act", "template of the bulletin put in force")),
    "acts_exported": Action("ledger", pgettext_lazy("act", "sheet of acts taken")),
    "verification_asked": Action("ledger", pgettext_lazy("act", "verification asked for")),
}

#: What the details of an act may say, each a code or number or a list of them.
DETAILS: Mapping[str, str | Promise] = {
    "added": pgettext_lazy("act detail", "added"),
    "changed": pgettext_lazy("act detail", "changed"),
    "removed": pgettext_lazy("act detail", "removed"),
    "count": pgettext_lazy("act detail", "number"),
    "reach": pgettext_lazy("act detail", "reach"),
    "role": pgettext_lazy("act detail", "role"),
    "place": pgettext_lazy("act detail", "place"),
    "unit": pgettext_lazy("act detail", "unit"),
    "parent": pgettext_lazy("act detail", "under"),
    "matter": pgettext_lazy("act detail", "matter"),
    "from": pgettext_lazy("act detail", "from"),
    "until": pgettext_lazy("act detail", "until"),
    "replaces": pgettext_lazy("act detail", "instead of"),
    "working": pgettext_lazy("act detail", "working day"),
    "language": pgettext_lazy("act detail", "language"),
    "channel": pgettext_lazy("act detail", "channel"),
    "case": pgettext_lazy("act detail", "order"),
    "what": pgettext_lazy("act detail", "what"),
    "filter": pgettext_lazy("act detail", "filtered by"),
    "edition": pgettext_lazy("act detail", "edition"),
}


# --- who ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _By:
    person: int | None
    role: str
    unit: int | None


_by: ContextVar[_By | None] = ContextVar("lucheng_acts_by", default=None)


@contextmanager
def by(person: Person, role: str = "", unit: int | None = None) -> Iterator[None]:
    """What is done in this stretch of code, ``person`` does, by a post in ``role`` for the unit with id ``unit``."""
    before = _by.set(_By(person.pk, role, unit))
    try:
        yield
    finally:
        _by.reset(before)


def _who() -> _By:
    said = _by.get()
    if said is None and context.process() is not None:
        raise LookupError("a page or the interface must say whose act this is (lucheng.core.ledger.acts.by)")
    return said or _By(None, CONSOLE, None)


# --- writing --------------------------------------------------------------------------------------------------------


def link(act: Act) -> bytes:
    """The 32-byte hash of what an act says, chained to its ``prev``."""
    stamp = act.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    said = [act.seq, stamp, act.person_id, act.role, act.unit_id, act.action, act.kind, act.name, act.details]
    return hashlib.sha256(bytes(act.prev) + chain.canonical(said)).digest()


def last() -> Act | None:
    """The newest act. Whatever is visible has every act before it visible too: they are written one after another."""
    return Act.objects.order_by("-seq").first()


def wrote(action: str, name: object = "", details: Mapping[str, Any] | None = None) -> Act:
    """Write the next act: ``action`` (of :data:`ACTIONS`) done to what is called ``name``, with ``details`` by the keys
    of :data:`DETAILS`; in the transaction that does it, and last in it, since the next act waits until it ends.

    Outside a web server and a worker, where nobody is named, it is the operator of the system.

    Raises KeyError for an unknown action or detail, TypeError for a value that JSON would not give back exactly,
    TransactionManagementError outside a transaction, LookupError inside walls where nobody is named.
    """
    kind, who, said = ACTIONS[action].kind, _who(), dict(details or {})
    for key in said:
        DETAILS[key]
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "an act is written in the transaction of what it tells of"
        )
    with everything("an act continues from the one before it"):
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(hashtext('ledger_act'))")
        before = last()
        act = Act(
            seq=before.seq + 1 if before is not None else 1,
            at=timezone.now(),
            person_id=who.person,
            role=who.role,
            unit_id=who.unit,
            action=action,
            kind=kind,
            name=str(name)[:80],
            details=said,
            prev=bytes(before.hash) if before is not None else chain.GENESIS,
        )
        act.hash = link(act)
        act.save(force_insert=True)
    return act


# --- reading --------------------------------------------------------------------------------------------------------

_auditing = everything("acts of administrators, for whoever audits them")


@dataclass(frozen=True)
class Asked:
    """What is looked for; empty means any. ``until`` is the first moment that is no longer meant."""

    person: str = ""
    action: str = ""
    object: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def find(asked: Asked) -> QuerySet[Act]:
    """The acts that fit, the newest first. ``person`` is a name or user name in full, or :data:`CONSOLE`; ``object`` a
    part of what something is called. Only the audit administrator is shown them."""
    rows = Act.objects.select_related("person", "unit").order_by("-seq")
    if asked.person:
        whose = Q(person__username=asked.person) | Q(person__name=asked.person)
        rows = rows.filter(whose | Q(person=None) if asked.person == CONSOLE else whose)
    if asked.action:
        rows = rows.filter(action=asked.action)
    if asked.object:
        rows = rows.filter(name__icontains=asked.object)
    return paging.between(rows, asked.since, asked.until)


@_auditing
def page(rows: QuerySet[Act], before: int | None, size: int) -> tuple[list[Act], int | None]:
    """One page of :func:`find` (see :func:`lucheng.core.paging.older`)."""
    return paging.older(rows, before, size)


@_auditing
def count_since(at: dt.datetime) -> int:
    """How many acts there are since a moment."""
    return Act.objects.filter(at__gte=at).count()


def whose(act: Act) -> str:
    """Who it was, for a reader."""
    return act.person.name if act.person is not None else pgettext("act", "operator of the system")


def words(act: Act) -> str:
    """What was done, in the reader's language. An action of another version stands with its code."""
    known = ACTIONS.get(act.action)
    return str(known.words) if known is not None else act.action


def object_of(act: Act) -> str:
    """What it was done to, in the reader's language."""
    return f"{KINDS.get(act.kind, act.kind)} {act.name}".rstrip()


def said(act: Act) -> str:
    """The details in one line, in the reader's language."""

    def shown(value: Any) -> str:
        if isinstance(value, list):
            return ", ".join(map(str, value))
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        return str(value)

    found = act.details.items() if isinstance(act.details, dict) else ()
    return "; ".join(f"{DETAILS.get(key, key)} {shown(value)}" for key, value in found)


@_auditing
def export(rows: QuerySet[Act], file: IO[bytes]) -> int:
    """Write acts as an xlsx sheet, the newest first, and return how many: at most :data:`MOST_EXPORTED`."""
    written = list(rows[:MOST_EXPORTED])
    headers = [
        pgettext("act", "Number"),
        _("Time"),
        pgettext("act", "Who"),
        _("User name"),
        _("Role"),
        _("Their unit"),
        pgettext("act", "What was done"),
        pgettext("act", "To what"),
        pgettext("act", "Details"),
        pgettext("act", "Hash"),
    ]
    sheets.write(
        file,
        pgettext("act", "Acts"),
        headers,
        (
            [
                str(act.seq),
                timezone.localtime(act.at).strftime("%Y-%m-%d %H:%M:%S"),
                whose(act),
                act.person.username if act.person is not None else "",
                act.role,
                act.unit.name if act.unit is not None else "",
                words(act),
                object_of(act),
                said(act),
                bytes(act.hash).hex(),
            ]
            for act in written
        ),
        [8, 20, 12, 14, 14, 24, 24, 28, 60, 66],
    )
    return len(written)
