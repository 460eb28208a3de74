"""One order in the unit's hands: the request on one side, what can be done on the other."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.unit.forms import FORMS, UNDER, StepForm, unit_names
from lucheng.core.cases import attachments, engine, inbox, kinds, law, queries
from lucheng.core.cases.lifecycle import EVENT_NAMES, FIELDS, TRANSITIONS, Transition
from lucheng.core.cases.models import Case
from lucheng.core.clocks.models import Clock, ClockKind
from lucheng.core.errors import Invalid, NotFound, Refused
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.privacy import contacts, personal
from lucheng.core.triage import reply, templates
from lucheng.web import masking, numbers, sealed
from lucheng.web.uploads import too_large

#: The key that opens each step's form, as in a mail program.
KEYS = {
    "sign": "s", "redo": "s", "resume": "s", "contact": "c", "reply": "r", "return": "b", "extend": "e",
    "assist": "p", "assign": "h",
}  # fmt: skip

#: What the buttons say.
SAYS: dict[str, Any] = {
    "sign": gettext_lazy("Sign for this order"),
    "redo": gettext_lazy("Take it up again"),
    "resume": gettext_lazy("Resume now"),
    "contact": gettext_lazy("Record that they were reached"),
    "reply": gettext_lazy("Send the reply for review"),
    "return": gettext_lazy("Ask to return the order"),
    "extend": gettext_lazy("Ask for more time"),
    "assist": gettext_lazy("Report to the lead unit"),
    "assign": gettext_lazy("Hand it over"),
}

#: Events whose texts say to the unit where the order stands.
_TOLD = (
    "dispatch", "redispatch", "uphold", "supplement", "contact", "try_contact", "ask_assist", "assist", "assign",
    "return", "extend", "grant_extension", "refuse_extension", "suspend", "resume", "reply", "send_back", "supervise",
)  # fmt: skip
_SALT = "lucheng.unit.evidence"


@dataclass
class Panel:
    """One step that can be taken now, with its form."""

    action: str
    name: Any
    key: str
    says: Any
    form: StepForm
    open: bool = False


def _case(request: HttpRequest, number: str) -> Case:
    rows = queries.visible(scope(request), "case.handle").select_related("lead_unit", "handler", "contact")
    return queries.find(rows.filter(open=True), number)


def _rows(request: HttpRequest, case: Case) -> dict[str, Transition]:
    """The unit's steps that are open now."""
    reader = scope(request)
    rows = {r.action: r for r in engine.actions_for(case, reader)}
    if "assist" in rows and not inbox.is_asked(case, reader):
        del rows["assist"]
    return {a: rows[a] for a in (*FORMS, *UNDER) if a in rows}


def _clocks(case: Case) -> list[Clock]:
    states = (Clock.State.RUNNING, Clock.State.PAUSED)
    return list(case.clocks.filter(state__in=states).order_by("due_at", "id"))


def _past(case: Case) -> list[dict[str, Any]]:
    """What was written about the order so far, oldest first."""
    texts: dict[int, list[str]] = {}
    for t in case.texts.order_by("id"):
        texts.setdefault(t.seq, []).append(t.text)
    events = list(case.events.filter(action__in=_TOLD).select_related("actor").order_by("-seq")[:20])
    given = {e.body["person"] for e in events if e.action == "assign"}
    people = dict(Person.objects.filter(pk__in=given).values_list("pk", "name")) if given else {}
    return [
        {
            "at": e.at,
            "title": " · ".join(
                [
                    str(EVENT_NAMES[e.action]),
                    *([e.actor.name] if e.actor is not None else []),
                    *([f"→ {people[e.body['person']]}"] if e.body.get("person") in people else []),
                ]
            ),
            "text": "\n".join(texts.get(e.seq, ())),
        }
        for e in reversed(events)
    ]


def _contact(request: HttpRequest, case: Case) -> dict[str, Any]:
    """Who to contact, as far as the reader may know, and how far it has come."""
    reader = scope(request)
    may = contacts.may_reveal(reader, case)
    reached, attempts = law.contact_so_far(case)
    return {
        # Where secrecy was asked for, not even the mask is for the unit.
        "contact": getattr(case, "contact", None) if not case.confidential or may else None,
        "secret": case.confidential and not may,
        "may_reveal": hasattr(case, "contact") and may,
        "offered": sealed.offered(getattr(case, "contact", None)) if may else [],
        "to_contact": law.is_to_be_contacted(case),
        "reached": reached,
        "attempts": attempts,
        "least_attempts": law.MIN_ATTEMPTS,
    }


