"""The 12345 work order (工单): what comes in over the hotline and its web page."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.kinds import CaseKind, declare
from lucheng.core.cases.models import Nature, State

ORDER = declare(
    CaseKind(
        code="command_centre.order",
        name=_("12345 work order"),
        natures=(
            Nature.INQUIRY,
            Nature.HELP,
            Nature.COMPLAINT,
            Nature.REPORT,
            Nature.SUGGESTION,
            Nature.PRAISE,
            Nature.OTHER,
        ),
        states={
            State.ACCEPTED: _("to be dispatched"),
            State.DISPATCHED: _("to be signed for"),
            State.SIGNED: _("being handled"),
            State.REPLIED: _("handled, to be reviewed"),
        },
        without=frozenset({"settle"}),
    )
)
