"""One's own data: asking to see it, to have it corrected, deleted or explained; and a copy of what a case holds.

Whoever may see a case whole may ask about it; what is asked goes to the data-protection officer as a case of its own.
"""

from __future__ import annotations

import uuid
from typing import cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from lucheng.channels.citizen import mine, opening
from lucheng.channels.citizen.forms import OwnDataForm, add_errors
from lucheng.core.cases import codes, following
from lucheng.core.cases.models import Case
from lucheng.core.errors import Refused
from lucheng.core.limits.counting import Limited
from lucheng.core.privacy import export, rights
from lucheng.core.privacy.cases import MOST
from lucheng.postgresql.context import everything
from lucheng.web import masking, words
from lucheng.web.addresses import client_address
from lucheng.web.downloads import kept
from lucheng.web.refusals import told_when


@everything("the cases that this browser has opened")
def _opened(request: HttpRequest, first: Case | None) -> list[Case]:
    """The cases that whoever asks may see whole, ``first`` in front: no requests about them."""
    now = timezone.now()
    by_code = Case.objects.select_related("contact").filter(code__in=opening.open_codes(request.session, now))
    by_number = mine.of_number(request.session, now).select_related("contact")[:MOST]
    rows = [*([first] if first is not None else []), *by_code.order_by("-created_at"), *by_number]
    return list({case.pk: case for case in rows if not case.kept_by}.values())[:MOST]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def own_data(request: HttpRequest, code: str = "") -> HttpResponse:
    """Ask about one's own data: about the case with ``code``, or about those that are open in this browser."""
    first = None
    if code:
        found = opening.found(request, code)
        if isinstance(found, HttpResponseRedirect):
            return found
        if not opening.shows_all(request, found):
            return redirect("tracking", code)
        first = found
    cases = _opened(request, first)
    if not cases:
        answer = render(request, "citizen/own_data_closed.html")
        answer["X-Robots-Tag"] = "noindex"
        return answer
    choices = [(codes.written(c.code), following.own_words(c.heading)) for c in cases]
    chosen = [choices[0][0]] if first is not None else [written for written, _title in choices]
    form = OwnDataForm(request.POST or None, cases=choices, initial={"cases": chosen})
    key = request.POST.get("key", "")[:64] or uuid.uuid4().hex
    typed, limited = [], None
    if form.is_valid() and not (typed := masking.undecided(request.POST, ["words"])):
        entered = form.cleaned_data
        asked = [c for c in cases if codes.written(c.code) in entered["cases"]]
        now = timezone.now()
        try:
            made = rights.ask(
                asked,
                entered["right"],
                masking.decided(request.POST, entered["words"]),
                address=client_address(request),
                language=words.language(),
                now=now,
                key=f"own:{key}",
            )
        except Limited as refusal:
            limited = refusal
            form.add_error(None, str(refusal.detail))
        except Refused as refusal:
            add_errors(form, refusal)
        else:
            opening.keep(request.session, cast(str, codes.read(made.code)), now)
            return redirect(f"{reverse('tracking', args=[made.code])}?new=1")
    context = {"form": form, "typed": typed, "key": key, "code": code}
    answer = render(request, "citizen/own_data.html", context, status=422 if form.is_bound else 200)
    answer["X-Robots-Tag"] = "noindex"
    return told_when(answer, limited) if limited is not None else answer


@never_cache
@require_POST
def copy(request: HttpRequest, code: str) -> HttpResponse:
    """What a case holds, as this browser may see it, in a file that programs read."""
    found = opening.found(request, code)
    if isinstance(found, HttpResponseRedirect) or not opening.shows_all(request, found):
        return redirect("tracking", code)
    return kept(code, "zip", lambda file: export.write_covered(found, file, now=timezone.now()))


urlpatterns = [
    path("t/<str:code>/copy/", copy, name="tracking-copy"),
    path("t/<str:code>/data/", own_data, name="tracking-data"),
    path("mine/data/", own_data, name="own-data"),
]
