"""What people ask about their own data (个人信息权利请求): a kind of case that only its keeper sees and answers.

Personal Information Protection Law (个人信息保护法) arts 44 to 50: to know and decide, to look and have a copy (45), to
have it corrected or completed (46), deleted (47), explained (48); the way must be easy, and a refusal gives its reasons
(50).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.kinds import CaseKind, declare
from lucheng.core.cases.models import Nature, State
from lucheng.core.clocks.models import ClockKind
from lucheng.core.errors import Invalid
from lucheng.core.ledger.append import REQUESTER

#: Who answers.
KEEPER = "privacy.requests"
#: Orders that one request may be about.
MOST = 100


class Right(TextChoices):
    """What is asked, each with its article."""

    ACCESS = "access", _("see what is held about me (art. 45)")
    COPY = "copy", _("have a copy in a file (art. 45)")
    CORRECT = "correct", _("have something corrected or completed (art. 46)")
    DELETE = "delete", _("have something deleted (art. 47)")
    EXPLAIN = "explain", _("have it explained to me (art. 48)")


class Shown(TextChoices):
    """How whoever asks has shown that the data is theirs."""

    CODE = "code", _("opened these cases on the page, by code or telephone number")
    OTHERWISE = "otherwise", _("to be shown to whoever answers")


def _check(fields: Mapping[str, Any], role: str) -> None:
    """``right`` is one of :class:`Right`; ``about`` lists order numbers; ``shown`` is only for the resident's own pages
    to say, which have seen it."""
    errors: dict[str, Any] = {}
    if fields.get("right") not in Right.values:
        errors["fields.right"] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(Right.values)}
    about = fields.get("about", [])
    if not isinstance(about, list) or not all(
        isinstance(n, str) and n.isdecimal() and len(n) <= 20 for n in about
    ):
        errors["fields.about"] = _("Give a list of order numbers.")
    elif len(about) > MOST:
        errors["fields.about"] = _("One request may be about %(most)s orders at most.") % {"most": MOST}
    if fields.get("shown", Shown.OTHERWISE) != Shown.OTHERWISE and not (
        role == REQUESTER and fields["shown"] == Shown.CODE
    ):
        errors["fields.shown"] = _("Whoever answers finds out themselves who is asking.")
    for name in fields.keys() - {"right", "about", "shown"}:
        errors[f"fields.{name}"] = _("This kind of case does not ask for that.")
    if errors:
        raise Invalid(errors)


REQUEST = declare(
    CaseKind(
        code="privacy.request",
        name=_("request about one's own data"),
        natures=(Nature.OTHER,),
        states={State.RECEIVED: _("to be answered"), State.CLOSED: _("answered")},
        without=frozenset({"rate"}),
        kept_by=KEEPER,
        clock=ClockKind.REPLY,
        check=_check,
    )
)
