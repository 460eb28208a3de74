"""The front page of the administration, and finding by name for its forms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from lucheng.channels.administration.doors import ANY, asked, face, opens_for, page, parts
from lucheng.channels.administration.forms import matter_label
from lucheng.core.cases.queries import COUNT_LIMIT, count
from lucheng.core.clocks.models import CalendarYear, TimeLimit
from lucheng.core.dispatch import editions, matters
from lucheng.core.dispatch.models import Rule, Version
from lucheng.core.errors import Forbidden, NotFound
from lucheng.core.labels import label, place_label
from lucheng.core.ledger import acts, verifications, wording
from lucheng.core.ledger.models import Verification
from lucheng.core.organisation import signing_in
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person, Role, Unit
from lucheng.core.places import names
from lucheng.core.places.models import Division
from lucheng.core.privacy import registers, retention, rights
from lucheng.core.privacy.models import RetentionBatch
from lucheng.core.status import status
from lucheng.web import numbers

#: Names offered while somebody types.
OFFERED = 12


@opens_for(*ANY)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What the reader may keep, each part with how it stands, and on top what waits for them. Each of the three
    administrators is greeted by what they are."""
    stands: dict[str, Callable[[], Lines]] = {
        "catalogue-editions": _catalogue,
        "units": _units,
        "people": _people,
        "roles": _roles,
        "calendar-now": _calendar,
        "time-limits": _limits,
        "message-texts": _texts,
        "data-requests": partial(_requests, scope(request)),
        "retention": _retention,
        "processing-registers": _registers,
        "jobs": _jobs,
        "acts": _acts,
        "sign-ins": _sign_ins,
        "verifications": _verifications,
    }
    nothing: Lines = []
    cards = [(part, stands.get(part.page, lambda: nothing)()) for part in parts(scope(request))]
    waits = [(part, line) for part, lines in cards for line, waiting in lines if waiting]
    return page(request, "overview", {"cards": cards, "face": face(scope(request)), "waits": waits})


#: Words, and whether they wait for somebody.
Lines = list[tuple[str | Promise, bool]]


def _catalogue() -> Lines:
    current = editions.in_force()
    lines: Lines = []
    if current is None:
        lines.append((_("No edition is in force: no case finds a unit by itself."), True))
    else:
        lines.append((_("Edition %(number)s is in force.") % {"number": current.number}, False))
        closed = Rule.objects.filter(version=current, lead__active=False).count()
        if closed:
            text = ngettext("%(n)s row names a closed unit.", "%(n)s rows name a closed unit.", closed)
            lines.append((text % {"n": closed}, True))
    drafts = Version.objects.filter(state=Version.State.DRAFT).count()
    if drafts:
        lines.append((ngettext("%(n)s draft", "%(n)s drafts", drafts) % {"n": drafts}, False))
    return lines


def _units() -> Lines:
    n = Unit.objects.filter(active=True).count()
    return [(ngettext("%(n)s unit", "%(n)s units", n) % {"n": f"{n:,}"}, False)]


def _people() -> Lines:
    n = Person.objects.filter(is_active=True).count()
    return [(ngettext("%(n)s person can sign in.", "%(n)s people can sign in.", n) % {"n": f"{n:,}"}, False)]


def _roles() -> Lines:
    n = Role.objects.count()
    return [(ngettext("%(n)s role", "%(n)s roles", n) % {"n": n}, False)]


def _calendar() -> Lines:
    today = timezone.localdate()
    wanted = [today.year, today.year + 1] if today.month >= 11 else [today.year]
    known = set(
        CalendarYear.objects.filter(year__in=wanted).exclude(notice="").values_list("year", flat=True)
    )
    missing = [year for year in wanted if year not in known]
    if not missing:
        return [(_("The holidays of %(year)s are entered.") % {"year": wanted[-1]}, False)]
    text = _("The holidays of %(year)s have not been entered from a notice.")
    return [(text % {"year": year}, True) for year in missing]


def _limits() -> Lines:
    n = TimeLimit.objects.count()
    if not n:
        return [(_("No time limit is entered: no clock runs."), True)]
    return [(ngettext("%(n)s time limit", "%(n)s time limits", n) % {"n": n}, False)]


def _texts() -> Lines:
    n = len({name for name, _language in wording.changed()})
    if not n:
        return [(_("All texts are as delivered."), False)]
    text = ngettext("%(n)s text worded by the city", "%(n)s texts worded by the city", n)
    return [(text % {"n": n}, False)]


def _requests(reader: Scope) -> Lines:
    open_ = rights.listed(reader, open_only=True)
    n, now = count(open_), timezone.now()
    if not n:
        return [(_("Nothing waits for an answer."), False)]
    text = ngettext("%(n)s request waits for an answer.", "%(n)s requests wait for an answer.", n)
    lines: Lines = [(text % {"n": numbers.counted(n)}, True)]
    if late := count(open_.filter(due_at__lt=now)):
        text = ngettext("%(n)s request is overdue.", "%(n)s requests are overdue.", late)
        lines.append((text % {"n": numbers.counted(late)}, True))
    return lines


