"""Which step comes next: what a case waits for, and which of the open steps a person most likely takes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lucheng.core.cases.lifecycle import Transition
from lucheng.core.cases.models import Assist, Case, Nature, State
from lucheng.core.clocks.models import ClockKind
from lucheng.core.ledger.append import REQUESTER
from lucheng.core.organisation.access import Scope

S = State

#: The steps that move a case on, the likeliest first. Whoever may take one of them has it on their hands.
_LIKELY: dict[str, tuple[str, ...]] = {
    S.RECEIVED: ("accept", "settle", "answer", "merge", "reject", "transfer"),
    S.ACCEPTED: ("dispatch", "merge"),
    S.REOPENED: ("dispatch", "accept"),
    S.DISPATCHED: ("sign", "assist", "return"),
    S.RETURN_REQ: ("redispatch", "uphold"),
    S.SIGNED: ("assist", "contact", "reply"),
    S.EXTEND_REQ: ("grant_extension", "refuse_extension"),
    S.SUSPENDED: ("resume",),
    S.REPLIED: ("approve", "send_back"),
    S.REWORK: ("redo",),
    S.CALLBACK: ("close", "verify", "send_back"),
    S.ANSWERED: ("callback_answered", "close"),
    S.REJECTED: ("close",),
    S.TRANSFERRED: ("close",),
    S.CLOSED: ("archive",),
    S.WITHDRAWN: ("archive",),
}

#: What a case waits for, in words. ``%(unit)s`` is the unit in charge.
_WAITS: dict[str, str | Promise] = {
    S.RECEIVED: gettext_lazy("It waits to be accepted by the hotline."),
    S.ACCEPTED: gettext_lazy("It waits to be dispatched."),
    S.REOPENED: gettext_lazy("It has been reopened and waits to be dispatched."),
    S.DISPATCHED: gettext_lazy("It waits for %(unit)s to sign for it."),
    S.RETURN_REQ: gettext_lazy("%(unit)s asks to return it: the command centre decides."),
    S.SIGNED: gettext_lazy("%(unit)s has it in hand and owes a reply."),
    S.EXTEND_REQ: gettext_lazy("%(unit)s asks for more time: the command centre decides."),
    S.SUSPENDED: gettext_lazy("It rests until its planned date."),
    S.REPLIED: gettext_lazy("%(unit)s has replied: the reply waits to be reviewed."),
    S.REWORK: gettext_lazy("It was sent back: it waits for %(unit)s to take it up again."),
    S.CALLBACK: gettext_lazy("The reply has gone out: it waits for the callback."),
    S.ANSWERED: gettext_lazy("It has been answered at once and waits to be closed or called back."),
    S.MERGED: gettext_lazy("It follows the order that it was merged into."),
    S.TRANSFERRED: gettext_lazy("It has been handed over and waits to be closed."),
    S.REJECTED: gettext_lazy("It was not accepted and waits to be closed."),
    S.CLOSED: gettext_lazy("It is closed: nobody owes anything any more."),
    S.ARCHIVED: gettext_lazy("It stands in the archive."),
    S.WITHDRAWN: gettext_lazy("The requester has withdrawn it."),
}


@dataclass(frozen=True)
class Steps:
    """The open steps as a page offers them."""

    #: The one most likely next; None where it is somebody else's turn.
    main: Transition | None
    others: tuple[Transition, ...]
    #: What the requester may ask for, entered for one who telephones.
    for_requester: tuple[Transition, ...]
    #: What it waits for, in words.
    waits: str

    def __bool__(self) -> bool:
        return self.main is not None or bool(self.others) or bool(self.for_requester)


def offered(
    case: Case,
    open_steps: Sequence[Transition],
    reader: Scope,
    assists: Sequence[Assist],
    live: Collection[str],
) -> Steps:
    """The open steps, the likeliest first. ``live`` are the kinds of the clocks that run."""
    mine = {unit for grant in reader.grants for unit in grant.units}
    asked = any(a.replied_at is None and a.unit_id in mine for a in assists)
    rows = [r for r in open_steps if r.action != "assist" or asked]
    likely = list(_LIKELY.get(case.state, ()))
    if case.state == S.SIGNED and ClockKind.CONTACT not in live and "reply" in likely:
        likely = ["assist", "reply", "contact"]  # the requester has been spoken to
    if case.state == S.RECEIVED and case.nature == Nature.INQUIRY:
        likely.insert(0, "answer")
    if case.appealed_at is not None:
        likely.insert(0, "answer_appeal")
    order = {action: at for at, action in reversed(list(enumerate(likely)))}
    theirs = sorted(
        (r for r in rows if r.who != REQUESTER), key=lambda r: order.get(r.action, len(order) + 1)
    )
    main = theirs[0] if theirs and theirs[0].action in order else None
    unit = case.lead_unit.name if case.lead_unit is not None else _("the unit")
    return Steps(
        main=main,
        others=tuple(r for r in theirs if r is not main),
        for_requester=tuple(r for r in rows if r.who == REQUESTER),
        waits=str(_WAITS.get(case.state, "")) % {"unit": unit},
    )
