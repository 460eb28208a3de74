"""What a transition changes on the records besides the state: one function for each name in the table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.law import Step
from lucheng.core.cases.models import Assist, CallbackTurn, Case, Supervision, Text
from lucheng.core.clocks import service as clocks
from lucheng.core.clocks.holidays import calendar
from lucheng.core.clocks.models import ClockKind, TimeUnit
from lucheng.core.dispatch import alarms, catalogue, matters
from lucheng.core.errors import Forbidden
from lucheng.core.organisation.access import subtree
from lucheng.core.organisation.models import Post, Unit
from lucheng.core.triage import advice


def classify(step: Step) -> None:
    """A person has decided matter and place; what was proposed is kept beside it."""
    case = step.case
    _follow_urgency(step)
    case.matter = step.fields.get("matter") or case.matter
    case.place = step.fields.get("place") or case.place
    if "matter" in step.fields or "place" in step.fields:
        advice.decided(case, case.matter, case.place, step.now)


def _follow_urgency(step: Step) -> None:
    """An urgency that came with the matter goes with it; one that a person gave stands."""
    case, decided = step.case, step.fields.get("matter")
    if not decided:
        return
    proposed = case.matter or advice.proposed_matter(case)
    if case.urgency != matters.urgency(proposed):
        return
    if matters.urgency(decided) != case.urgency:
        case.urgency = matters.urgency(decided)
        step.says["urgency"] = case.urgency


def _ask_catalogue(step: Step) -> None:
    """Where the catalogue has no unit for an accepted case, it waits in the queue of those without a rule."""
    case = step.case
    if catalogue.decide(case.matter, case.place) is None:
        alarms.raise_alarm(case, catalogue.why_none(case.matter, case.place), step.now)
    else:
        alarms.settle(case, step.now)


def accept(step: Step) -> None:
    classify(step)
    step.case.accused_unit = step.fields.get("accused_unit") or step.case.accused_unit
    _ask_catalogue(step)


def answer(step: Step) -> None:
    classify(step)
    step.case.public_reply = step.fields["answer"]


def merge(step: Step) -> None:
    main: Case = step.fields["main"]
    case = step.case
    case.main = main
    case.lead_unit, case.units, case.handler, case.rule = main.lead_unit, main.units, None, None
    step.says["main"] = main.number
    alarms.settle(case, step.now)


def unmerge(step: Step) -> None:
    case = step.case
    if case.main is not None:
        step.says["main"] = case.main.number
    case.main = None
    case.lead_unit = None
    case.units = []
    case.named_after_study = False
    case.public_reply = ""
    _ask_catalogue(step)


def follow(step: Step) -> None:
    """The main order's reviewed reply is this caller's reply too; their callback is their own."""
    main = step.case.main
    assert main is not None  # only merged cases follow
    step.case.public_reply = main.public_reply
    step.case.lead_unit = main.lead_unit
    step.case.units = main.units
    step.says["main"] = main.number


def dispatch(step: Step) -> None:
    case, fields, decision = step.case, step.fields, step.decision
    classify(step)
    if fields.get("lead_unit") is not None:
        case.lead_unit = fields["lead_unit"]
        case.rule_id = None
        assists = [u.pk for u in fields.get("assist_units", ())]
        step.says["by"] = "person"
    else:
        assert decision is not None  # the rule lead_unit_is_named has seen to it
        case.lead_unit_id = decision.lead_unit_id
        case.rule_id = decision.rule_id
        assists = list(decision.assist_unit_ids)
        step.says |= {"by": "catalogue", "rule": decision.rule_id, "version": decision.version}
    assists = [a for a in dict.fromkeys(assists) if a != case.lead_unit_id]
    if step.action == "redispatch":
        case.named_after_study = True
    Assist.objects.filter(case=case, replied_at=None).delete()
    for a in assists:
        _ask(case, a, step.now)
    assert case.lead_unit_id is not None
    helped = Assist.objects.filter(case=case).values_list("unit_id", flat=True)
    case.units = list(dict.fromkeys([case.lead_unit_id, *assists, *helped]))
    case.handler = None
    case.dispatched_at = case.dispatched_at or step.now
    step.says |= {"lead": case.lead_unit_id, "assists": assists}
    alarms.settle(case, step.now)


def ask_return(step: Step) -> None:
    step.case.returns += 1


def uphold(step: Step) -> None:
    step.case.named_after_study = True


def sign(step: Step) -> None:
    step.case.handler = step.actor


def assign(step: Step) -> None:
    step.case.handler = step.fields["person"]


def _ask(case: Case, unit_id: int, now: dt.datetime) -> None:
    """Ask a unit to assist. Asked again, it owes a new report; the earlier one stays in the history."""
    Assist.objects.update_or_create(
        case=case, unit_id=unit_id, defaults={"asked_at": now, "replied_at": None, "reply": ""}
    )


def ask_assist(step: Step) -> None:
    unit: Unit = step.fields["assist_unit"]
    _ask(step.case, unit.pk, step.now)
    if unit.pk not in step.case.units:
        step.case.units = [*step.case.units, unit.pk]


def assist(step: Step) -> None:
    """The helper whose unit the person serves in has reported."""
    waiting = list(Assist.objects.filter(case=step.case, replied_at=None).order_by("id"))
    posts = Post.objects.filter(Post.in_force(timezone.localdate(step.now)), person=step.actor)
    mine = subtree(posts.exclude(unit=None).values_list("unit_id", flat=True))
    for a in waiting:
        if any(a.unit_id in units for units in mine.values()):
            a.replied_at = step.now
            a.reply = step.fields["assist_reply"]
            a.save(update_fields=["replied_at", "reply"])
            step.says["assist"] = a.unit_id
            return
    raise Forbidden(_("No assisting unit of yours is asked to report on this order."))


def extend(step: Step) -> None:
    change = clocks.extend(step.case, ClockKind.REPLY, step.fields["days"], TimeUnit.WORKING_DAYS, step.now)
    step.says["clocks"] = [change]


def suspend(step: Step) -> None:
    step.case.suspended_until = step.fields["until"]


def resume(step: Step) -> None:
    step.case.suspended_until = None


def approve(step: Step) -> None:
    reply = Text.objects.filter(case=step.case, name="public_reply").order_by("-seq").first()
    step.case.public_reply = reply.text if reply is not None else ""


def rework(step: Step) -> None:
    step.case.reworks += 1
    step.case.solved = step.case.contacted = step.case.satisfaction = None


def rate(step: Step) -> None:
    case, fields = step.case, step.fields
    if fields["satisfaction"] == "0" and case.satisfaction is not None:
        return  # not reached by telephone: what the requester answered online stands
    case.satisfaction = int(fields["satisfaction"])
    case.contacted = fields.get("contacted")
    case.solved = fields.get("solved")


def try_callback(step: Step) -> None:
    """Nobody answered: the case rests until it is worth another try, and is anybody's again."""
    if step.fields["again"] == "day":
        tomorrow = timezone.localtime(step.now).replace(hour=23, minute=59)
        again = calendar().add(tomorrow, 0.5, TimeUnit.WORKING_HOURS)  # half an hour into the next business
    else:
        again = step.now + dt.timedelta(hours=1 if step.fields["again"] == "hour" else 3)
    CallbackTurn.objects.update_or_create(
        case=step.case, defaults={"person": None, "until": None, "next_at": again}
    )


