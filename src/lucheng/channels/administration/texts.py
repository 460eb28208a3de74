"""Pages of the words of outgoing messages: what holds, how it reads, who worded it when, and back to the pack."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lucheng.channels.administration.doors import opens_for, page, person, refused
from lucheng.channels.administration.forms import TextsForm
from lucheng.core.clocks.models import ClockKind
from lucheng.core.errors import Conflict, Invalid, NotFound
from lucheng.core.ledger import wording
from lucheng.web import numbers

EDIT = "messages.edit"

#: When each message leaves. A text that a later room brings stands there with its own name.
OCCASIONS: dict[str, str | Promise] = {
    "received": pgettext_lazy("message", "A case has come in"),
    "rejected": pgettext_lazy("message", "A case is refused"),
    "answered": pgettext_lazy("message", "Answered at once"),
    "transferred": pgettext_lazy("message", "Handed over outside"),
    "merged": pgettext_lazy("message", "Merged with others"),
    "extended": pgettext_lazy("message", "More time has been granted"),
    "suspended": pgettext_lazy("message", "The case is suspended"),
    "replied": pgettext_lazy("message", "A reply has been reviewed"),
    "appeal_answered": pgettext_lazy("message", "An appeal has been answered"),
    "withdrawn": pgettext_lazy("message", "Withdrawn by the requester"),
    "one_time": pgettext_lazy("message", "One-time code for “My cases”"),
    "dispatched_unit": pgettext_lazy("message", "Dispatched: to the lead unit"),
    "assist_unit": pgettext_lazy("message", "Dispatched: to an assisting unit"),
    "dispatched_copy": pgettext_lazy("message", "Dispatched straight below: copy to the county"),
    "resumed": pgettext_lazy("message", "A suspended case goes on"),
    "return_upheld": pgettext_lazy("message", "A return is not agreed to"),
    "extended_unit": pgettext_lazy("message", "More time: to the unit"),
    "extension_refused": pgettext_lazy("message", "More time is refused"),
    "rework": pgettext_lazy("message", "To be redone"),
    "supervised": pgettext_lazy("message", "Put under supervision"),
    "withdrawn_unit": pgettext_lazy("message", "Withdrawn: to the unit"),
    "clock_warned": pgettext_lazy("message", "A time limit ends soon"),
    "clock_urged": pgettext_lazy("message", "A time limit is over"),
    "clock_escalated": pgettext_lazy("message", "A time limit is long over"),
}
#: What may stand in curly brackets, in words.
SLOTS: dict[str, str | Promise] = {
    "number": pgettext_lazy("slot", "the order number"),
    "code": pgettext_lazy("slot", "the tracking code of the requester"),
    "digits": pgettext_lazy("slot", "the one-time code"),
    "clock": pgettext_lazy("slot", "which time limit"),
    "due": pgettext_lazy("slot", "when it ends"),
}
_LOCALES = {"zh": "zh-hans", "en": "en"}


def _read(language: str, text: str) -> dict[str, Any]:
    """How a text reads and how long it is."""
    with translation.override(_LOCALES[language]):
        clock = str(ClockKind.REPLY.label)
    read = wording.preview(text, clock)
    return {"language": language, "text": read, "length": wording.length(read)}


@opens_for(EDIT)
@require_safe
def texts(request: HttpRequest) -> HttpResponse:
    """Every message by whom it is for, with its words as they hold, and which of them the city has worded."""
    own = {name for name, _language in wording.changed()}
    requester: list[dict[str, Any]] = []
    units: list[dict[str, Any]] = []
    for name in sorted(wording.names(), key=_order):
        words = wording.wording(name)
        row = {
            "name": name,
            "occasion": OCCASIONS.get(name, name),
            "text": words.texts["zh"],
            "own": name in own,
            "length": _read("zh", words.texts["zh"])["length"],
        }
        (requester if words.to_requester else units).append(row)
    return page(request, "texts", {"requester": requester, "units": units})


def _order(name: str) -> tuple[int, str]:
    known = list(OCCASIONS)
    return (known.index(name) if name in known else len(known), name)


def _pack(name: str) -> wording.Wording:
    if name not in wording.names():
        raise NotFound(_("There is no such message."))
    return wording.of_pack(name)


@opens_for(EDIT, everywhere=True)
@require_http_methods(["GET", "HEAD", "POST"])
def text(request: HttpRequest, name: str) -> HttpResponse:
    """Word one message, or see how it would read (``preview``)."""
    pack = _pack(name)
    status = 200
    own = wording.changed()
    current = {
        lang: own[name, lang].text if (name, lang) in own else words for lang, words in pack.texts.items()
    }
    conflict = False
    if request.method == "POST":
        form = TextsForm(request.POST)
        form.full_clean()
        shown = {lang: form.cleaned_data.get(lang, "") or pack.texts[lang] for lang in wording.LANGUAGES}
        if "preview" in request.POST:
            for lang in wording.LANGUAGES:
                if wrong := wording.fault(pack, lang, shown[lang]):
                    form.add_error(lang, str(wrong))
        else:
            seen = request.GET.get("seen", "")
            try:
                count = wording.word(
                    name,
                    {lang: form.cleaned_data.get(lang, "") for lang in wording.LANGUAGES},
                    person(request),
                    timezone.now(),
                    after=numbers.whole(seen, -1),
                )
            except Invalid as wrong:
                refused(form, wrong)
                status = 422
            except Conflict as late:
                form.add_error(None, str(late.detail))
                status, conflict = 409, True
            else:
                messages.success(
                    request,
                    _("The text holds from now on, for every message that has not left yet.")
                    if count
                    else _("Nothing differs from before."),
                )
                return HttpResponseRedirect(reverse("message-text", args=[name]))
    else:
        form, shown = TextsForm(initial=current), current
    context = {
        "name": name,
        "occasion": OCCASIONS.get(name, name),
        "to_requester": pack.to_requester,
        "form": form,
        "seen": wording.seen(name),
        "conflict": conflict,
        "current": current,
        "previews": [_read(lang, shown[lang]) for lang in wording.LANGUAGES],
        "slots": [(f"{{{s}}}", SLOTS.get(s, s)) for s in sorted(wording.allowed(pack))],
        "needed": [f"{{{s}}}" for s in sorted(wording.needed(pack, "zh"))],
        "delivered": [(lang, pack.texts[lang]) for lang in wording.LANGUAGES],
        "is_own": any(n == name for n, _language in own),
        "history": wording.history(name),
    }
    return page(request, "text", context, status=status)


@opens_for(EDIT, everywhere=True)
@require_POST
def read(request: HttpRequest, name: str) -> HttpResponse:
    """How the words in the form would read, for the part of the page that follows what is typed."""
    pack = _pack(name)
    previews = []
    for lang in wording.LANGUAGES:
        typed = request.POST.get(lang, "")[: wording.LONGEST * 2].strip() or pack.texts[lang]
        previews.append({**_read(lang, typed), "wrong": wording.fault(pack, lang, typed)})
    return render(request, "administration/text_read.html", {"previews": previews})


@opens_for(EDIT, everywhere=True)
@require_POST
def reset(request: HttpRequest, name: str) -> HttpResponse:
    """Back to the words as delivered."""
    _pack(name)
    seen = request.POST.get("seen", "")
    wording.word(
        name,
        dict.fromkeys(wording.LANGUAGES, ""),
        person(request),
        timezone.now(),
        after=numbers.whole(seen, -1),
    )
    messages.success(request, _("The text is as delivered again."))
    return HttpResponseRedirect(reverse("message-text", args=[name]))
