"""The knowledge base: found, read and written by staff; what is for everybody, found and read by residents."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from lucheng.core.errors import Forbidden, Invalid, NotFound, Refused
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person
from lucheng.projects.command_centre import knowledge, search
from lucheng.projects.command_centre.forms import ArticleForm, blank, initial
from lucheng.projects.command_centre.models import Article
from lucheng.web import numbers
from lucheng.web.nav import Entry

NAV = [Entry(gettext_lazy("Knowledge"), "knowledge", "case.view", order=27)]

PAGE = 50
#: Articles that a search shows.
_FOUND = 20
_LISTS = {
    "": gettext_lazy("all that hold"),
    "due": gettext_lazy("review is due"),
    "expired": gettext_lazy("no longer hold"),
}


def _reader(request: HttpRequest) -> Scope:
    """Whoever works on cases, or writes articles, may read all of them; other posts open nothing here."""
    reader = scope(request)
    if not (reader.can("case.view") or reader.can(knowledge.EDIT)):
        raise Forbidden(_("None of your posts opens this page."))
    return reader


def _asked(request: HttpRequest) -> str:
    return numbers.text(request, "q", 200)


@login_required
@require_safe
def articles(request: HttpRequest) -> HttpResponse:
    """Articles by words, or all of them: those that hold, those whose review is due, those that no longer hold."""
    reader, day, asked = _reader(request), timezone.localdate(), _asked(request)
    chosen = request.GET.get("list", "")
    chosen = chosen if chosen in _LISTS else ""
    context: dict[str, Any] = {
        "asked": asked,
        "chosen": chosen,
        "lists": _LISTS,
        "day": day,
        "due": knowledge.due(day).count(),
        "may_write": reader.can(knowledge.EDIT),
    }
    if asked:
        context["found"] = search.find(asked, day=day, least=search.SHOWN, limit=_FOUND)
    else:
        rows = {
            "due": lambda: knowledge.due(day).order_by("review_by", "id"),
            "expired": lambda: knowledge.expired(day).order_by("-valid_until", "id"),
        }.get(chosen, lambda: knowledge.holding(day).order_by("title", "id"))()
        context |= numbers.paged(request, rows.select_related("owner"), PAGE, 1000)
    return render(request, "command_centre/articles.html", context)


def _article(code: str) -> Article:
    article = Article.objects.select_related("owner").filter(code=code).first()
    if article is None:
        raise NotFound(_("There is no such article."))
    return article


@login_required
@require_safe
def article(request: HttpRequest, code: str) -> HttpResponse:
    """One article with every version it had: who changed what, when."""
    reader, found, day = _reader(request), _article(code), timezone.localdate()
    return render(
        request,
        "command_centre/article.html",
        {
            "article": found,
            "holds": found.holds(day),
            "due": found.review_by <= day,
            "may_write": knowledge.may_write(reader, found.owner_id, found.place),
            "changes": _changes(found),
        },
    )


def _changes(found: Article) -> list[dict[str, Any]]:
    """The versions of an article, newest first, each with the fields that it changed, before and after."""
    labels = {name: field.label for name, field in ArticleForm.base_fields.items()}
    versions = list(found.changes.select_related("by").order_by("number"))
    shown = []
    for before, after in zip([None, *versions], versions, strict=False):
        old = before.said if before is not None else {}
        shown.append(
            {
                "number": after.number,
                "at": after.at,
                "who": after.by.name if after.by is not None else _("loaded from a file"),
                "fields": [
                    (labels[name], _shown(old.get(name)), _shown(after.said.get(name)))
                    for name in knowledge.FIELDS
                    if before is not None and old.get(name) != after.said.get(name)
                ],
            }
        )
    return shown[::-1]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "，".join(value) if isinstance(value, list) else str(value or "—")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest, code: str = "") -> HttpResponse:
    """Write a new article, or a new version of one."""
    reader, now, day = _reader(request), timezone.now(), timezone.localdate()
    if not reader.can(knowledge.EDIT):
        raise Forbidden(_("Your posts do not let you write in the knowledge base."))
    found = _article(code) if code else None
    if found is not None and not knowledge.may_write(reader, found.owner_id, found.place):
        raise Forbidden(_("Your posts do not let you write articles of this unit at this place."))
    if request.method != "POST":
        review = day + dt.timedelta(days=knowledge.REVIEW_AFTER)
        start = initial(found) if found is not None else blank(day, review, _asked(request))
        return _form(request, ArticleForm(initial=start), found)
    form = ArticleForm({**request.POST.dict(), **({"code": code} if code else {})})
    try:
        values = form.values()
        written = knowledge.write(
            form.cleaned_data["code"],
            values,
            by=cast(Person, request.user),
            scope=reader,
            now=now,
            version=(form.cleaned_data["version"] or 0) if found is not None else None,
        )
    except Invalid as e:
        for name, text in e.fields.items():
            if name not in form.errors:
                form.add_error(name if name in form.fields else None, str(text))
        return _form(request, form, found, status=422)
    except Refused as e:
        form.add_error(None, str(e.detail))
        return _form(request, form, found, status=e.status)
    messages.success(request, _("The article is written; it is proposed from now on."))
    return HttpResponseRedirect(reverse("article", args=[written.code]))


def _form(request: HttpRequest, form: ArticleForm, found: Article | None, status: int = 200) -> HttpResponse:
    return render(request, "command_centre/write.html", {"form": form, "article": found}, status=status)


@require_safe
def faq(request: HttpRequest) -> HttpResponse:
    """Questions and answers for everybody: found by words, or all of them by title."""
    day, asked = timezone.localdate(), _asked(request)
    context: dict[str, Any] = {"asked": asked}
    if asked:
        context["rows"] = [
            f.entry for f in search.find(asked, day=day, public=True, least=search.SHOWN, limit=10)
        ]
    else:
        context |= numbers.paged(
            request, knowledge.holding(day).filter(public=True).order_by("title", "id"), PAGE, 1000
        )
    return render(request, "command_centre/faq.html", context)


urlpatterns = [
    path("faq/", faq, name="faq"),
    path("knowledge/", articles, name="knowledge"),
    path("knowledge/new/", write, name="article-new"),
    path("knowledge/<slug:code>/", article, name="article"),
    path("knowledge/<slug:code>/write/", write, name="article-write"),
]
