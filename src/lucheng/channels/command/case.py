"""The case page: the whole matter, each step of its life cycle, and its work order on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.command import history, letters, steps
from lucheng.channels.command.forms import ActionForm, unit_names
from lucheng.core.cases import attachments, codes, engine, kinds, queries
from lucheng.core.cases.lifecycle import EVENT_NAMES, FIELDS, Transition
from lucheng.core.cases.models import Case, State, Supervision
from lucheng.core.clocks import account
from lucheng.core.clocks.models import Clock
from lucheng.core.dispatch import catalogue
from lucheng.core.errors import Conflict, Invalid, NotFound, Refused
from lucheng.core.ledger import anchors, verify
from lucheng.core.ledger.models import Event, Message
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.core.privacy import contacts, destruction
from lucheng.web import numbers, sealed

#: Of what is linked to a case, so many are shown.
LINKED = 50


def _case(request: HttpRequest, number: str) -> Case:
    rows = queries.visible(scope(request)).select_related(
        "lead_unit",
        "handler",
        "main",
        "parent",
        "rule__version",
        "rule__lead",
        "accused_unit",
        "contact",
        "alarm",
        "advice",
        "intake_by",
    )
    return queries.find(rows, number)


@login_required
@require_safe
def case_page(request: HttpRequest, number: str) -> HttpResponse:
    """The whole matter on one page."""
    return _show(request, _case(request, number))


@login_required
@require_safe
def verify_chain(request: HttpRequest, number: str) -> HttpResponse:
    """The same page, with the result of proving this one case's chain of events, its texts and its photographs."""
    case = _case(request, number)
    tally = verify.Tally()
    findings = list(verify.verify(tally, number=case.number, files=True))
    anchor = anchors.newest()
    anchored = anchor.upto if anchor is not None else 0
    result = {
        "findings": findings,
        "events": tally.events,
        "anchored": Event.objects.filter(case=case, id__lte=anchored).count(),
        "at": timezone.now(),
    }
    return _show(request, case, verified=result)


def _contact(case: Case, reader: Scope) -> dict[str, Any]:
    """What the reader may know of who asks. Where secrecy was asked for, not even the mask is for the unit."""
    may_reveal = contacts.may_reveal(reader, case)
    contact = getattr(case, "contact", None)
    return {
        "contact": contact if not case.confidential or may_reveal else None,
        "secret": case.confidential and not may_reveal,
        "may_reveal": contact is not None and may_reveal,
        "offered": sealed.offered(contact) if may_reveal else [],
    }


def _answers(case: Case) -> dict[str, Any]:
    """What was answered at the callback, in words."""
    return {"satisfaction": dict(FIELDS["satisfaction"].choices).get(str(case.satisfaction), "")}


def _dispatched(case: Case, entries: Sequence[history.Entry]) -> history.Entry | None:
    """The last dispatch: who sent it, when, with what opinion."""
    return next((e for e in reversed(entries) if e.event.action in ("dispatch", "redispatch")), None)


def _supervised(case: Case, entries: Sequence[history.Entry]) -> history.Entry | None:
    """The step that put the case under the supervision under which it stands."""
    if not case.supervision:
        return None
    return next(
        (
            e
            for e in reversed(entries)
            if e.event.action == "supervise"
            or (e.event.action == "clock.escalated" and e.event.body.get("supervision"))
        ),
        None,
    )


def _linked(case: Case, reader: Scope) -> dict[str, Any]:
    """What is linked to the case and may be seen: merged into it or it into another, split, named as the same."""
    seen = queries.visible(reader).select_related("lead_unit")
    same_as = case.fields.get("same_as")
    merged = list(seen.filter(main=case).order_by("id")[: LINKED + 1])
    parts = list(seen.filter(parent=case).order_by("id")[: LINKED + 1])
    return {
        "same_as": seen.filter(number=same_as).first() if isinstance(same_as, str) else None,
        "merged": [(c, c.state == State.MERGED and reader.allows("case.merge", c)) for c in merged[:LINKED]],
        "parts": parts[:LINKED],
        "more_linked": len(merged) > LINKED or len(parts) > LINKED,
        "main": case.main if case.main is not None and reader.allows("case.view", case.main) else None,
        "parent": case.parent
        if case.parent is not None and reader.allows("case.view", case.parent)
        else None,
    }


