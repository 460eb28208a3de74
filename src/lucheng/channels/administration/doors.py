"""Who may open a page of the administration, and what every one of them does alike."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from functools import wraps
from typing import IO, Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lucheng.core.errors import Forbidden, Invalid
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.core.places import names

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

log = logging.getLogger("lucheng.administration")

PAGE = 50
#: Rows are counted up to here; beyond, a list says "1,000+" (an exact count would cost more than the page).
COUNT_LIMIT = 1000


def opens_for(*capabilities: str, everywhere: bool = False) -> Callable[[View[P]], View[P]]:
    """Open a page to those whose posts give one of ``capabilities``: in the whole city, if ``everywhere``.

    Others are told so on a page with status 403; who is not signed in is asked to.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            reader = scope(request)
            if not any(reader.can(c) for c in capabilities):
                raise Forbidden(_("None of your posts opens this page."))
            if everywhere and not any(reader.covers(c, names.root()) for c in capabilities):
                raise Forbidden(_("This concerns the whole city, and your posts do not."))
            return view(request, *args, **kwargs)

        return cast(View[P], login_required(guarded))

    return decorate


def person(request: HttpRequest) -> Person:
    """Whoever is signed in, on a page that asks for it."""
    return cast(Person, request.user)


def asked(request: HttpRequest, name: str) -> str:
    """What stands under ``name`` in the address, fit for a search: printable, stripped, at most 80 characters."""
    return "".join(c for c in request.GET.get(name, "") if c.isprintable()).strip()[:80]


def did(request: HttpRequest, what: str, *args: object) -> None:
    """Write one line of who changed what in the administration (GB/T 22239-2019 8.1.4, audit of every user)."""
    log.info("%s " + what, person(request).username, *args)


def refused(form: forms.Form, wrong: Invalid) -> None:
    """Show a refusal at the fields of ``form``, by the names that the core gives them."""
    form.full_clean()
    for name, text in wrong.fields.items():
        form.add_error(name if name in form.fields else None, str(text))


def workbook(name: str, write: Callable[[IO[bytes]], object]) -> HttpResponse:
    """An xlsx sheet to keep, called ``name``."""
    file = io.BytesIO()
    write(file)
    response = HttpResponse(
        file.getvalue(), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.xlsx")
    return response


def paged(request: HttpRequest, rows: QuerySet[Any, Any], page_size: int = PAGE) -> dict[str, Any]:
    """One page of ``rows`` in two queries, as ``web/pages.html`` shows it."""
    text = request.GET.get("page", "")
    page = min(max(1, int(text)), 10_000) if text.isdecimal() and len(text) < 9 else 1
    found = list(rows[(page - 1) * page_size : page * page_size + 1])
    counted = rows[: COUNT_LIMIT + 1].count()
    kept = {k: v for k, v in request.GET.items() if k != "page"}

    def address(number: int) -> str:
        return "?" + urlencode({**kept, "page": number})

    number = f"{counted:,}" if counted <= COUNT_LIMIT else f"{COUNT_LIMIT:,}+"
    return {
        "rows": found[:page_size],
        "previous": address(page - 1) if page > 1 else "",
        "following": address(page + 1) if len(found) > page_size else "",
        "count": ngettext("%(number)s row", "%(number)s rows", counted) % {"number": number},
    }
