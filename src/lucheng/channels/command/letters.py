"""Messages as they left, or would have left."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from lucheng.core.cases import codes, queries
from lucheng.core.errors import Forbidden
from lucheng.core.ledger import outbox
from lucheng.core.ledger.models import Message
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.web import numbers

PAGE = 50


def shown(messages_: QuerySet[Message]) -> QuerySet[Message]:
    """Those that staff may know of: when a requester looks at their own cases is nobody's business. In the demo city
    the page is the requester's telephone too."""
    return messages_ if settings.DEMO else messages_.exclude(template=outbox.ONE_TIME)


def letters(messages_: QuerySet[Message], reader: Scope) -> list[tuple[Message, str]]:
    """Messages with their words as the receiver reads them. The tracking code in them is only for whoever may act for
    the requester: with it a unit could answer its own callback."""
    found = []
    for m in messages_.select_related("case__contact", "to_unit"):
        text = outbox.text_of(m)
        if not reader.allows("case.accept", m.case):
            text = text.replace(codes.written(m.case.code), "LC-****")
        found.append((m, text))
    return found


@login_required
@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Messages as they left, or would have left: newest first, without anybody's number."""
    reader = scope(request)
    if not reader.can("messages.view"):
        raise Forbidden(_("None of your posts shows messages."))
    page = numbers.page(request, 200)
    rows = shown(Message.objects.filter(case__in=queries.visible(reader))).order_by("-created_at", "-id")
    found = letters(rows[(page - 1) * PAGE : page * PAGE + 1], reader)
    context = {
        "rows": found[:PAGE],
        "previous": f"?page={page - 1}" if page > 1 else "",
        "following": f"?page={page + 1}" if len(found) > PAGE else "",
    }
    return render(request, "command/messages.html", context)