def _show(
    request: HttpRequest,
    case: Case,
    revealed: contacts.Revealed | None = None,
    reveal_error: Any = "",
    verified: dict[str, Any] | None = None,
) -> HttpResponse:
    reader = scope(request)
    kind = kinds.KINDS[case.kind]
    events, texts = history.read(case)
    contact = _contact(case, reader)
    entries = history.entries(case, events, texts, reasons=contact["may_reveal"])
    told = account.accounts(case, case.clocks.order_by("started_at", "id"), events, texts)
    live = [a for a in told if a.clock.state in (Clock.State.RUNNING, Clock.State.PAUSED)]
    assists = list(case.assists.select_related("unit").order_by("id"))
    linked = _linked(case, reader)
    offered = steps.offered(
        case, engine.actions_for(case, reader), reader, assists, {a.clock.kind for a in live}
    )
    messages_ = letters.shown(Message.objects.filter(case=case)).order_by("id")[:LINKED]
    context = {
        "case": case,
        "kind": kind,
        "destroyed": [destruction.sentence(s) for s in destruction.told(case)],
        "code": codes.written(case.code) if reader.allows("case.accept", case) else "",
        "state": kind.state_name(case.state),
        **contact,
        **_answers(case),
        "revealed": revealed,
        "reveal_error": reveal_error,
        "verified": verified,
        "pressing": next(
            (a.clock for a in live if a.clock.state == Clock.State.RUNNING and a.clock.due_at == case.due_at),
            None,
        ),
        "live": live,
        "ended": [a for a in told if a not in live],
        "running": Clock.State.RUNNING,
        "history": entries,
        "steps": offered,
        "assists": assists,
        "attachments": case.attachments.order_by("id"),
        "supplements": [
            (e.event.at, text) for e in entries if e.event.action == "supplement" for _label, text in e.texts
        ],
        **linked,
        "any_linked": any(linked.values()),
        "decision": catalogue.recall(case.rule) if case.rule is not None else None,
        "dispatched": _dispatched(case, entries),
        "may_read_catalogue": reader.can("catalogue.edit"),
        "supervised": _supervised(case, entries),
        "advice": getattr(case, "advice", None),
        "letters": letters.letters(messages_, reader),
        "can_split": reader.allows("case.merge", case) and case.state in (State.RECEIVED, State.ACCEPTED),
        # A callback is made at its desk, where one person at a time has it.
        "may_call_back": offered.main is not None
        and case.state == State.CALLBACK
        and offered.main.action in ("close", "verify"),
        "board_here": f"{reverse('board')}?{urlencode({'place': case.place})}",
    }
    return render(request, "command/case.html", context)


@login_required
@require_safe
def sheet(request: HttpRequest, number: str) -> HttpResponse:
    """The work order (工单) for paper, as offices lay it out. Of the requester it holds the mask and no more."""
    case = _case(request, number)
    reader = scope(request)
    events, texts = history.read(case)
    contact = _contact(case, reader)
    entries = history.entries(case, events, texts, reasons=False)
    told = account.accounts(case, case.clocks.order_by("started_at", "id"), events, texts)
    context = {
        "case": case,
        "kind": kinds.KINDS[case.kind],
        "state": kinds.KINDS[case.kind].state_name(case.state),
        **contact,
        **_answers(case),
        "sheet_title": _sheet_title(case),
        "destroyed": [destruction.sentence(s) for s in destruction.told(case)],
        "clocks": [a for a in told if a.clock.state != Clock.State.CANCELLED],
        "assists": case.assists.select_related("unit").order_by("id"),
        "decision": catalogue.recall(case.rule) if case.rule is not None else None,
        "dispatched": _dispatched(case, entries),
        "handling": [e for e in entries if e.event.action in _ON_PAPER],
        "photographs": case.attachments.count(),
        "printed_by": cast(Person, request.user),
    }
    return render(request, "command/sheet.html", context)


def _sheet_title(case: Case) -> str:
    """The heading that offices expect over a work order: the city's hotline, or the kind of another case."""
    city = names.get(names.root())
    if case.kind != "command_centre.order":
        return f"{city.name if city else ''}{kinds.KINDS[case.kind].name}"
    return _("%(city)s 12345 government service hotline: work order") % {"city": city.name if city else ""}


#: Steps that a printed order tells of: what was done with the matter, not who looked at it on the screen.
_ON_PAPER = (
    "accept",
    "reject",
    "answer",
    "settle",
    "transfer",
    "merge",
    "unmerge",
    "dispatch",
    "return",
    "uphold",
    "redispatch",
    "sign",
    "contact",
    "try_contact",
    "ask_assist",
    "assist",
    "extend",
    "grant_extension",
    "refuse_extension",
    "suspend",
    "resume",
    "resume_as_planned",
    "reply",
    "approve",
    "send_back",
    "redo",
    "supervise",
    "end_supervision",
    "supplement",
    "withdraw",
    "reopen",
    "answer_appeal",
)


# --- steps ----------------------------------------------------------------------------------------------------------


