"""The operator's desk: an order written during the call, with place, category and look-alikes beside it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from lucheng.channels.hotline import callbacks
from lucheng.channels.hotline.forms import ORDER, OrderForm
from lucheng.core.cases import engine, intake
from lucheng.core.dispatch import catalogue
from lucheng.core.errors import Forbidden, Invalid, Refused
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import locate, names
from lucheng.core.triage import classify, lookalikes, urgent
from lucheng.web.nav import Entry

NAV = [
    Entry(gettext_lazy("New order"), "desk", "case.accept", order=20, home="case.accept", first=20),
    *callbacks.NAV,
]


@dataclass(frozen=True)
class Advice:
    """What the screen proposes while the operator types. The operator decides."""

    urgent: Any
    places: list[locate.Candidate]
    place: str
    matter: classify.MatterProposal | None
    matter_code: str
    decision: catalogue.Decision | None
    why_none: Any
    alike: list[lookalikes.LookAlike]


def advise(form: OrderForm, reader: Scope) -> Advice:
    """Proposals for what has been written so far."""
    entered = form.data
    content = entered.get("content", "")[:5000]
    address = entered.get("address", "")[:200]
    now = timezone.now()
    words = f"{address} {content}".strip()
    places = locate.locate_text(words, limit=5) if words else []
    place = entered.get("place", "")
    if place and not names.exists(place):
        place = ""
    sure = places[0] if places and places[0].score >= intake.SURE_OF_PLACE else None
    place = place or (sure.place if sure else "")
    proposal = classify.propose_matter(content) if content.strip() else None
    matter = entered.get("matter", "") or (proposal.matter if proposal else "")
    where = place or names.root()
    decision = catalogue.decide(matter, where) if matter and where else None
    point = next((c for c in places if c.place == place), None)
    alike = (
        lookalikes.find(
            content,
            where,
            point.lon if point else None,
            point.lat if point else None,
            scope_q=reader.q("case.view"),
            now=now,
            limit=3,
        )
        if content.strip()
        else []
    )
    return Advice(
        urgent=urgent.words_in(content),
        places=places,
        place=place,
        matter=proposal,
        matter_code=matter,
        decision=decision,
        why_none=catalogue.why_none(matter, where) if matter and decision is None else "",
        alike=alike,
    )


def _operator(request: HttpRequest) -> Scope:
    reader = scope(request)
    if not reader.can("case.accept") or not reader.can("case.create"):
        raise Forbidden(_("Your posts do not include writing orders at the desk."))
    return reader


def _new(form: OrderForm, dispatch: bool) -> intake.NewCase:
    entered = form.data
    # Who presses "dispatch" with the proposal in view has decided for it.
    matter = entered.get("matter", "") or (entered.get("proposed_matter", "") if dispatch else "")
    accused = entered.get("accused_unit", "")
    return intake.NewCase(
        kind=ORDER,
        nature=entered.get("nature", ""),
        content=entered.get("content", ""),
        channel=entered.get("channel", ""),
        matter=matter,
        place=entered.get("place", ""),
        address=entered.get("address", ""),
        accused_unit=engine.unit_named("accused_unit", accused).pk if accused.strip() else None,
        name=entered.get("name", ""),
        phone=entered.get("phone", ""),
        anonymous="anonymous" in entered,
        confidential="confidential" in entered,
        reply_wanted="no_reply" not in entered,
        dispatch=dispatch,
    )


@login_required
def desk(request: HttpRequest) -> HttpResponse:
    """One screen: register, answer at once, dispatch, or join a look-alike."""
    reader = _operator(request)
    if request.method != "POST":
        return _desk(request, OrderForm(initial={"key": uuid.uuid4().hex}), reader)
    form = OrderForm(request.POST)
    action, _sep, main = request.POST.get("do", "register").partition(":")
    if action == "propose":
        return _desk(request, form, reader)
    try:
        number = _write(request, form, reader, action, main)
    except Invalid as e:
        form.is_valid()
        for name in list(form.errors):
            del form.errors[name]
        for name, text in e.fields.items():
            visible = name in form.fields and not form.fields[name].widget.is_hidden
            form.add_error(name if visible else None, str(text))
        return _desk(request, form, reader, status=422)
    except Refused as e:
        form.is_valid()
        form.add_error(None, str(e.detail))
        return _desk(request, form, reader, status=e.status)
    messages.success(request, _("Order %(number)s is written.") % {"number": number})
    return HttpResponseRedirect(reverse("case", args=[number]))


@transaction.atomic
def _write(request: HttpRequest, form: OrderForm, reader: Scope, action: str, main: str) -> str:
    """Make the case and take its first step, both or neither. Returns its number."""
    person, now = cast(Person, request.user), timezone.now()
    wanted = "case.dispatch" if action == "dispatch" else "case.accept"
    place = form.data.get("place", "") or names.root()
    role = next(
        (g.role for g in reader.grants if wanted in g.capabilities and place.startswith(g.place)), None
    )
    if role is None:
        raise Forbidden(_("Your posts do not let you write orders for this place."))
    if action == "answer" and not form.data.get("answer", "").strip():
        raise Invalid({"answer": _("Write down the answer that was given.")})
    made = intake.create(
        _new(form, dispatch=action == "dispatch"),
        actor=person,
        role=role,
        now=now,
        idempotency_key=f"{person.pk}:desk:{form.data.get('key', '')[:60]}",
    )
    if made.repeated:
        return made.number
    fields: dict[str, Any] = {}
    if action == "answer":
        fields = {"answer": form.data["answer"], "matter": form.data.get("matter", ""), "place": made.place}
    elif action == "merge":
        fields = {"main": main}
    if fields:
        engine.act(made.number, action, fields, actor=person, scope=reader, version=made.version, now=now)
    return made.number


def _desk(request: HttpRequest, form: OrderForm, reader: Scope, status: int = 200) -> HttpResponse:
    return render(request, "hotline/desk.html", {"form": form, "advice": advise(form, reader)}, status=status)


@login_required
@require_POST
def propose(request: HttpRequest) -> HttpResponse:
    """The part of the desk beside the text, as the operator types."""
    reader = _operator(request)
    form = OrderForm(request.POST)
    return render(request, "hotline/advice.html", {"form": form, "advice": advise(form, reader)})


urlpatterns = [
    path("desk/", desk, name="desk"),
    path("desk/propose/", propose, name="desk-propose"),
    *callbacks.urlpatterns,
]
