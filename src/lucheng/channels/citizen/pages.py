"""The resident's pages: report in a few steps, then follow by the code. No account, and whole without script."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, register_converter, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.citizen import drafts, keepsake, mine, opening, own, story
from lucheng.channels.citizen.drafts import Draft
from lucheng.channels.citizen.forms import (
    ACTIONS,
    HERE,
    UNKNOWN,
    AroundForm,
    DigitsForm,
    PlaceForm,
    PointForm,
    SafeText,
    StartForm,
    TrackForm,
    YouForm,
    add_errors,
    token,
)
from lucheng.core.cases import attachments, codes, engine, following, intake, public, reports
from lucheng.core.cases.models import Case, Channel, Nature
from lucheng.core.errors import Invalid, NotFound, Refused
from lucheng.core.ledger.append import REQUESTER
from lucheng.core.limits.counting import Limited
from lucheng.core.places import locate, names
from lucheng.core.places.models import LEVELS, Kind
from lucheng.core.privacy import destruction, looks, notices
from lucheng.core.triage import lookalikes, urgent
from lucheng.postgresql.context import everything
from lucheng.projects.command_centre.cases import ORDER
from lucheng.web import addresses, masking, numbers, words
from lucheng.web.addresses import client_address
from lucheng.web.refusals import token_lost, told_when
from lucheng.web.uploads import too_large

#: What a resident may want, the most usual first.
NATURES = (Nature.HELP, Nature.INQUIRY, Nature.COMPLAINT, Nature.REPORT, Nature.SUGGESTION, Nature.PRAISE)

AGAIN = gettext_lazy(
    "Your browser has forgotten this visit: it was open for too long, or cookies were cleared. What you wrote is still "
    "here; press the button once more."
)
AGAIN_PHOTO = gettext_lazy("Please choose the photograph again as well.")

View = Callable[..., HttpResponse]


class HexConverter:
    """The number of a draft: 32 hexadecimal digits."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(HexConverter, "hex")


def gives_back(view: View) -> View:
    """A page that hands back what was typed where its form came without its token; :func:`_lost` holds it back."""
    view.gives_back = True  # type: ignore[attr-defined]
    return view


def _lost(request: HttpRequest, form: forms.Form) -> bool:
    """Whether the form's token is gone; then the form says so, and nothing may be done with it."""
    if not token_lost(request):
        return False
    form.full_clean()
    form.add_error(None, AGAIN)
    if request.FILES:
        form.add_error(None, AGAIN_PHOTO)
    return True


# --- reporting ------------------------------------------------------------------------------------------------------


@gives_back
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """The front page: one box. Sending it opens a draft and goes on to the place; ``?draft=`` comes back to one."""
    draft_id = request.POST.get("draft", "") or request.GET.get("draft", "")
    if len(draft_id) != 32 or not set(draft_id) <= set("0123456789abcdef"):
        draft_id = drafts.new_id()
    if drafts.sent(request.session, draft_id):
        return _already_sent(request, draft_id)
    begun = drafts.load(request.session, draft_id)
    draft = begun or Draft(text="")
    if request.method != "POST":
        draft_id = draft_id if begun else drafts.new_id()
        form = StartForm(initial={"text": draft.text})
        context = {"form": form, "draft": draft_id, "photo_kept": bool(draft.photo)}
        return render(request, "citizen/home.html", context)
    form = StartForm(request.POST, request.FILES)
    lost = _lost(request, form)
    if not lost:
        draft.photo = _photo(request, form) or draft.photo
    if lost or not form.is_valid():
        kept = bool(draft.photo)
        if kept and not lost:  # the photograph is good: it waits while the words are corrected
            drafts.save(request.session, draft_id, draft)
        context = {"form": form, "draft": draft_id, "photo_kept": kept}
        return render(request, "citizen/home.html", context, status=422)
    if typed := masking.undecided(request.POST, ["text"]):
        drafts.save(request.session, draft_id, draft)
        context = {"form": form, "draft": draft_id, "photo_kept": bool(draft.photo), "typed": typed}
        return render(request, "citizen/home.html", context, status=422)
    draft.text = masking.decided(request.POST, form.cleaned_data["text"])
    drafts.save(request.session, draft_id, draft)
    return redirect("report-place", draft_id)


