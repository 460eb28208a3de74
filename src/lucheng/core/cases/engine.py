"""Executes rows of the life cycle. One step is one transaction: state, event, texts, clocks and messages, or nothing.

Three doors lead here: :func:`act` for staff, :func:`act_as_requester` for whoever holds the tracking code, and
:func:`act_as_system` for what follows from another step or from the passing of time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext_lazy as _
from psycopg.errors import DeadlockDetected

from lucheng.core.cases import kinds
from lucheng.core.cases.effects import EFFECTS
from lucheng.core.cases.law import RULES, Step, barred, is_to_be_contacted
from lucheng.core.cases.lifecycle import BY_ACTION, FIELDS, TRANSITIONS, Transition
from lucheng.core.cases.models import Case, Request, State, Text
from lucheng.core.cases.text import clean, one_line
from lucheng.core.clocks import service as clocks
from lucheng.core.dispatch import catalogue
from lucheng.core.dispatch.models import Matter
from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.ledger import chain, outbox
from lucheng.core.ledger.append import REQUESTER, SYSTEM, append
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.models import Person, Unit
from lucheng.core.places import names
from lucheng.postgresql.context import everything

_KEY_USED = _("This idempotency key has been used for a different request.")

#: States in which nobody can go on with what was merged into the case.
_GONE = (State.REJECTED, State.ANSWERED, State.TRANSFERRED, State.WITHDRAWN)


# --- entering fields ------------------------------------------------------------------------------------------------


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid({name: _("Enter text here.")})
    return value


def _flag(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("on", "true", "1"):
        return True
    if value in ("", "false", "0"):
        return False
    raise Invalid({name: _("Say yes or no.")})


def _choice(name: str, value: Any) -> str:
    chosen = str(value)
    if chosen not in dict(FIELDS[name].choices):
        raise Invalid(
            {
                name: _("Choose one of: %(choices)s.")
                % {"choices": ", ".join(str(c[0]) for c in FIELDS[name].choices)}
            }
        )
    return chosen


def unit_named(name: str, value: Any) -> Unit:
    """The active unit with this id, code or name. Raises Invalid at the field ``name``."""
    text = clean(str(value), name)
    found = Unit.objects.filter(active=True)
    unit = found.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 19 else None
    unit = unit or found.filter(code=text).first() or found.filter(name=text).first()
    if unit is None:
        raise Invalid({name: _("There is no active unit “%(unit)s”.") % {"unit": one_line(text, 40)}})
    return unit


def _units(name: str, value: Any) -> list[Unit]:
    values = (
        value
        if isinstance(value, list | tuple)
        else [v for v in str(value).replace("，", ",").split(",") if v.strip()]
    )
    return [unit_named(name, v.strip() if isinstance(v, str) else v) for v in values]


def _person(name: str, value: Any) -> Person:
    """The active person with this id or user name."""
    text = clean(str(value), name)
    found = Person.objects.filter(is_active=True)
    person = found.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 19 else None
    person = person or found.filter(username=text).first()
    if person is None:
        raise Invalid({name: _("There is no such person: %(person)s.") % {"person": one_line(text, 40)}})
    return person


def _matter(name: str, value: Any) -> str:
    if not isinstance(value, str) or not Matter.objects.filter(code=value).exists():
        raise Invalid(
            {name: _("There is no matter with the code “%(code)s”.") % {"code": one_line(str(value), 20)}}
        )
    return value


def _place(name: str, value: Any) -> str:
    if not isinstance(value, str) or not names.exists(value):
        raise Invalid(
            {name: _("There is no place with the code “%(code)s”.") % {"code": one_line(str(value), 20)}}
        )
    return value


def _date(name: str, value: Any) -> dt.date:
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise Invalid(
            {
                name: _("“%(value)s” is not a date: write it as 2026-07-09.")
                % {"value": one_line(str(value), 20)}
            }
        ) from None


def _days(name: str, value: Any) -> int:
    text = str(value)
    if not text.isascii() or not text.isdecimal() or len(text) > 4:
        raise Invalid({name: _("Enter a whole number of days.")})
    return int(text)


_PARSERS = {
    "line": _text,
    "text": _text,
    "flag": _flag,
    "choice": _choice,
    "unit": unit_named,
    "units": _units,
    "person": _person,
    "matter": _matter,
    "place": _place,
    "date": _date,
    "days": _days,
}


def parse(row: Transition, raw: Mapping[str, Any], scope: Scope | None) -> dict[str, Any]:
    """Check what was entered for a transition. An empty entry counts as none.

    Raises Invalid naming every field that is missing, unknown or wrong.
    """
    errors: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    allowed = (*row.needs, *row.takes)
    for name, value in raw.items():
        if name not in allowed:
            errors[name] = _("This step does not ask for that.")
            continue
        if value is None or (isinstance(value, str) and not value.strip()) or value == []:
            continue
        try:
            if isinstance(value, str):
                value = clean(value, name)
            if FIELDS[name].kind == "case":
                fields[name] = _visible(str(value), scope, name)
            else:
                fields[name] = _PARSERS[FIELDS[name].kind](name, value)
        except Invalid as e:
            errors |= e.fields
    for name in row.needs:
        if name not in fields and name not in errors:
            if FIELDS[name].kind == "flag":
                fields[name] = False
            else:
                errors[name] = _("Please fill in: %(field)s.") % {"field": FIELDS[name].label}
    if errors:
        raise Invalid(errors)
    return fields


def _visible(number: str, scope: Scope | None, name: str) -> Case:
    # Locked, so that it cannot be replied to or closed while another order joins it.
    case = _locked(number=number.strip())
    if case is None or scope is None or not scope.allows("case.view", case):
        raise Invalid(
            {name: _("There is no order with the number “%(number)s”.") % {"number": one_line(number, 30)}}
        )
    return case


def _recorded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as the ledger keeps them: codes and ids, never texts."""
    out: dict[str, Any] = {}
    for name, value in fields.items():
        if FIELDS[name].kind in ("line", "text"):
            continue
        if isinstance(value, Unit | Person):
            out[name] = value.pk
        elif isinstance(value, Case):
            out[name] = value.number
        elif isinstance(value, list):
            out[name] = [u.pk for u in value]
        elif isinstance(value, dt.date):
            out[name] = value.isoformat()
        else:
            out[name] = value
    return out