def _since(case: Case, version: int) -> list[history.Entry]:
    """What happened to the case after the version that somebody saw: the version counts the events."""
    events, texts = history.read(case)
    return history.entries(case, [e for e in events if e.seq > version], texts, reasons=False)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, number: str, action: str) -> HttpResponse:
    """One step of the life cycle: its form, and its doing."""
    case = _case(request, number)
    reader = scope(request)
    row = next((r for r in engine.actions_for(case, reader) if r.action == action), None)
    if request.method != "POST":
        if row is None:
            messages.info(request, _("This step is no longer open: the order has moved on."))
            return HttpResponseRedirect(reverse("case", args=[number]))
        return _step_form(request, case, row, ActionForm(row, case, given=request.GET))
    form = ActionForm(row, case, request.POST) if row is not None else None
    version = numbers.whole(request.POST.get("version"))
    try:
        engine.act(
            number,
            action,
            form.entered() if form is not None else {},
            actor=cast(Person, request.user),
            scope=reader,
            version=version,
            now=timezone.now(),
        )
    except Invalid as e:
        if form is None or row is None:
            raise
        form.show(e)
        return _step_form(request, case, row, form, status=422)
    except Conflict as e:
        # Somebody else was first. What was typed is shown again beside what they did: it may still be right.
        case = _case(request, number)
        open_now = {r.action: r for r in engine.actions_for(case, reader)}
        return _overtaken(request, case, action, open_now.get(action), version, e)
    except Refused as e:
        messages.error(request, str(e.detail))
        return HttpResponseRedirect(reverse("case", args=[number]))
    messages.success(request, _("Done: %(action)s.") % {"action": row.name if row is not None else action})
    after = "case" if queries.visible(reader).filter(number=number).exists() else "board"
    return HttpResponseRedirect(reverse(after, args=[number] if after == "case" else []))


def _overtaken(
    request: HttpRequest, case: Case, action: str, row: Transition | None, version: int, why: Conflict
) -> HttpResponse:
    changes = _since(case, version) if 0 < version < case.version else []
    if row is not None:
        form = ActionForm(row, case, request.POST)
        form.renew(case)
        return _step_form(request, case, row, form, status=409, changes=changes, why=why.detail)
    typed = [
        (FIELDS[name].label, text)
        for name, text in request.POST.dict().items()
        if name in FIELDS and FIELDS[name].kind in ("text", "line") and str(text).strip()
    ]
    context = {
        "case": case,
        "name": EVENT_NAMES.get(action, action),
        "why": why.detail,
        "changes": changes,
        "typed": typed,
    }
    return render(request, "command/overtaken.html", context, status=409)


def _step_form(
    request: HttpRequest,
    case: Case,
    row: Transition,
    form: ActionForm,
    status: int = 200,
    changes: Sequence[history.Entry] = (),
    why: Any = "",
) -> HttpResponse:
    asks_unit = any(FIELDS[n].kind in ("unit", "units") for n in (*row.needs, *row.takes))
    decision = catalogue.decide(case.matter, case.place) if row.effect == "dispatch" else None
    context = {
        "case": case,
        "state": kinds.KINDS[case.kind].state_name(case.state),
        "row": row,
        "form": form,
        "units": unit_names(case) if asks_unit else [],
        "decision": decision,
        "why_none": catalogue.why_none(case.matter, case.place)
        if row.effect == "dispatch" and decision is None
        else "",
        "is_dispatch": row.action == "dispatch",
        "changes": changes,
        "why": why,
        "supervision": Supervision(case.supervision).label if case.supervision else "",
    }
    return render(request, "command/step.html", context, status=status)


@login_required
@require_POST
def reveal(request: HttpRequest, number: str) -> HttpResponse:
    """Show the requester's contact once, for a reason that stays in the ledger."""
    case = _case(request, number)
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
        return _show(request, case, reveal_error=e.detail)
    return _show(request, _case(request, number), revealed=shown)


@login_required
@require_POST
def split(request: HttpRequest, number: str) -> HttpResponse:
    """Take one matter out of a message that holds several."""
    _case(request, number)
    try:
        made = engine.split(
            number,
            [{"title": request.POST.get("title", ""), "content": request.POST.get("content", "")}],
            actor=cast(Person, request.user),
            scope=scope(request),
            version=numbers.whole(request.POST.get("version")),
            now=timezone.now(),
        )
    except Refused as e:
        messages.error(request, str(e.detail))
        return HttpResponseRedirect(reverse("case", args=[number]))
    messages.success(
        request, _("Order %(number)s has been taken out of this one.") % {"number": made[0].number}
    )
    return HttpResponseRedirect(reverse("case", args=[number]))


@login_required
@require_safe
def attachment(request: HttpRequest, number: str, sha256: str) -> FileResponse:
    """One photograph of a case that the reader may see."""
    case = _case(request, number)
    found = case.attachments.filter(sha256=sha256).first()
    if found is None:
        raise NotFound(_("There is no such photograph."))
    response = FileResponse(attachments.open_file(found), content_type=found.media_type)
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = "default-src 'none'"
    return response
