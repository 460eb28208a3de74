"""The operator's desk: one screen on which an order is written during the call, with all that helps beside it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
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
from django.views.decorators.http import require_http_methods, require_POST

from lucheng.channels.hotline import callbacks
from lucheng.channels.hotline.forms import ORDER, OrderForm, entered_in, unsent
from lucheng.core.cases import codes, engine, intake, kinds, queries
from lucheng.core.cases.law import AWAITS_REPLY
from lucheng.core.cases.models import Case
from lucheng.core.dispatch import catalogue
from lucheng.core.errors import Forbidden, Invalid, Refused
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import locate, names
from lucheng.core.privacy import contacts, notices, personal
from lucheng.core.triage import classify, lookalikes, urgent
from lucheng.postgresql.context import everything
from lucheng.projects.command_centre import drafts, search
from lucheng.web import masking, numbers
from lucheng.web.nav import Entry

NAV = [
    Entry(gettext_lazy("New order"), "desk", "case.accept", order=20, home="case.accept", first=20),
    *callbacks.NAV,
]

#: The numbers to which a call is handed over at once.
EMERGENCY = ("110", "119", "120", "122")
_KINDS_OF_WORD = {
    locate.WordKind.DIVISION: gettext_lazy("division"),
    locate.WordKind.ESTATE: gettext_lazy("estate"),
    locate.WordKind.ROAD: gettext_lazy("road"),
    locate.WordKind.BUILDING: gettext_lazy("building"),
}


@dataclass(frozen=True)
class PlaceChoice:
    """A place that can be chosen: its words led to it."""

    code: str
    name: str
    percent: int | None
    words: list[tuple[str, Any]]


@dataclass(frozen=True)
class Alike:
    """A look-alike, and whether the new order can be joined to it."""

    found: lookalikes.LookAlike
    state: Any
    joins: bool


@dataclass(frozen=True)
class Advice:
    """What the screen proposes while the operator types. The operator decides."""

    urgent: tuple[urgent.Urgent, ...]
    numbers: list[str]
    places: list[PlaceChoice]
    place: str
    root: str
    matter: classify.MatterProposal | None
    taken_matter: str
    others: list[tuple[str, float]]
    decision: catalogue.Decision | None
    why_none: Any
    by_hand: bool
    alike: list[Alike]
    articles: list[search.Found]


def _chosen_place(entered: Mapping[str, str]) -> str:
    """The place that the operator has chosen; empty where what is marked is only what was proposed before."""
    place = entered.get("place", "")
    followed = not entered.get("taken") and place == entered.get("proposed_place", "")
    return place if place and not followed and names.exists(place) else ""


def advise(entered: Mapping[str, str], reader: Scope) -> Advice:
    """Proposals for what has been written so far. One query, that for look-alikes."""
    content = entered.get("content", "")[:5000]
    address = entered.get("address", "")[:200]
    now = timezone.now()
    words, root = f"{address} {content}".strip(), names.root()
    candidates = locate.locate_text(words, limit=3) if words else []
    sure = candidates[0] if candidates and candidates[0].score >= intake.SURE_OF_PLACE else None
    place = _chosen_place(entered) or (sure.place if sure else "")
    places = [
        PlaceChoice(
            c.place, c.name, round(c.score * 100), [(w.text, _KINDS_OF_WORD[w.kind]) for w in c.words]
        )
        for c in candidates
    ]
    if place and place != root and place not in {c.code for c in places}:
        places.append(PlaceChoice(place, names.place_name(place), None, []))
    proposal = classify.propose_matter(content) if content.strip() else None
    taken = entered.get("matter", "")
    matter = taken or (proposal.matter if proposal else "")
    where = place or root
    decision = catalogue.decide(matter, where) if matter and where else None
    point = next((c for c in candidates if c.place == place), None)
    found: list[lookalikes.LookAlike] = []
    articles: list[search.Found] = []
    if content.strip():
        found = lookalikes.find(
            content,
            where,
            point.lon if point else None,
            point.lat if point else None,
            scope_q=reader.q("case.view"),
            now=now,
            matter=matter,
            limit=3,
        )
        articles = search.find(content, day=timezone.localdate(now), matter=matter, place=place)
    said = urgent.words_in(content)
    return Advice(
        urgent=said,
        numbers=list(dict.fromkeys(u.number for u in said)),
        places=places,
        place=place,
        root=root,
        matter=proposal,
        taken_matter=taken,
        others=[(code, p) for code, p in proposal.alternatives if code != taken] if proposal else [],
        decision=decision,
        why_none=catalogue.why_none(matter, where) if matter and decision is None else "",
        by_hand=bool(entered.get("accused_unit", "").strip()),
        alike=[Alike(a, kinds.KINDS[ORDER].state_name(a.state), a.state in AWAITS_REPLY) for a in found],
        articles=articles,
    )


def _operator(request: HttpRequest) -> Scope:
    reader = scope(request)
    if not reader.can("case.accept") or not reader.can("case.create"):
        raise Forbidden(_("Your posts do not include writing orders at the desk."))
    return reader


def _person(request: HttpRequest) -> Person:
    return cast(Person, request.user)


def _case_key(person: Person, key: str) -> str:
    return f"{person.pk}:desk:{key[: drafts.KEY_LENGTH]}"


def _new(entered: Mapping[str, str], dispatch: bool) -> intake.NewCase:
    # Who presses "dispatch" with the proposal in view has decided for it.
    matter = entered.get("matter", "") or (entered.get("proposed_matter", "") if dispatch else "")
    place = entered.get("place", "")
    if place == names.root() and not _chosen_place(entered):
        place = ""  # nobody chose the whole city: what has been written since may say more
    accused = entered.get("accused_unit", "")
    told = numbers.whole(entered.get("notice"))
    return intake.NewCase(
        kind=ORDER,
        nature=entered.get("nature", ""),
        content=entered.get("content", ""),
        channel=entered.get("channel", ""),
        matter=matter,
        place=place,
        address=entered.get("address", ""),
        accused_unit=engine.unit_named("accused_unit", accused).pk if accused.strip() else None,
        name=entered.get("name", ""),
        phone=entered.get("phone", ""),
        contact_address=entered.get("contact_address", ""),
        anonymous="anonymous" in entered,
        confidential="confidential" in entered,
        reply_wanted="reply_wanted" in entered,
        dispatch=dispatch,
        notice=told if notices.exists(told) else None,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def desk(request: HttpRequest) -> HttpResponse:
    """One screen: register, answer at once, dispatch, hand over, or join a look-alike."""
    reader, person = _operator(request), _person(request)
    if request.method != "POST":
        return _opened(request, reader, person)
    entered = entered_in(request.POST)
    action, _sep, target = request.POST.get("do", "register").partition(":")
    if action in ("propose", "take", "article"):
        return _desk(request, unsent(_with(entered, action, target)), reader)
    form = OrderForm(request.POST)
    if action != "transfer":  # a call for help waits for nothing
        typed = masking.undecided(request.POST, ["content"])
        typed += masking.undecided(request.POST, ["answer"], personal.OF_A_PERSON)
        if typed:
            return _desk(request, form, reader, status=422, typed=typed)
        entered["content"] = masking.decided(request.POST, entered.get("content", ""))
        entered["answer"] = masking.decided(request.POST, entered.get("answer", ""), personal.OF_A_PERSON)
    try:
        number = _write(entered, person, reader, action, target)
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
    return HttpResponseRedirect(f"{reverse('desk')}?done={number}")


def _with(entered: dict[str, str], action: str, target: str) -> dict[str, str]:
    """What has been entered, with a proposal taken over: how the buttons work in a browser without script."""
    if action == "take":
        return {**entered, "matter": target}
    article = search.get(target, timezone.localdate()) if action == "article" else None
    return {**entered, "answer": article.answer} if article is not None else entered


@everything("the number of an order that the same person has just made")
def _made(person: Person, key: str) -> str | None:
    return (
        Case.objects.filter(idempotency_key=_case_key(person, key)).values_list("number", flat=True).first()
    )


def _opened(request: HttpRequest, reader: Scope, person: Person) -> HttpResponse:
    """The empty desk, with a call handed over by the telephone system, or a draft taken up again."""
    key, now = request.GET.get("draft", ""), timezone.now()
    if key:
        draft = drafts.load(person, key, now)
        if draft is not None:
            return _desk(request, unsent({**draft.fields, "key": key}), reader)
        made = _made(person, key)
        if made is not None:
            return HttpResponseRedirect(f"{reverse('desk')}?done={made}")
        messages.info(request, _("This draft is no longer there. Here is an empty order."))
    start = {"key": uuid.uuid4().hex, "reply_wanted": "on"}
    if phone := request.GET.get("phone", "")[:40].strip():
        start["phone"] = phone
    return _desk(request, unsent(start), reader, done=request.GET.get("done", ""))


@transaction.atomic
def _write(entered: Mapping[str, str], person: Person, reader: Scope, action: str, target: str) -> str:
    """Make the case and take its first step, both or neither, and let the draft go. Returns the case's number."""
    now = timezone.now()
    wanted = "case.dispatch" if action == "dispatch" else "case.accept"
    place = entered.get("place", "") or names.root()
    role = next(
        (g.role for g in reader.grants if wanted in g.capabilities and place.startswith(g.place)), None
    )
    if role is None:
        raise Forbidden(_("Your posts do not let you write orders for this place."))
    if action == "answer" and not entered.get("answer", "").strip():
        raise Invalid({"answer": _("Write down the answer that was given.")})
    made = intake.create(
        _new(entered, dispatch=action == "dispatch"),
        actor=person,
        role=role,
        now=now,
        idempotency_key=_case_key(person, entered.get("key", "")),
    )
    if not made.repeated and (fields := _first_step(entered, action, target, made.place)):
        engine.act(made.number, action, fields, actor=person, scope=reader, version=made.version, now=now)
    drafts.forget(person, entered.get("key", ""))
    return made.number


