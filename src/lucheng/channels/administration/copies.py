"""A copy of a person's data for the person: whoever brings code and number of a case is who asked."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from lucheng.channels.administration.doors import opens_for, page, person, refused
from lucheng.channels.administration.forms import CopyForm
from lucheng.core.errors import Invalid
from lucheng.core.organisation.middleware import scope
from lucheng.core.privacy import export, retention
from lucheng.web.downloads import kept


@opens_for(retention.CAPABILITY, everywhere=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: HttpRequest) -> HttpResponse:
    """Ask for code, number and reason; then the file. That it was made stands in the ledger before anything is read."""
    form = CopyForm(request.POST or None)
    if form.is_valid():
        entered = form.cleaned_data
        try:
            (case,) = export.by_code(entered["code"], entered["phone"])
            answer = kept(
                case.number,
                "zip",
                lambda file: export.write(
                    [case],
                    file,
                    person=person(request),
                    role=cast(str, scope(request).role_for(retention.CAPABILITY)),
                    reason=entered["reason"],
                    now=timezone.now(),
                ),
            )
        except Invalid as wrong:
            refused(form, wrong)
        else:
            return answer
    return page(request, "copy", {"form": form}, status=422 if form.errors else 200)