# --- one step -------------------------------------------------------------------------------------------------------


def row_for(case: Case, action: str) -> Transition | None:
    """The row by which ``action`` starts from where the case stands, or None."""
    if action in kinds.KINDS[case.kind].without:
        return None
    row = BY_ACTION.get((action, case.state))
    return row if row is None or not row.given or getattr(case, row.given) else None


def actions_for(case: Case, scope: Scope) -> list[Transition]:
    """What the person may do with this case now, in the order of the table."""
    found = []
    for row in TRANSITIONS:
        if case.state in row.sources and row_for(case, row.action) is row and _role(row, case, scope):
            found.append(row)
    return found


def _role(row: Transition, case: Case, scope: Scope) -> str | None:
    """The role in which the person may take the step; None where they may not."""
    if row.who == SYSTEM:
        return None
    # What the requester asks for by telephone, the desk (or whoever keeps the case) enters for them.
    who = (case.kept_by or "case.accept") if row.who == REQUESTER else row.who
    return scope.role_for(who, case, row.by)


def requester_actions(case: Case) -> list[Transition]:
    """What whoever holds the tracking code may do with the case now."""
    return [
        r
        for r in TRANSITIONS
        if r.who == REQUESTER and case.state in r.sources and row_for(case, r.action) is r
    ]


def _perform(
    row: Transition, case: Case, fields: dict[str, Any], actor: Person | None, role: str, now: dt.datetime
) -> None:
    """Carry one row out on the locked case and save it."""
    step = Step(case, row.action, fields, actor, role, now)
    if row.effect == "dispatch" and fields.get("lead_unit") is None:
        step.decision = catalogue.decide(
            fields.get("matter") or case.matter, fields.get("place") or case.place
        )
    for rule in row.rules:
        RULES[rule](step)
    before, units_before = case.state, case.units
    EFFECTS[row.effect](step)
    if row.to is not None:
        case.state = row.to
    operations = row.clock_operations(contact=is_to_be_contacted(case))
    ticks = clocks.apply(case, operations, now, cause=fields.get("reason", row.action))
    texts = {n: v for n, v in fields.items() if FIELDS[n].kind in ("line", "text")}
    body: dict[str, Any] = {"from": before, "to": case.state, **_recorded(fields), **step.says}
    if texts:
        body["texts"] = {n: chain.text_digest(t) for n, t in texts.items()}
    if ticks:
        body["clocks"] = ticks
    event = append(case, row.action, body, actor=actor, role=role, now=now)
    Text.objects.bulk_create([Text(case=case, seq=event.seq, name=n, text=t) for n, t in texts.items()])
    case.save()
    _tell(row, case, now)
    _cascade(row, case, now)
    if case.units != units_before:
        # Whoever has the main order has what was merged into it, and nobody else.
        Case.objects.filter(main=case, state=State.MERGED).update(lead_unit=case.lead_unit, units=case.units)


