"""What a resident may do without an account: report, follow by code, add, rate, appeal, withdraw."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Body, Header, Router
from pydantic import JsonValue

from lucheng.channels.api import schemas as out
from lucheng.channels.api.create import Moment, check_json, encode, scoped_key
from lucheng.channels.api.work import Key, destroyed, moved, place, state, step
from lucheng.core.cases import codes, engine, following, intake, reports
from lucheng.core.cases.lifecycle import TRANSITIONS
from lucheng.core.cases.models import Case, Channel
from lucheng.core.errors import Forbidden, NotFound
from lucheng.core.ledger.append import REQUESTER
from lucheng.projects.command_centre.cases import ORDER
from lucheng.web.addresses import client_address

router = Router(tags=["residents"])


class Report(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A resident's report. It becomes a 12345 work order."""

    nature: str
    content: str
    title: str = ""
    place: str = ""
    address: str = ""
    lon: float | None = None
    lat: float | None = None
    name: str = ""
    phone: str = ""
    contact_address: str = ""
    anonymous: bool = False
    confidential: bool = False
    reply_wanted: bool = True
    language: str = "zh"
    collective: bool = False
    occurred_at: Moment | None = None
    accused_unit: int | None = None
    #: Edition of the privacy notice that the person was shown: /notice/ shows the newest with its number.
    notice: int | None = None


_decode = msgspec.json.Decoder(Report).decode

#: Steps that the requester is told of: their own, those that show them a text, those that send them a message.
_TOLD = {
    t.action: t
    for t in TRANSITIONS
    if t.who == REQUESTER or t.shows or any(whom == "requester" for _template, whom in t.tells)
}


Digits = Annotated[
    str,
    Header(
        alias="Phone-Digits",
        max_length=20,
        description="the last four digits of the number that the requester gave, where they gave one",
    ),
]


def _followed(request: HttpRequest, code: str, digits: str) -> tuple[Case, bool]:
    """The case with this code, and whether it opens: the digits of its requester came along, or none are needed."""
    stored = codes.read(code)
    if stored is None:
        raise NotFound(_("No case has this code. Check it for a slip of the pen."))
    line, now = client_address(request), timezone.now()
    if digits:
        return following.opened(stored, digits, line, now), True
    case = following.by_code(stored, line, now)
    return case, not following.needs_digits(case)


@router.get("/track/{code}", response=out.Tracked, auth=None, summary="Follow a case by its code")
def track(request: HttpRequest, code: str, phone_digits: Digits = "") -> out.Tracked:
    """Where a case stands, as whoever holds its code may see it: no contact, no names of staff, no internal texts,
    no room of a home.

    Where the requester left a number, the code alone shows state, unit and due date; the rest opens with its last four
    digits.
    """
    case, is_open = _followed(request, code, phone_digits)
    if not is_open:
        return out.Tracked(
            state=state(case),
            due_at=case.due_at,
            lead_unit=case.lead_unit.name if case.lead_unit is not None else "",
            digits_needed=True,
            destroyed=destroyed(case),
        )
    shown: dict[int, list[str]] = {}
    events = list(case.events.filter(action__in=_TOLD).order_by("seq"))
    actions = {e.seq: e.action for e in events}
    for seq, name, text in (
        case.texts.filter(seq__in=actions).order_by("id").values_list("seq", "name", "text")
    ):
        if name in _TOLD[actions[seq]].shows:
            theirs = _TOLD[actions[seq]].who == REQUESTER
            shown.setdefault(seq, []).append(following.told(case, text, own=theirs))
    return out.Tracked(
        number=case.number,
        state=state(case),
        created_at=case.created_at,
        due_at=case.due_at,
        lead_unit=case.lead_unit.name if case.lead_unit is not None else "",
        public_reply=following.told(case, case.public_reply),
        history=[
            out.Told(
                at=e.at, action=e.action, name=str(_TOLD[e.action].name), text="\n".join(shown.get(e.seq, ()))
            )
            for e in events
        ],
        destroyed=destroyed(case),
        actions=[step(row) for row in engine.requester_actions(case)],
    )


@router.post("/track/{code}/actions/{action}", response=out.Moved, auth=None, summary="Act as the requester")
def act_as_requester(
    request: HttpRequest,
    code: str,
    action: str,
    fields: Annotated[dict[str, JsonValue], Body(description="what the step needs and takes, by name")],
    idempotency_key: Key = "",
    phone_digits: Digits = "",
) -> out.Moved:
    """Add information, answer the callback, appeal or withdraw, as whoever holds the code and knows the digits."""
    case, is_open = _followed(request, code, phone_digits)
    if not is_open:
        raise Forbidden(_("Send the last four digits of the requester's number in the header Phone-Digits."))
    return moved(
        engine.act_as_requester(case.code, action, fields, now=timezone.now(), key=idempotency_key or None)
    )


@router.post("/public/cases", auth=None, summary="Report something")
def post_report(request: HttpRequest, idempotency_key: Key = "") -> HttpResponse:
    """A resident's report, without an account. Answers with the code by which it can be followed."""
    check_json(request.headers.get("Content-Type", ""))
    key = scoped_key("public", idempotency_key or None)
    new = intake.NewCase(
        kind=ORDER.code, channel=Channel.WEB.value, **msgspec.structs.asdict(_decode(request.body))
    )
    made = reports.make(new, address=client_address(request), now=timezone.now(), idempotency_key=key)
    body = out.Reported(
        number=made.number,
        code=made.code,
        state=out.Named(code=made.state, name=str(ORDER.state_name(made.state))),
        place=place(made.place),
        due_at=made.due_at,
    )
    return HttpResponse(
        encode(body.model_dump()),
        status=200 if made.repeated else 201,
        headers={
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "Location": f"/api/v1/track/{made.code}",
        },
    )