def _show(
    request: HttpRequest,
    case: Case,
    *,
    opened: str = "",
    bound: StepForm | None = None,
    status: int = 200,
    **extra: Any,
) -> HttpResponse:
    rows = _rows(request, case)
    clocks = _clocks(case)
    limit = next((c for c in clocks if c.kind == ClockKind.RETURN), None)
    late = limit is not None and limit.due_at < timezone.now()
    barred = "return" in rows and (case.named_after_study or late)
    panels = []
    for action, form in FORMS.items():
        if action not in rows or (action == "return" and barred):
            continue
        if action == "contact" and not law.is_to_be_contacted(case):
            continue
        shown = bound if bound is not None and action == opened else form(case, action)
        panels.append(Panel(action, rows[action].name, KEYS[action], SAYS[action], shown))
    contact = _contact(request, case)
    actions = [p.action for p in panels]
    first = "reply" if contact["reached"] or not contact["to_contact"] else "contact"
    wanted = next((a for a in (opened, first) if a in actions), "")
    for panel in panels:
        panel.open = panel.action == wanted
    replying = "reply" in actions
    offered = templates.for_case(case) if replying else []
    typed = bound.data.get("public_reply", "") if bound is not None and opened == "reply" else ""
    context = {
        "case": case,
        "kind": kinds.KINDS[case.kind],
        "state": kinds.KINDS[case.kind].state_name(case.state),
        "clocks": clocks,
        "return_limit": limit,
        "return_late": late,
        "return_barred": barred,
        "panels": panels,
        "units": unit_names(case) if "return" in actions else [],
        # Words written for a step that is not open any more are shown again, to be copied.
        "lost": _written(bound) if bound is not None and opened not in actions else [],
        "past": _past(case),
        "assists": case.assists.select_related("unit").order_by("id"),
        "attachments": case.attachments.order_by("id"),
        "merged": queries.visible(scope(request)).filter(main=case).count(),
        "templates": [
            (group, [(t, templates.fill(t, case)) for t in offered if (t.unit_id is None) is common])
            for group, common in ((_("Of the unit"), False), (_("For all units"), True))
            if any((t.unit_id is None) is common for t in offered)
        ],
        "findings": reply.check(typed, case.content) if typed.strip() else [],
        **contact,
        **extra,
    }
    return render(request, "unit/case.html", context, status=status)


@login_required
@require_safe
def handling(request: HttpRequest, number: str) -> HttpResponse:
    """The order, with what can be done about it."""
    return _show(request, _case(request, number))


@login_required
@require_safe
def preview(request: HttpRequest, number: str) -> HttpResponse:
    """The order in short, for beside the list."""
    case = _case(request, number)
    context = {
        "case": case,
        "state": kinds.KINDS[case.kind].state_name(case.state),
        "clocks": _clocks(case),
        "past": _past(case)[-2:],
        "photographs": case.attachments.count(),
    }
    return render(request, "unit/preview.html", context)


@login_required
@require_POST
def reveal(request: HttpRequest, number: str) -> HttpResponse:
    """Show the requester's contact once, for a reason that stays in the ledger: to call them, here and now."""
    case = _case(request, number)
    shown, error = None, ""
    try:
        shown = contacts.reveal_to(
            scope(request),
            case,
            person=cast(Person, request.user),
            reason=request.POST.get("reason", ""),
            fields=sealed.asked(request.POST),
            now=timezone.now(),
        )
    except Invalid as e:
        error = str(e.detail)
    case = _case(request, number)
    said: dict[str, Any] = {
        "revealed": shown,
        "reveal_error": error,
        "reason": request.POST.get("reason", "")[:200],
    }
    if request.headers.get("HX-Request"):
        answer = render(request, "unit/contact.html", {"case": case, **_contact(request, case), **said})
    else:
        answer = _show(request, case, opened="contact", **said)
    answer["Cache-Control"] = "no-store"
    return answer


