"""Reference data and advice over the API: what there is, where things are, who would answer for what."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Router
from pydantic import Field

from lucheng.channels.api import schemas as out
from lucheng.channels.api.work import field, matter, named, reader, ruling
from lucheng.core.cases import kinds
from lucheng.core.cases.intake import SURE_OF_PLACE
from lucheng.core.cases.lifecycle import FIELDS, TRANSITIONS
from lucheng.core.cases.models import State
from lucheng.core.dispatch import catalogue
from lucheng.core.dispatch import matters as known_matters
from lucheng.core.errors import Invalid, NotFound
from lucheng.core.fields import within
from lucheng.core.organisation.models import Unit
from lucheng.core.places import history, locate, names
from lucheng.core.places.models import Division, Succession
from lucheng.core.triage import classify, lookalikes, urgent

router = Router(tags=["reference"])
advice = Router(tags=["advice"])

_AsOf = Annotated[dt.date | None, Field(description="as it was on this day; today, if not given")]


@router.get("/kinds", response=list[out.KindOut], summary="Kinds of case")
def list_kinds(request: HttpRequest) -> list[out.KindOut]:
    """The kinds of case that the projects bring, with their own words for states."""
    return [
        out.KindOut(
            code=kind.code,
            name=str(kind.name),
            natures=[named(n.value, n.label) for n in kind.natures],
            has_requester=kind.has_requester,
            states=[named(s.value, kind.state_name(s)) for s in State],
            without=sorted(kind.without),
        )
        for kind in sorted(kinds.KINDS.values(), key=lambda k: k.code)
    ]


@router.get("/lifecycle", response=out.Lifecycle, summary="The life cycle")
def get_lifecycle(request: HttpRequest) -> out.Lifecycle:
    """The one table of transitions: from, to, who may, what must be filled in, what it does to the clocks."""
    return out.Lifecycle(
        states=[named(s.value, s.label) for s in State],
        fields=[field(name) for name in FIELDS],
        transitions=[
            out.TransitionOut(
                action=t.action,
                name=str(t.name),
                sources=[s.value for s in t.sources],
                to=t.to.value if t.to is not None else None,
                who=t.who,
                needs=list(t.needs),
                takes=list(t.takes),
                clocks=list(t.clocks),
                rules=list(t.rules),
            )
            for t in TRANSITIONS
        ],
    )


@router.get("/matters", response=list[out.MatterOut], summary="Classes of matter")
def list_matters(request: HttpRequest) -> list[out.MatterOut]:
    """All classes of matter, by code; codes nest by two digits."""
    return [
        out.MatterOut(
            code=code, name=str(known_matters.name(code)), grassroots=about.grassroots, urgency=about.urgency
        )
        for code, about in known_matters.known().items()
    ]


@router.get("/units", response=list[out.UnitOut], summary="Units")
def list_units(
    request: HttpRequest, under: Annotated[out.Prefix, Field(description="units whose place lies here")] = ""
) -> list[out.UnitOut]:
    """The units that stand, by code, with their public office telephone."""
    return [
        out.UnitOut(
            id=u.pk,
            code=u.code,
            name=u.name,
            kind=named(u.kind, u.get_kind_display()),
            parent=u.parent_id,
            place=u.place,
            domains=u.domains,
            phone=u.phone,
        )
        for u in Unit.objects.filter(within("place", under), active=True).order_by("code")
    ]


def _division(d: Division) -> dict[str, object]:
    return {
        "code": d.code,
        "name": d.name,
        "level": d.level,
        "kind": named(d.kind, d.get_kind_display()),
        "aliases": d.aliases,
        "households": d.households,
        "residents": d.residents,
        "valid_from": d.valid_from,
        "valid_to": d.valid_to,
    }


@router.get("/divisions", response=list[out.DivisionOut], summary="Divisions under a place")
def list_divisions(
    request: HttpRequest, under: out.Prefix = "", as_of: _AsOf = None
) -> list[out.DivisionOut]:
    """The divisions and grids directly under a place, by code; without ``under`` those at the top."""
    day = as_of or timezone.localdate()
    codes = [child.code for child in names.children(under, day)]
    rows: QuerySet[Division] = Division.objects.as_of(day).filter(code__in=codes).order_by("code")
    return [out.DivisionOut.model_validate(_division(d)) for d in rows]


def _successor(division: Division, s: Succession) -> out.Successor:
    return out.Successor(
        code=division.code,
        name=division.name,
        at=s.at,
        how=named(s.how, s.get_how_display()),
        certain=s.is_certain(s.how, s.basis),
    )


@router.get("/divisions/{code}", response=out.DivisionDetail, summary="One division")
def get_division(
    request: HttpRequest, code: Annotated[str, Field(pattern=r"^[0-9]{2,15}$")], as_of: _AsOf = None
) -> out.DivisionDetail:
    """A division or grid as of a day, what it was before, and what became of it."""
    day = as_of or timezone.localdate()
    division = Division.objects.as_of(day).filter(code=code).first()
    if division is None:
        raise NotFound(
            _("No division or grid with the code “%(code)s” was in force on %(day)s.")
            % {"code": code, "day": day.isoformat()}
        )
    return out.DivisionDetail.model_validate(
        {
            **_division(division),
            "before": [_successor(s.before, s) for s in history.origins(division)],
            "after": [_successor(s.after, s) for s in history.fate(division)],
        }
    )


# --- where ----------------------------------------------------------------------------------------------------------


def _candidate(c: locate.Candidate) -> out.Candidate:
    return out.Candidate(
        place=c.place,
        name=c.name,
        score=c.score,
        lon=c.lon,
        lat=c.lat,
        words=[f"{w.kind.value}:{w.text}" for w in c.words],
    )


def _at(lon: float, lat: float) -> out.Candidate:
    """The place at a point. Raises Invalid outside the city."""
    code = locate.locate_point(lon, lat)
    if not code:
        raise Invalid({"lon": _("This point lies outside the city: choose a place inside it.")})
    return out.Candidate(place=code, name=names.place_name(code), score=1.0, lon=lon, lat=lat, words=[])


@router.get("/locate", response=out.Located, summary="Locate a point or a text")
def locate_place(
    request: HttpRequest,
    lon: out.Longitude | None = None,
    lat: out.Latitude | None = None,
    text: Annotated[str, Field(max_length=5000)] = "",
) -> out.Located:
    """The grid or community at a point (degrees, WGS 84), or ranked candidates for a text with the words that
    matched."""
    if (lon is None) != (lat is None):
        raise Invalid({"lon": _("A point has both a longitude and a latitude.")})
    if lon is not None and lat is not None:
        return out.Located(candidates=[_at(lon, lat)])
    if not text.strip():
        raise Invalid({"text": _("Give a point or a text.")})
    return out.Located(candidates=[_candidate(c) for c in locate.locate_text(text)])


# --- advice ---------------------------------------------------------------------------------------------------------


@advice.post("/triage/propose", response=out.Proposal, summary="Propose matter, place and look-alikes")
def propose(request: HttpRequest, question: out.Question) -> out.Proposal:
    """What a text may be about, where, and which open orders look alike. A person decides."""
    who = reader(request)
    text = question.text
    proposal = classify.propose_matter(text)
    lon, lat, where = question.lon, question.lat, None
    if lon is not None and lat is not None:
        where = _at(lon, lat)
    elif not question.place and (found := locate.locate_text(text, limit=1)):
        where = _candidate(found[0])
        if where.score >= SURE_OF_PLACE:
            lon, lat = where.lon, where.lat
    near = question.place or (
        where.place if where is not None and where.score >= SURE_OF_PLACE else names.root()
    )
    alike = lookalikes.find(text, near, lon, lat, scope_q=who.q("case.view"), now=timezone.now())
    return out.Proposal(
        model_version=proposal.model_version,
        matter=matter(proposal.matter),
        probability=proposal.probability,
        words=[out.Word(word=word, weight=weight) for word, weight in proposal.words],
        alternatives=[
            out.Alternative(matter=named(code, known_matters.name(code)), probability=p)
            for code, p in proposal.alternatives
        ],
        urgent=[f"{u.word}:{u.number}" for u in urgent.words_in(text)],
        place=where,
        alike=[
            out.Alike(number=a.number, title=a.title, similarity=a.similarity, distance_m=a.distance_m)
            for a in alike
        ],
    )


@advice.get("/catalogue/decide", response=out.Decided, summary="Who answers for a matter at a place")
def decide(request: HttpRequest, matter: out.Matter, place: out.Prefix) -> out.Decided:
    """The row of the dispatch catalogue in force that decides, with its legal basis; or why there is none."""
    errors = {}
    if matter and not known_matters.exists(matter):
        errors["matter"] = _("There is no matter with the code “%(code)s”.") % {"code": matter}
    if not names.exists(place):
        errors["place"] = _("There is no place with the code “%(code)s”.") % {"code": place}
    if errors:
        raise Invalid(errors)
    decision = catalogue.decide(matter, place)
    if decision is None:
        return out.Decided(ruling=None, why_none=str(catalogue.why_none(matter, place)))
    return out.Decided(ruling=ruling(decision), why_none="")
