"""Calling back: whom the sample plan has called by telephone, whose turn it is, and how far it has come.

Which cases are called is drawn from the case's id and the edition of the plan that was in force when its callback
began: nobody picks whom to call, and nobody can draw again. The draw is the same in Python (:func:`is_drawn`) and in
the database (:func:`_drawn`); a test holds the two together.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models import Case as Choice
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases import kinds
from lucheng.core.cases.law import MIN_ATTEMPTS
from lucheng.core.cases.models import CallbackPlan, CallbackShare, CallbackTurn, Case, Nature, State, Text
from lucheng.core.cases.queries import visible
from lucheng.core.cases.text import clean
from lucheng.core.clocks.models import Clock, ClockKind
from lucheng.core.dispatch import matters
from lucheng.core.errors import Conflict, Forbidden, Invalid
from lucheng.core.fields import within
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.postgresql.context import everything

#: So long a case is held for who took it: a call, its notes, and a cup of tea. Then it is anybody's again.
HELD_FOR = dt.timedelta(minutes=20)

#: Over so many days the page counts how far the sample has come.
COUNTED_DAYS = 7

_BUCKETS = 10_000
MOST_SHARES = 200


@dataclass(frozen=True)
class Share:
    """One row of an edition, as entered."""

    nature: str
    matter: str
    place: str
    percent: int

    def _specific(self) -> tuple[int, int, bool]:
        return len(self.matter), len(self.place), self.nature != ""

    def fits(self, nature: str, matter: str, place: str) -> bool:
        return self.nature in ("", nature) and matter.startswith(self.matter) and place.startswith(self.place)


@dataclass(frozen=True)
class Plan:
    """An edition and its rows, the most specific first: by matter, then by place, then by what is wanted."""

    id: int
    since: dt.datetime
    shares: tuple[Share, ...]


def _sorted(shares: Iterable[Share]) -> tuple[Share, ...]:
    return tuple(sorted(shares, key=Share._specific, reverse=True))


def plans(back_to: dt.datetime | None = None) -> list[Plan]:
    """The editions, the oldest first: all, or the one in force at ``back_to`` and those since. Two queries."""
    found = CallbackPlan.objects.order_by("made_at", "id")
    if back_to is not None:
        before = (
            CallbackPlan.objects.filter(made_at__lte=back_to).order_by("-made_at", "-id").values("id")[:1]
        )
        found = found.filter(Q(made_at__gt=back_to) | Q(id__in=before))
    editions = list(found.prefetch_related("shares"))
    return [
        Plan(
            e.pk,
            e.made_at,
            _sorted(Share(s.nature, s.matter, s.place, s.percent) for s in e.shares.all()),
        )
        for e in editions
    ]


def replace_plan(
    shares: Sequence[Share], note: str, *, actor: Person, scope: Scope, now: dt.datetime
) -> CallbackPlan:
    """Put a new edition in force for callbacks that begin from now on.

    Raises Forbidden where the person does not supervise the whole city, Invalid for rows that repeat or mean nothing
    (at ``shares``) and where ``note`` does not say why.
    """
    if not scope.covers("case.supervise", names.root()):
        raise Forbidden(_("The plan holds for the whole city, and your posts do not."))
    errors: dict[str, Any] = {}
    if len(note := " ".join(clean(note, "note", 200).split())) < 4:
        errors["note"] = _("Say in a few words why the plan changes.")
    if len(shares) > MOST_SHARES:
        errors["shares"] = _("At most %(most)s rows.") % {"most": MOST_SHARES}
    seen = set()
    for share in shares:
        key = (share.nature, share.matter, share.place)
        if key in seen:
            errors["shares"] = _("Two rows are for the same cases: keep one of them.")
        seen.add(key)
        if share.nature and share.nature not in Nature.values:
            errors["shares"] = _("A row names something that is not wanted by anybody.")
        if share.matter and not matters.exists(share.matter):
            errors["shares"] = _("There is no matter with the code “%(code)s”.") % {"code": share.matter[:20]}
        if share.place and not names.exists(share.place):
            errors["shares"] = _("There is no place with the code “%(code)s”.") % {"code": share.place[:20]}
        if not 0 <= share.percent <= 100:
            errors["shares"] = _("A share is a whole number from 0 to 100.")
    if errors:
        raise Invalid(errors)
    with transaction.atomic():
        plan = CallbackPlan.objects.create(made_at=now, made_by=actor, note=note)
        CallbackShare.objects.bulk_create(
            CallbackShare(plan=plan, nature=s.nature, matter=s.matter, place=s.place, percent=s.percent)
            for s in shares
        )
    return plan


# --- the draw -------------------------------------------------------------------------------------------------------


def bucket(case_id: int, plan_id: int) -> int:
    """Where a case falls in the draw of an edition: 0 to 9999, spread evenly and fixed for good."""
    digest = hashlib.sha256(f"{case_id}:{plan_id}".encode()).digest()
    return int.from_bytes(digest[:4]) % _BUCKETS


def share_of(plan: Plan, nature: str, matter: str, place: str) -> int:
    """How many in a hundred of such cases are called; all of them where no row holds."""
    return next((s.percent for s in plan.shares if s.fits(nature, matter, place)), 100)


def is_drawn(case: Case, begun: dt.datetime, editions: Sequence[Plan]) -> bool:
    """Whether the case is called by telephone. Before there was any plan, everybody was."""
    plan = next((p for p in reversed(editions) if p.since <= begun), None)
    if plan is None:
        return True
    return bucket(case.pk, plan.id) < 100 * share_of(plan, case.nature, case.matter, case.place)


class _Bucket(Func):
    """:func:`bucket` in SQL, for the case's id in ``column``."""

    output_field = IntegerField()
    template = (
        "mod(('x' || encode(substring(sha256(convert_to(%(expressions)s || ':%(plan)s', 'UTF8')) from 1 for 4), 'hex'))"
        f"::bit(32)::bigint & 4294967295, {_BUCKETS})"
    )

    def __init__(self, column: str, plan: int) -> None:
        super().__init__(F(column), plan=plan)


