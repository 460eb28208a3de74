"""Who may open a page of the administration, the parts that it has, and what every page does alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from lucheng.core.cases.queries import COUNT_LIMIT
from lucheng.core.errors import Forbidden, Invalid
from lucheng.core.ledger import acts
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.web import numbers

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

PAGE = 50


@dataclass(frozen=True)
class Face:
    """One of the three administrators (三员分立, GB/T 22239-2019 8.1.4): by which right they are known, and what
    they and nobody else do."""

    capability: str
    title: str | Promise
    about: str | Promise


#: Nobody holds two of these rights (lucheng.core.organisation.capabilities.SEPARATED).
FACES = (
    Face(
        "organisation.edit",
        gettext_lazy("System administration"),
        gettext_lazy(
            "You keep units, people, roles and what runs by itself. You read no case and no personal data of "
            "requesters. The audit administrator sees what you do here."
        ),
    ),
    Face(
        "privacy.audit",
        gettext_lazy("Security administration"),
        gettext_lazy(
            "You see to it that personal data is looked at for a reason, kept no longer than it may be, and shown to "
            "whom it belongs. You read no case and keep no accounts. The audit administrator sees what you do here."
        ),
    ),
    Face(
        acts.AUDIT,
        gettext_lazy("Audit administration"),
        gettext_lazy(
            "You see what the other two did, who signed in, and whether anything recorded was changed. You read no "
            "case and change nothing."
        ),
    ),
)


@dataclass(frozen=True)
class Part:
    """One part of the administration: its words, its first page, who may open it, and where its pages stand."""

    label: str | Promise
    page: str
    capabilities: tuple[str, ...]
    prefix: str
    about: str | Promise


PARTS = (
    Part(
        gettext_lazy("Dispatch catalogue"),
        "catalogue-editions",
        ("catalogue.edit", "catalogue.publish"),
        "/admin/catalogue/",
        gettext_lazy("Which unit answers for which matter where: drafts, trial on past cases, publication."),
    ),
    Part(
        gettext_lazy("Units"),
        "units",
        ("organisation.edit",),
        "/admin/units/",
        gettext_lazy("The tree of units: add, change and close one, and see what hangs on it."),
    ),
    Part(
        gettext_lazy("People"),
        "people",
        ("organisation.edit",),
        "/admin/people/",
        gettext_lazy("Members of staff and their posts: add, lock, new first password."),
    ),
    Part(
        gettext_lazy("Roles"),
        "roles",
        ("organisation.edit",),
        "/admin/roles/",
        gettext_lazy("What a post lets its holder see and do."),
    ),
    Part(
        gettext_lazy("Calendar"),
        "calendar-now",
        ("calendar.edit",),
        "/admin/calendar/",
        gettext_lazy("Holidays and swapped workdays, by which every time limit is reckoned."),
    ),
    Part(
        gettext_lazy("Time limits"),
        "time-limits",
        ("calendar.edit",),
        "/admin/limits/",
        gettext_lazy("How long each step may take, by which rule, and when a case of today would be due."),
    ),
    Part(
        gettext_lazy("Message texts"),
        "message-texts",
        ("messages.edit",),
        "/admin/messages/",
        gettext_lazy("What requesters and units read in text messages and on their pages."),
    ),
    Part(
        gettext_lazy("Requests about data"),
        "data-requests",
        ("privacy.requests",),
        "/admin/requests/",
        gettext_lazy("What people ask about their own data: see, copy, correct, delete, explain."),
    ),
    Part(
        gettext_lazy("Retention"),
        "retention",
        ("privacy.audit",),
        "/admin/retention/",
        gettext_lazy("What is destroyed when its time is over: proposed by rule, approved by a person."),
    ),
    Part(
        gettext_lazy("Copy for a requester"),
        "copies",
        ("privacy.audit",),
        "/admin/copies/",
        gettext_lazy("What is held of a person, in a file for that person."),
    ),
    Part(
        gettext_lazy("Processing registers"),
        "processing-registers",
        ("privacy.audit",),
        "/admin/registers/",
        gettext_lazy("Processing activities, impact assessments and processors, kept three years."),
    ),
    Part(
        gettext_lazy("Looks at personal data"),
        "looks",
        ("privacy.audit",),
        "/admin/looks/",
        gettext_lazy("Who opened a requester's name, number or address, of which order, and why."),
    ),
    Part(
        gettext_lazy("Jobs and queues"),
        "jobs",
        ("organisation.edit",),
        "/admin/jobs/",
        gettext_lazy(
            "Whether everything that should happen by itself does, and what to do where it does not."
        ),
    ),
    Part(
        gettext_lazy("Acts"),
        "acts",
        (acts.AUDIT,),
        "/admin/acts/",
        gettext_lazy("What administrators did, and whoever runs the system by commands."),
    ),
    Part(
        gettext_lazy("Sign-ins"),
        "sign-ins",
        (acts.AUDIT,),
        "/admin/sign-ins/",
        gettext_lazy("Who signed in, when and how, and who was refused. Kept for half a year."),
    ),
    Part(
        gettext_lazy("Verifications"),
        "verifications",
        (acts.AUDIT,),
        "/admin/verifications/",
        gettext_lazy("Whether any event, act or anchor was changed, removed or put in."),
    ),
)

#: Whoever holds one of these finds the administration in the bar on top.
ANY = tuple(dict.fromkeys(c for part in PARTS for c in part.capabilities))


def parts(reader: Scope) -> list[Part]:
    """The parts that ``reader`` may open."""
    return [part for part in PARTS if any(reader.can(c) for c in part.capabilities)]


def face(reader: Scope) -> Face | None:
    """Which of the three administrators ``reader`` is; None for whoever keeps other things."""
    return next((face for face in FACES if reader.can(face.capability)), None)


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """One page of the administration, with the way to its other parts beside it."""
    shown = [
        {"label": p.label, "address": reverse(p.page), "here": request.path.startswith(p.prefix)}
        for p in parts(scope(request))
    ]
    return render(request, f"administration/{template}.html", {"parts": shown, **context}, status=status)


def opens_for(*capabilities: str, everywhere: bool = False) -> Callable[[View[P]], View[P]]:
    """Open a page to those whose posts give one of ``capabilities``: in the whole city, if ``everywhere``. What is done
    there is their act, by that post.

    Others are told so on a page with status 403; who is not signed in is asked to.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            reader = scope(request)
            post = next((found for c in capabilities if (found := reader.grant_for(c)) is not None), None)
            if post is None:
                raise Forbidden(_("None of your posts opens this page."))
            if everywhere and not any(reader.covers(c, names.root()) for c in capabilities):
                raise Forbidden(_("This concerns the whole city, and your posts do not."))
            with acts.by(person(request), post.role, post.unit):
                return view(request, *args, **kwargs)

        return cast(View[P], login_required(guarded))

    return decorate