def _first_step(entered: Mapping[str, str], action: str, target: str, place: str) -> dict[str, Any]:
    """What the step after the create is told; empty where there is none."""
    if action == "answer":
        return {"answer": entered["answer"], "matter": entered.get("matter", ""), "place": place}
    if action == "merge":
        return {"main": target}
    if action == "transfer":
        said = "、".join(u.word for u in urgent.words_in(entered.get("content", "")))
        reason = entered.get("transfer_reason", "").strip()
        if not reason and said:
            reason = _("The caller says “%(words)s”: connected to %(number)s at once.") % {
                "words": said,
                "number": target,
            }
        if not reason:
            raise Invalid({"transfer_reason": _("Say why the call is handed over.")})
        return {"target": target, "reason": reason}
    return {}


def _done(number: str, reader: Scope, person: Person) -> dict[str, Any] | None:
    """What is read out to the caller of an order that this operator has just written."""
    case = (
        queries.visible(reader)
        .select_related("lead_unit", "main")
        .filter(number=number if number.isdecimal() else "", intake_by=person)
        .first()
    )
    if case is None:
        return None
    return {
        "case": case,
        "main": case.main if case.main is not None and reader.allows("case.view", case.main) else None,
        "code": codes.written(case.code),
        "state": kinds.KINDS[case.kind].state_name(case.state),
    }


