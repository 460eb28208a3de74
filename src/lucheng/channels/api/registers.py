"""Registers over the API: what there are, their entries, and writing one. Sheets of many are for the pages."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Body, Query, Router
from pydantic import Field, JsonValue

from lucheng.channels.api import schemas as out
from lucheng.channels.api.work import IfMatch, named, person, version
from lucheng.core.errors import Forbidden, Invalid
from lucheng.core.organisation.middleware import scope
from lucheng.core.registers import book
from lucheng.core.registers.columns import Column
from lucheng.core.registers.register import Register, registers
from lucheng.core.registers.register import named as register_named

router = Router(tags=["registers"])

_Slug = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$", description="name of the register")]
_Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,39}$", description="code of the entry")]
_Fields = Annotated[
    dict[str, JsonValue],
    Body(description="every field by its name, as GET /registers names them; what is left out becomes empty"),
]


def _open(request: HttpRequest, slug: str) -> Register:
    register = register_named(slug)
    if not register.opens(scope(request)):
        raise Forbidden(_("None of your posts opens this register."))
    return register


def _writable(request: HttpRequest, slug: str) -> Register:
    register = _open(request, slug)
    register.require_keeper(scope(request))
    return register


def _entry(register: Register, entry: Any) -> out.EntryOut:
    said = register.said(entry)
    return out.EntryOut(code=said.pop("code"), version=entry.version, fields=said)


def _field(column: Column) -> out.RegisterField:
    return out.RegisterField(
        name=column.name,
        label=str(column.label),
        kind=column.kind,
        required=column.required,
        choices=[named(value, label) for value, label in column.choices],
        help=str(column.help),
    )


@router.get("/registers", response=list[out.RegisterOut], summary="List registers")
def list_registers(request: HttpRequest) -> list[out.RegisterOut]:
    """The registers that the caller may read, with their fields."""
    who = scope(request)
    return [
        out.RegisterOut(
            slug=slug,
            name=str(register.about.name),
            writable=who.can(register.about.edit),
            fields=[_field(c) for c in register.columns],
        )
        for slug, register in registers().items()
        if register.opens(who)
    ]


class Wanted(out.Body):
    place: out.Prefix = Field(default="", description="entries whose place lies here")
    text: str = Field(default="", max_length=120, description="words of name or code")
    state: Literal["in_force", "to_come", "ended", "any"] = "in_force"
    day: dt.date | None = Field(default=None, description="as it was on this day; today, if not given")
    after: str = Field(default="", max_length=200, description="``next`` of the page before")
    limit: int = Field(default=50, ge=1, le=500)


@router.get("/registers/{slug}", response=out.Entries, summary="List entries")
def list_entries(request: HttpRequest, slug: _Slug, wanted: Query[Wanted]) -> out.Entries:
    """The entries that the caller may read and that fit, by place and code, a page at a time."""
    found = _open(request, slug)
    for name in ("text", "after"):
        if "\0" in getattr(wanted, name):
            raise Invalid({name: _("This holds control characters.")})
    rows = book.find(
        found,
        scope(request),
        book.Wanted(wanted.day or timezone.localdate(), wanted.place, wanted.text, wanted.state),
    )
    page = book.page(rows.select_related(*found.related), size=wanted.limit, after=wanted.after)
    return out.Entries(entries=[_entry(found, e) for e in page.rows], next=page.after)


@router.get("/registers/{slug}/{code}", response=out.EntryDetail, summary="One entry")
def get_entry(request: HttpRequest, response: HttpResponse, slug: _Slug, code: _Code) -> out.EntryDetail:
    """One entry with every version it had, the newest first. The header ETag holds its version."""
    found = _open(request, slug)
    entry = book.get(found, scope(request), code)
    response["ETag"] = f'"{entry.version}"'
    shown = _entry(found, entry)
    return out.EntryDetail(
        code=shown.code,
        version=shown.version,
        fields=shown.fields,
        history=[
            out.EntryVersion(
                version=c.number,
                at=c.at,
                by=c.by.username if c.by is not None else None,
                how=named(c.how, c.get_how_display()),
                fields=c.said,
            )
            for c in book.history(found, code)[:100]
        ],
    )


@router.post("/registers/{slug}", response={201: out.EntryOut}, summary="Add an entry")
def add_entry(request: HttpRequest, response: HttpResponse, slug: _Slug, fields: _Fields) -> out.EntryOut:
    """Add an entry under the ``code`` among its fields. The same request again finds the code taken (409)."""
    found = _writable(request, slug)
    code = fields.get("code")
    if not isinstance(code, str) or not code.strip():
        raise Invalid({"code": _("Give the code under which the entry is to stand.")})
    entry = book.write(
        found, code.strip(), fields, by=person(request), scope=scope(request), now=timezone.now()
    )
    response["ETag"] = f'"{entry.version}"'
    return _entry(found, entry)


@router.put("/registers/{slug}/{code}", response=out.EntryOut, summary="Change an entry")
def change_entry(
    request: HttpRequest,
    response: HttpResponse,
    slug: _Slug,
    code: _Code,
    fields: _Fields,
    if_match: IfMatch = "",
) -> out.EntryOut:
    """Write a new version over the one that the caller has seen. With ``valid_to`` the entry ends on that day."""
    found = _writable(request, slug)
    entry = book.write(
        found,
        code,
        fields,
        by=person(request),
        scope=scope(request),
        now=timezone.now(),
        version=version(if_match),
    )
    response["ETag"] = f'"{entry.version}"'
    return _entry(found, entry)
