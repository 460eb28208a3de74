"""The registers of processing, impact assessments and processors over the API: for the data-protection officer."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import Field

from lucheng.channels.api import schemas as out
from lucheng.channels.api.work import named
from lucheng.core.errors import Forbidden
from lucheng.core.organisation.middleware import scope
from lucheng.core.places import names
from lucheng.core.privacy import registers
from lucheng.core.privacy.models import Register, RegisterEntry
from lucheng.core.privacy.registers import Standing, Waits

router = Router(tags=["processing registers"])

#: Versions of one entry at most.
VERSIONS = 100

_Code = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,60}$")]


class WantedEntries(out.Body):
    state: Standing | None = Field(default=None, description="without it: any")
    text: str = Field(default="", max_length=80, description="in code, title or fields")
    after: str = Field(default="", max_length=60, description="``next`` of the page before")
    limit: int = Field(default=50, ge=1, le=200)


def _allowed(request: HttpRequest) -> None:
    if not scope(request).covers(registers.CAPABILITY, names.root()):
        raise Forbidden(_("None of your posts lets you audit the use of personal data."))


def _version(entry: RegisterEntry) -> dict[str, Any]:
    return {
        "code": entry.code,
        "version": entry.version,
        "title": entry.title,
        "fields": entry.fields,
        "ended_on": entry.ended_on,
        "made_at": entry.made_at,
        "made_by": entry.made_by.name if entry.made_by is not None else "",
        "note": entry.note,
    }


def _standing(entry: RegisterEntry) -> dict[str, Any]:
    waits = entry.waits  # type: ignore[attr-defined]
    state = registers.state_of(entry, timezone.now())
    return _version(entry) | {
        "state": named(state.value, state.label),
        "waits": named(waits, Waits(waits).label) if waits else None,
    }


@router.get(
    "/processing-registers/{which}", response=out.ProcessingOut, summary="List the entries of a register"
)
def list_register(request: HttpRequest, which: Register, wanted: Query[WantedEntries]) -> out.ProcessingOut:
    """Processing activities, impact assessments or processors, by code, each by its last version."""
    _allowed(request)
    rows = registers.find(which, timezone.now(), state=wanted.state, text=wanted.text)
    found = list(rows.filter(code__gt=wanted.after)[: wanted.limit + 1])
    return out.ProcessingOut(
        entries=[out.RegisterEntryOut(**_standing(e)) for e in found[: wanted.limit]],
        next=found[wanted.limit - 1].code if len(found) > wanted.limit else None,
    )


@router.get(
    "/processing-registers/{which}/{code}", response=out.ProcessingHistory, summary="One entry of a register"
)
def get_register_entry(request: HttpRequest, which: Register, code: _Code) -> out.ProcessingHistory:
    """An entry by its last version, with every version that is kept."""
    _allowed(request)
    entry = registers.last(which, code, timezone.now())
    versions = registers.history(which, code)[:VERSIONS]
    return out.ProcessingHistory(
        **_standing(entry), versions=[out.RegisterVersion(**_version(v)) for v in versions]
    )
