"""What a browser asked for in an address or a form: read without trust, since anybody can write anything there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest

from lucheng.core.cases.queries import COUNT_LIMIT


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
