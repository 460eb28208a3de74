"""Making a case over the API, apart from how the request arrived.

Two doors lead here, with the same checks and the same answers: :mod:`lucheng.channels.api.hot` for programs with a key,
and the operation in Django for signed-in browsers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

import msgspec
from django.utils.translation import gettext_lazy as _

from lucheng.channels.api.auth import Identity
from lucheng.channels.api.problems import KeyMissing, MediaType
from lucheng.core.cases import intake
from lucheng.core.cases.models import Channel
from lucheng.core.errors import Forbidden, Invalid
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.capabilities import CAPABILITIES
from lucheng.core.places import locate, names

PATH = "/api/v1/cases"
#: Least and most characters of an idempotency key.
KEY_LENGTH = (8, 80)

#: A moment with its zone.
Moment = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class NewCase(intake.NewCase, kw_only=True, forbid_unknown_fields=True):
    """A case to be made. ``kind``, ``nature`` and ``content`` are always needed; GET /kinds and GET /matters list the
    codes. Without ``place`` the point decides, or else the words."""

    channel: str = Channel.API.value
    occurred_at: Moment | None = None


_decode = msgspec.json.Decoder(NewCase).decode
encode = msgspec.json.Encoder().encode


def scoped_key(owner: str, key: str | None) -> str:
    """The idempotency key of one sender, apart from everybody else's. Raises KeyMissing, Invalid."""
    if not key:
        raise KeyMissing(
            _("A create is sent with the header Idempotency-Key, so that a retry makes no second case.")
        )
    shortest, longest = KEY_LENGTH
    if not shortest <= len(key) <= longest or not key.isascii() or not key.isprintable():
        raise Invalid(
            {
                "Idempotency-Key": _("Write %(shortest)s to %(longest)s ASCII characters, such as a UUID.")
                % {"shortest": shortest, "longest": longest}
            }
        )
    return f"{owner}:{key}"


def check_json(content_type: str) -> None:
    """Raises MediaType unless the body is declared as JSON."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise MediaType(_("Send the body as “application/json”."))


def _roles(scope: Scope, capabilities: Sequence[str], place: str) -> list[str | None]:
    """For each capability, the role of the first post that gives it over all of ``place``."""
    return [
        next((g.role for g in scope.grants if c in g.capabilities and place.startswith(g.place)), None)
        for c in capabilities
    ]


def role_for(scope: Scope, new: intake.NewCase) -> str:
    """The role in which a person enters this case.

    A post lets its holder enter cases at its place. Where neither place nor point is given, the words decide, and they
    may name any place: that is for posts that hold for the whole city.

    Raises Forbidden; Invalid where the place must be named.
    """
    wanted = ("case.create", "case.accept", "case.dispatch") if new.dispatch else ("case.create",)
    roles = _roles(scope, wanted, names.root())
    if None in roles:
        for capability in wanted:
            if not scope.can(capability):
                raise Forbidden(
                    _("None of your posts lets you do this: %(what)s.") % {"what": CAPABILITIES[capability]}
                )
        place = new.place
        if not place and new.lon is not None and new.lat is not None:
            place = locate.locate_point(new.lon, new.lat) or ""
        if not place:
            raise Invalid({"place": _("Name the place: your posts do not hold for the whole city.")})
        roles = _roles(scope, wanted, place)
    role = roles[-1]
    if role is None or None in roles:
        raise Forbidden(_("Your posts do not let you enter cases for this place."))
    return role


def create(
    body: bytes, content_type: str, key: str | None, who: Identity, now: dt.datetime
) -> tuple[int, dict[str, str], bytes]:
    """Make a case from a JSON body: status, headers and body of the answer.

    Raises what :func:`lucheng.channels.api.problems.of` understands.
    """
    check_json(content_type)
    key = scoped_key(f"api:{who.person.pk}", key)
    new = _decode(body)
    made = intake.create(new, actor=who.person, role=role_for(who.scope, new), now=now, idempotency_key=key)
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Location": f"{PATH}/{made.number}",
        "ETag": f'"{made.version}"',
    }
    return 200 if made.repeated else 201, headers, encode(made)
