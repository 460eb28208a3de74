"""Registers of what is done with personal data: processing activities, impact assessments, processors.

An entry has versions, of which none is ever changed: a new one replaces the last, or says on which day it is over.
A version is kept three years after that and may then be destroyed by a person; the database refuses it before.

Sources: Personal Information Protection Law (个人信息保护法) arts 55 and 56 (what is assessed before it begins, of what
an assessment consists, that it and the records of processing are kept three years at least), 21 (what is agreed with
a processor, and that it is supervised); Network Data Security Regulations (网络数据安全管理条例) art. 12 (records of
what is entrusted, three years).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from django.db import IntegrityError, transaction
from django.db.models import Case as Either
from django.db.models import (
    CharField,
    Count,
    Exists,
    Func,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    TextField,
    Value,
    When,
    Window,
)
from django.db.models.functions import Lead
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core import packs, sheets
from lucheng.core.cases.kinds import KINDS
from lucheng.core.cases.text import clean, one_line
from lucheng.core.errors import Conflict, Invalid, NotFound, Text
from lucheng.core.faults import Fault, Faulty
from lucheng.core.ledger import acts
from lucheng.core.organisation.models import Person
from lucheng.core.privacy import retention
from lucheng.core.privacy.models import Register, RegisterEntry, What

#: What Lucheng itself does with personal data: where every city's register begins.
NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "registers.toml"
#: Who reads and writes the registers.
CAPABILITY = "privacy.audit"
#: How long a version is kept after it was replaced, or its entry ended; the trigger of migration 0007 says the same.
KEPT_YEARS = 3
#: A contract that ends within so many days waits for somebody.
SOON = dt.timedelta(days=60)
#: Entries of one sheet or print at most.
MOST = 1000

Said = str | bool | list[str]


class Kind(StrEnum):
    """What may stand in a field."""

    LINE = "line"
    WORDS = "words"  # paragraphs
    YES_NO = "yes_no"
    DAY = "day"  # as 2026-03-02; empty where there is none
    RULES = "rules"  # of retention, as "kind of case/what"
    ASSESSMENTS = "assessments"  # codes of that register
    PROCESSORS = "processors"


#: The registers of which a field names entries.
NAMES = {Kind.ASSESSMENTS: Register.ASSESSMENT, Kind.PROCESSORS: Register.PROCESSOR}
#: Characters of a text.
LONGEST = {Kind.LINE: 200, Kind.WORDS: 4000}
_NOTHING: Mapping[Kind, Said] = {
    Kind.YES_NO: False,
    **{kind: [] for kind in (Kind.RULES, Kind.ASSESSMENTS, Kind.PROCESSORS)},
}


@dataclass(frozen=True)
class Field:
    """One thing that a register asks of an entry."""

    name: str
    label: str | Promise
    kind: Kind = Kind.WORDS
    required: bool = True
    help: str | Promise = ""


#: What each register asks, in the order in which it is shown. The title of a processor is its name.
FIELDS: Mapping[Register, tuple[Field, ...]] = {
    Register.PROCESSING: (
        Field("purpose", _("Purpose")),
        Field(
            "basis",
            pgettext_lazy("register", "Legal basis"),
            help=_("Article 13 of the law, and the rule that gives the duty or power."),
        ),
        Field("people", _("Whose data"), Kind.LINE),
        Field("data", _("What data")),
        Field(
            "sensitive",
            _("Sensitive personal information is among it"),
            Kind.YES_NO,
            required=False,
            help=_("Article 28: health, finances, whereabouts, biometrics, faith, anybody under 14."),
        ),
        Field("source", _("Where it comes from")),
        Field("recipients", _("Who receives it")),
        Field("kept", _("How long it is kept")),
        Field(
            "rules",
            _("Retention rules"),
            Kind.RULES,
            required=False,
            help=_("Where a rule destroys it, so that the period shown is the one in force."),
        ),
        Field("location", _("Where it lies")),
        Field("measures", _("Measures")),
        Field("assessments", _("Impact assessments"), Kind.ASSESSMENTS, required=False),
        Field("processors", _("Processors"), Kind.PROCESSORS, required=False),
        Field(
            "owner", _("Who answers for it"), Kind.LINE, help=_("A unit or an office, not a person's name.")
        ),
    ),
    Register.ASSESSMENT: (
        Field("subject", _("What was assessed")),
        Field(
            "necessity",
            _("Necessity and proportionality"),
            help=_("Article 56: whether purpose and manner are lawful, proper and necessary."),
        ),
        Field("effects", _("Effect on people's rights, and risks")),
        Field("measures", _("Measures, and whether they fit the risk")),
        Field("outcome", _("Outcome"), help=_("Whether it may go on, and on which conditions.")),
        Field("assessors", _("Who assessed"), Kind.LINE),
        Field("assessed_on", _("Assessed on"), Kind.DAY),
        Field("next_on", _("To be assessed again on"), Kind.DAY),
    ),
    Register.PROCESSOR: (
        Field("purpose", _("Purpose of the processing")),
        Field("period", pgettext_lazy("processor", "Period"), Kind.LINE),
        Field("manner", _("Manner of processing")),
        Field("data", _("Kinds of data")),
        Field("measures", _("Measures")),
        Field("contract", _("Contract number"), Kind.LINE),
        Field("contract_end", _("Contract ends on"), Kind.DAY),
        Field(
            "sub_processors",
            _("Sub-processors"),
            required=False,
            help=_("Article 21: none without your consent. Empty: none."),
        ),
        Field("supervision", _("How it is supervised")),
    ),
}


class Waits(TextChoices):
    """Why an entry waits for somebody."""

    UNASSESSED = "unassessed", _("sensitive or entrusted, without an assessment in force")
    DUE = "due", _("to be assessed again")
    EXPIRING = "expiring", _("contract ends soon, or has ended")


class Standing(TextChoices):
    """How an entry stands."""

    IN_FORCE = "in_force", pgettext_lazy("register entry", "in force")
    WAITING = "waiting", pgettext_lazy("register entry", "waits for somebody")
    ENDED = "ended", pgettext_lazy("register entry", "ended")


# --- reading --------------------------------------------------------------------------------------------------------


def _newest() -> QuerySet[RegisterEntry]:
    later = RegisterEntry.objects.filter(
        register=OuterRef("register"), code=OuterRef("code"), version__gt=OuterRef("version")
    )
    return RegisterEntry.objects.filter(~Exists(later))


def _in_force(today: dt.date) -> Q:
    return Q(ended_on=None) | Q(ended_on__gt=today)


def listed(now: dt.datetime) -> QuerySet[RegisterEntry]:
    """The last version of every entry, by register and code, with ``waits``: why it waits (:class:`Waits`), or
    empty."""
    today = timezone.localdate(now)
    assessed = list(
        _newest().filter(_in_force(today), register=Register.ASSESSMENT).values_list("code", flat=True)
    )
    waits = Either(
        When(~_in_force(today), then=Value("")),
        When(
            Q(register=Register.PROCESSING)
            & (Q(fields__sensitive=True) | ~Q(fields__processors=[]))
            & ~Q(fields__assessments__has_any_keys=assessed),
            then=Value(Waits.UNASSESSED.value),
        ),
        When(
            register=Register.ASSESSMENT,
            fields__next_on__lte=today.isoformat(),
            then=Value(Waits.DUE.value),
        ),
        When(
            register=Register.PROCESSOR,
            fields__contract_end__lte=(today + SOON).isoformat(),
            then=Value(Waits.EXPIRING.value),
        ),
        default=Value(""),
        output_field=CharField(),
    )
    return _newest().annotate(waits=waits).select_related("made_by").order_by("register", "code")


def find(
    register: Register, now: dt.datetime, *, state: Standing | None = Standing.IN_FORCE, text: str = ""
) -> QuerySet[RegisterEntry]:
    """The entries of a register in a state (None: in any), with ``text`` in code, title or fields, by code."""
    today = timezone.localdate(now)
    rows: QuerySet[Any, Any] = listed(now).filter(register=register)
    if state is Standing.IN_FORCE:
        rows = rows.filter(_in_force(today))
    elif state is Standing.ENDED:
        rows = rows.exclude(_in_force(today))
    elif state is Standing.WAITING:
        rows = rows.exclude(waits="")
    if text:
        said = Func(
            "fields",
            template="jsonb_path_query_array(%(expressions)s, '$.*')::text",
            output_field=TextField(),
        )
        rows = rows.annotate(said=said).filter(
            Q(code__icontains=text) | Q(title__icontains=text) | Q(said__icontains=text)
        )
    return rows


def figures(now: dt.datetime) -> dict[Waits | None, int]:
    """How many entries are in force, by why they wait; None where they wait for nothing."""
    rows: QuerySet[Any, Any] = listed(now).filter(_in_force(timezone.localdate(now))).order_by()
    counted = rows.values_list("waits").annotate(n=Count("pk"))
    return {Waits(waits) if waits else None: n for waits, n in counted}


def state_of(entry: RegisterEntry, now: dt.datetime) -> Standing:
    """Whether an entry is in force or ended, by its last version."""
    over = entry.ended_on is not None and entry.ended_on <= timezone.localdate(now)
    return Standing.ENDED if over else Standing.IN_FORCE


def last(register: Register, code: str, now: dt.datetime) -> RegisterEntry:
    """The last version of an entry, as :func:`listed` gives it. Raises NotFound."""
    found = listed(now).filter(register=register, code=code).first()
    if found is None:
        raise NotFound(_("There is no such entry."))
    return found


def history(register: Register, code: str) -> QuerySet[RegisterEntry]:
    """Every version of an entry that is kept, the newest first, with ``replaced_at``: when the next was written."""
    return (
        RegisterEntry.objects.filter(register=register, code=code)
        .annotate(replaced_at=Window(Lead("made_at"), order_by="version"))
        .select_related("made_by")
        .order_by("-version")
    )


def kept_until(version: RegisterEntry) -> dt.date | None:
    """The last day on which a version of :func:`history` is kept in any case; None while it is the last of an entry
    without an end."""
    replaced_at: dt.datetime | None = version.replaced_at  # type: ignore[attr-defined]
    if replaced_at is not None:
        over = timezone.localdate(replaced_at)
    elif version.ended_on is not None:
        over = max(version.ended_on, timezone.localdate(version.made_at))
    else:
        return None
    day = 28 if (over.month, over.day) == (2, 29) else over.day
    return over.replace(year=over.year + KEPT_YEARS, day=day)


def spent(register: Register, code: str, now: dt.datetime) -> list[RegisterEntry]:
    """The versions of an entry that need not be kept any longer, the oldest first."""
    today = timezone.localdate(now)
    versions = list(history(register, code))
    return [v for v in reversed(versions) if (until := kept_until(v)) is not None and until < today]


# --- in words -------------------------------------------------------------------------------------------------------


def rule_name(rule: str) -> str:
    """What a retention rule destroys, in words; ``rule`` is "kind of case/what"."""
    kind, _slash, what = rule.partition("/")
    if kind not in KINDS or what not in What.values:
        return rule
    return f"{KINDS[kind].name} · {What(what).label}"


def rules_in_force() -> dict[str, list[int]]:
    """The months after closing by the retention rules in force, by "kind of case/what"; several where matters
    differ."""
    edition = retention.in_force()
    found: dict[str, list[int]] = {}
    for rule in edition.rules.order_by("kind", "what", "months") if edition is not None else ():
        found.setdefault(f"{rule.kind}/{rule.what}", []).append(rule.months)
    return found


def words(field: Field, said: Said | None, rules: Mapping[str, Sequence[int]]) -> str:
    """A field as people read it. ``rules`` are :func:`rules_in_force`."""
    if field.kind is Kind.YES_NO:
        return gettext("yes") if said else gettext("no")
    if field.kind is Kind.RULES and isinstance(said, list):
        return "\n".join(f"{rule_name(r)} · {_months(rules.get(r, ()))}" for r in said)
    return "、".join(said) if isinstance(said, list) else str(said or "")


def _months(months: Sequence[int]) -> str:
    if not months:
        return gettext("no rule in force")
    return gettext("%(months)s months after closing") % {"months": "/".join(map(str, months))}


def lines(entry: RegisterEntry, rules: Mapping[str, Sequence[int]]) -> list[tuple[Field, str]]:
    """Every field of a version with what it says, in words."""
    return [(f, words(f, entry.fields.get(f.name), rules)) for f in FIELDS[Register(entry.register)]]


@dataclass(frozen=True)
class Change:
    """A field in which a version differs from the one before it."""

    label: str | Promise
    before: str
    after: str


def changes(before: RegisterEntry, after: RegisterEntry, rules: Mapping[str, Sequence[int]]) -> list[Change]:
    """In what a version differs from the one before it."""

    def whole(entry: RegisterEntry) -> list[tuple[str | Promise, str]]:
        ended = entry.ended_on.isoformat() if entry.ended_on is not None else ""
        return [
            (_("Title"), entry.title),
            *((f.label, text) for f, text in lines(entry, rules)),
            (_("Ends on"), ended),
        ]

    both = zip(whole(before), whole(after), strict=True)
    return [Change(label, was, now) for (label, was), (_label, now) in both if was != now]


def export(register: Register, rows: Iterable[RegisterEntry], file: IO[bytes], now: dt.datetime) -> None:
    """Write entries of one register as an xlsx sheet, to keep or to hand to an authority."""
    rules = rules_in_force()
    headers = [_("Code"), _("Title"), *(f.label for f in FIELDS[register])]
    headers += [_("State"), _("Ends on"), _("Version"), _("Written at"), _("Written by"), _("Why it changed")]
    sheets.write(
        file,
        str(register.label),
        [str(h) for h in headers],
        (
            [
                e.code,
                e.title,
                *(text for _field, text in lines(e, rules)),
                str(state_of(e, now).label),
                e.ended_on.isoformat() if e.ended_on is not None else "",
                str(e.version),
                timezone.localtime(e.made_at).strftime("%Y-%m-%d %H:%M"),
                e.made_by.name if e.made_by is not None else pgettext("register entry", "as delivered"),
                e.note,
            ]
            for e in rows
        ),
        [20, 28, *(40 for _field in FIELDS[register]), 10, 12, 8, 18, 12, 30],
    )


# --- writing --------------------------------------------------------------------------------------------------------

_LATE = _("Somebody has written this entry meanwhile. Look at it again.")
_NO_DAY = _("Write the day as 2026-03-02.")
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,59}")
_CODES_APART = re.compile(r"[\s,，、;；]+")


def codes(text: str) -> list[str]:
    """The codes in a line of them, each once, in order."""
    return list(dict.fromkeys(code for code in _CODES_APART.split(text) if code))


def _known(entered: Iterable[tuple[Register, Mapping[str, Said]]]) -> set[tuple[str, str]]:
    """Of the entries that ``entered`` names, those that there are: (register, code)."""
    named = Q(pk__in=[])
    for register, said in entered:
        for field in FIELDS[register]:
            codes_ = said.get(field.name)
            if field.kind in NAMES and isinstance(codes_, list):
                fit = [code for code in codes_ if _CODE.fullmatch(code)]
                named |= Q(register=NAMES[field.kind], code__in=fit)
    return set(RegisterEntry.objects.filter(named).values_list("register", "code").distinct())


def _checked(field: Field, said: Said | None, known: Collection[tuple[str, str]]) -> tuple[Said, Text | None]:
    """What is kept of a field, and what is wrong with it."""
    nothing = _NOTHING.get(field.kind, "")
    if said is None or not isinstance(said, type(nothing)):
        said = nothing
    wrong: Text | None = None
    if isinstance(said, str):
        try:
            said = clean(said, field.name, LONGEST.get(field.kind, 10))
        except Invalid as long:
            return said, long.detail
        if field.kind is Kind.LINE:
            said = " ".join(said.split())
        if field.kind is Kind.DAY and said:
            wrong = None if _day(said) else _NO_DAY
    elif field.kind is Kind.RULES and isinstance(said, list):
        rules = {f"{kind}/{what}" for kind in KINDS for what in What.values}
        if missing := [r for r in said if r not in rules]:
            wrong = format_lazy(_("There is no such retention rule: {codes}."), codes=", ".join(missing))
    elif isinstance(said, list):
        register = NAMES[field.kind]
        if missing := [c for c in said if (register, c) not in known]:
            wrong = format_lazy(_("There is no such entry: {codes}."), codes=", ".join(missing))
    if field.required and not said:
        wrong = _("Fill this in.")
    return said, wrong


def _day(text: str) -> bool:
    try:
        day = parse_date(text)
    except ValueError:
        return False
    return day is not None and day.isoformat() == text and _likely(day)


def _likely(day: dt.date) -> bool:
    """Whether somebody may have meant this day, and three years can be added to it."""
    return 1900 < day.year < 9000


def _check(
    register: Register,
    code: str,
    title: str,
    entered: Mapping[str, Said],
    known: Collection[tuple[str, str]],
) -> tuple[str, dict[str, Said]]:
    """Title and fields as they are kept. Raises Invalid with everything that is wrong, by name."""
    wrong: dict[str, Text] = {}
    if not _CODE.fullmatch(code):
        wrong["code"] = _("Write 2 to 60 small letters, digits and dashes.")
    title = " ".join(clean(title, "title").split())
    if not title:
        wrong["title"] = _("Fill this in.")
    elif len(title) > 120:
        wrong["title"] = _("Write at most 120 characters.")
    kept: dict[str, Said] = {}
    for field in FIELDS[register]:
        kept[field.name], fault = _checked(field, entered.get(field.name), known)
        if fault is not None:
            wrong[field.name] = fault
    for name in entered.keys() - kept.keys():
        wrong[name] = _("This register does not ask for that.")
    if wrong:
        raise Invalid(wrong)
    return title, kept


def _add(before: RegisterEntry | None, version: RegisterEntry) -> RegisterEntry | None:
    """Write the version that follows ``before``; None where it says the same. Raises Conflict."""
    if before is not None and (before.title, before.fields, before.ended_on) == (
        version.title,
        version.fields,
        version.ended_on,
    ):
        return None
    version.version = before.version + 1 if before is not None else 1
    try:
        with transaction.atomic():
            version.save(force_insert=True)
            ended = version.ended_on is not None and (before is None or before.ended_on != version.ended_on)
            name, details = f"{version.register} {version.code}", {"edition": version.version}
            if ended:
                acts.wrote("processing_ended", name, details)
            else:
                acts.wrote("processing_written", name, details)
    except IntegrityError as error:
        raise Conflict(_LATE) from error
    return version


def _seen(register: Register, code: str, after: int) -> RegisterEntry:
    """The last version, where it is the one that was seen. Raises NotFound, Conflict."""
    before = _newest().filter(register=register, code=code).first()
    if before is None:
        raise NotFound(_("There is no such entry."))
    if before.version != after:
        raise Conflict(_LATE)
    return before


def _why(note: str, before: RegisterEntry | None) -> str:
    note = " ".join(note.split())
    if before is not None and not 4 <= len(note) <= 200:
        raise Invalid({"note": _("Say in 4 to 200 characters why it changes.")})
    return note


def write(
    register: Register,
    code: str,
    title: str,
    entered: Mapping[str, Said],
    *,
    by: Person,
    note: str = "",
    ended_on: dt.date | None = None,
    after: int,
    now: dt.datetime,
) -> RegisterEntry | None:
    """Write a new entry (``after`` 0), or the version that replaces the last one that was seen (``after``). None where
    nothing differs from that.

    Raises Invalid by the names of the fields, and of ``code``, ``title``, ``ended_on`` and ``note`` (why, from the
    second version on); NotFound; Conflict where somebody has written a version since.
    """
    before = _seen(register, code, after) if after else None
    wrong: dict[str, Text] = {}
    try:
        title, kept = _check(register, code, title, entered, _known([(register, entered)]))
    except Invalid as invalid:
        wrong = invalid.fields
    try:
        note = _why(note, before)
    except Invalid as invalid:
        wrong |= invalid.fields
    if ended_on is not None and not _likely(ended_on):
        wrong["ended_on"] = _NO_DAY
    if not after and "code" not in wrong and _newest().filter(register=register, code=code).exists():
        wrong["code"] = _("There is an entry with this code already.")
    if wrong:
        raise Invalid(wrong)
    made = RegisterEntry(
        register=register,
        code=code,
        title=title,
        fields=kept,
        ended_on=ended_on,
        made_at=now,
        made_by=by,
        note=note,
    )
    return _add(before, made)


def end(
    register: Register,
    code: str,
    on: dt.date,
    *,
    by: Person,
    note: str,
    after: int,
    now: dt.datetime,
) -> RegisterEntry | None:
    """Say that an entry is over from a day on, in a version that differs in nothing else. None where the last says so.

    Raises Invalid (``ended_on``, ``note``), NotFound, Conflict.
    """
    before = _seen(register, code, after)
    if not _likely(on):
        raise Invalid({"ended_on": _NO_DAY})
    made = RegisterEntry(
        register=register,
        code=code,
        title=before.title,
        fields=before.fields,
        ended_on=on,
        made_at=now,
        made_by=by,
        note=_why(note, before),
    )
    return _add(before, made)


def destroy(register: Register, code: str, now: dt.datetime) -> int:
    """Destroy the versions of an entry that need not be kept any longer; with the last of them the entry is gone.
    Returns how many.

    Raises Conflict where there are none.
    """
    with transaction.atomic():
        versions = spent(register, code, now)
        if not versions:
            raise Conflict(_("Everything that is there must still be kept."))
        for version in versions:  # one by one, the oldest first: the database looks at what follows each
            version.delete()
        acts.wrote("processing_destroyed", f"{register} {code}", {"count": len(versions)})
    return len(versions)


# --- packs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """An entry of a file."""

    register: Register
    code: str
    title: str
    fields: dict[str, Said]


def _pack_field(field: Field) -> packs.Field:
    kinds: dict[Kind, type[bool] | type[list[str]]] = {Kind.YES_NO: bool}
    kinds |= dict.fromkeys((Kind.RULES, Kind.ASSESSMENTS, Kind.PROCESSORS), list[str])
    return packs.Field(kinds.get(field.kind, str))


_PACK = {
    **{f.name: _pack_field(f) for fields in FIELDS.values() for f in fields},
    **{name: packs.Field(required=True) for name in ("register", "code", "title")},
}


def read(path: Path) -> list[Given]:
    """The entries of a file, in its order. They may name each other, and entries that there are already.

    Raises Faulty with every fault at its entry.
    """
    rows = packs.read(path, "entry", _PACK, key="")
    faults: list[Fault] = []
    given: list[tuple[int, Given]] = []
    for n, row in enumerate(rows, 1):
        if row["register"] not in Register.values:
            choices = ", ".join(Register.values)
            faults.append(Fault(n, "register", format_lazy(_("write one of {choices}"), choices=choices)))
            continue
        said = {k: v for k, v in row.items() if k not in ("register", "code", "title")}
        given.append((n, Given(Register(row["register"]), row["code"], row["title"], said)))
    known = _known((g.register, g.fields) for _n, g in given) | {(g.register, g.code) for _n, g in given}
    seen: dict[tuple[str, str], int] = {}
    entries = []
    for n, g in given:
        before = seen.setdefault((g.register, g.code), n)
        if before != n:
            faults.append(Fault(n, "code", format_lazy(_("the same as in entry {row}"), row=before)))
        try:
            title, kept = _check(g.register, g.code, g.title, g.fields, known)
        except Invalid as wrong:
            faults += [Fault(n, name, text) for name, text in wrong.fields.items()]
        else:
            entries.append(Given(g.register, g.code, title, kept))
    if faults:
        raise Faulty(sorted(faults, key=lambda f: f.row))
    return entries


@dataclass(frozen=True)
class Loaded:
    """What a file came to: entries that are new, that it changed, and that stay as the city wrote them."""

    new: int
    changed: int
    left: list[str]


def load(path: Path | None = None, *, by: Person | None = None, note: str = "", now: dt.datetime) -> Loaded:
    """Take the entries of a file over: as new ones, or as new versions where they differ. What the file does not name
    stays. A city's own file comes with the name of whoever answers for it; the national pack leaves an entry alone
    that somebody of the city has written.

    Raises Faulty, Invalid (field ``by``), Conflict.
    """
    if path is not None and by is None:
        raise Invalid({"by": _("Say who answers for these entries.")})
    entries = read(path or NATIONAL)
    new, changed, left = 0, 0, list[str]()
    with transaction.atomic():
        stand = {(e.register, e.code): e for e in _newest()}
        for given in entries:
            before = stand.get((given.register, given.code))
            if by is None and before is not None and before.made_by_id is not None:
                left.append(f"{given.register} {given.code}")
                continue
            made = _add(
                before,
                RegisterEntry(
                    register=given.register,
                    code=given.code,
                    title=given.title,
                    fields=given.fields,
                    ended_on=before.ended_on if before is not None else None,
                    made_at=now,
                    made_by=by,
                    note=one_line(note, 200),
                ),
            )
            if made is not None:
                new, changed = (new + 1, changed) if before is None else (new, changed + 1)
    return Loaded(new, changed, left)