class _Below(Func):
    output_field = BooleanField()
    template = "(%(expressions)s)"
    arg_joiner = " < "


def _fits(share: Share, case: str) -> Q:
    # "pk is not null" holds for every row: a condition may not be empty.
    q = Q(pk__isnull=False) & within(f"{case}matter", share.matter) & within(f"{case}place", share.place)
    return q & Q(**{f"{case}nature": share.nature}) if share.nature else q


def _drawn(editions: Sequence[Plan], *, begun: str, id: str, case: str) -> Any:
    """:func:`is_drawn` as an expression. ``begun`` and ``id`` name the columns of the callback's start and the case's
    id, ``case`` the way to the case's other columns: "case__", or nothing where they are the row's own."""
    whens = []
    for at, plan in enumerate(editions):
        in_force = Q(**{f"{begun}__gte": plan.since})
        if at + 1 < len(editions):
            in_force &= Q(**{f"{begun}__lt": editions[at + 1].since})
        percent = Choice(
            *(When(_fits(s, case), then=Value(s.percent)) for s in plan.shares),
            default=Value(100),
            output_field=IntegerField(),
        )
        whens.append(When(in_force, then=_Below(_Bucket(id, plan.id), percent * Value(100))))
    return Choice(*whens, default=Value(True), output_field=BooleanField())


# --- the queue ------------------------------------------------------------------------------------------------------


