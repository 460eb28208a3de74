"""The callback desk: one requester at a time, three questions, and what became of them; the plan of whom to call; and
what stands under supervision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.hotline.callback_forms import CallbackForm, SharesForm
from lucheng.core.cases import callbacks, engine, kinds, queries
from lucheng.core.cases.lifecycle import FIELDS, TRANSITIONS, Transition
from lucheng.core.cases.models import CallbackTurn, Case, State, Supervision
from lucheng.core.errors import Conflict, Forbidden, Invalid, Refused
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.core.privacy import contacts
from lucheng.web import numbers
from lucheng.web.nav import Entry

NAV = [
    Entry(gettext_lazy("Callbacks"), "callbacks", "case.callback", order=40),
    Entry(gettext_lazy("Supervision"), "supervised", "case.supervise", order=45),
]

PAGE = 50

#: The lists of the desk, by the word in the address.
_LISTS = {
    "call": (gettext_lazy("To call"), callbacks.to_call),
    "decide": (gettext_lazy("Bad answers, to decide"), callbacks.to_decide),
    "verify": (gettext_lazy("Findings to verify"), callbacks.to_verify),
    "rest": (gettext_lazy("Not reached, later"), callbacks.resting),
}


def _desk(request: HttpRequest) -> tuple[Scope, Person]:
    reader = scope(request)
    if not reader.can("case.callback"):
        raise Forbidden(_("None of your posts makes callbacks."))
    return reader, cast(Person, request.user)


def _wanted(name: str) -> str:
    return name if name in _LISTS else "call"


def _rows(name: str, reader: Scope, now: dt.datetime) -> QuerySet[Case]:
    return _LISTS[name][1](reader, now)


@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Whose call it is, the most pressing first, and how far the sample of the last days has come."""
    reader, person = _desk(request)
    now = timezone.now()
    wanted = _wanted(request.GET.get("list", ""))
    page = numbers.page(request, 20)
    rows = _rows(wanted, reader, now).select_related("lead_unit", "turn")
    found = list(rows[(page - 1) * PAGE : page * PAGE + 1])
    counts = {name: queries.count(_rows(name, reader, now)) for name in _LISTS}
    context = {
        "tabs": [
            (name, label, numbers.counted(counts[name]), name == wanted)
            for name, (label, _q) in _LISTS.items()
        ],
        "wanted": wanted,
        "rows": found[:PAGE],
        "beside": {case.pk: _standing(case, person, now) for case in found[:PAGE]},
        "many": counts[wanted],
        "takes": wanted in ("call", "verify"),
        "mine": CallbackTurn.objects.filter(person=person, until__gt=now)
        .values_list("case__number", flat=True)
        .first(),
        "previous": f"?list={wanted}&page={page - 1}" if page > 1 else "",
        "following": f"?list={wanted}&page={page + 1}" if len(found) > PAGE else "",
        "progress": callbacks.progress(reader, now),
        "days": callbacks.COUNTED_DAYS,
        "may_plan": reader.can("case.supervise"),
    }
    return render(request, "hotline/callbacks.html", context)


def _standing(case: Case, person: Person, now: dt.datetime) -> str:
    """What a row says of the call: who has it, what was answered online, when to try again."""
    turn = getattr(case, "turn", None)
    words = []
    if turn is not None and turn.until is not None and turn.until > now and turn.person_id is not None:
        words.append(_("in your hands") if turn.person_id == person.pk else _("a colleague is calling"))
    if turn is not None and turn.next_at is not None and turn.next_at > now:
        words.append(_("try again %(at)s") % {"at": timezone.localtime(turn.next_at).strftime("%m-%d %H:%M")})
    if case.satisfaction is not None:
        words.append(_("answered: %(answer)s") % {"answer": _satisfaction(case.satisfaction)})
    elif case.solved is not None:
        words.append(_("solved") if case.solved else _("not solved"))
    if case.appealed_at is not None:
        words.append(_("objects"))
    return " · ".join(words) or _("to be asked")


def _satisfaction(value: int | None) -> str:
    return str(dict(FIELDS["satisfaction"].choices).get(str(value), ""))


@login_required
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """Take the most pressing case that nobody holds. Nobody chooses whom to call."""
    reader, person = _desk(request)
    now = timezone.now()
    wanted = "verify" if request.POST.get("list") == "verify" else "call"
    case = callbacks.take(_rows(wanted, reader, now), person, now)
    if case is None:
        messages.info(request, _("Nothing is left to take here: all have been called or are being called."))
        return HttpResponseRedirect(f"{reverse('callbacks')}?list={wanted}")
    return HttpResponseRedirect(reverse("callback", args=[case.number]))


