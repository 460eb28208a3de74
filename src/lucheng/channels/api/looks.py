"""Who looked at sealed data, over the API: for the data-protection officer. No contact is in it."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import Field

from lucheng.channels.api import schemas as out
from lucheng.core.errors import Forbidden
from lucheng.core.organisation.middleware import scope
from lucheng.core.privacy import looks

router = Router(tags=["looks"])


class Wanted(out.Stretch):
    person: str = Field(default="", max_length=80, description="name or user name, in full")
    unit: str = Field(default="", max_length=80, description="name or code, in full")
    number: str = Field(default="", max_length=20, description="order number")
    reason: str = Field(default="", max_length=80, description="words of the reason")


@router.get("/looks", response=out.LooksOut, summary="List looks at sealed data")
def list_looks(request: HttpRequest, wanted: Query[Wanted]) -> out.LooksOut:
    """Every look at a requester's name, number or address, the newest first: who, for which unit, of which order, what
    was opened and why."""
    who = scope(request)
    if not who.can(looks.AUDIT):
        raise Forbidden(_("None of your posts lets you audit the use of personal data."))
    asked = looks.Asked(
        person=wanted.person,
        unit=wanted.unit,
        number=wanted.number,
        reason=wanted.reason,
        since=out.moment(wanted.since) or timezone.now() - looks.USUAL_PERIOD,
        until=out.moment(wanted.until),
    )
    rows, following = looks.page(looks.find(looks.visible(who), asked), wanted.before, wanted.limit)
    return out.LooksOut(
        looks=[
            out.LookOut(
                id=r.pk,
                at=r.at,
                person=r.person.name,
                username=r.person.username,
                unit=out.UnitRef(id=r.unit.pk, name=r.unit.name) if r.unit is not None else None,
                role=r.role,
                number=r.number,
                fields=r.fields,
                reason=r.reason,
            )
            for r in rows
        ],
        next=following,
    )
