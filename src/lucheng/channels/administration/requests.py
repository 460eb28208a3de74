"""What people ask about their own data: the list by due time, one request with what may be done for it, and taking one
down for somebody who called, wrote or came."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.administration.doors import opens_for, page, paged, person, refused
from lucheng.channels.administration.forms import RequestForm
from lucheng.core.cases import engine, kinds
from lucheng.core.cases.lifecycle import EVENT_NAMES, FIELDS, Transition
from lucheng.core.cases.models import Case
from lucheng.core.clocks.models import Clock
from lucheng.core.errors import Invalid, Refused
from lucheng.core.ledger.append import REQUESTER
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.middleware import scope
from lucheng.core.privacy import contacts, rights
from lucheng.core.privacy.cases import KEEPER, Right, Shown
from lucheng.core.privacy.models import What
from lucheng.web import numbers
from lucheng.web.downloads import kept


def _right(case: Case) -> str:
    right = case.fields.get("right")
    return str(Right(right).label) if right in Right.values else ""


@opens_for(KEEPER)
@require_safe
def requests(request: HttpRequest) -> HttpResponse:
    """Open requests, the first due first; ``?all=1`` has the answered ones too, the newest first."""
    every = "all" in request.GET
    context = {
        "every": every,
        **paged(request, rights.listed(scope(request), open_only=not every)),
    }
    now = timezone.now()
    context["rows"] = [
        {
            "case": case,
            "right": _right(case),
            "about": len(case.fields.get("about", [])),
            "state": kinds.KINDS[case.kind].state_name(case.state),
            "late": case.open and case.due_at is not None and case.due_at < now,
        }
        for case in context["rows"]
    ]
    return page(request, "requests", context)


@opens_for(KEEPER, everywhere=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def take_down(request: HttpRequest) -> HttpResponse:
    """Enter what somebody asked by telephone, letter or in person."""
    form = RequestForm(request.POST or None)
    key = request.POST.get("key", "")[:40] or uuid.uuid4().hex
    if form.is_valid():
        entered = form.cleaned_data
        try:
            made = rights.enter(
                entered,
                entered["about"],
                person=person(request),
                scope=scope(request),
                now=timezone.now(),
                key=key,
            )
        except Invalid as wrong:
            refused(form, wrong)
        else:
            messages.success(
                request,
                _("Taken down. The tracking code for whoever asked: %(code)s") % {"code": made.code},
            )
            return HttpResponseRedirect(reverse("data-request", args=[made.number]))
    return page(request, "request_new", {"form": form, "key": key}, status=422 if form.errors else 200)


def _step(row: Transition, entered: dict[str, str], wrong: dict[str, Any]) -> dict[str, Any]:
    """One step of the life cycle as a form: its fields with what was typed, and what is wrong with it."""
    return {
        "action": row.action,
        "name": row.name,
        "fields": [
            {
                "name": name,
                "label": FIELDS[name].label,
                "kind": FIELDS[name].kind,
                "choices": FIELDS[name].choices,
                "value": entered.get(name, ""),
                "error": wrong.get(name, "") if entered else "",
            }
            for name in (*row.needs, *row.takes)
        ],
    }


def _by(event: Event) -> str:
    if event.actor is not None:
        return event.actor.name
    return _("requester") if event.actor_role == REQUESTER else ""


#: What the officer does on this page, in its order; a requester who telephones may withdraw or add.
_OFFERED = ("grant", "refuse", "answer_objection", "resume_request", "supplement", "withdraw")


def _show(
    request: HttpRequest, number: str, wrong: Refused | None = None, revealed: contacts.Revealed | None = None
) -> HttpResponse:
    reader = scope(request)
    case = rights.find(reader, number)
    if isinstance(wrong, Invalid):
        said = [str(text) for text in wrong.fields.values()]
    else:
        said = [str(wrong.detail)] if wrong is not None else []
    steps = {row.action: row for row in engine.actions_for(case, reader)}
    texts: dict[int, list[str]] = {}
    for text in case.texts.order_by("id"):
        texts.setdefault(text.seq, []).append(text.text)
    contact = getattr(case, "contact", None)
    context = {
        "case": case,
        "right": _right(case),
        "shown": case.fields.get("shown") == Shown.CODE,
        "state": kinds.KINDS[case.kind].state_name(case.state),
        "clock": Clock.objects.filter(case=case).order_by("-id").first(),
        "contact": contact if contact is not None and contacts.left(contact) else None,
        "revealed": revealed,
        "about": rights.about(case),
        "whats": What.choices,
        "fields": contacts.FIELDS.items(),
        "steps": [
            _step(
                steps[action],
                request.POST.dict() if request.POST.get("action") == action else {},
                wrong.fields if isinstance(wrong, Invalid) else {},
            )
            for action in _OFFERED
            if action in steps
        ],
        "entries": [
            {
                "at": e.at,
                "title": " · ".join(filter(None, (str(EVENT_NAMES.get(e.action, e.action)), _by(e)))),
                "text": "\n".join(texts.get(e.seq, ())),
            }
            for e in case.events.select_related("actor").order_by("seq")
        ],
        "rejected": said,
    }
    return page(request, "request", context, status=wrong.status if wrong is not None else 200)


@opens_for(KEEPER)
@never_cache
@require_safe
def one(request: HttpRequest, number: str) -> HttpResponse:
    """One request: what is asked, about which orders, what is held of them, and what may be done."""
    return _show(request, number)


def _done(request: HttpRequest, number: str, text: str) -> HttpResponse:
    messages.success(request, text)
    return HttpResponseRedirect(reverse("data-request", args=[number]))


def _doing(do: Callable[[HttpRequest, str], HttpResponse]) -> Callable[..., HttpResponse]:
    """Something done for one request; a refusal comes back on its page."""

    def view(request: HttpRequest, number: str) -> HttpResponse:
        try:
            return do(request, number)
        except Refused as wrong:
            return _show(request, number, wrong)

    return opens_for(KEEPER)(never_cache(require_POST(view)))


@_doing
def act(request: HttpRequest, number: str) -> HttpResponse:
    """A step of the request's own life: grant, refuse, answer an objection, take up again."""
    case = rights.find(scope(request), number)
    action = request.POST.get("action", "")
    if action not in _OFFERED:
        raise Invalid({"action": _("There is no such step.")})
    row = next((r for r in engine.actions_for(case, scope(request)) if r.action == action), None)
    names = (*row.needs, *row.takes) if row is not None else ()
    engine.act(
        number,
        action,
        {name: request.POST[name] for name in names if name in request.POST},
        actor=person(request),
        scope=scope(request),
        version=numbers.whole(request.POST.get("version")),
        now=timezone.now(),
    )
    return _done(request, number, _("Saved."))