def _photo(request: HttpRequest, form: forms.Form) -> str:
    """Take in the photograph of a form, whatever else in it needs correcting; the name under which it waits, or ""."""
    form.full_clean()
    if "photo" in too_large(request):
        limit = settings.ATTACHMENT_MAX_BYTES // 1024**2
        form.add_error(
            "photo", _("This file is larger than %(limit)s MB: choose a smaller one.") % {"limit": limit}
        )
    upload = form.cleaned_data.get("photo")
    if not upload:
        return ""
    try:
        return attachments.receive(upload)
    except Invalid as refusal:
        add_errors(form, refusal, at="photo")
        return ""


@require_POST
def look_for_urgent(request: HttpRequest) -> HttpResponse:
    """The emergency numbers, while somebody types words that call for them. Nothing is kept."""
    return render(
        request, "citizen/urgent.html", {"urgent": urgent.words_in(request.POST.get("text", "")[:2000])}
    )


def _already_sent(request: HttpRequest, draft_id: str) -> HttpResponse:
    return redirect(f"{reverse('tracking', args=[drafts.sent(request.session, draft_id)])}?again=1")


def with_draft(view: Callable[[HttpRequest, str, Draft], HttpResponse]) -> View:
    """A step of the report: with its draft, or on to the case where it has been sent, or back to the start."""

    @wraps(view)
    def step(request: HttpRequest, draft_id: str) -> HttpResponse:
        if drafts.sent(request.session, draft_id):
            return _already_sent(request, draft_id)
        draft = drafts.load(request.session, draft_id)
        if draft is None and request.method == "POST":
            # The session has ended; the form has brought along what the steps before it said.
            draft = drafts.opened(request.POST.get("carried", ""), draft_id)
        if draft is None or not draft.text:
            return render(request, "citizen/gone.html", status=410)
        return view(request, draft_id, draft)

    return gives_back(never_cache(require_http_methods(["GET", "HEAD", "POST"])(step)))


def _candidates(draft: Draft) -> list[locate.Candidate]:
    # Words typed for the place say more than the story, and stand first; what was chosen from the list before both.
    found = locate.locate_text(f"{draft.address} {draft.text}"[:2000], limit=5)
    if not draft.browse or not names.exists(draft.browse):
        return found
    chosen = locate.Candidate(draft.browse, names.place_name(draft.browse), 0.0, None, None, ())
    return [chosen, *(c for c in found if token(c) != token(chosen))]


def _step(draft_id: str, draft: Draft, **more: Any) -> dict[str, Any]:
    return {
        "draft": draft_id,
        "text": draft.text,
        "urgent": urgent.words_in(draft.text),
        "carried": drafts.sealed(draft_id, draft),
        **more,
    }


def _listed(code: str) -> dict[str, Any]:
    """The list of places at ``code``, for who has no map: what lies under it, and the way up."""
    while len(top := names.children(code)) == 1 and len(code) < LEVELS["city"]:
        code = top[0].code
    under = [p for p in names.children(code) if p.kind != Kind.PLACEHOLDER] if code else top
    above = [names.get(code[:n]) for n in (LEVELS["county"], LEVELS["township"]) if n <= len(code)]
    return {
        "above": [p for p in above if p is not None],
        # Nobody knows the number of their grid.
        "under": [p for p in under if len(p.code) <= LEVELS["community"]],
    }