def _tell(row: Transition, case: Case, now: dt.datetime) -> None:
    """Messages leave by the outbox, in this transaction."""
    for template, whom in row.tells:
        params = {"number": case.number}
        if whom == "requester":
            if case.has_requester and case.reply_wanted and not case.anonymous:
                outbox.enqueue(case, template, params, now)
        elif whom == "lead":
            if case.lead_unit_id is not None:
                outbox.enqueue(case, template, params, now, channel="in_app", to_unit=case.lead_unit_id)
        elif whom == "assists":
            # Those asked by this step; the others have heard before.
            for unit in case.assists.filter(asked_at=now).order_by("id").values_list("unit_id", flat=True):
                outbox.enqueue(case, template, params, now, channel="in_app", to_unit=unit)
        elif whom == "county":
            # An order that goes straight to a sub-district or township is copied to the county's government
            # (Beijing regulation art. 12).
            lead = Unit.objects.filter(pk=case.lead_unit_id or 0, kind=Unit.Kind.STREET).first()
            county = (
                lead
                and Unit.objects.filter(kind=Unit.Kind.GOVERNMENT, place=lead.place[:6], active=True).first()
            )
            if county and county.pk not in barred(case):
                outbox.enqueue(case, template, params, now, channel="in_app", to_unit=county.pk)


def _cascade(row: Transition, case: Case, now: dt.datetime) -> None:
    """What was merged follows the main order's reply, and is released when the main order is gone."""
    if row.action == "approve":
        action = "follow"
    elif row.to in _GONE:
        action = "release"
    else:
        return
    merged = Case.objects.select_for_update(of=("self",)).filter(main=case, state=State.MERGED).order_by("id")
    for other in merged:
        other.main = case
        act_as_system(other, action, now)


def _locked(**look_up: str) -> Case | None:
    return Case.objects.select_for_update(of=("self",)).filter(**look_up).first()


P = ParamSpec("P")
R = TypeVar("R")


def _one_at_a_time(act: Callable[P, R]) -> Callable[P, R]:
    """In a transaction. Two steps that wait for each other's order (each merged into the other) cannot both be right:
    PostgreSQL ends one of them, and that one is told so."""

    @wraps(act)
    def alone(*args: P.args, **given: P.kwargs) -> R:
        try:
            with transaction.atomic():
                return act(*args, **given)
        except OperationalError as error:
            if isinstance(error.__cause__, DeadlockDetected):
                raise Conflict(
                    _("Somebody else was at work on these orders at the same moment: look at them again.")
                ) from None
            raise

    return alone