def _unfinished(person: Person, but: str) -> list[dict[str, Any]]:
    """The operator's drafts but the one on the screen, each in a few words."""
    rows = []
    for draft in drafts.listed(person, timezone.now()):
        if draft.key == but:
            continue
        try:
            mask = contacts.mask_phone(draft.fields.get("phone", ""))
        except Invalid:
            mask = ""
        rows.append(
            {
                "key": draft.key,
                "at": draft.saved_at,
                "mask": mask,
                "words": draft.fields.get("content", "")[:40],
            }
        )
    return rows


def _desk(
    request: HttpRequest,
    form: OrderForm,
    reader: Scope,
    status: int = 200,
    done: str = "",
    typed: Sequence[masking.Typed] = (),
) -> HttpResponse:
    person = _person(request)
    entered = entered_in(
        form.data if form.is_bound else {k: v for k, v in form.initial.items() if v is not False}
    )
    if not form.is_bound:  # the first key finds its field before any script has come
        form.fields["content" if entered.get("phone") else "phone"].widget.attrs["autofocus"] = True
    context = {
        "form": form,
        "advice": advise(entered, reader),
        "done": _done(done, reader, person) if done else None,
        "drafts": _unfinished(person, entered.get("key", "")),
        "emergency": EMERGENCY,
        "typed": typed,
        "pressed": request.POST.get("do", "register"),
        "notice": notices.current(),
    }
    return render(request, "hotline/desk.html", context, status=status)


View = Callable[[HttpRequest], HttpResponse]


def _beside(view: View) -> View:
    """A request by script, beside a call: where the session has ended it gets 401, not a page to sign in on."""

    @require_POST
    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return HttpResponse(status=401)
        return view(request)

    return answered


@_beside
def propose(request: HttpRequest) -> HttpResponse:
    """What stands beside the text, as the operator types."""
    reader = _operator(request)
    return render(request, "hotline/advice.html", {"advice": advise(entered_in(request.POST), reader)})


@_beside
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the order that is being written. An order that has been made meanwhile needs no draft any more."""
    _operator(request)
    person, entered = _person(request), entered_in(request.POST)
    key = entered.get("key", "")
    if _made(person, key) is not None:
        return HttpResponse(status=409)
    drafts.save(person, key, entered, timezone.now())
    return HttpResponse(status=204)


@login_required
@require_POST
def discard(request: HttpRequest) -> HttpResponse:
    """Throw a draft away."""
    _operator(request)
    drafts.forget(_person(request), request.POST.get("key", ""))
    return HttpResponseRedirect(reverse("desk"))


urlpatterns = [
    path("desk/", desk, name="desk"),
    path("desk/propose/", propose, name="desk-propose"),
    *callbacks.urlpatterns,
    path("desk/draft/", keep, name="desk-draft"),
    path("desk/discard/", discard, name="desk-discard"),
]