@login_required
@require_POST
def check(request: HttpRequest, number: str) -> HttpResponse:
    """What to look at again in the reply being written."""
    case = _case(request, number)
    text = request.POST.get("public_reply", "")
    return render(
        request,
        "unit/findings.html",
        {"findings": reply.check(text, case.content) if text.strip() else [], "checked": bool(text.strip())},
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """One step: its form opened, or done."""
    case = _case(request, number)
    panel = UNDER.get(action, action)
    if panel not in FORMS:
        raise NotFound(_("There is no such step."))
    if request.method != "POST":
        if panel not in _rows(request, case):
            messages.info(request, _("This step is not open now: the order has moved on."))
            return HttpResponseRedirect(reverse("unit-case", args=[number]))
        return _show(request, case, opened=panel)
    data = request.POST.copy()
    if action == "reply" and "use" in data:  # without script: the template comes into the text by way of here
        return _insert(request, case, data)
    if panel == "reply":
        if typed := masking.undecided(data, _REPLY_TEXTS, personal.OF_A_PERSON):
            bound = FORMS[panel](case, panel, data)
            return _show(request, case, opened=panel, bound=bound, status=422, typed=typed)
        for name in _REPLY_TEXTS:
            if name in data:
                data[name] = masking.decided(data, str(data[name]), personal.OF_A_PERSON)
    try:
        kept = _evidence(request, case) if action == "return" else []
        if kept:
            data["kept"] = signing.dumps({"case": case.number, "names": kept}, salt=_SALT)
        _act(request, case, action, data, kept)
    except Invalid as e:
        form = FORMS[panel](case, panel, data)
        form.refuse(e.fields)
        return _show(request, case, opened=panel, bound=form, status=e.status)
    except Refused as e:
        return _refused(request, number, panel, data, e)
    messages.success(request, _("Done: %(action)s.") % {"action": EVENT_NAMES[action]})
    return _onward(request, number)


#: What a unit writes about a requester's matter: for the requester, and for the centre.
_REPLY_TEXTS = ("public_reply", "handling", "note")


def _onward(request: HttpRequest, number: str) -> HttpResponse:
    """Back to the order, or to the inbox where it is the unit's no more."""
    still = queries.visible(scope(request), "case.handle").filter(number=number, open=True).exists()
    return HttpResponseRedirect(reverse("unit-case", args=[number]) if still else reverse("inbox"))


def _refused(request: HttpRequest, number: str, panel: str, data: Any, why: Refused) -> HttpResponse:
    """The order moved on, or the person may not: say so, and show again what they had written."""
    messages.error(request, str(why.detail))
    try:
        case = _case(request, number)
    except NotFound:
        return HttpResponseRedirect(reverse("inbox"))
    form = FORMS[panel](case, panel, data)
    form.refuse({"": why.detail})
    return _show(request, case, opened=panel, bound=form, status=why.status)


def _written(form: StepForm) -> list[tuple[Any, str]]:
    return [
        (FIELDS[name].label, form.data[name])
        for name in form.data
        if name in FIELDS and FIELDS[name].kind in ("line", "text") and form.data[name].strip()
    ]


def _insert(request: HttpRequest, case: Case, data: Any) -> HttpResponse:
    chosen = data.get("template", "")
    for template in templates.for_case(case):
        if str(template.pk) == chosen:
            before = data.get("public_reply", "").rstrip()
            data["public_reply"] = f"{before}\n{templates.fill(template, case)}".lstrip()
    form = FORMS["reply"](case, "reply", data)
    form.full_clean()
    form.errors.clear()
    return _show(request, case, opened="reply", bound=form)


def _evidence(request: HttpRequest, case: Case) -> list[str]:
    """The names under which the photographs of this attempt wait, those of an earlier attempt first.

    Raises Invalid at ``photo``.
    """
    kept: list[str] = []
    try:
        earlier = signing.loads(
            request.POST.get("kept", ""), salt=_SALT, max_age=attachments.PATIENCE - dt.timedelta(hours=1)
        )
        if earlier["case"] == case.number:
            kept = list(earlier["names"])
    except signing.BadSignature:
        pass
    if "photo" in too_large(request):
        raise Invalid({"photo": _("This file is too large: choose a smaller one.")})
    for upload in request.FILES.getlist("photo")[: attachments.MOST + 1]:
        kept.append(attachments.receive(cast(attachments.Readable, upload)))
    kept = list(dict.fromkeys(kept))
    if case.attachments.exclude(sha256__in=kept).count() + len(kept) > attachments.MOST:
        raise Invalid(
            {"photo": _("An order takes %(most)s photographs at most.") % {"most": attachments.MOST}}
        )
    return kept


def _act(request: HttpRequest, case: Case, action: str, data: Any, evidence: list[str]) -> None:
    """Take the step; its evidence is attached with it or not at all."""
    names = dict.fromkeys(n for t in TRANSITIONS if t.action == action for n in (*t.needs, *t.takes))
    reader, now = scope(request), timezone.now()
    person = cast(Person, request.user)
    with transaction.atomic():
        done = engine.act(
            case.number,
            action,
            {n: data[n] for n in names if n in data},
            actor=person,
            scope=reader,
            version=numbers.whole(data.get("version")),
            now=now,
            key=data.get("key") or None,
        )
        role = reader.role_for("case.handle", done, "lead")
        for name in evidence:
            assert role is not None  # who may return may add to the case
            attachments.attach(done.pk, name, person=person, role=role, now=now)