def _waiting(scope: Scope, now: dt.datetime) -> QuerySet[Case]:
    """Cases at the callback, with when it began, when it warns, whether it is drawn and how often it was tried."""
    clock = Clock.objects.filter(
        case=OuterRef("pk"), kind=ClockKind.CALLBACK, state=Clock.State.RUNNING
    ).order_by("-id")
    rows = visible(scope, "case.callback").filter(state=State.CALLBACK)
    rows = rows.annotate(
        begun=Subquery(clock.values("started_at")[:1]), callback_warns=Subquery(clock.values("warn_at")[:1])
    )
    oldest = (
        Clock.objects.filter(kind=ClockKind.CALLBACK, state=Clock.State.RUNNING)
        .order_by("started_at")
        .values_list("started_at", flat=True)
        .first()
    )
    return rows.annotate(drawn=_drawn(plans(oldest or now), begun="begun", id="id", case=""))


#: An answer that the unit must hear of: the callback is decided by somebody who may send the order back.
BAD = Q(satisfaction__in=[1, 2]) | Q(solved=False)


def to_call(scope: Scope, now: dt.datetime) -> QuerySet[Case]:
    """Whose call it is now, the most pressing first.

    Called are those drawn by the plan, those whose limit is about to end without an answer, and those who answered
    online (what they said is read to them, or taken as it is). Not: whoever was not reached and is to rest, and whose
    bad answer waits for a decision.
    """
    return (
        _waiting(scope, now)
        .exclude(kind__in=kinds.without_requester())
        .exclude(BAD)
        .filter(Q(drawn=True) | Q(callback_warns__lte=now) | Q(satisfaction__isnull=False))
        .filter(Q(turn=None) | Q(turn__next_at=None) | Q(turn__next_at__lte=now))
        .order_by("due_at", "id")
    )


def to_verify(scope: Scope, now: dt.datetime) -> QuerySet[Case]:
    """Findings whose result is to be verified (待核查), the most pressing first."""
    return (
        visible(scope, "case.callback")
        .filter(state=State.CALLBACK, kind__in=kinds.without_requester())
        .order_by("due_at", "id")
    )


def to_decide(scope: Scope, now: dt.datetime) -> QuerySet[Case]:
    """Those who said that it is not solved or not good: to be sent back, supervised, or closed with a written note."""
    return (
        visible(scope, "case.callback")
        .filter(BAD, state=State.CALLBACK)
        .exclude(kind__in=kinds.without_requester())
        .order_by("due_at", "id")
    )


def resting(scope: Scope, now: dt.datetime) -> QuerySet[Case]:
    """Those not reached, by when they are to be tried again."""
    return (
        visible(scope, "case.callback")
        .filter(state=State.CALLBACK, turn__next_at__gt=now)
        .order_by("turn__next_at", "id")
    )


def free(rows: QuerySet[Case], person: Person, now: dt.datetime) -> QuerySet[Case]:
    """Of ``rows``, those that nobody else holds."""
    return rows.filter(Q(turn=None) | Q(turn__until=None) | Q(turn__until__lte=now) | Q(turn__person=person))


@everything("a turn at a callback")
def hold(case_id: int, person: Person, now: dt.datetime) -> bool:
    """Hold a case for ``person`` for :data:`HELD_FOR`, or longer if they have it already. False where another has it.

    One statement: of two who ask at once, one gets it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            insert into cases_callbackturn as turn (case_id, person_id, until) values (%s, %s, %s)
            on conflict (case_id) do update set person_id = excluded.person_id, until = excluded.until
            where turn.until is null or turn.until <= %s or turn.person_id = excluded.person_id
            returning 1
            """,
            [case_id, person.pk, now + HELD_FOR, now],
        )
        return cursor.fetchone() is not None


@everything("a turn at a callback")
def release(case_id: int, person: Person) -> None:
    """Give a case back that ``person`` holds."""
    CallbackTurn.objects.filter(case_id=case_id, person=person).update(person=None, until=None)


def take(rows: QuerySet[Case], person: Person, now: dt.datetime) -> Case | None:
    """Take the first of ``rows`` that nobody holds: two who ask at once get two different cases. None: none is left.

    Who holds one of them already gets that one again: nobody collects cases.
    """
    mine = rows.filter(turn__person=person, turn__until__gt=now).first()
    if mine is not None and hold(mine.pk, person, now):
        return mine
    for case in free(rows, person, now)[:20]:
        if hold(case.pk, person, now):
            return case
    return None


