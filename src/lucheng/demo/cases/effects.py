"""What a step changes on a case in memory: one function for each name in the life cycle's table.

Each repeats the function of the same name in :mod:`lucheng.core.cases.effects`, without the database; where that one
changes, the test that sends stories through the engine says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from lucheng.core.clocks import service
from lucheng.core.clocks.models import Clock, TimeUnit
from lucheng.core.dispatch import matters
from lucheng.demo.cases.records import Helper

if TYPE_CHECKING:
    from lucheng.demo.cases.life import Life


@dataclass(slots=True)
class Step:
    """One step as its effect sees it. A merged case gets its ``main``, a report its ``helper`` unit."""

    action: str
    fields: dict[str, Any]
    at: dt.datetime
    actor: int | None
    main: Life | None = None
    helper: int | None = None
    #: What the event says besides states, fields and clocks.
    says: dict[str, Any] = field(default_factory=dict)


def classify(life: Life, step: Step) -> None:
    decided, before = step.fields.get("matter"), matters.urgency(life.matter or life.proposed[0])
    if decided and life.urgency == before != matters.urgency(decided):
        life.urgency = step.says["urgency"] = matters.urgency(decided)
    life.matter = step.fields.get("matter") or life.matter
    life.place = step.fields.get("place") or life.place
    if "matter" in step.fields or "place" in step.fields:
        life.decided = (life.matter, life.place, step.at)


def accept(life: Life, step: Step) -> None:
    classify(life, step)
    life.ask_catalogue(step.at)


def answer(life: Life, step: Step) -> None:
    classify(life, step)
    life.public_reply = step.fields["answer"]


def dispatch(life: Life, step: Step) -> None:
    classify(life, step)
    lead = step.fields.get("lead_unit")
    if lead is not None:
        life.rule = None
        assists = list(step.fields.get("assist_units", ()))
        step.says["by"] = "person"
    else:
        decision = life.world.decide(life.matter, life.place)
        assert decision is not None  # the story names a unit where the catalogue has none
        lead, life.rule = decision.lead_unit_id, decision.rule_id
        assists = list(decision.assist_unit_ids)
        step.says |= {"by": "catalogue", "rule": decision.rule_id, "version": decision.version}
    assists = [a for a in dict.fromkeys(assists) if a != lead]
    if step.action == "redispatch":
        life.named_after_study = True
    life.helpers = {u: h for u, h in life.helpers.items() if h.replied_at is not None}
    for unit in assists:
        life.helpers[unit] = Helper(step.at)
    life.lead_unit, life.handler = lead, None
    life.units = list(dict.fromkeys([lead, *assists, *life.helpers]))
    life.dispatched_at = life.dispatched_at or step.at
    life.settle_alarm(step.at)
    step.says |= {"lead": lead, "assists": assists}


def merge(life: Life, step: Step) -> None:
    assert step.main is not None  # whoever merges says into what
    life.main, life.units, step.says["main"] = step.main, step.main.units, step.main.number
    life.lead_unit, life.handler, life.rule = step.main.lead_unit, None, None
    life.settle_alarm(step.at)


def unmerge(life: Life, step: Step) -> None:
    if life.main is not None:
        step.says["main"] = life.main.number
    life.main, life.lead_unit, life.units, life.public_reply = None, None, [], ""
    life.named_after_study = False
    life.ask_catalogue(step.at)


def follow(life: Life, step: Step) -> None:
    assert life.main is not None  # only merged cases follow
    life.public_reply, life.lead_unit = life.main.public_reply, life.main.lead_unit
    life.units, step.says["main"] = life.main.units, life.main.number


def ask_return(life: Life, step: Step) -> None:
    life.returns += 1


def uphold(life: Life, step: Step) -> None:
    life.named_after_study = True


def sign(life: Life, step: Step) -> None:
    life.handler = step.actor


def ask_assist(life: Life, step: Step) -> None:
    unit = step.fields["assist_unit"]
    life.helpers[unit] = Helper(step.at)
    if unit not in life.units:
        life.units = [*life.units, unit]


def assist(life: Life, step: Step) -> None:
    assert step.helper is not None  # whoever reports says for which unit
    helper = life.helpers[step.helper]
    helper.replied_at, helper.reply = step.at, step.fields["assist_reply"]
    step.says["assist"] = step.helper


def extend(life: Life, step: Step) -> None:
    clock = cast(Clock, life.live["reply"])
    step.says["clocks"] = [service.lengthen(clock, step.fields["days"], TimeUnit.WORKING_DAYS, step.at)]
    life.due_at = service.first_due(cast("dict[str, Clock]", life.live))


def suspend(life: Life, step: Step) -> None:
    life.suspended_until = step.fields["until"]


def resume(life: Life, step: Step) -> None:
    life.suspended_until = None


def approve(life: Life, step: Step) -> None:
    life.public_reply = life.last_reply


def rework(life: Life, step: Step) -> None:
    life.reworks += 1
    life.solved = life.contacted = life.satisfaction = None


def rate(life: Life, step: Step) -> None:
    if step.fields["satisfaction"] == "0" and life.satisfaction is not None:
        return
    life.satisfaction = int(step.fields["satisfaction"])
    life.contacted, life.solved = step.fields.get("contacted"), step.fields.get("solved")


def close(life: Life, step: Step) -> None:
    if "satisfaction" in step.fields:
        rate(life, step)
    elif "solved" in step.fields:
        life.solved = step.fields["solved"]
    life.suspended_until = None
    life.closed_at, life.supervision = step.at, ""
    life.settle_alarm(step.at)


def withdraw(life: Life, step: Step) -> None:
    close(life, step)
    life.appealed_at = None


def reopen(life: Life, step: Step) -> None:
    life.closed_at, life.named_after_study = None, False
    life.solved = life.contacted = life.satisfaction = None


def supervise(life: Life, step: Step) -> None:
    life.supervision = step.fields["level"]


def supervise_again(life: Life, step: Step) -> None:
    supervise(life, step)
    rework(life, step)


def end_supervision(life: Life, step: Step) -> None:
    life.supervision = ""


def appeal(life: Life, step: Step) -> None:
    life.appealed_at = step.at


def answer_appeal(life: Life, step: Step) -> None:
    life.appealed_at = None


EFFECTS: dict[str, Callable[[Life, Step], None]] = {
    "": lambda life, step: None,
    "classify": classify,
    "accept": accept,
    "answer": answer,
    "merge": merge,
    "unmerge": unmerge,
    "follow": follow,
    "dispatch": dispatch,
    "return": ask_return,
    "uphold": uphold,
    "sign": sign,
    "ask_assist": ask_assist,
    "assist": assist,
    "extend": extend,
    "suspend": suspend,
    "resume": resume,
    "approve": approve,
    "rework": rework,
    "rate": rate,
    "close": close,
    "withdraw": withdraw,
    "reopen": reopen,
    "supervise": supervise,
    "supervise_again": supervise_again,
    "end_supervision": end_supervision,
    "appeal": appeal,
    "answer_appeal": answer_appeal,
}
