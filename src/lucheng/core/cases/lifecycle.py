"""The life cycle of every matter, as one table.

A transition is a row: the action, the states it may start from, the state it leads to, who may do it, what must be
filled in, what it does to the clocks, the rules of law that are checked (:mod:`lucheng.core.cases.law`), and who is
told. :mod:`lucheng.core.cases.engine` executes rows and knows no state by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.models import ENDED, State, Supervision
from lucheng.core.ledger.append import REQUESTER, SYSTEM

Text = str | Promise
S = State


@dataclass(frozen=True)
class Field:
    """Something a transition asks for. ``kind`` says how it is entered and checked (see engine.parse)."""

    kind: str  # line | text | flag | choice | unit | units | person | matter | place | case | date | days
    label: Text
    choices: tuple[tuple[str, Text], ...] = ()


#: Every field that any transition may ask for. Lines and texts are kept beside the ledger, which holds their digests.
FIELDS: dict[str, Field] = {
    "reason": Field("text", _("reason")),
    "ground": Field(
        "choice",
        _("ground"),
        (
            ("statutory_path", _("a statutory path exists (petition, suit, arbitration …)")),
            ("no_new_facts", _("same matter without new facts: progress told")),
            ("secret", _("concerns secrets or privacy: explained")),
            ("outside_duty", _("outside the duties of government: other path told")),
            ("unlawful", _("unlawful demand: dissuaded")),
        ),
    ),
    "exemption": Field(
        "choice",
        _("ground for refusing"),
        (
            ("keeping_by_law", _("a law asks that it be kept (art. 47); it is used for nothing else")),
            ("secrecy_by_law", _("a law asks for secrecy, or need not tell (arts 18 and 45)")),
            ("not_shown", _("it was not shown that the person asking is the one concerned")),
            ("of_others", _("it would disclose what belongs to others")),
            ("not_held", _("nothing of the kind is held")),
        ),
    ),
    "path": Field("text", _("the path told to the requester")),
    "answer": Field("text", _("answer given")),
    "target": Field(
        "choice",
        _("handed over to"),
        (
            ("110", _("police 110")),
            ("119", _("fire and rescue 119")),
            ("120", _("ambulance 120")),
            ("122", _("traffic police 122")),
            ("petition", _("petition office")),
            ("court", _("court")),
            ("other", _("other")),
        ),
    ),
    "main": Field("case", _("main order")),
    "matter": Field("matter", _("matter")),
    "place": Field("place", _("place")),
    "accused_unit": Field("unit", _("unit complained of")),
    "lead_unit": Field("unit", _("lead unit")),
    "assist_units": Field("units", _("assisting units")),
    "opinion": Field("text", _("opinion on the dispatch")),
    "person": Field("person", _("person in charge")),
    "basis": Field("line", _("legal basis")),
    "proposed_unit": Field("unit", _("unit proposed instead")),
    "how": Field(
        "choice",
        _("how"),
        (
            ("phone", _("by telephone")),
            ("visit", _("on site")),
            ("message", _("by message")),
        ),
    ),
    "person_told": Field("flag", _("the requester has been told")),
    "days": Field("days", _("working days asked for")),
    "until": Field("date", _("planned date")),
    "handling": Field("text", _("what was done (internal)")),
    "public_reply": Field("text", _("reply to the requester")),
    "facts_true": Field("flag", _("what was reported is true")),
    "solved": Field("flag", _("solved")),
    "contacted": Field("flag", _("the unit contacted the requester")),
    "satisfaction": Field(
        "choice",
        _("satisfaction"),
        (
            ("5", _("very satisfied")),
            ("4", _("satisfied")),
            ("3", _("basically satisfied")),
            ("2", _("dissatisfied")),
            ("1", _("very dissatisfied")),
            ("0", _("not reached or no callback wanted")),
        ),
    ),
    "note": Field("text", _("note")),
    "again": Field(
        "choice",
        _("try again"),
        (
            ("hour", _("in an hour")),
            ("hours", _("in three hours")),
            ("day", _("on the next working day")),
        ),
    ),
    "level": Field("choice", _("level"), tuple((s.value, s.label) for s in Supervision if s.value)),
    "supervision_ground": Field(
        "choice",
        _("ground for supervision"),
        (
            ("refused", _("refused without good cause")),
            ("overdue", _("overdue")),
            ("unsolved", _("should have been solved and was not")),
            ("effect", _("bad effect")),
            ("other", _("other")),
        ),
    ),
    "assist_unit": Field("unit", _("assisting unit")),
    "assist_reply": Field("text", _("report of the assisting unit, or why it cannot help")),
}


@dataclass(frozen=True)
class Transition:
    """One row of the life cycle."""

    action: str
    name: Text
    sources: tuple[State, ...]
    #: None where the case stays where it is.
    to: State | None
    #: The capability asked of staff, or ``requester`` / ``system``.
    who: str
    #: Who of those with the capability: ``lead`` people of the lead unit, ``author`` who entered the case; else all.
    by: str = ""
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    clocks: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    #: (message template, to whom): requester, lead, assists or county (the county's government).
    tells: tuple[tuple[str, str], ...] = ()
    #: What must be set on the case for this step to make sense: the name of one of its fields.
    given: str = ""
    #: What else changes on the records: a function of lucheng.core.cases.effects.
    effect: str = ""
    #: The texts of this step that the requester may read.
    shows: tuple[str, ...] = ()

    def clock_operations(self, *, contact: bool) -> tuple[str, ...]:
        """What the step does to the clocks; without ``contact`` there is nobody to contact, and no limit for it."""
        return tuple(op for op in self.clocks if contact or op not in ("start:contact", "restart:contact"))


ON_DISPATCH = ("stop:dispatch", "restart:sign", "start:contact", "start:reply", "restart:return")
OPEN = tuple(s for s in State if s not in ENDED and s is not State.DRAFT)
#: While a unit has the case in hand.
IN_HAND = (S.DISPATCHED, S.RETURN_REQ, S.SIGNED, S.EXTEND_REQ, S.SUSPENDED, S.REPLIED, S.REWORK)

# fmt: off
TRANSITIONS: tuple[Transition, ...] = (
    Transition("submit", _("Submit"), (S.DRAFT,), S.RECEIVED, "case.create", clocks=("start:dispatch",)),
    # --- at the hotline or centre
    Transition(
        "accept", _("Accept"), (S.RECEIVED, S.REOPENED), S.ACCEPTED, "case.accept",
        takes=("matter", "place", "accused_unit"), effect="accept",
    ),
    Transition(
        "reject", _("Do not accept"), (S.RECEIVED,), S.REJECTED, "case.accept",
        needs=("ground", "reason"), takes=("path",), clocks=("stop:dispatch",),
        rules=("refusal_states_reason_and_path",), tells=(("rejected", "requester"),), shows=("reason", "path"),
    ),
    Transition(
        "answer", _("Answer at once"), (S.RECEIVED,), S.ANSWERED, "case.accept",
        needs=("answer",), takes=("ground", "matter", "place"), clocks=("stop:dispatch",),
        rules=("only_inquiries_are_answered_at_once",), tells=(("answered", "requester"),), effect="answer", shows=("answer",),
    ),
    Transition(
        "settle", _("Settled on the spot"), (S.RECEIVED,), S.ANSWERED, "case.create", by="author",
        needs=("handling",), takes=("matter",), clocks=("stop:dispatch",), effect="classify",
    ),
    Transition(
        "transfer", _("Hand over outside"), (S.RECEIVED,), S.TRANSFERRED, "case.accept",
        needs=("target", "reason"), clocks=("stop:dispatch",), tells=(("transferred", "requester"),), shows=("reason",),
    ),
    Transition(
        "merge", _("Merge into another order"), (S.RECEIVED, S.ACCEPTED, S.DISPATCHED, S.SIGNED), S.MERGED, "case.merge",
        needs=("main",), takes=("reason",), clocks=("stop:dispatch", "cancel:sign", "cancel:return", "cancel:contact", "start:reply"),
        rules=("main_order_takes_mergers",), tells=(("merged", "requester"),), effect="merge",
    ),
    Transition(
        "unmerge", _("Take out of the merger"), (S.MERGED,), S.ACCEPTED, "case.merge",
        needs=("reason",), clocks=("start:dispatch",), effect="unmerge",
    ),
    Transition(
        "follow", _("Follow the main order's reply"), (S.MERGED,), S.CALLBACK, SYSTEM,
        clocks=("stop:reply", "start:callback"), tells=(("replied", "requester"),), effect="follow",
    ),
    Transition(
        "release", _("Main order gone: back to dispatch"), (S.MERGED,), S.ACCEPTED, SYSTEM,
        clocks=("start:dispatch",), effect="unmerge",
    ),
    Transition(
        "dispatch", _("Dispatch"), (S.ACCEPTED, S.REOPENED), S.DISPATCHED, "case.dispatch",
        takes=("matter", "place", "lead_unit", "assist_units", "opinion"), clocks=ON_DISPATCH,
        rules=("lead_unit_is_named", "not_to_the_unit_complained_of", "grass_roots_only_by_list"),
        tells=(("dispatched_unit", "lead"), ("assist_unit", "assists"), ("dispatched_copy", "county")), effect="dispatch",
    ),
    # --- objection to the dispatch
    Transition(
        "return", _("Ask to return"), (S.DISPATCHED,), S.RETURN_REQ, "case.handle", by="lead",
        needs=("reason", "basis"), takes=("proposed_unit",), clocks=("stop:return", "cancel:sign"),
        rules=("return_within_its_limit", "named_after_study_may_not_return"), effect="return",
    ),
    Transition(
        "uphold", _("Uphold the dispatch"), (S.RETURN_REQ,), S.DISPATCHED, "case.arbitrate",
        needs=("reason",), clocks=("restart:sign",), rules=("arbiter_is_not_the_unit",),
        tells=(("return_upheld", "lead"),), effect="uphold",
    ),
    Transition(
        "redispatch", _("Dispatch to another unit"), (S.RETURN_REQ,), S.DISPATCHED, "case.arbitrate",
        needs=("lead_unit", "reason"), takes=("assist_units",), clocks=("restart:sign", "restart:contact", "restart:return"),
        rules=("arbiter_is_not_the_unit", "lead_unit_is_named", "not_to_the_unit_complained_of", "grass_roots_only_by_list"),
        tells=(("dispatched_unit", "lead"), ("assist_unit", "assists"), ("dispatched_copy", "county")), effect="dispatch",
    ),
    # --- in the unit's hands
    Transition("sign", _("Sign for"), (S.DISPATCHED,), S.SIGNED, "case.sign", by="lead", clocks=("stop:sign", "cancel:return"), effect="sign"),
    Transition(
        "assign", _("Hand to a person of the unit"), IN_HAND, None, "case.handle", by="lead", needs=("person",), takes=("note",),
        rules=("person_in_charge_serves_in_the_unit",), effect="assign",
    ),
    Transition(
        "contact", _("Record contact"), (S.SIGNED,), None, "case.handle", by="lead", needs=("how",), takes=("note",),
        clocks=("stop:contact",),
    ),
    Transition("try_contact", _("Not reached"), (S.SIGNED,), None, "case.handle", by="lead", needs=("note",)),
    Transition(
        "ask_assist", _("Ask a unit to assist"), (S.SIGNED,), None, "case.arbitrate", needs=("assist_unit", "reason"),
        rules=("not_to_the_unit_complained_of", "grass_roots_only_by_list", "the_lead_does_not_assist_itself"),
        tells=(("assist_unit", "assists"),), effect="ask_assist",
    ),
    Transition(
        "assist", _("Report as assisting unit"), (S.DISPATCHED, S.SIGNED), None, "case.handle",
        needs=("assist_reply",), effect="assist",
    ),
    Transition(
        "extend", _("Ask for more time"), (S.SIGNED,), S.EXTEND_REQ, "case.handle", by="lead",
        needs=("days", "reason", "person_told"),
        rules=("extension_tells_the_requester", "extension_within_bounds"),
    ),
    Transition(
        "grant_extension", _("Grant more time"), (S.EXTEND_REQ,), S.SIGNED, "case.arbitrate", needs=("days",), takes=("reason",),
        rules=("arbiter_is_not_the_unit", "extension_within_bounds"), tells=(("extended", "requester"), ("extended_unit", "lead")),
        effect="extend",
    ),
    Transition(
        "refuse_extension", _("Refuse more time"), (S.EXTEND_REQ,), S.SIGNED, "case.arbitrate", needs=("reason",),
        rules=("arbiter_is_not_the_unit",), tells=(("extension_refused", "lead"),),
    ),
    Transition(
        "suspend", _("Suspend with a dated plan"), (S.SIGNED,), S.SUSPENDED, "case.arbitrate", needs=("reason", "until"),
        clocks=("pause:*",), rules=("arbiter_is_not_the_unit", "plan_lies_ahead"), tells=(("suspended", "requester"),), shows=("reason",),
        effect="suspend",
    ),
    Transition(
        "resume", _("Resume"), (S.SUSPENDED,), S.SIGNED, "case.handle", by="lead", takes=("note",), clocks=("resume:*",),
        effect="resume",
    ),
    Transition(
        "resume_as_planned", _("Resume as planned"), (S.SUSPENDED,), S.SIGNED, SYSTEM, clocks=("resume:*",),
        tells=(("resumed", "lead"),), effect="resume",
    ),
    Transition(
        "reply", _("Reply"), (S.SIGNED,), S.REPLIED, "case.handle", by="lead",
        needs=("handling", "public_reply"), takes=("facts_true", "solved", "note"), clocks=("stop:reply", "cancel:contact"),
        rules=("requester_was_contacted", "helpers_have_reported"),
    ),
    # --- review, callback, end
    Transition(
        "approve", _("Approve the reply"), (S.REPLIED,), S.CALLBACK, "case.review", takes=("note",), clocks=("start:callback",),
        rules=("reviewer_is_not_the_handler",), tells=(("replied", "requester"),), effect="approve",
    ),
    Transition(
        "send_back", _("Send back to redo"), (S.REPLIED, S.CALLBACK), S.REWORK, "case.review", needs=("reason",),
        clocks=("cancel:callback", "start:contact", "start:reply"), rules=("a_unit_has_it",), tells=(("rework", "lead"),), effect="rework",
    ),
    Transition("redo", _("Take up again"), (S.REWORK,), S.SIGNED, "case.handle", by="lead"),
    Transition("callback_answered", _("Put up for callback"), (S.ANSWERED,), S.CALLBACK, "case.accept", clocks=("start:callback",)),
    Transition(
        "close", _("Close after callback"), (S.CALLBACK,), S.CLOSED, "case.callback",
        needs=("satisfaction",), takes=("contacted", "solved", "note"), clocks=("stop:callback", "cancel:*"),
        rules=("caller_back_is_not_the_handler", "bad_callback_is_redone"), given="has_requester", effect="close",
    ),
    Transition(
        "try_callback", _("Not reached by telephone"), (S.CALLBACK,), None, "case.callback",
        needs=("again",), takes=("note",), rules=("caller_back_is_not_the_handler", "called_three_times_a_day_at_most"),
        given="has_requester", effect="try_callback",
    ),
    Transition(
        "verify", _("Close after verifying"), (S.CALLBACK,), S.CLOSED, "case.callback",
        needs=("solved",), takes=("note",), clocks=("stop:callback", "cancel:*"),
        rules=("caller_back_is_not_the_handler", "bad_callback_is_redone"), given="is_verified", effect="close",
    ),
    Transition(
        "close", _("Close"), (S.ANSWERED, S.REJECTED, S.TRANSFERRED), S.CLOSED, "case.accept", takes=("note",),
        clocks=("cancel:*",), effect="close",
    ),
    Transition("archive", _("Archive"), (S.CLOSED, S.WITHDRAWN), S.ARCHIVED, "case.archive", rules=("no_appeal_waits",)),
    Transition(
        "reopen", _("Reopen"), (S.CLOSED,), S.REOPENED, "case.archive", needs=("reason",), clocks=("start:dispatch",), effect="reopen",
    ),
    Transition(
        "answer_appeal", _("Answer the appeal"), (S.REJECTED, S.CALLBACK, S.CLOSED), None, "case.review", needs=("answer",),
        given="appealed_at", tells=(("appeal_answered", "requester"),), effect="answer_appeal", shows=("answer",),
    ),
    # --- supervision: a flag, not a place in the line
    Transition(
        "supervise", _("Supervise"), tuple(s for s in OPEN if s is not S.CALLBACK), None, "case.supervise",
        needs=("level", "supervision_ground", "opinion"), tells=(("supervised", "lead"),), effect="supervise",
    ),
    Transition(
        "supervise", _("Supervise"), (S.CALLBACK,), S.SIGNED, "case.supervise",
        needs=("level", "supervision_ground", "opinion"), clocks=("cancel:callback", "start:contact", "start:reply"),
        rules=("a_unit_has_it",), tells=(("supervised", "lead"),), effect="supervise_again",
    ),
    Transition("end_supervision", _("End supervision"), OPEN, None, "case.supervise", needs=("reason",), given="supervision", effect="end_supervision"),
    # --- what is asked about one's own data (Personal Information Protection Law, arts 44-50): its keeper answers
    Transition(
        "grant", _("Grant"), (S.RECEIVED, S.REOPENED), S.CLOSED, "privacy.requests", needs=("answer",), clocks=("stop:reply", "cancel:*"),
        tells=(("answered", "requester"),), effect="close", shows=("answer",),
    ),
    Transition(
        "refuse", _("Refuse, with reasons"), (S.RECEIVED, S.REOPENED), S.CLOSED, "privacy.requests", needs=("exemption", "reason", "path"),
        clocks=("stop:reply", "cancel:*"), tells=(("answered", "requester"),), effect="close", shows=("reason", "path"),
    ),
    Transition(
        "answer_objection", _("Answer the objection"), (S.CLOSED,), None, "privacy.requests", needs=("answer",),
        given="appealed_at", tells=(("appeal_answered", "requester"),), effect="answer_appeal", shows=("answer",),
    ),
    Transition(
        "resume_request", _("Take up again"), (S.CLOSED,), S.REOPENED, "privacy.requests", needs=("reason",), clocks=("start:reply",),
        effect="reopen", shows=("reason",),
    ),
    # --- the requester
    Transition("supplement", _("Add information"), OPEN, None, REQUESTER, needs=("note",), shows=("note",)),
    Transition(
        "withdraw", _("Withdraw"), tuple(s for s in OPEN if s not in (S.CALLBACK, S.REJECTED, S.TRANSFERRED)), S.WITHDRAWN, REQUESTER,
        takes=("reason",), clocks=("cancel:*",), rules=("staff_say_why_it_is_withdrawn",),
        tells=(("withdrawn", "requester"), ("withdrawn_unit", "lead")), effect="withdraw",
    ),
    Transition(
        "rate", _("Answer the callback"), (S.CALLBACK,), None, REQUESTER, needs=("satisfaction",), takes=("contacted", "solved", "note"),
        effect="rate",
    ),
    Transition("appeal", _("Appeal"), (S.REJECTED, S.CALLBACK, S.CLOSED), None, REQUESTER, needs=("note",), effect="appeal", shows=("note",)),
)
# fmt: on

#: (action, state) → row.
BY_ACTION: dict[tuple[str, str], Transition] = {
    (t.action, s.value): t for t in TRANSITIONS for s in t.sources
}

#: The steps in which the requester writes.
BY_REQUESTER = frozenset(t.action for t in TRANSITIONS if t.who == REQUESTER)

#: What each event of a case is called: the steps of the table, and what the ledger notes beside them.
EVENT_NAMES: dict[str, Text] = {
    **{t.action: t.name for t in TRANSITIONS},
    "create": _("Received"),
    "split": _("Split"),
    "attached": _("Photograph added"),
    "contact_revealed": _("Contact looked at"),
    "destroyed": _("Destroyed by rule"),
    "exported": _("Copied for whoever asked"),
    "contact_corrected": _("Contact corrected for whoever asked"),
    "clock.warned": _("Warned: due soon"),
    "clock.urged": _("Urged: overdue"),
    "clock.escalated": _("Escalated"),
}