def held_by_another(case: Case, person: Person, now: dt.datetime) -> CallbackTurn | None:
    """The turn of somebody else who holds the case now."""
    turn = CallbackTurn.objects.filter(case=case, until__gt=now).exclude(person=person).first()
    return turn if turn is not None and turn.person_id is not None else None


# --- one case -------------------------------------------------------------------------------------------------------

#: Steps with which a callback begins anew.
_BEGINS = ("approve", "follow", "callback_answered")


def attempts(case: Case) -> list[Event]:
    """The attempts to reach the requester since the callback began, oldest first."""
    begun = (
        Event.objects.filter(case=case, action__in=_BEGINS)
        .order_by("-seq")
        .values_list("seq", flat=True)
        .first()
    )
    return list(
        Event.objects.filter(case=case, action="try_callback", seq__gt=begun or 0)
        .select_related("actor")
        .order_by("seq")
    )


def may_close_unreached(case: Case, tried: int) -> bool:
    """Whether closing without having reached anybody is offered: after enough attempts, or where no call is wanted."""
    return tried >= MIN_ATTEMPTS or case.anonymous or not case.reply_wanted


def check_held(case: Case, person: Person, now: dt.datetime) -> None:
    """Raises Conflict where somebody else has the case in hand."""
    other = held_by_another(case, person, now)
    if other is not None:
        raise Conflict(_("A colleague is calling about this order at this moment: take another."))


# --- how far it has come --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """Of the callbacks that began in the last days: how many there are, are drawn, were called and were reached."""

    since: dt.datetime
    begun: int
    drawn: int
    called: int
    reached: int
    answered_online: int


def progress(scope: Scope, now: dt.datetime) -> Progress:
    """Counted over the callbacks of requesters that began in the last :data:`COUNTED_DAYS` days. Three queries.

    Called is who was tried or spoken to by staff; reached is whose callback was closed with an answer given to staff.
    """
    since = now - dt.timedelta(days=COUNTED_DAYS)
    events = Event.objects.filter(case=OuterRef("case"), at__gte=OuterRef("started_at"))
    by_staff = events.filter(actor__isnull=False)
    closed = by_staff.filter(action="close", body__from=State.CALLBACK.value)
    rows = (
        Clock.objects.filter(kind=ClockKind.CALLBACK, started_at__gte=since, started_at__lte=now)
        .filter(case__in=visible(scope, "case.callback"))
        .exclude(case__kind__in=kinds.without_requester())
        .annotate(
            is_drawn=_drawn(plans(since), begun="started_at", id="case_id", case="case__"),
            was_reached=Exists(closed.exclude(body__satisfaction="0")),
            was_tried=Exists(by_staff.filter(action="try_callback")),
            online=Exists(events.filter(action="rate", actor=None)),
        )
    )
    counted = rows.aggregate(
        begun=Count("pk"),
        drawn=Count("pk", filter=Q(is_drawn=True)),
        called=Count("pk", filter=Q(is_drawn=True) & (Q(was_reached=True) | Q(was_tried=True))),
        reached=Count("pk", filter=Q(is_drawn=True, was_reached=True)),
        answered_online=Count("pk", filter=Q(online=True)),
    )
    return Progress(since=since, **counted)


def history() -> QuerySet[CallbackPlan]:
    """The editions of the plan, the newest first, with who made them."""
    return CallbackPlan.objects.select_related("made_by").order_by("-made_at", "-id")[:20]


def texts_of(events: Mapping[int, int], name: str) -> list[Text]:
    """The text called ``name`` of one event of each case: case id → number of the event. One query."""
    wanted = Text.objects.filter(case__in=events, name=name).order_by("case", "seq")
    return [t for t in wanted if events[t.case_id] == t.seq]
