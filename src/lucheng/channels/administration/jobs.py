"""The page of jobs and queues: for the person who keeps the system running. It shows counts, reasons and order numbers,
never what a case says: whoever administers the system reads no cases (三员分立).
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from lucheng.channels.administration.doors import opens_for, page, paged
from lucheng.core.clocks import sweep as clocks
from lucheng.core.ledger import outbox
from lucheng.core.ledger.models import Message
from lucheng.core.status import status
from lucheng.postgresql.context import everything
from lucheng.web import numbers

EDIT = "organisation.edit"


@opens_for(EDIT, everywhere=True)
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """How everything that happens by itself does."""
    found = status(timezone.now())
    channels = dict(Message.Channel.choices)
    context = {
        "status": found,
        "now": found.at,
        "queues": [(channels[q.channel], q) for q in found.queues],
        "failed": [(channels[f.channel], f) for f in found.failed],
        "parked": numbers.counted(found.parked_clocks),
        "late": numbers.counted(found.late_clocks),
        "alarms": numbers.counted(found.alarms),
        "not_anchored": numbers.counted(found.not_anchored),
    }
    return page(request, "jobs", context)


@opens_for(EDIT, everywhere=True)
@require_safe
@everything("messages that were given up: of which order, why and when")
def failed(request: HttpRequest) -> HttpResponse:
    """The messages that were given up, the newest first: of which order, why, when. Not what they say, nor to whom."""
    rows = (
        Message.objects.filter(state=Message.State.FAILED)
        .select_related("case", "to_unit")
        .only("channel", "template", "error", "attempts", "created_at", "case__number", "to_unit__name")
        .order_by("-created_at", "-id")
    )
    return page(request, "failed", paged(request, rows))


@opens_for(EDIT, everywhere=True)
@require_POST
def retry_messages(request: HttpRequest) -> HttpResponse:
    """Try again what was given up: all of it, or what one channel gave up for one reason."""
    channel = request.POST.get("channel", "")
    error = request.POST.get("error") if channel else None
    count = outbox.retry(timezone.now(), channel=channel, error=error)
    text = ngettext("%(n)s message will be tried again.", "%(n)s messages will be tried again.", count)
    messages.success(request, text % {"n": f"{count:,}"})
    return HttpResponseRedirect(reverse("jobs"))


@opens_for(EDIT, everywhere=True)
@require_POST
def retry_clocks(request: HttpRequest) -> HttpResponse:
    """Let the worker try the clocks that it had left alone."""
    count = clocks.retry(timezone.now())
    text = ngettext("%(n)s clock will be tried again.", "%(n)s clocks will be tried again.", count)
    messages.success(request, text % {"n": f"{count:,}"})
    return HttpResponseRedirect(reverse("jobs"))