@with_draft
def place(request: HttpRequest, draft_id: str, draft: Draft) -> HttpResponse:
    """Where it is. "Search" looks the typed words up and comes back; "next" goes on."""
    if request.method == "POST" and "in" in request.POST and not token_lost(request):
        chosen = request.POST["in"]
        if not chosen or (len(chosen) <= LEVELS["community"] and names.exists(chosen)):
            draft.browse, draft.where = chosen, f"{chosen}//" if chosen else ""
            draft.address = request.POST.get("address", "")[:200] or draft.address
            drafts.save(request.session, draft_id, draft)
        return redirect(f"{reverse('report-place', args=[draft_id])}?list=1#list")
    if request.method == "POST" and "search" in request.POST and not token_lost(request):
        form = PlaceForm(request.POST, candidates=[])
        form.full_clean()
        if "address" not in form.errors:
            draft.address, draft.where = form.cleaned_data.get("address", ""), ""
            drafts.save(request.session, draft_id, draft)
            return redirect("report-place", draft_id)
        form = PlaceForm(request.POST, candidates=_candidates(draft))
    elif request.method == "POST":
        form = PlaceForm(request.POST, candidates=_candidates(draft))
        if not _lost(request, form) and form.is_valid():
            entered = form.cleaned_data
            draft.where, draft.place, draft.address = entered["where"], entered["place"], entered["address"]
            draft.lon, draft.lat = entered["lon"], entered["lat"]
            draft.nearby, draft.same = [], None
            drafts.save(request.session, draft_id, draft)
            return redirect("report-nearby", draft_id)
    else:
        candidates = _candidates(draft)
        first = next(iter(PlaceForm(candidates=candidates).candidates), UNKNOWN)
        sure = bool(candidates) and candidates[0].score >= intake.SURE_OF_PLACE
        form = PlaceForm(
            candidates=candidates,
            initial={
                "address": draft.address,
                "where": draft.where or (first if sure else None),
                "lon": draft.lon if draft.where == HERE else None,
                "lat": draft.lat if draft.where == HERE else None,
            },
        )
    context = _step(
        draft_id,
        draft,
        form=form,
        here=HERE,
        listed=_listed(draft.browse),
        list_open="list" in request.GET or bool(draft.browse),
    )
    return render(request, "citizen/place.html", context, status=422 if form.is_bound else 200)


@with_draft
def nearby(request: HttpRequest, draft_id: str, draft: Draft) -> HttpResponse:
    """What others reported nearby, without their words. "Mine too" is told to the desk, which joins the two."""
    if request.method == "POST" and not token_lost(request):
        chosen = request.POST.get("same", "")
        known = chosen.isdecimal() and len(chosen) < 3 and int(chosen) < len(draft.nearby)
        draft.same = draft.nearby[int(chosen)] if known else None
        drafts.save(request.session, draft_id, draft)
        return redirect("report-you", draft_id)
    found = []
    if draft.place:
        found = lookalikes.find_public(draft.text, draft.place, draft.lon, draft.lat, now=timezone.now())
    draft.nearby = [f.id for f in found]
    drafts.save(request.session, draft_id, draft)
    if not found:
        return redirect("report-you", draft_id)
    answered = [f.id for f in found if f.state in public.ANSWERED]
    context = _step(
        draft_id, draft, found=found, answered=answered, lost=AGAIN if token_lost(request) else ""
    )
    return render(request, "citizen/nearby.html", context)


@with_draft
def you(request: HttpRequest, draft_id: str, draft: Draft) -> HttpResponse:
    """Who asks, as far as they wish to say; then send."""
    natures = [(n.value, n.label) for n in NATURES]
    form = YouForm(request.POST or None, natures=natures, initial={"nature": Nature.HELP.value})
    limited: Limited | None = None
    if request.method == "POST" and not _lost(request, form) and form.is_valid():
        try:
            entered = {**form.cleaned_data, "notice": _shown(request)}
            code = _send(draft_id, draft, entered, client_address(request))
        except NotFound:
            # The case is made and sending again finds it; only the photograph had waited for too long.
            draft.photo = ""
            drafts.save(request.session, draft_id, draft)
            form.add_error(
                None, _("Your photograph is no longer here. Send once more without it; you can add it later.")
            )
        except Limited as refusal:
            limited = refusal
            form.add_error(None, str(refusal.detail))
        except Refused as refusal:
            add_errors(form, refusal)
        else:
            drafts.sent(request.session, draft_id, code)
            return redirect(f"{reverse('tracking', args=[code])}?new=1")
    where = names.place_name(draft.place) if draft.place else draft.address
    context = _step(draft_id, draft, form=form, where=where, notice=notices.current())
    answer = render(request, "citizen/you.html", context, status=422 if form.is_bound else 200)
    return told_when(answer, limited) if limited is not None else answer