@_doing
def copy(request: HttpRequest, number: str) -> HttpResponse:
    """The file for whoever asked."""
    case = rights.find(scope(request), number)
    return kept(
        number,
        "zip",
        lambda file: rights.copy(
            case, file, person=person(request), scope=scope(request), now=timezone.now()
        ),
    )


@_doing
def delete(request: HttpRequest, number: str) -> HttpResponse:
    """Destroy what was chosen of one order."""
    case = rights.find(scope(request), number)
    order = request.POST.get("order", "")
    done = rights.delete(
        case,
        order,
        request.POST.getlist("what"),
        person=person(request),
        scope=scope(request),
        now=timezone.now(),
    )
    text = ngettext("%(n)s thing destroyed.", "%(n)s things destroyed.", done) % {"n": done}
    return _done(request, number, text)


@_doing
def correct(request: HttpRequest, number: str) -> HttpResponse:
    """Put what is right into the contact of one order."""
    case = rights.find(scope(request), number)
    order = request.POST.get("order", "")
    entered = {name: request.POST.get(name, "") for name in contacts.FIELDS}
    rights.correct(case, order, entered, person=person(request), scope=scope(request), now=timezone.now())
    return _done(request, number, _("Corrected."))


@_doing
def reveal(request: HttpRequest, number: str) -> HttpResponse:
    """Look at the contact of whoever asks, for a reason."""
    reader = scope(request)
    case = rights.find(reader, number)
    revealed = contacts.reveal_to(
        reader,
        case,
        person=person(request),
        reason=request.POST.get("reason", ""),
        now=timezone.now(),
        fields=contacts.FIELDS,
    )
    return _show(request, number, revealed=revealed)
