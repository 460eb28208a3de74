"""The public directory of legal services for programs: three addresses that the HSDS asks for, open to everybody."""

from __future__ import annotations

import math
import uuid
from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from lucheng.core.registers.register import terms
from lucheng.projects.legal_services import hsds
from lucheng.web import numbers

PAGE = 50
#: The most services of one page: the whole directory of a city is read in a few.
MOST = 200


def _answer(found: hsds.Json) -> JsonResponse:
    answer = JsonResponse(found, json_dumps_params={"ensure_ascii": False})
    answer["Access-Control-Allow-Origin"] = "*"  # it is for everybody's programs, in browsers too
    return answer


@require_safe
def root(request: HttpRequest) -> JsonResponse:
    """What is served here, and in which version of the specification."""
    return _answer(hsds.about())


@require_safe
def services(request: HttpRequest) -> JsonResponse:
    """Outlets in force today, a page at a time: ``search`` in their names, ``taxonomy_term_id`` for a kind of service,
    ``full=true`` for all that belongs to them, ``page`` from 1, ``per_page`` up to MOST. What is none of the
    directory's terms finds nothing."""
    day = timezone.localdate()
    rows = hsds.outlets(day)
    if term := numbers.text(request, "taxonomy_term_id"):
        service = hsds.TERMS.get(term)
        rows = rows.filter(services__contains=[service.value]) if service is not None else rows.none()
    for word in numbers.text(request, "search").casefold().split():
        rows = rows.filter(terms__contains=[t for t in terms(word) if len(t) == min(len(word), 2)])
    size = max(1, min(numbers.whole(request.GET.get("per_page"), PAGE), MOST))
    total = rows.count()
    pages = max(1, math.ceil(total / size))
    number = numbers.page(request, pages)
    found = list(rows.order_by("place", "code")[(number - 1) * size : number * size])
    nested = numbers.text(request, "full") == "true"
    contents: list[Any] = hsds.full(found, day) if nested else [hsds.brief(o) for o in found]
    return _answer(
        {
            "total_items": total,
            "total_pages": pages,
            "page_number": number,
            "size": len(contents),
            "first_page": number == 1,
            "last_page": number == pages,
            "empty": not contents,
            "contents": contents,
        }
    )


@require_safe
def service(request: HttpRequest, id: uuid.UUID) -> JsonResponse:
    """One outlet with all that belongs to it."""
    day = timezone.localdate()
    code = next(
        (
            code
            for code in hsds.outlets(day).order_by().values_list("code", flat=True)
            if hsds.ident("service", code) == str(id)
        ),
        None,
    )
    if code is None:
        raise Http404
    return _answer(hsds.full([hsds.outlets(day).get(code=code)], day)[0])


urlpatterns = [
    path("hsds/", root, name="hsds"),
    path("hsds/services", services, name="hsds-services"),
    path("hsds/services/<uuid:id>", service, name="hsds-service"),
]
