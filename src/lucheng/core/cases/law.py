"""The rules of law that a transition must satisfy, each a function named for what it demands.

A rule is given everything about the step and raises the refusal that tells the person what to do. The docstring names
the law: Beijing 北京市接诉即办工作条例, Jinan 济南市12345市民服务热线条例, Weifang 潍坊市12345政务服务便民热线条例 (the
legal models of this engine), and the State Council's notice 国办函〔2025〕66号.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.models import Assist, Case, Nature, State
from lucheng.core.clocks.models import Clock, ClockKind
from lucheng.core.dispatch.catalogue import Decision
from lucheng.core.dispatch.models import Matter
from lucheng.core.errors import Conflict, Forbidden, Invalid
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.access import line_of_command, scope_of, subtree
from lucheng.core.organisation.models import Person, Post, Unit

#: The most working days one extension may give (Shandong 2020: normally no more than ten).
MAX_EXTENSION_DAYS = 10

#: So often a unit has tried to reach a requester before it may reply without having spoken to them.
MIN_ATTEMPTS = 3

#: So often at most a requester is called on one day before they are reached.
MAX_CALLS_A_DAY = 3

#: An order in one of these states will yet have a reviewed reply, which those merged into it follow.
AWAITS_REPLY = (
    State.RECEIVED,
    State.ACCEPTED,
    State.REOPENED,
    State.DISPATCHED,
    State.RETURN_REQ,
    State.SIGNED,
    State.EXTEND_REQ,
    State.SUSPENDED,
    State.REPLIED,
    State.REWORK,
)


@dataclass
class Step:
    """One attempted transition: the locked case, the checked fields, who acts, and when."""

    case: Case
    action: str
    fields: dict[str, Any]
    actor: Person | None
    role: str
    now: dt.datetime
    #: The catalogue's answer for a dispatch, when no unit was named by hand.
    decision: Decision | None = None
    #: What the effect wants the event to say besides states, fields and clocks.
    says: dict[str, Any] = field(default_factory=dict)


Rule = Callable[[Step], None]


def _units_named(step: Step) -> list[tuple[str, Unit]]:
    """The units named by hand, each with its field."""
    named = [(name, step.fields.get(name)) for name in ("lead_unit", "assist_unit")]
    named += [("assist_units", u) for u in step.fields.get("assist_units", ())]
    return [(name, u) for name, u in named if u is not None]


def barred(case: Case) -> set[int]:
    """The unit complained of, what belongs to it, and its line of command below the city itself."""
    accused = case.accused_unit_id
    return set() if accused is None else set(subtree([accused])[accused]) | line_of_command([accused])


def _serves_in(person: Person | None, unit_id: int | None, now: dt.datetime) -> bool:
    """Whether the person holds a post in the unit or in one below it today."""
    if person is None or unit_id is None:
        return False
    units = subtree([unit_id])[unit_id]
    return Post.objects.filter(
        Post.in_force(timezone.localdate(now)), person=person, unit_id__in=units
    ).exists()


def refusal_states_reason_and_path(step: Step) -> None:
    """A refusal states its reason and, where another path exists, that path (Weifang art. 19; Beijing art. 11)."""
    if step.fields["ground"] in ("statutory_path", "outside_duty") and not step.fields.get("path"):
        raise Invalid({"path": _("On this ground the requester must be told the path that is open to them.")})


def only_inquiries_are_answered_at_once(step: Step) -> None:
    """An inquiry may be answered at once; help, complaint, report and suggestion are dispatched by the catalogue, save
    the inputs with a fixed treatment (Beijing art. 11). A finding settled on the spot is answered too."""
    if step.case.nature in (
        Nature.HELP,
        Nature.COMPLAINT,
        Nature.REPORT,
        Nature.SUGGESTION,
    ) and not step.fields.get("ground"):
        raise Invalid(
            {
                "ground": _(
                    "This is not an inquiry: dispatch it, or give the ground on which it may be answered at once."
                )
            }
        )


def main_order_takes_mergers(step: Step) -> None:
    """Repeated requests are joined to one main order (国办函〔2025〕66号): open, visible, not itself merged."""
    main: Case = step.fields["main"]
    if main.pk == step.case.pk:
        raise Invalid({"main": _("An order cannot be merged into itself.")})
    if Case.objects.filter(main=step.case, state=State.MERGED).exists():
        raise Invalid(
            {"main": _("Other orders are merged into this one: merge that order into this one instead.")}
        )
    if main.state == State.MERGED:
        raise Invalid({"main": _("That order is itself merged: choose its main order.")})
    if main.state not in AWAITS_REPLY:
        raise Invalid({"main": _("That order is no longer being handled: choose an open one.")})
    if main.kind != step.case.kind:
        raise Invalid({"main": _("Orders of different kinds cannot be merged.")})
    if main.accused_unit_id != step.case.accused_unit_id:
        raise Invalid({"main": _("The two orders complain of different units: they cannot be merged.")})


def lead_unit_is_named(step: Step) -> None:
    """One lead unit is fixed by the hotline, by the catalogue or by name with an opinion (Weifang arts 22, 24). No row
    of the catalogue is no silent default: a person must name the unit and say why."""
    if step.fields.get("lead_unit") is not None:
        if not step.fields.get("opinion") and not step.fields.get("reason"):
            raise Invalid(
                {"opinion": _("You name the unit yourself: say why, for the unit and for the record.")}
            )
        return
    if step.decision is None:
        raise Invalid(
            {
                "lead_unit": _(
                    "The catalogue has no unit for this matter at this place: name the unit and say why."
                )
            }
        )


def not_to_the_unit_complained_of(step: Step) -> None:
    """A complaint or report never reaches the unit complained of (Jinan art. 32): neither it, nor what belongs to it,
    nor its line of command below the city itself."""
    named = {u.pk for _name, u in _units_named(step)}
    if step.decision is not None and step.fields.get("lead_unit") is None:
        named |= {step.decision.lead_unit_id, *step.decision.assist_unit_ids}
    if named & barred(step.case):
        raise Forbidden(
            _("This order complains of that unit or of its line of command: dispatch it to another.")
        )


def grass_roots_only_by_list(step: Step) -> None:
    """Duties of departments are not pushed down: a sub-district, township or community takes only matters on its list
    of duties (国办函〔2025〕66号; Beijing art. 17; Weifang art. 24)."""
    low = [name for name, u in _units_named(step) if u.kind in (Unit.Kind.STREET, Unit.Kind.COMMUNITY)]
    matter = step.fields.get("matter") or step.case.matter
    if low and not Matter.objects.filter(code=matter, grassroots=True).exists():
        raise Invalid(
            {
                low[0]: _(
                    "This matter is not on the list of duties of sub-districts and townships: "
                    "it stays with the department."
                )
            }
        )


def return_within_its_limit(step: Step) -> None:
    """A return must be asked for within its limit (Shandong 2020: two working days)."""
    clock = Clock.objects.filter(case=step.case, kind=ClockKind.RETURN, state=Clock.State.RUNNING).first()
    if clock is not None and step.now > clock.due_at:
        raise Conflict(
            _(
                "The time for returning this order is over: handle it as first receiver, or ask for supervision."
            )
        )


def named_after_study_may_not_return(step: Step) -> None:
    """A unit named after study of its objection may not return the order again (Weifang art. 22)."""
    if step.case.named_after_study:
        raise Forbidden(
            _("Your unit was named after study of an objection: it may not return this order again.")
        )


def arbiter_is_not_the_unit(step: Step) -> None:
    """Objections and extensions are decided by the service, not by the unit that asks (Beijing art. 12)."""
    if _serves_in(step.actor, step.case.lead_unit_id, step.now):
        raise Forbidden(_("You serve in the unit that asks: somebody else must decide."))


def reviewer_is_not_the_handler(step: Step) -> None:
    """Every reply is reviewed, by somebody who did not write it (Jinan art. 27)."""
    last = Event.objects.filter(case=step.case, action="reply").order_by("-seq").first()
    if last is not None and step.actor is not None and last.actor_id == step.actor.pk:
        raise Forbidden(_("You wrote this reply: somebody else must review it."))


def caller_back_is_not_the_handler(step: Step) -> None:
    """Nobody calls back about their own reply and closes on it (Jinan art. 27)."""
    last = Event.objects.filter(case=step.case, action="reply").order_by("-seq").first()
    if last is not None and step.actor is not None and last.actor_id == step.actor.pk:
        raise Forbidden(_("You wrote this reply: somebody else must call back."))


def called_three_times_a_day_at_most(step: Step) -> None:
    """A requester is asked, not pestered: no fourth attempt on the same day (a rule of the house: the regulations
    demand the callback, Jinan art. 27, and leave open how often)."""
    today = timezone.localdate(step.now)
    tried = Event.objects.filter(case=step.case, action="try_callback").order_by("-seq")
    at = list(tried.values_list("at", flat=True)[:MAX_CALLS_A_DAY])
    if len(at) == MAX_CALLS_A_DAY and all(timezone.localdate(a) == today for a in at):
        raise Conflict(_("Three attempts have been made today: try again on another day."))


def extension_tells_the_requester(step: Step) -> None:
    """More time is asked for only after the requester has been told (Beijing art. 15)."""
    if not step.fields["person_told"] and step.case.reply_wanted and not step.case.anonymous:
        raise Invalid({"person_told": _("Tell the requester first that it will take longer, and why.")})


def extension_left(case: Case) -> int:
    """How many working days may still be given since the order was dispatched or sent back."""
    granted = 0
    for action, body in (
        Event.objects.filter(case=case, action__in=("dispatch", "redispatch", "send_back", "grant_extension"))
        .order_by("seq")
        .values_list("action", "body")
    ):
        granted = granted + body["days"] if action == "grant_extension" else 0
    return MAX_EXTENSION_DAYS - granted


def extension_within_bounds(step: Step) -> None:
    """Extensions normally give no more than ten working days (Shandong 2020), the earlier ones since the order was
    dispatched or sent back counted in: many small ones are not a way around it."""
    left = extension_left(step.case)
    if not 1 <= step.fields["days"] <= left:
        raise Invalid(
            {
                "days": _("Ask for 1 to %(most)s working days; for longer, suspend with a dated plan.")
                % {"most": left}
                if left > 0
                else _("All the time that may be given has been given: suspend the order with a dated plan.")
            }
        )


def plan_lies_ahead(step: Step) -> None:
    """Longer than the limit only with a dated plan (Jinan art. 24, Weifang art. 20)."""
    if step.fields["until"] <= timezone.localdate(step.now):
        raise Invalid({"until": _("The planned date must lie ahead.")})


def is_to_be_contacted(case: Case) -> bool:
    """Whether there is a requester who is known and wants to hear from the unit."""
    return not case.anonymous and case.reply_wanted and case.has_requester


def contact_so_far(case: Case) -> tuple[bool, int]:
    """Whether the requester has been reached since the unit took the order up, and how many times it was tried."""
    since = (
        Event.objects.filter(
            Q(action__in=("sign", "redo")) | Q(action="supervise", body__from=State.CALLBACK.value),
            case=case,
        )
        .order_by("-seq")
        .values_list("seq", flat=True)[:1]
    )
    steps = list(
        Event.objects.filter(
            case=case, action__in=("contact", "try_contact"), seq__gt=since[0] if since else 0
        ).values_list("action", flat=True)
    )
    return "contact" in steps, steps.count("try_contact")


def requester_was_contacted(step: Step) -> None:
    """The unit contacts the person before it replies (Beijing art. 15), unless they asked not to be. Somebody who
    cannot be reached is owed a reply all the same: after MIN_ATTEMPTS recorded attempts it may be written."""
    if not is_to_be_contacted(step.case):
        return
    reached, attempts = contact_so_far(step.case)
    if not reached and attempts < MIN_ATTEMPTS:
        raise Invalid(
            {
                "": _(
                    "Contact the requester and record it before you reply; "
                    "after %(attempts)s recorded attempts you may reply without."
                )
                % {"attempts": MIN_ATTEMPTS}
            }
        )


def person_in_charge_serves_in_the_unit(step: Step) -> None:
    """The lead unit handles the order itself (首接负责制; Beijing art. 14): it is handed to one of its own people, and
    to nobody who may not see it (Jinan art. 32)."""
    person: Person = step.fields["person"]
    day = timezone.localdate(step.now)
    serves = Post.objects.filter(Post.in_force(day), person=person, unit=step.case.lead_unit_id).exists()
    if not serves or scope_of(person, day).role_for("case.handle", step.case, "lead") is None:
        raise Invalid({"person": _("Choose somebody who handles this unit's orders.")})


def helpers_have_reported(step: Step) -> None:
    """The first receiver leads; helpers report to it or explain why they cannot, and it does not close over them
    (Beijing art. 14)."""
    silent = Assist.objects.filter(case=step.case, replied_at=None).exists()
    if silent and not step.fields.get("note"):
        raise Invalid(
            {"note": _("An assisting unit has not reported yet: wait for it, or explain here why not.")}
        )


def bad_callback_is_redone(step: Step) -> None:
    """A bad callback goes back to be done again (Jinan art. 27); only where the same facts and reasons have been
    handled lawfully may it be closed, with a written note (Jinan art. 25)."""
    case, said = step.case, int(step.fields.get("satisfaction", 0))
    asked = said != 0 or not case.has_requester
    bad = said in (1, 2) or (asked and step.fields.get("solved") is False)
    # What the requester answered online counts as much: it is not called away by entering something better.
    bad = bad or case.satisfaction in (1, 2) or case.solved is False
    if bad and step.case.lead_unit_id is not None and not step.fields.get("note"):
        raise Invalid(
            {
                "note": _(
                    "It is not solved to content: send it back, or note in writing why lawful handling is at its end."
                )
            }
        )


def no_appeal_waits(step: Step) -> None:
    """An appeal is answered before the order goes into the archive, where nothing more can be done (Jinan art. 15)."""
    if step.case.appealed_at is not None:
        raise Conflict(_("The requester objects: answer the appeal first."))


def a_unit_has_it(step: Step) -> None:
    """What is redone or supervised after the callback goes back to its unit (Jinan art. 27, Weifang art. 26): it must
    have one."""
    if step.case.lead_unit_id is None:
        raise Conflict(_("No unit has handled this order: close it and reopen it to have it dispatched."))


def the_lead_does_not_assist_itself(step: Step) -> None:
    """Helpers report to the lead unit (Beijing art. 14): it is not one of them."""
    if step.fields["assist_unit"].pk == step.case.lead_unit_id:
        raise Invalid({"assist_unit": _("This unit leads: name another to assist it.")})


def staff_say_why_it_is_withdrawn(step: Step) -> None:
    """Withdrawing is the requester's right; who enters it for them says how they asked, so that no order is closed
    without feedback under this name."""
    if step.actor is not None and not step.fields.get("reason"):
        raise Invalid({"reason": _("Say when and how the requester asked to withdraw.")})


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        refusal_states_reason_and_path,
        only_inquiries_are_answered_at_once,
        main_order_takes_mergers,
        lead_unit_is_named,
        not_to_the_unit_complained_of,
        grass_roots_only_by_list,
        return_within_its_limit,
        named_after_study_may_not_return,
        arbiter_is_not_the_unit,
        reviewer_is_not_the_handler,
        caller_back_is_not_the_handler,
        called_three_times_a_day_at_most,
        extension_tells_the_requester,
        extension_within_bounds,
        plan_lies_ahead,
        requester_was_contacted,
        helpers_have_reported,
        person_in_charge_serves_in_the_unit,
        bad_callback_is_redone,
        no_appeal_waits,
        a_unit_has_it,
        the_lead_does_not_assist_itself,
        staff_say_why_it_is_withdrawn,
    )
}