def _shown(request: HttpRequest) -> int | None:
    """The edition of the notice that stood beside the form when it was sent."""
    number = numbers.whole(request.POST.get("notice"))
    return number if notices.exists(number) else None


def _send(draft_id: str, draft: Draft, entered: dict[str, Any], line: str) -> str:
    anonymous = entered["anonymous"]
    now = timezone.now()
    with everything("the number of a look-alike that was shown before"):
        same = (
            Case.objects.filter(pk=draft.same).values_list("number", flat=True).first()
            if draft.same
            else None
        )
    made = reports.make(
        intake.NewCase(
            kind=ORDER.code,
            nature=entered["nature"],
            content=draft.text,
            channel=Channel.WEB.value,
            place=draft.place,
            address=draft.address,
            lon=draft.lon,
            lat=draft.lat,
            name="" if anonymous else entered["name"],
            phone="" if anonymous else entered["phone"],
            contact_address="" if anonymous else entered["contact_address"],
            anonymous=anonymous,
            confidential=entered["confidential"],
            reply_wanted=not entered["no_reply"],
            language=words.language(),
            fields={"same_as": same} if same else {},
            notice=entered["notice"],
        ),
        address=line,
        now=now,
        idempotency_key=f"web:{draft_id}",
    )
    if draft.photo:
        attachments.attach(made.id, draft.photo, person=None, role=REQUESTER, now=now)
    return made.code


# --- following ------------------------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def track(request: HttpRequest) -> HttpResponse:
    """Look a case up by its code, and open it where the digits of its number come along. A typing error is told apart
    from a code that nobody was given; wrong digits are not."""
    form = TrackForm(request.POST or None)
    limited: Limited | None = None
    if request.method == "POST" and form.is_valid():
        code, digits = codes.read(form.cleaned_data["code"]), form.cleaned_data["digits"]
        if code is None:
            form.add_error("code", opening.TYPING_ERROR)
        else:
            line, now = client_address(request), timezone.now()
            try:
                if digits:
                    following.opened(code, digits, line, now)
                    opening.keep(request.session, code, now)
                else:
                    following.by_code(code, line, now)
            except (Limited, NotFound) as refusal:
                limited = refusal if isinstance(refusal, Limited) else None
                form.add_error("digits" if digits else "code", str(refusal.detail))
            else:
                return redirect("tracking", codes.written(code))
    answer = render(request, "citizen/track.html", {"form": form}, status=422 if form.is_bound else 200)
    return told_when(answer, limited) if limited is not None else answer


def _address(case: Case) -> str:
    return addresses.absolute(reverse("tracking", args=[codes.written(case.code)]))