def _case(reader: Scope, number: str) -> Case:
    rows = queries.visible(reader, "case.callback").select_related("lead_unit", "contact", "handler")
    return queries.find(rows, number)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def callback(request: HttpRequest, number: str) -> HttpResponse:
    """One callback: what was asked and what was replied, the three questions, and what follows from the answers."""
    reader, person = _desk(request)
    case = _case(reader, number)
    now = timezone.now()
    if case.state != State.CALLBACK:
        messages.info(request, _("This order no longer waits for a callback."))
        return HttpResponseRedirect(reverse("case", args=[number]))
    if request.method != "POST":
        return _show(request, case, reader, person, CallbackForm(case))
    form = CallbackForm(case, request.POST)
    try:
        callbacks.check_held(case, person, now)
        done = _finish(case, form, reader, person, now)
    except Invalid as e:
        form.show(e)
        return _show(request, case, reader, person, form, status=422)
    except Conflict as e:
        form.show(Invalid({"": e.detail}))
        fresh = _case(reader, number)
        if fresh.state != State.CALLBACK:
            messages.error(request, str(e.detail))
            return HttpResponseRedirect(reverse("case", args=[number]))
        form.renew(fresh)
        return _show(request, fresh, reader, person, form, status=409)
    except Refused as e:
        messages.error(request, str(e.detail))
        return HttpResponseRedirect(reverse("callbacks"))
    callbacks.release(case.pk, person)
    messages.success(request, _("%(number)s: %(done)s.") % {"number": case.number, "done": done})
    wanted = "verify" if case.is_verified else "call"
    return HttpResponseRedirect(f"{reverse('callbacks')}?list={wanted}")


def _finish(case: Case, form: CallbackForm, reader: Scope, person: Person, now: dt.datetime) -> str:
    """Take the step that the pressed button stands for; what was done, in words."""
    action, fields = form.step()
    engine.act(case.number, action, fields, actor=person, scope=reader, version=form.version(), now=now)
    return str(next(t.name for t in TRANSITIONS if t.action == action and State.CALLBACK in t.sources))


def _show(
    request: HttpRequest,
    case: Case,
    reader: Scope,
    person: Person,
    form: CallbackForm,
    status: int = 200,
    revealed: contacts.Revealed | None = None,
) -> HttpResponse:
    now = timezone.now()
    other = callbacks.held_by_another(case, person, now)
    if other is None:
        callbacks.hold(case.pk, person, now)
    open_steps: Sequence[Transition] = engine.actions_for(case, reader)
    tried = callbacks.attempts(case)
    ways = {r.action for r in open_steps}
    may_reveal = contacts.may_reveal(reader, case) and hasattr(case, "contact")
    form.offer_unreached(callbacks.may_close_unreached(case, len(tried)))
    context = {
        "case": case,
        "state": kinds.KINDS[case.kind].state_name(case.state),
        "form": form,
        "other": other,
        "ways": ways,
        "tried": tried,
        "contact": getattr(case, "contact", None),
        "may_reveal": may_reveal,
        "revealed": revealed,
        "online": _satisfaction(case.satisfaction) if case.satisfaction is not None else "",
        "back": "verify" if case.is_verified else "call",
        "bad": case.satisfaction in (1, 2) or case.solved is False,
    }
    return render(request, "hotline/callback.html", context, status=status)


@login_required
@require_POST
def number_shown(request: HttpRequest, number: str) -> HttpResponse:
    """Show the number to call, with the reason that the callback is. It leaves its trace like every look."""
    reader, person = _desk(request)
    case = _case(reader, number)
    now = timezone.now()
    if case.state != State.CALLBACK:
        raise Forbidden(_("You may not look at this requester's contact."))
    callbacks.check_held(case, person, now)
    shown = contacts.reveal_to(reader, case, person=person, reason=_("Callback by telephone"), now=now)
    if request.headers.get("HX-Request"):
        return render(request, "hotline/number.html", {"revealed": shown, "case": case})
    fresh = _case(reader, number)
    return _show(request, fresh, reader, person, CallbackForm(fresh), revealed=shown)


@login_required
@require_POST
def put_back(request: HttpRequest, number: str) -> HttpResponse:
    """Give a case back that was taken and not called."""
    reader, person = _desk(request)
    case = _case(reader, number)
    callbacks.release(case.pk, person)
    messages.info(request, _("%(number)s has been put back.") % {"number": case.number})
    return HttpResponseRedirect(reverse("callbacks"))


