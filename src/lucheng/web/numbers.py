"""What a browser asked for in an address or a form: read without trust, since anybody can write anything there."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from lucheng.core.cases.queries import COUNT_LIMIT
from lucheng.core.labels import code_in
from lucheng.core.places import names
from lucheng.core.places.models import Division


def whole(text: object, otherwise: int = 0) -> int:
    """The whole number that ``text`` writes in at most 18 ASCII digits; ``otherwise`` where it writes none.

    >>> whole("12"), whole("-1", 7), whole("9" * 5000), whole(None)
    (12, 7, 0, 0)
    """
    return (
        int(text)
        if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 18
        else otherwise
    )


def text(request: HttpRequest, name: str, longest: int = 120) -> str:
    """What stands under ``name`` in the address, fit for a search: printable, stripped, not too long."""
    return "".join(c for c in request.GET.get(name, "") if c.isprintable()).strip()[:longest]


def day(text: str) -> dt.date | None:
    """The day that ``text`` writes as 2026-03-01; None where it writes none."""
    try:
        return parse_date(text)
    except ValueError:
        return None


def place(request: HttpRequest, as_of: dt.date) -> tuple[str, str]:
    """The code of the place that the address names, by code, by name or as type-to-find fills it in; empty where it
    names none. With it, what to say to whoever wrote something else."""
    given = text(request, "place")
    code = code_in(given)
    if code and not code.isdecimal():
        found = list(Division.objects.filter(name=code, valid_to=None).values_list("code", flat=True)[:2])
        code = found[0] if len(found) == 1 else ""
    if given and not (code.isdecimal() and names.exists(code, as_of)):
        words = _("No one place is called “%(text)s”. Type a part of its name and choose one.")
        return "", words % {"text": given}
    return code, ""


def page(request: HttpRequest, last: int) -> int:
    """The page of a list that was asked for: from 1, the first where none was, to ``last``."""
    return max(1, min(whole(request.GET.get("page"), 1), last))


def paged(request: HttpRequest, rows: QuerySet[Any, Any], size: int, last: int) -> dict[str, Any]:
    """One page of ``rows`` in one query, with the addresses of the pages beside it, as ``web/pages.html`` shows them.

    The rest of the address is kept.
    """
    number = page(request, last)
    found = list(rows[(number - 1) * size : number * size + 1])
    kept = {k: v for k, v in request.GET.items() if k != "page"}

    def address(to: int) -> str:
        return "?" + urlencode({**kept, "page": to})

    return {
        "rows": found[:size],
        "previous": address(number - 1) if number > 1 else "",
        "following": address(number + 1) if len(found) > size and number < last else "",
    }


def counted(number: int, limit: int = COUNT_LIMIT) -> str:
    """A count as lists show it, where counting stopped beyond ``limit``.

    >>> counted(12), counted(1001)
    ('12', '1,000+')
    """
    return f"{number:,}" if number <= limit else f"{limit:,}+"
