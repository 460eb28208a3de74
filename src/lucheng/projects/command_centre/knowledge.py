"""The knowledge base: writing articles, each version kept, and loading them from a data pack."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import packs
from lucheng.core.dispatch import matters
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound, Text
from lucheng.core.faults import Fault, Faulty
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person, Role, Unit
from lucheng.core.places import names
from lucheng.core.revisions.snapshot import bump
from lucheng.core.triage.reply import mask_text
from lucheng.projects.command_centre.models import Article, ArticleChange
from lucheng.projects.command_centre.search import REVISION

EDIT = "knowledge.edit"
#: Days after which an article is looked at again where nothing else is said (GB/T 44191-2024: regular review).
REVIEW_AFTER = 180

FIELDS: tuple[str, ...] = (
    "title",
    "terms",
    "answer",
    "note",
    "matters",
    "place",
    "owner",
    "basis",
    "valid_from",
    "valid_until",
    "review_by",
    "public",
)


def may_write(scope: Scope, owner: int | None, place: str) -> bool:
    """Whether the reader may write an article of the unit ``owner`` that holds at ``place``.

    Who has the capability over cases of a place writes every article of that place; who has it over the cases of a
    unit writes what that unit answers for.
    """
    where = place or names.root()
    return any(
        EDIT in g.capabilities
        and where.startswith(g.place)
        and (g.reach != Role.Reach.UNIT or owner in g.units)
        for g in scope.grants
    )


def _said(article: Article) -> dict[str, Any]:
    """All that an article says, as JSON."""
    said: dict[str, Any] = {name: getattr(article, name) for name in FIELDS if name != "owner"}
    for name in ("valid_from", "valid_until", "review_by"):
        said[name] = said[name].isoformat() if said[name] else ""
    return said | {"owner": article.owner.code}


def _check(values: Mapping[str, Any]) -> None:
    """Raises Invalid naming each wrong field."""
    wrong: dict[str, Text] = {}
    for name in ("title", "answer"):
        if not values[name].strip():
            wrong[name] = _("This may not be empty.")
    if values["place"] and not names.exists(values["place"]):
        wrong["place"] = _("There is no such place.")
    unknown = [code for code in values["matters"] if not matters.exists(code)]
    if unknown:
        wrong["matters"] = format_lazy(_("There is no class of matter “{code}”."), code=", ".join(unknown))
    if values["valid_until"] and values["valid_until"] < values["valid_from"]:
        wrong["valid_until"] = _("This lies before the first day.")
    if values["public"]:
        for name in ("title", "answer"):
            if mask_text(values[name]) != values[name]:
                wrong[name] = _(
                    "Residents may read this: leave out names, telephone numbers and room numbers of persons."
                )
    if wrong:
        raise Invalid(wrong)


@transaction.atomic
def write(
    code: str,
    values: Mapping[str, Any],
    *,
    by: Person | None,
    scope: Scope | None,
    now: dt.datetime,
    version: int | None = None,
) -> Article:
    """Write the article ``code``: anew where ``version`` is None, else over the version that its author saw.

    ``values`` holds every one of FIELDS, ``owner`` as a unit. ``scope`` is checked against what the article was and
    against what it becomes; None is the operator of the machine. Each version is kept with its author.

    Raises Forbidden, NotFound, Conflict (somebody else wrote first, or the code is taken) or Invalid.
    """
    article = (
        Article.objects.select_for_update(of=("self",)).select_related("owner").filter(code=code).first()
    )
    if version is None and article is not None:
        raise Conflict(_("There is already an article with this code."))
    if version is not None and article is None:
        raise NotFound(_("There is no such article."))
    places = [(values["owner"].pk, values["place"])]
    if article is not None:
        places.append((article.owner_id, article.place))
    if scope is not None and not all(may_write(scope, owner, place) for owner, place in places):
        raise Forbidden(_("Your posts do not let you write articles of this unit at this place."))
    if article is not None and article.version != version:
        raise Conflict(_("Somebody else has changed this article meanwhile: look at it again, then write."))
    _check(values)
    if article is None:
        article = Article(code=code)
    elif all(getattr(article, name) == values[name] for name in FIELDS):
        return article
    else:
        article.version += 1
    for name in FIELDS:
        setattr(article, name, values[name])
    article.save()
    ArticleChange.objects.create(article=article, number=article.version, at=now, by=by, said=_said(article))
    bump(REVISION)
    return article


def holding(day: dt.date) -> QuerySet[Article]:
    """Articles that hold on ``day``."""
    return Article.objects.filter(Q(valid_until=None) | Q(valid_until__gte=day), valid_from__lte=day)


def due(day: dt.date) -> QuerySet[Article]:
    """Articles in force whose review is due on ``day``."""
    return Article.objects.filter(Q(valid_until=None) | Q(valid_until__gte=day), review_by__lte=day)


def expired(day: dt.date) -> QuerySet[Article]:
    """Articles that no longer hold on ``day``."""
    return Article.objects.filter(valid_until__lt=day)


# --- a data pack -----------------------------------------------------------------------------------------------------

_PACK = {
    "code": packs.Field(required=True, longest=40),
    "title": packs.Field(required=True, longest=120),
    "terms": packs.Field(list, longest=40),
    "answer": packs.Field(required=True, longest=10_000),
    "note": packs.Field(longest=10_000),
    "matters": packs.Field(list, longest=12),
    "place": packs.Field(longest=15),
    "owner": packs.Field(required=True, longest=60),
    "basis": packs.Field(longest=300),
    "valid_from": packs.Field(longest=10),
    "valid_until": packs.Field(longest=10),
    "review_by": packs.Field(longest=10),
    "public": packs.Field(bool),
}


@dataclass(frozen=True)
class Loaded:
    """How many articles a pack added, changed and left as they were. Others are kept and never deleted."""

    added: int
    changed: int
    unchanged: int


def load(path: Path, now: dt.datetime, day: dt.date, *, by: Person | None = None) -> Loaded:
    """Add and change the articles that the pack at ``path`` names; all or none.

    ``owner`` is a unit's code or name. Where a pack gives no ``valid_from`` an article holds from ``day`` on, where it
    gives no ``review_by`` it is to be looked at half a year later; an article that is there already keeps its days.

    Raises Faulty with every fault at its entry.
    """
    entries = packs.read(path, "article", _PACK, key="code")
    units: dict[str, Unit] = {}
    for unit in Unit.objects.filter(active=True).order_by("-id"):
        units[unit.name] = unit
    units |= {unit.code: unit for unit in units.values()}
    known = {a.code: a for a in Article.objects.select_related("owner")}
    faults: list[Fault] = []
    ready: list[tuple[str, dict[str, Any]]] = []
    for row, entry in enumerate(entries, 1):
        before = known.get(entry["code"])
        values: dict[str, Any] = {
            "title": entry["title"].strip(),
            "terms": [t.strip() for t in entry.get("terms", [])],
            "answer": entry["answer"].strip(),
            "note": entry.get("note", "").strip(),
            "matters": entry.get("matters", []),
            "place": entry.get("place", ""),
            "owner": units.get(entry["owner"]),
            "basis": entry.get("basis", "").strip(),
            "valid_from": before.valid_from if before is not None else day,
            "valid_until": before.valid_until if before is not None else None,
            "review_by": before.review_by if before is not None else day + dt.timedelta(days=REVIEW_AFTER),
            "public": entry.get("public", False),
        }
        wrong = len(faults)
        for name in ("valid_from", "valid_until", "review_by"):
            if entry.get(name):
                try:
                    values[name] = dt.date.fromisoformat(entry[name])
                except ValueError:
                    faults.append(Fault(row, name, _("write a day as 2026-03-01")))
        if values["owner"] is None:
            faults.append(Fault(row, "owner", _("there is no such unit")))
        if len(faults) == wrong:
            try:
                _check(values)
            except Invalid as invalid:
                faults += [Fault(row, column, text) for column, text in invalid.fields.items()]
        ready.append((entry["code"], values))
    if faults:
        raise Faulty(faults)
    added = changed = 0
    with transaction.atomic():
        for code, values in ready:
            before = known.get(code)
            version = before.version if before is not None else None
            written = write(code, values, by=by, scope=None, now=now, version=version)
            added += before is None
            changed += before is not None and written.version != version
    return Loaded(added, changed, len(ready) - added - changed)
