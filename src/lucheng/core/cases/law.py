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

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.models import Assist, Case, Nature, State
from lucheng.core.clocks.models import Clock, ClockKind
from lucheng.core.dispatch.catalogue import Decision
from lucheng.core.dispatch.models import Matter
from lucheng.core.errors import Conflict, Forbidden, Invalid
from lucheng.core.ledger.models import Event
from lucheng.core.organisation.access import line_of_command, subtree
from lucheng.core.organisation.models import Person, Post, Unit

#: The most working days one extension may give (Shandong 2020: normally no more than ten).
MAX_EXTENSION_DAYS = 10


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


def _units_named(step: Step) -> list[Unit]:
    named = [
        step.fields.get("lead_unit"),
        step.fields.get("assist_unit"),
        *step.fields.get("assist_units", ()),
    ]
    return [u for u in named if u is not None]


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
    if not main.open or main.state in (State.REJECTED, State.TRANSFERRED):
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
    accused = step.case.accused_unit_id
    if accused is None:
        return
    barred = set(subtree([accused])[accused]) | line_of_command([accused])
    named = {u.pk for u in _units_named(step)}
    if step.decision is not None and step.fields.get("lead_unit") is None:
        named |= {step.decision.lead_unit_id, *step.decision.assist_unit_ids}
    if named & barred:
        raise Forbidden(
            _("This order complains of that unit or of its line of command: dispatch it to another.")
        )


def grass_roots_only_by_list(step: Step) -> None:
    """Duties of departments are not pushed down: a sub-district, township or community takes only matters on its list
    of duties (国办函〔2025〕66号; Beijing art. 17; Weifang art. 24)."""
    low = [u for u in _units_named(step) if u.kind in (Unit.Kind.STREET, Unit.Kind.COMMUNITY)]
    matter = step.fields.get("matter") or step.case.matter
    if low and not Matter.objects.filter(code=matter, grassroots=True).exists():
        raise Invalid(
            {
                "lead_unit": _(
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


def extension_tells_the_requester(step: Step) -> None:
    """More time is asked for only after the requester has been told (Beijing art. 15)."""
    if not step.fields["person_told"] and step.case.reply_wanted and not step.case.anonymous:
        raise Invalid({"person_told": _("Tell the requester first that it will take longer, and why.")})


def extension_within_bounds(step: Step) -> None:
    """An extension normally gives no more than ten working days (Shandong 2020)."""
    if not 1 <= step.fields["days"] <= MAX_EXTENSION_DAYS:
        raise Invalid(
            {
                "days": _("Ask for 1 to %(most)s working days; for longer, suspend with a dated plan.")
                % {"most": MAX_EXTENSION_DAYS}
            }
        )


def plan_lies_ahead(step: Step) -> None:
    """Longer than the limit only with a dated plan (Jinan art. 24, Weifang art. 20)."""
    if step.fields["until"] <= timezone.localdate(step.now):
        raise Invalid({"until": _("The planned date must lie ahead.")})


def requester_was_contacted(step: Step) -> None:
    """The unit contacts the person before it replies (Beijing art. 15), unless they asked not to be."""
    if step.case.anonymous or not step.case.reply_wanted or step.case.nature == Nature.FINDING:
        return
    since = (
        Event.objects.filter(case=step.case, action__in=("sign", "redo"))
        .order_by("-seq")
        .values_list("seq", flat=True)[:1]
    )
    if not Event.objects.filter(case=step.case, action="contact", seq__gt=since[0] if since else 0).exists():
        raise Invalid({"": _("Contact the requester and record it before you reply.")})


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
    bad = int(step.fields["satisfaction"]) in (1, 2) or (
        step.fields["satisfaction"] != "0" and step.fields.get("solved") is False
    )
    if bad and step.case.lead_unit_id is not None and not step.fields.get("note"):
        raise Invalid(
            {
                "note": _(
                    "The requester is not content: send it back, or note in writing why lawful handling is at its end."
                )
            }
        )


def there_is_an_appeal(step: Step) -> None:
    """Only an appeal that waits can be answered."""
    if step.case.appealed_at is None:
        raise Conflict(_("There is no appeal waiting for an answer."))


def a_unit_has_it(step: Step) -> None:
    """Supervision after callback returns the order to its unit (Weifang art. 26): it must have one."""
    if step.case.lead_unit_id is None:
        raise Conflict(_("No unit has handled this order: there is nobody to supervise."))


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
        extension_tells_the_requester,
        extension_within_bounds,
        plan_lies_ahead,
        requester_was_contacted,
        helpers_have_reported,
        bad_callback_is_redone,
        there_is_an_appeal,
        a_unit_has_it,
    )
}