def close(step: Step) -> None:
    if "satisfaction" in step.fields:
        rate(step)
    elif "solved" in step.fields:
        step.case.solved = step.fields["solved"]
    step.case.suspended_until = None
    step.case.closed_at = step.now
    step.case.supervision = Supervision.NONE  # the history keeps that it was supervised
    alarms.settle(step.case, step.now)


def withdraw(step: Step) -> None:
    """With the request goes the appeal."""
    close(step)
    step.case.appealed_at = None


def reopen(step: Step) -> None:
    case = step.case
    case.closed_at = None
    case.named_after_study = False
    case.solved = case.contacted = case.satisfaction = None


def supervise(step: Step) -> None:
    step.case.supervision = step.fields["level"]


def supervise_again(step: Step) -> None:
    """At the callback supervision also sends the order back to its unit."""
    supervise(step)
    rework(step)


def end_supervision(step: Step) -> None:
    step.case.supervision = Supervision.NONE


def appeal(step: Step) -> None:
    step.case.appealed_at = step.now


def answer_appeal(step: Step) -> None:
    step.case.appealed_at = None


EFFECTS: dict[str, Callable[[Step], None]] = {
    "": lambda step: None,
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
    "assign": assign,
    "ask_assist": ask_assist,
    "assist": assist,
    "extend": extend,
    "suspend": suspend,
    "resume": resume,
    "approve": approve,
    "rework": rework,
    "rate": rate,
    "try_callback": try_callback,
    "close": close,
    "withdraw": withdraw,
    "reopen": reopen,
    "supervise": supervise,
    "supervise_again": supervise_again,
    "end_supervision": end_supervision,
    "appeal": appeal,
    "answer_appeal": answer_appeal,
}