def _retention() -> Lines:
    edition = retention.in_force()
    if edition is None:
        return [(_("No rules are in force: nothing is ever destroyed."), True)]
    lines: Lines = [(_("Edition %(number)s is in force.") % {"number": edition.number}, False)]
    if retention.batches().filter(state=RetentionBatch.State.PROPOSED).exists():
        lines.append((_("A batch waits for approval."), True))
    return lines


def _registers() -> Lines:
    figures = registers.figures(timezone.now())
    n = sum(figures.values())
    if not n:
        return [(_("No entry is in force."), True)]
    text = ngettext("%(n)s entry in force", "%(n)s entries in force", n)
    lines: Lines = [(text % {"n": n}, False)]
    lines += [(f"{figures[w]} · {w.label}", True) for w in registers.Waits if w in figures]
    return lines


def _jobs() -> Lines:
    found = status(timezone.now())
    lines: Lines = []
    if not found.alive:
        lines.append((_("The worker does not run: no clock warns and no message leaves."), True))
    if found.failing:
        n = len(found.failing)
        lines.append((ngettext("%(n)s job fails.", "%(n)s jobs fail.", n) % {"n": n}, True))
    if found.given_up:
        text = ngettext("%(n)s message given up", "%(n)s messages given up", found.given_up)
        lines.append((text % {"n": f"{found.given_up:,}"}, True))
    if found.parked_clocks:
        text = ngettext("%(n)s clock left alone", "%(n)s clocks left alone", found.parked_clocks)
        lines.append((text % {"n": found.parked_clocks}, True))
    return lines or [(_("Everything that should happen by itself does."), False)]


def _today() -> dt.datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def _acts() -> Lines:
    n = acts.count_since(_today())
    return [(ngettext("%(n)s act today", "%(n)s acts today", n) % {"n": n}, False)]


def _sign_ins() -> Lines:
    n = signing_in.refused_since(_today(), COUNT_LIMIT)
    if not n:
        return [(_("Nobody was refused today."), False)]
    text = ngettext("%(n)s try was refused today.", "%(n)s tries were refused today.", n)
    return [(text % {"n": numbers.counted(n)}, False)]


def _verifications() -> Lines:
    now = timezone.now()
    if verifications.under_way() is not None:
        return [(_("A verification is under way."), False)]
    last = verifications.listed().filter(state=Verification.State.DONE).first()
    if last is None or last.ended_at is None or now - last.ended_at > verifications.DUE:
        return [(_("The ledger has not been verified for a week."), True)]
    if last.findings:
        text = ngettext(
            "The last verification found %(n)s thing that is wrong.",
            "The last verification found %(n)s things that are wrong.",
            last.findings,
        )
        return [(text % {"n": f"{last.findings:,}"}, True)]
    return [(_("The last verification found nothing wrong."), False)]


@login_required
@require_safe
def find(request: HttpRequest, what: str) -> JsonResponse:
    """Names that begin with or hold what is being typed, for frontend/src/islands/names.ts."""
    if not scope(request).grants:
        raise Forbidden(_("None of your posts opens this page."))
    finders = {"unit": _find_units, "place": _find_places, "matter": _find_matters}
    if what not in finders:
        raise NotFound(_("There is nothing to find here."))
    text = asked(request, "q")
    return JsonResponse({"found": finders[what](text) if text else []})


def _find_units(text: str) -> list[str]:
    rows = Unit.objects.filter(Q(name__icontains=text) | Q(code__istartswith=text), active=True)
    rows = rows.order_by(Length("name"), "code")
    return [label(name, code) for name, code in rows.values_list("name", "code")[:OFFERED]]


def _find_places(text: str) -> list[str]:
    """The widest first; several words narrow it: "友谊 第三社区"."""
    parts_ = text.split()
    rows = Division.objects.as_of(timezone.localdate())
    if text.isdecimal():
        rows = rows.filter(code__startswith=text)
    elif parts_:
        rows = rows.filter(name__icontains=parts_[-1])
    codes = rows.order_by("level", "code").values_list("code", flat=True)[
        : 500 if len(parts_) > 1 else OFFERED
    ]
    found = [place_label(code) for code in codes if names.exists(code)]
    return [words for words in found if all(p in words for p in parts_[:-1])][:OFFERED]


def _find_matters(text: str) -> list[str]:
    known: list[Any] = [
        code
        for code, m in matters.known().items()
        if text in m.name or text.lower() in m.name_en.lower() or code.startswith(text)
    ]
    return [matter_label(code) for code in sorted(known, key=lambda c: (len(c), c))[:OFFERED]]
