"""The grid worker's finding (网格事件): seen on the round, settled on the spot or reported."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.kinds import CaseKind, declare
from lucheng.core.cases.models import Nature, State

FINDING = declare(
    CaseKind(
        code="grids.finding",
        name=_("grid finding"),
        natures=(Nature.FINDING,),
        has_requester=False,
        states={
            State.RECEIVED: _("reported"),
            State.REJECTED: _("not opened"),
            State.ANSWERED: _("settled on the spot"),
            State.ACCEPTED: _("opened, to be assigned"),
            State.DISPATCHED: _("assigned, to be signed for"),
            State.SIGNED: _("being dealt with"),
            State.REPLIED: _("dealt with, to be reviewed"),
            State.CALLBACK: _("to be verified on site"),
        },
        without=frozenset({"withdraw", "rate", "appeal", "supplement", "answer_appeal"}),
    )
)