def _show(
    request: HttpRequest,
    case: Case,
    bound: dict[str, Any] | None = None,
    digits: DigitsForm | None = None,
    typed: list[masking.Typed] | None = None,
) -> HttpResponse:
    """The page of a case; without its digits, how far it has come. ``bound`` are the forms that came back, ``digits``
    what they ask for besides, and ``typed`` the numbers in them."""
    bound = bound or {}
    is_open = opening.shows_all(request, case)
    # What was typed is given back also where the digits are asked for once more.
    offered = {row.action for row in engine.requester_actions(case)} if is_open else set(bound)
    actions = [
        {
            "name": name,
            "title": title,
            "button": button,
            "form": bound.get(name) or form(auto_id=f"{name}_%s"),
        }
        for name, (title, button, form) in ACTIONS.items()
        if name in offered
    ]
    address = _address(case)
    context: dict[str, Any] = {
        "code": codes.written(case.code),
        "numbered": following.needs_digits(case),
        "actions": actions,
        "digits": digits,
        "typed": typed,
        "key": request.POST.get("key", "")[:64] or uuid.uuid4().hex,
        "qr": keepsake.drawing(address),
        "address": address,
        # Said to whoever has the code: once the number is destroyed, nobody can open the rest any more.
        "destroyed": [destruction.sentence(s) for s in destruction.told(case)],
    }
    if is_open:
        context |= {
            "case": case,
            "story": story.tell(case),
            "reply": following.told(case, case.public_reply),
            "words": following.own_words(case.content),
            "photographs": case.attachments.count(),
            "looks": looks.for_the_requester(case.number),
            "same": bool(case.fields.get("same_as")),
            "new": "new" in request.GET,
            "again": "again" in request.GET,
            "done": "done" in request.GET,
        }
        template = "citizen/case.html"
    else:
        context |= {"stage": story.stage(case), "form": DigitsForm()}
        template = "citizen/stage.html"
    response = render(request, template, context, status=422 if bound else 200)
    response["X-Robots-Tag"] = "noindex"
    return response


@never_cache
@require_safe
def case(request: HttpRequest, code: str) -> HttpResponse:
    """One case as its requester sees it."""
    found = opening.found(request, code)
    return found if isinstance(found, HttpResponse) else _show(request, found)


@never_cache
@require_safe
def picture(request: HttpRequest, code: str) -> HttpResponse:
    """The code as a picture to keep: the code and the address of its page, to read and to scan."""
    found = opening.found(request, code)
    if isinstance(found, HttpResponse):
        return found
    written = codes.written(found.code)
    response = HttpResponse(keepsake.picture(written, _address(found)), content_type="image/png")
    response["Content-Disposition"] = f'attachment; filename="{written}.png"'
    response["X-Robots-Tag"] = "noindex"
    return response


@gives_back
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, code: str, action: str) -> HttpResponse:
    """What the requester may do: add, withdraw, rate, object. The same form sent twice is carried out once."""
    found = opening.found(request, code)
    if isinstance(found, HttpResponse) or request.method != "POST":
        return redirect("tracking", code)
    if action not in ACTIONS:
        raise NotFound(_("There is no such step."))
    form = ACTIONS[action][2](request.POST, request.FILES, auto_id=f"{action}_%s")
    lost = _lost(request, form)
    digits = None
    if not opening.shows_all(request, found):
        digits = DigitsForm(None if lost else request.POST, auto_id=f"{action}_%s")
    limited: Limited | None = None
    if digits is not None and digits.is_valid():
        line, now = client_address(request), timezone.now()
        try:
            following.opened(found.code, digits.cleaned_data["digits"], line, now)
        except (Limited, NotFound) as refusal:
            limited = refusal if isinstance(refusal, Limited) else None
            digits.add_error("digits", str(refusal.detail))
        else:
            opening.keep(request.session, found.code, now)
            digits = None
    if digits is not None and not lost:
        form.full_clean()
        if request.FILES:
            form.add_error(None, AGAIN_PHOTO)
    photo = "" if lost or digits is not None else _photo(request, form)
    words = [name for name, field in form.fields.items() if isinstance(field, SafeText)]
    typed = masking.undecided(request.POST, words) if not lost and form.is_valid() else []
    if typed and photo:
        form.add_error(None, AGAIN_PHOTO)
    if not lost and digits is None and not typed and form.is_valid():
        key, now = request.POST.get("key", "")[:64], timezone.now()
        entered = {
            name: masking.decided(request.POST, value) if name in words else value
            for name, value in form.cleaned_data.items()
            if name != "photo"
        }
        try:
            engine.act_as_requester(found.code, action, entered, now=now, key=key or None)
            if photo:
                attachments.attach(found.pk, photo, person=None, role=REQUESTER, now=now)
        except Invalid as refusal:
            add_errors(form, refusal)
        else:
            return redirect(f"{reverse('tracking', args=[code])}?done=1")
    answer = _show(request, found, {action: form}, digits, typed)
    return told_when(answer, limited) if limited is not None else answer


