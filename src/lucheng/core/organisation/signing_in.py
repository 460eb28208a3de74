"""Sign-in is locked for a while after too many wrong passwords (GB/T 22239-2019 8.1.4.1 b), and every try leaves a row
for the audit administrator.

A try is counted before its password is looked at and taken back when it was right (lucheng.core.limits). Whether there
is such a person is never asked for that, so a lock says nothing about it.

Rows are read one by one and never added up by person: they are there to find intruders, not to see who works when. They
are kept for the six months that the Cybersecurity Law (网络安全法) asks of network logs in art. 21, and then destroyed.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q, QuerySet

from lucheng.core import paging
from lucheng.core.limits import counting
from lucheng.core.limits.counting import Try
from lucheng.core.organisation.models import Person, SignIn
from lucheng.postgresql.context import everything

#: No six months have more days.
KEPT = dt.timedelta(days=184)
#: Rows destroyed in one run of the worker's sweep.
BATCH = 1000
#: How far back is looked where nobody says since when.
USUAL_PERIOD = dt.timedelta(days=30)


def begin(username: str, address: str, now: dt.datetime) -> dt.datetime | None:
    """Count a try to sign in. Where the name or the address is locked: until when, and nothing is counted."""
    return counting.count(now, Try("sign-in.name", username), counting.by_address("sign-in.address", address))


def succeeded(username: str, address: str) -> None:
    """The password was right: the tries under this name begin anew, and this one does not count for the address."""
    forget(username)
    counting.give_back(counting.by_address("sign-in.address", address))


def forget(username: str) -> None:
    """The tries under this name no longer count, since there is a new password."""
    counting.forget(Try("sign-in.name", username))


# --- what is kept of it ---------------------------------------------------------------------------------------------


def account(username: str) -> Person | None:
    """Whose account it is, that something is kept of; nobody's where there is none, and then the name is not kept."""
    return Person.objects.filter(username=username).first()


def _address(text: str) -> str:
    """A network address as it is kept; nothing where a proxy sent something else."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


@everything("whoever signs in is nobody yet")
def note(
    outcome: SignIn.Outcome,
    person: Person | None,
    *,
    now: dt.datetime,
    address: str = "",
    by: SignIn.By | str = "",
    reason: SignIn.Reason | str = "",
) -> None:
    """Keep what came of a try to sign in, or how a session ended. ``by`` is what was shown last.

    Of tries while something is locked, one is kept for each account and address while the lock lasts: whoever goes on
    trying cannot fill the disk.
    """
    address = _address(address)
    if reason == SignIn.Reason.WRONG and person is not None and not person.is_active:
        reason = SignIn.Reason.CLOSED
    if reason == SignIn.Reason.LOCKED:
        _most, lasts = settings.LIMITS["sign-in.name"]
        same = SignIn.objects.filter(person=person, address=address, reason=reason, at__gt=now - lasts)
        if same.exists():
            return
    SignIn.objects.create(person=person, at=now, by=by, outcome=outcome, reason=reason, address=address)


def forget_old(now: dt.datetime, limit: int = BATCH) -> int:
    """Destroy rows whose time is over; returns how many."""
    over = SignIn.objects.filter(at__lt=now - KEPT).order_by("at").values_list("pk", flat=True)[:limit]
    gone, _by_model = SignIn.objects.filter(pk__in=list(over)).delete()
    return gone


_auditing = everything("who signed in and who was refused, for whoever audits it")


@dataclass(frozen=True)
class Asked:
    """What is looked for; empty means any. ``until`` is the first moment that is no longer meant."""

    person: str = ""
    outcome: str = ""
    address: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def find(asked: Asked) -> QuerySet[SignIn]:
    """The rows that fit, the newest first. ``person`` is a name or user name in full. Only the audit administrator is
    shown them."""
    rows = SignIn.objects.select_related("person").order_by("-pk")
    if asked.person:
        rows = rows.filter(Q(person__username=asked.person) | Q(person__name=asked.person))
    if asked.outcome:
        rows = rows.filter(outcome=asked.outcome)
    if asked.address:
        rows = rows.filter(address=asked.address)
    return paging.between(rows, asked.since, asked.until)


@_auditing
def page(rows: QuerySet[SignIn], before: int | None, size: int) -> tuple[list[SignIn], int | None]:
    """One page of :func:`find` (see :func:`lucheng.core.paging.older`)."""
    return paging.older(rows, before, size)


@_auditing
def refused_since(at: dt.datetime, most: int) -> int:
    """How many tries were refused since a moment, counted no further than ``most`` + 1."""
    refused = SignIn.objects.filter(at__gte=at, outcome=SignIn.Outcome.REFUSED)
    return refused.order_by()[: most + 1].count()