def person(request: HttpRequest) -> Person:
    """Whoever is signed in, on a page that asks for it."""
    return cast(Person, request.user)


def asked(request: HttpRequest, name: str) -> str:
    """What stands under ``name`` in the address, fit for a search: printable, stripped, at most 80 characters."""
    return numbers.text(request, name, 80)


@dataclass(frozen=True)
class Period:
    """The days that an address asks for: from the first moment of ``since`` to the last of ``until``."""

    since: dt.datetime
    until: dt.datetime | None
    #: How a form shows them, and what of the address was not understood.
    shown: dict[str, str]
    wrong: list[str]


def period(request: HttpRequest, usual: dt.timedelta) -> Period:
    """The days under ``since`` and ``until`` in the address; so many as ``usual``, where it names no first."""
    texts = {name: asked(request, name) for name in ("since", "until")}
    days = {name: _day(text) for name, text in texts.items()}
    wrong = [
        _("“%(text)s” is no day: write it as 2026-03-02.") % {"text": text}
        for name, text in texts.items()
        if text and days[name] is None
    ]
    until = days["until"]
    since = days["since"] or (until or timezone.localdate()) - usual
    return Period(
        since=_midnight(since),
        until=_midnight(until + dt.timedelta(days=1)) if until else None,
        shown={"since": since.isoformat(), "until": until.isoformat() if until else ""},
        wrong=wrong,
    )


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _day(text: str) -> dt.date | None:
    """The day in an address; None where it is none that the calendar or the database knows."""
    day = numbers.day(text)
    return day if day is not None and 1900 < day.year < 9000 else None


def refused(form: forms.Form, wrong: Invalid) -> None:
    """Show a refusal at the fields of ``form``, by the names that the core gives them."""
    form.full_clean()
    for name, text in wrong.fields.items():
        form.add_error(name if name in form.fields else None, str(text))


def paged(request: HttpRequest, rows: QuerySet[Any, Any], page_size: int = PAGE) -> dict[str, Any]:
    """One page of ``rows`` in two queries, counted, as ``web/pages.html`` shows it."""
    many = rows[: COUNT_LIMIT + 1].count()
    words = ngettext("%(number)s row", "%(number)s rows", many) % {"number": numbers.counted(many)}
    return {**numbers.paged(request, rows, page_size, 10_000), "count": words}