# --- the sample plan ------------------------------------------------------------------------------------------------


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest) -> HttpResponse:
    """What share of callbacks is made by telephone, as a table; saving it puts a new edition in force."""
    reader, person = _desk(request)
    editions = callbacks.plans()
    current = editions[-1] if editions else None
    may_edit = reader.covers("case.supervise", names.root())
    form = SharesForm(
        request.POST if request.method == "POST" else None, shares=current.shares if current else ()
    )
    status = 200
    if request.method == "POST":
        try:
            callbacks.replace_plan(
                form.shares(), request.POST.get("note", ""), actor=person, scope=reader, now=timezone.now()
            )
        except Invalid as e:
            form.show(e)
            status = 422
        else:
            messages.success(request, _("The new plan holds for callbacks that begin from now on."))
            return HttpResponseRedirect(reverse("callback-plan"))
    context = {
        "form": form,
        "may_edit": may_edit,
        "editions": callbacks.history(),
        "current": current,
        "progress": callbacks.progress(reader, timezone.now()),
        "days": callbacks.COUNTED_DAYS,
    }
    return render(request, "hotline/callback_plan.html", context, status=status)


# --- supervision ----------------------------------------------------------------------------------------------------

_LEVELS = (Supervision.TALK, Supervision.LISTED, Supervision.DAILY)


@dataclass
class Supervised:
    """One supervised case: since when and why, and what its unit has done since."""

    case: Case
    since: dt.datetime | None = None
    by: str = ""
    ground: str = ""
    opinion: str = ""
    done: list[tuple[dt.datetime, str]] | None = None

    @property
    def higher(self) -> str:
        """The next higher level, or "" on the highest."""
        at = _LEVELS.index(Supervision(self.case.supervision))
        return _LEVELS[at - 1].value if at else ""

    @property
    def higher_name(self) -> str:
        return str(Supervision(self.higher).label) if self.higher else ""


#: What a unit does with an order that is supervised.
_OF_THE_UNIT = ("sign", "contact", "try_contact", "extend", "resume", "reply", "redo", "assist", "return")


@login_required
@require_safe
def supervised(request: HttpRequest) -> HttpResponse:
    """What stands under supervision (挂牌督办), by level, with what the unit has done since."""
    reader = scope(request)
    if not reader.can("case.supervise"):
        raise Forbidden(_("None of your posts supervises."))
    level = request.GET.get("level", "")
    rows = queries.visible(reader, "case.supervise").filter(open=True)
    counts = {s.value: queries.count(rows.filter(supervision=s.value)) for s in _LEVELS}
    wanted = [level] if level in counts else [s.value for s in _LEVELS]
    page = numbers.page(request, 20)
    rows = rows.filter(supervision__in=wanted).select_related("lead_unit", "handler")
    found = list(rows.order_by("due_at", "id")[(page - 1) * PAGE : page * PAGE + 1])
    told = _told(found[:PAGE])
    address = f"?level={level}&page=" if level in counts else "?page="
    context = {
        "groups": [
            (Supervision(s).label, [t for t in told if t.case.supervision == s], numbers.counted(counts[s]))
            for s in (x.value for x in _LEVELS)
            if s in wanted
        ],
        "levels": [(s.value, s.label, numbers.counted(counts[s.value]), s.value == level) for s in _LEVELS],
        "all": level not in counts,
        "any": bool(found),
        "previous": f"{address}{page - 1}" if page > 1 else "",
        "following": f"{address}{page + 1}" if len(found) > PAGE else "",
    }
    return render(request, "hotline/supervised.html", context)


def _told(cases: Sequence[Case]) -> list[Supervised]:
    """What the chains of these cases say of their supervision. Two queries, however many they are."""
    told = {case.pk: Supervised(case, done=[]) for case in cases}
    actions = ("supervise", "clock.escalated", *_OF_THE_UNIT)
    at: dict[int, int] = {}
    for e in (
        Event.objects.filter(case__in=told, action__in=actions)
        .select_related("actor")
        .order_by("case", "seq")
    ):
        entry = told[e.case_id]
        assert entry.done is not None
        if e.action == "supervise" or (e.action == "clock.escalated" and e.body.get("supervision")):
            ground = e.body.get("supervision_ground") or e.body.get("ground", "")
            entry.since, entry.by = e.at, e.actor.name if e.actor is not None else _("by itself")
            entry.ground = str(dict(FIELDS["supervision_ground"].choices).get(ground, ""))
            entry.done = []
            at[e.case_id] = e.seq
        elif e.action in _OF_THE_UNIT and entry.since is not None:
            entry.done.append((e.at, _step_name(e.action)))
    for text in callbacks.texts_of(at, "opinion"):
        told[text.case_id].opinion = text.text
    return list(told.values())


def _step_name(action: str) -> str:
    return str(next((t.name for t in TRANSITIONS if t.action == action), action))


urlpatterns = [
    path("callbacks/", queue, name="callbacks"),
    path("callbacks/take/", take, name="callback-take"),
    path("callbacks/plan/", plan, name="callback-plan"),
    path("callbacks/<str:number>/", callback, name="callback"),
    path("callbacks/<str:number>/number/", number_shown, name="callback-number"),
    path("callbacks/<str:number>/put-back/", put_back, name="callback-put-back"),
    path("supervised/", supervised, name="supervised"),
]