# --- what is done with what people say ---------------------------------------------------------------------------


@require_safe
def notice(request: HttpRequest, edition: int | None = None) -> HttpResponse:
    """The privacy notice that holds, or an earlier edition by its number."""
    found = notices.edition(edition)
    context = {
        "edition": found,
        "blocks": notices.blocks(found),
        "newest": notices.current() == found.number,
        "earlier": range(1, found.number),
    }
    return render(request, "citizen/notice.html", context)


# --- the neighbourhood ----------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def around(request: HttpRequest) -> HttpResponse:
    """Choose the neighbourhood whose matters to see: from words, from the list, or where the telephone stands."""
    if request.method == "POST":
        point = PointForm(request.POST)
        place = (
            locate.locate_point(point.cleaned_data["lon"], point.cleaned_data["lat"])
            if point.is_valid()
            else ""
        )
        if place and len(place) >= LEVELS["township"]:
            return redirect("around-place", place[: LEVELS["community"]])
        context = {"form": AroundForm(), "outside": True, "listed": _listed("")}
        return render(request, "citizen/around.html", context, status=422)
    asked = "q" in request.GET
    form = AroundForm(request.GET if asked else None)
    found: dict[str, str] = {}
    if asked and form.is_valid():
        for candidate in locate.locate_text(form.cleaned_data["q"], limit=5):
            code = candidate.place[: LEVELS["community"]]
            if len(code) in public.PLACES:
                found[code] = names.place_name(code)
    at = request.GET.get("in", "")
    context = {
        "form": form,
        "asked": asked and form.is_valid(),
        "found": found.items(),
        "listed": _listed(at if names.exists(at) and len(at) < LEVELS["township"] else ""),
    }
    return render(request, "citizen/around.html", context)


@require_safe
def around_place(request: HttpRequest, place: str) -> HttpResponse:
    """The matters of a township or community, in numbers alone."""
    if not names.exists(place) or len(place) > LEVELS["community"]:
        raise NotFound(_("There is no such place."))
    if len(place) not in public.PLACES:
        return redirect(f"{reverse('around')}?in={place}")
    days = public.PERIODS[-1] if request.GET.get("days") == str(public.PERIODS[-1]) else public.PERIODS[0]
    context = {
        "place": place,
        "name": names.place_name(place),
        "days": days,
        "periods": public.PERIODS,
        "matters": public.neighbourhood(place, days, timezone.now()),
        "township": place[: LEVELS["township"]] if len(place) > LEVELS["township"] else "",
        "listed": _listed(place),
    }
    return render(request, "citizen/around_place.html", context)


urlpatterns = [
    path("", home, name="home"),
    path("report/urgent/", look_for_urgent, name="urgent"),
    path("report/<hex:draft_id>/place/", place, name="report-place"),
    path("report/<hex:draft_id>/nearby/", nearby, name="report-nearby"),
    path("report/<hex:draft_id>/you/", you, name="report-you"),
    path("notice/", notice, name="notice"),
    path("notice/<int:edition>/", notice, name="notice-edition"),
    path("around/", around, name="around"),
    path("around/<str:place>/", around_place, name="around-place"),
    path("t/", track, name="track"),
    path("t/<str:code>/", case, name="tracking"),
    path("t/<str:code>/code.png", picture, name="tracking-picture"),
    *own.urlpatterns,
    path("t/<str:code>/<slug:action>/", act, name="tracking-act"),
    *mine.urlpatterns,
]
