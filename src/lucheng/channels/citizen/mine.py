"""“My cases”: the cases made with a number, for whoever has shown by a one-time code that they hold it.

The list lives in that browser's session alone and ends with it. It is no history that anybody else could look at.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.citizen import drafts, story
from lucheng.channels.citizen.forms import NumberForm, OneTimeForm, add_errors
from lucheng.core.cases import codes, following
from lucheng.core.cases.models import Case
from lucheng.core.errors import Invalid
from lucheng.core.ledger import outbox
from lucheng.core.limits.counting import Limited
from lucheng.core.privacy import contacts, one_time
from lucheng.core.privacy.sealing import SealError, seal, unseal
from lucheng.postgresql.context import everything
from lucheng.web import numbers
from lucheng.web.addresses import client_address
from lucheng.web.refusals import told_when

HOLDS = dt.timedelta(minutes=30)
PAGE = 20
_ASKED = "one-time number"


def _asked(session: SessionBase) -> str:
    """The number for which this browser has asked for a code; "" where it has not, or has forgotten."""
    try:
        return unseal(base64.b64decode(session.get("asked", "")), _ASKED)
    except (SealError, ValueError):
        return ""


def _held(session: SessionBase, now: dt.datetime) -> list[bytes]:
    """The blind indexes of the number that this browser has shown to hold."""
    held = session.get("mine")
    if held is None or now >= dt.datetime.fromisoformat(held["until"]):
        return []
    return [bytes.fromhex(index) for index in held["indexes"]]


def of_number(session: SessionBase, now: dt.datetime) -> QuerySet[Case]:
    """The cases of the number that this browser has shown to hold; none where it holds none."""
    held = _held(session, now)
    return one_time.cases_of(held, now) if held else Case.objects.none()


def is_mine(session: SessionBase, case: Case, now: dt.datetime) -> bool:
    """Whether the case, which comes with its ``contact``, was made with the number that this browser holds."""
    contact = getattr(case, "contact", None)
    return (
        contact is not None
        and contact.phone_index is not None
        and bytes(contact.phone_index) in _held(session, now)
    )


def _answer(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    answer = render(request, template, context, status=status)
    answer["X-Robots-Tag"] = "noindex"
    return answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def number(request: HttpRequest) -> HttpResponse:
    """Ask for a one-time code. The answer is the same whether the number has cases or not."""
    now = timezone.now()
    if request.method != "POST" and _held(request.session, now):
        return redirect("mine-cases")
    reaches = outbox.reaches_requesters()
    form = NumberForm(request.POST if request.method == "POST" and reaches else None)
    limited: Limited | None = None
    if form.is_valid():
        try:
            asked = one_time.ask(form.cleaned_data["phone"], client_address(request), now)
        except Limited as refusal:
            limited = refusal
            form.add_error("phone", str(refusal.detail))
        except Invalid as refusal:
            add_errors(form, refusal)
        else:
            request.session["asked"] = base64.b64encode(seal(asked, _ASKED)).decode()
            drafts.end_by_tomorrow(request.session)
            return redirect("mine-code")
    context = {"form": form, "reaches": reaches}
    answer = _answer(request, "citizen/mine.html", context, 422 if form.is_bound else 200)
    return told_when(answer, limited) if limited is not None else answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Type the one-time code."""
    asked, now = _asked(request.session), timezone.now()
    if not asked:
        return redirect("mine")
    form = OneTimeForm(request.POST or None)
    limited: Limited | None = None
    if request.method == "POST" and form.is_valid():
        try:
            one_time.redeem(asked, form.cleaned_data["code"], client_address(request), now)
        except Limited as refusal:
            limited = refusal
            form.add_error("code", str(refusal.detail))
        except Invalid as refusal:
            add_errors(form, refusal)
        else:
            request.session.cycle_key()
            del request.session["asked"]
            request.session["mine"] = {
                "indexes": [index.hex() for index in contacts.phone_indexes(asked)],
                "mask": contacts.mask_phone(asked),
                "until": (now + HOLDS).isoformat(),
            }
            return redirect("mine-cases")
    context = {"form": form, "mask": contacts.mask_phone(asked)}
    answer = _answer(request, "citizen/mine_code.html", context, 422 if form.is_bound else 200)
    return told_when(answer, limited) if limited is not None else answer


@never_cache
@require_safe
@everything("the cases of a number that whoever asks has shown to hold")
def cases(request: HttpRequest) -> HttpResponse:
    """The cases of the number, the newest first."""
    now = timezone.now()
    held = _held(request.session, now)
    if not held:
        request.session.pop("mine", None)
        return redirect("mine")
    listed = numbers.paged(request, one_time.cases_of(held, now), PAGE, 200)
    context = {
        **listed,
        "rows": [
            {
                "code": codes.written(case.code),
                "case": case,
                "title": following.own_words(case.title),
                "where": story.where(case),
            }
            for case in listed["rows"]
        ],
        "mask": request.session["mine"]["mask"],
        "until": dt.datetime.fromisoformat(request.session["mine"]["until"]),
    }
    return _answer(request, "citizen/mine_cases.html", context)


@never_cache
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out: this browser shows none of the cases any more, also none that digits had opened."""
    for name in ("mine", "asked", "opened", "sent"):
        request.session.pop(name, None)
    request.session.cycle_key()
    return redirect("mine")


urlpatterns = [
    path("mine/", number, name="mine"),
    path("mine/code/", code, name="mine-code"),
    path("mine/cases/", cases, name="mine-cases"),
    path("mine/leave/", leave, name="mine-leave"),
]