def _digest(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


def _scoped(owner: str, key: str | None) -> str | None:
    """The idempotency key of one sender, apart from everybody else's."""
    return f"{owner}:{clean(key, 'key', 80)}" if key else None


def _answered_before(key: str | None, digest: bytes, case: Case) -> bool:
    """Whether the same request has been carried out already. Called with the case locked."""
    if key is None:
        return False
    known = Request.objects.filter(pk=key).first()
    if known is None:
        return False
    if bytes(known.digest) != digest or known.case_id != case.pk:
        raise Conflict(_KEY_USED)
    return True


def _remember(key: str | None, digest: bytes, case: Case, now: dt.datetime) -> None:
    """Keep the key of a request that has been carried out. Raises Conflict where another took it meanwhile."""
    if key is None:
        return
    try:
        with transaction.atomic():
            Request.objects.create(key=key, digest=digest, case=case, version=case.version, at=now)
    except IntegrityError:
        raise Conflict(_KEY_USED) from None


#: Events that leave everything a person decides on as it was: a warning; a look at the contact, its
#: correction, a copy.
_QUIET = ("clock.warned", "clock.urged", "contact_revealed", "contact_corrected", "exported")


def _check_version(case: Case, version: int) -> None:
    """Refuse where the case has changed since the person saw it. The version counts the events of the chain."""
    if version == case.version:
        return
    since = case.events.filter(seq__gt=version)
    if not 0 < version < case.version or since.exclude(action__in=_QUIET).exists():
        raise Conflict(
            _(
                "This order has changed since you opened it (version %(now)s, you had %(then)s): look at it again."
            )
            % {"now": case.version, "then": version}
        )


def _row(case: Case, action: str) -> Transition:
    row = row_for(case, action)
    if row is None:
        if not any(r.action == action for r in TRANSITIONS):
            raise NotFound(_("There is no step “%(action)s”.") % {"action": one_line(action, 30)})
        raise Conflict(
            _("This step cannot start from where the order stands now: %(state)s.")
            % {"state": kinds.KINDS[case.kind].state_name(case.state)}
        )
    return row


@_one_at_a_time
def act(
    number: str,
    action: str,
    raw: Mapping[str, Any],
    *,
    actor: Person,
    scope: Scope,
    version: int,
    now: dt.datetime,
    key: str | None = None,
) -> Case:
    """Carry out ``action`` on the case as a member of staff.

    ``raw`` holds the entered fields as text or JSON values; ``version`` the version the person saw; ``key`` an
    idempotency key, so that a repeated request is carried out once and answered alike.

    Raises NotFound where the case does not exist or may not be seen, Forbidden, Conflict (state or version moved on, or
    the key was used for something else), Invalid (fields).
    """
    case = _locked(number=number)
    if case is None or not scope.allows("case.view", case):
        raise NotFound(
            _("There is no order with the number “%(number)s”.") % {"number": one_line(number, 30)}
        )
    scoped_key = _scoped(str(actor.pk), key)
    digest = _digest(number, action, sorted((k, str(v)) for k, v in raw.items()))
    if _answered_before(scoped_key, digest, case):
        return case
    _check_version(case, version)
    row = _row(case, action)
    role = _role(row, case, scope)
    if role is None:
        raise Forbidden(_("Your posts do not let you do this: %(action)s.") % {"action": row.name})
    fields = parse(row, raw, scope)
    with everything("a step on a case that was found in the reader's sight"):
        _perform(row, case, fields, actor, role, now)
        _remember(scoped_key, digest, case, now)
    return case


@_one_at_a_time
def act_as_requester(
    code: str, action: str, raw: Mapping[str, Any], *, now: dt.datetime, key: str | None = None
) -> Case:
    """Carry out ``action`` as whoever holds the tracking code (as stored: see codes.read).

    No version is asked for: what staff did meanwhile does not make a requester's addition wrong; the state decides.

    Raises NotFound, Conflict, Forbidden, Invalid.
    """
    case = _locked(code=code)
    if case is None:
        raise NotFound(_("No case has this code."))
    scoped_key = _scoped(f"code:{code}", key)
    digest = _digest(code, action, sorted((k, str(v)) for k, v in raw.items()))
    if _answered_before(scoped_key, digest, case):
        return case
    row = _row(case, action)
    if row.who != REQUESTER:
        raise Forbidden(_("This step is for the staff."))
    fields = parse(row, raw, None)
    with everything("a step on a case that was found by its code"):
        _perform(row, case, fields, None, REQUESTER, now)
        _remember(scoped_key, digest, case, now)
    return case


def act_as_system(case: Case, action: str, now: dt.datetime) -> None:
    """Carry out a step that follows from another or from time. ``case`` is locked in the caller's transaction."""
    row = _row(case, action)
    if row.who != SYSTEM:
        raise Forbidden(_("This step is for the staff."))
    _perform(row, case, {}, None, SYSTEM, now)


# --- splitting ------------------------------------------------------------------------------------------------------


@_one_at_a_time
def split(
    number: str,
    parts: Sequence[Mapping[str, str]],
    *,
    actor: Person,
    scope: Scope,
    version: int,
    now: dt.datetime,
    key: str | None = None,
) -> list[Case]:
    """Make one case of each of the several matters in a message. The case itself stays for what is left in it.

    ``parts`` are the matters taken out, each a ``title`` and a ``content``. Each new case keeps the
    requester, the channel and the place, has its own number, code and clocks, and points to the case it came from.
    ``key`` is an idempotency key: the same request again finds the same new cases.

    Raises NotFound, Forbidden, Conflict, Invalid.
    """
    from lucheng.core.cases import intake

    case = _locked(number=number)
    if case is None or not scope.allows("case.view", case):
        raise NotFound(
            _("There is no order with the number “%(number)s”.") % {"number": one_line(number, 30)}
        )
    role = scope.role_for("case.merge", case)
    if role is None:
        raise Forbidden(_("Your posts do not let you do this: %(action)s.") % {"action": _("Split")})
    scoped_key = _scoped(str(actor.pk), key)
    digest = _digest(number, "split", [sorted(p.items()) for p in parts])
    if _answered_before(scoped_key, digest, case):
        at = Request.objects.get(pk=scoped_key).version
        with everything("whoever splits again gets the answer again"):
            return list(Case.objects.filter(number__in=case.events.get(seq=at).body["parts"]).order_by("id"))
    _check_version(case, version)
    if case.state not in (State.RECEIVED, State.ACCEPTED):
        raise Conflict(
            _("This step cannot start from where the order stands now: %(state)s.")
            % {"state": kinds.KINDS[case.kind].state_name(case.state)}
        )
    if not parts:
        raise Invalid({"parts": _("Give at least one matter to take out of this order.")})
    with everything("parts of a case that was found in the reader's sight"):
        made = [intake.part_of(case, p, actor=actor, role=role, now=now) for p in parts]
        append(
            case,
            "split",
            {"from": case.state, "to": case.state, "parts": [m.number for m in made]},
            actor=actor,
            role=role,
            now=now,
        )
        case.save()
        _remember(scoped_key, digest, case, now)
    return made
