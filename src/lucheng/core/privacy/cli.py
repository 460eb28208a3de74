"""``lucheng privacy …``: the keys under which requesters' contacts are sealed, and how long what is kept."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from django.conf import settings
from django.utils import timezone
from rich.markup import escape
from rich.table import Table

from lucheng.cli import ensure_database
from lucheng.core.cases.models import Case
from lucheng.core.console import console, reporting
from lucheng.core.errors import Forbidden, NotFound
from lucheng.core.organisation.access import scope_of
from lucheng.core.organisation.models import Person
from lucheng.core.privacy import ciphers, destruction, export, notices, registers, rotation, sealing, wrapping
from lucheng.core.privacy import looks as register_of_looks
from lucheng.core.privacy import retention as rules
from lucheng.core.privacy.cases import REQUEST
from lucheng.core.privacy.models import Register, RegisterEntry, RetentionBatch, Reveal

SHOWN = 20
_DAYS = ["%Y-%m-%d"]

privacy = typer.Typer(
    name="privacy", help="Personal data: its keys, and how long it is kept.", no_args_is_help=True
)
retention = typer.Typer(
    name="retention",
    help="What is destroyed how long after closing. People approve it on the page.",
    no_args_is_help=True,
)
notice = typer.Typer(
    name="notice", help="What people are told before they say anything.", no_args_is_help=True
)
registry = typer.Typer(
    name="register",
    help="What is done with personal data, what was assessed before, and who does it on the city's behalf.",
    no_args_is_help=True,
)
privacy.add_typer(retention)
privacy.add_typer(notice)
privacy.add_typer(registry)


@privacy.command()
def rotate(
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Make no new key: go on with what was stopped, or change the suite only."
        ),
    ] = False,
) -> None:
    """Make a new sealing key and reseal every contact under it, while everything goes on.

    Exit code 1 where contacts are left under another key.
    """
    if not resume:
        with reporting("making a key"):
            made = rotation.new_key()
        console.print(f"key {made} is made; copy LUCHENG_HOME/keys to where its copies are kept")
    with reporting("resealing") as progress:
        outcome = rotation.reseal(progress)
    console.print(f"{outcome.resealed:,} contacts resealed")
    _show()
    if outcome.shut:
        shown = ", ".join(map(str, outcome.shut[:SHOWN])) + (", …" if len(outcome.shut) > SHOWN else "")
        console.print(
            f"{len(outcome.shut):,} contacts do not open and are left as they are: changed, or their key is not "
            f"here. Ids of their cases: {shown}",
            style="red",
        )
    if outcome.left > len(outcome.shut):
        console.print(
            f"{outcome.left - len(outcome.shut):,} contacts were written meanwhile under another key or suite. "
            "Look whether every process has the same LUCHENG_HOME and LUCHENG_SEALING, then: "
            "lucheng privacy rotate --resume",
            style="red",
        )
    if outcome.left:
        raise typer.Exit(1)


@privacy.command()
def rewrap(
    new: Annotated[
        bool, typer.Option("--new", help="Make a new wrapping key file first, and wrap under it.")
    ] = False,
) -> None:
    """Wrap the keys anew as LUCHENG_WRAPPING says: under the newest wrapping key, or by another keeper.

    No sealed value is touched and nothing that runs is disturbed. Exit code 1 where a key does not open or cannot be
    wrapped.
    """
    home = settings.HOME
    try:
        if new:
            if settings.WRAPPING != "file":
                _fail(
                    "The key service makes its own new keys: rotate the key there, then rewrap without --new."
                )
            console.print(f"wrapping key {wrapping.FileWrapping(home).new()} is made; keep a copy of it")
        shut = wrapping.rewrap(home)
    except wrapping.KeysAway as error:
        _fail(f"{error}. What was not rewrapped is as it was.")
    _show_wrapped()
    if shut:
        _fail(f"These do not open and are left as they are: {', '.join(shut)}.")


@privacy.command("requests")
def list_requests(
    every: Annotated[bool, typer.Option("--all", help="Answered ones too, the newest first.")] = False,
) -> None:
    """What people ask about their own data, the first due first: nothing of what they say."""
    ensure_database()
    rows = Case.objects.filter(kind=REQUEST.code)
    rows = rows.order_by("-created_at", "-id") if every else rows.filter(open=True).order_by("due_at", "id")
    table = Table("number", "right", "orders", "state", "received", "due")
    for case in rows[: None if every else SHOWN]:
        due = timezone.localtime(case.due_at).strftime("%Y-%m-%d %H:%M") if case.due_at else ""
        received = timezone.localtime(case.created_at).strftime("%Y-%m-%d %H:%M")
        orders = str(len(case.fields.get("about", [])))
        table.add_row(case.number, case.fields.get("right", ""), orders, case.state, received, due)
    console.print(table)
    console.print(f"{rows.count():,} in all; they are answered on the page 个人信息请求 (/admin/requests/)")


def _fail(words: str) -> NoReturn:
    console.print(words, style="red")
    raise typer.Exit(1)


def _show_wrapped() -> None:
    table = Table("key", "wrapped by", "under")
    for name, envelope in wrapping.envelopes(settings.HOME):
        if envelope is None:
            table.add_row(name, "nobody: it lies bare", "")
        else:
            version = "".join(envelope.wrapped.split(":")[1:2]) if envelope.wrapping == "vault" else ""
            table.add_row(name, envelope.wrapping, f"{envelope.key} {version}".strip())
    console.print(table)


@privacy.command("keys")
def show_keys() -> None:
    """Show how each key is kept, and count the sealed fields of contacts by suite and key. Reads the whole table."""
    _show_wrapped()
    ensure_database()
    _show()


def _show() -> None:
    suites = {number: name for name, number in ciphers.NUMBERS.items()}
    suite, key = sealing.header()
    now = (suite, key)
    table = Table("suite", "key", "sealed values", "")
    for (suite, key), count in sorted(({now: 0} | rotation.tally()).items()):
        table.add_row(
            suites.get(suite, f"unknown ({suite})"),
            str(key),
            f"{count:,}",
            "new values" if (suite, key) == now else "",
        )
    console.print(table)


def _person(username: str) -> Person:
    person = Person.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise NotFound(f"there is no person called {username}")
    return person


@notice.command("load")
def load_notice(
    file: Annotated[
        Path | None, typer.Argument(help="A TOML file; the national notice if not given.", dir_okay=False)
    ] = None,
    by: Annotated[str, typer.Option(help="Who answers for this notice.")] = "",
    note: Annotated[str, typer.Option(help="Why it changes.")] = "",
) -> None:
    """Show a notice from now on, as a new edition. Earlier ones stay readable at /notice/NUMBER/."""
    with reporting("loading"):
        edition = notices.load(file, by=_person(by) if by else None, note=note, now=timezone.now())
    console.print(
        "this notice is shown already"
        if edition is None
        else f"edition {edition.number} is shown from now on"
    )


@privacy.command("export")
def export_data(
    by: Annotated[str, typer.Option(help="Who has it made; they hold the capability privacy.audit.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept in the ledger for good.")],
    out: Annotated[Path, typer.Option(help="The zip to write; it must not exist yet.", dir_okay=False)],
    code: Annotated[str, typer.Option(help="The case under this tracking code.")] = "",
    phone: Annotated[str, typer.Option(help="Every case with which this number was left.")] = "",
) -> None:
    """Give a person's data in a machine-readable file (PIPL art. 45): JSON with its schema, and their photographs.

    Make sure first that whoever asks is who they say. The file holds no data of others and no names of staff.
    """
    if bool(code) == bool(phone):
        raise typer.BadParameter("give either --code or --phone")
    if out.exists():
        raise typer.BadParameter(f"{out} exists already", param_hint="--out")
    with reporting("looking"):
        person = _person(by)
        role = scope_of(person).role_for(rules.CAPABILITY)
        if role is None:
            raise Forbidden(f"{by} does not hold {rules.CAPABILITY}")
        cases = export.by_code(code) if code else export.by_phone(phone)
        pictures = export.write_file(out, cases, person=person, role=role, reason=reason, now=timezone.now())
    console.print(f"{len(cases):,} cases, {pictures:,} photographs: {out}", markup=False)


@retention.command("load")
def load_rules(
    file: Annotated[
        Path | None, typer.Argument(help="A TOML pack; the national one if not given.", dir_okay=False)
    ] = None,
    by: Annotated[
        str, typer.Option(help="Who answers for these rules; they cannot approve a batch by them.")
    ] = "",
    note: Annotated[str, typer.Option(help="Why the rules change.")] = "",
) -> None:
    """Put rules in force as a new edition. Nothing is destroyed; a batch that waits is proposed anew."""
    with reporting("loading"):
        edition = rules.load(file, by=_person(by) if by else None, note=note, now=timezone.now())
    if edition is None:
        console.print("these rules are in force already")
    else:
        console.print(f"edition {edition.number} is in force, {edition.rules.count()} rules")


@retention.command("list")
def list_rules() -> None:
    """The rules in force, and the batches with what became of them."""
    ensure_database()
    edition = rules.in_force()
    table = Table("kind", "matter", "what", "months", "basis")
    for rule in edition.rules.order_by("kind", "what", "matter") if edition is not None else ():
        table.add_row(rule.kind, rule.matter or "any", rule.what, str(rule.months), rule.basis)
    console.print(f"edition {edition.number}" if edition is not None else "no rules are in force")
    console.print(table)
    made = Table("batch", "edition", "state", "to destroy", "held", "destroyed", "passed over", "approved by")
    for batch in rules.batches()[:SHOWN]:
        figures = (getattr(batch, f"n_{s}") for s in ("proposed", "held", "destroyed", "passed"))
        who = batch.approved_by.username if batch.approved_by is not None else ""
        made.add_row(str(batch.pk), str(batch.edition), batch.state, *map(str, figures), who)
    console.print(made)


@retention.command()
def propose() -> None:
    """Propose now what is due, as the worker does once an hour. Nothing is destroyed."""
    with reporting("looking"):
        count = rules.propose(timezone.now())
    if RetentionBatch.objects.filter(state=RetentionBatch.State.PROPOSED).exists() and not count:
        console.print("a batch waits for approval already")
    else:
        console.print(f"{count:,} things are proposed; a person approves them on the page")


@retention.command()
def run() -> None:
    """Destroy now what was approved, as the worker does once a minute. Goes on with what a crash left half-done."""
    total = 0
    with reporting("destroying") as progress:
        while handled := rules.carry_out(timezone.now()):
            total += handled
            progress(total, total)
    console.print(f"{total:,} handled")


@retention.command()
def again(
    record: Annotated[
        Path | None,
        typer.Argument(help="The record; LUCHENG_HOME/destroyed.jsonl if not given.", dir_okay=False),
    ] = None,
) -> None:
    """After a backup was restored: destroy again what the record says was destroyed. May be run twice.

    Exit code 1 where orders are left because they are open or held in what was restored.
    """
    file = record or destruction.record()
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    with reporting("destroying") as progress:
        outcome = destruction.again(lines, timezone.now(), lambda n: progress(n, len(lines)))
    console.print(
        f"{len(lines):,} lines: {outcome.destroyed:,} destroyed again, {outcome.already:,} gone already, "
        f"{outcome.unknown:,} of orders that are not here"
    )
    if outcome.left:
        shown = ", ".join(outcome.left[:SHOWN]) + (", …" if len(outcome.left) > SHOWN else "")
        console.print(f"{len(outcome.left):,} are open or held here and are left: {shown}", style="red")
        raise typer.Exit(1)


@registry.command("load")
def load_registers(
    file: Annotated[
        Path | None, typer.Argument(help="A TOML file; the national pack if not given.", dir_okay=False)
    ] = None,
    by: Annotated[str, typer.Option(help="Who answers for these entries.")] = "",
    note: Annotated[str, typer.Option(help="Why they change.")] = "",
) -> None:
    """Take entries over: as new ones, or as new versions where they differ. What the file does not name stays.

    The national pack says what Lucheng itself does with personal data; it leaves alone what the city has written.
    """
    with reporting("loading"):
        loaded = registers.load(file, by=_person(by) if by else None, note=note, now=timezone.now())
    console.print(f"{loaded.new:,} new entries, {loaded.changed:,} with a new version")
    if loaded.left:
        console.print(f"left as the city has written them: {', '.join(loaded.left)}", markup=False)


@registry.command("list")
def list_register(
    register: Annotated[Register, typer.Argument(help="Which register.")],
    state: Annotated[registers.Standing | None, typer.Option(help="In any state, if not given.")] = None,
    text: Annotated[str, typer.Option(help="Words in code, title or fields.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most, by code.")] = 50,
) -> None:
    """The entries of a register, each by its last version."""
    ensure_database()
    now = timezone.now()
    rows = registers.find(register, now, state=state, text=text)
    table = Table("code", "title", "state", "version", "written", "by", "waits")
    for entry in rows[:limit]:
        table.add_row(
            entry.code,
            escape(entry.title),
            registers.state_of(entry, now).value,
            str(entry.version),
            timezone.localtime(entry.made_at).strftime("%Y-%m-%d"),
            entry.made_by.username if entry.made_by is not None else "",
            entry.waits,  # type: ignore[attr-defined]
        )
    console.print(table)
    console.print(f"{rows.count():,} in all")


@registry.command("show")
def show_register(
    register: Annotated[Register, typer.Argument(help="Which register.")],
    code: Annotated[str, typer.Argument(help="Code of the entry.")],
) -> None:
    """One entry as it stands, and its versions with what each changed."""
    with reporting("looking"):
        last = registers.last(register, code, timezone.now())
    rules = registers.rules_in_force()
    said = Table("field", "says", title=escape(last.title))
    for field, text in registers.lines(last, rules):
        said.add_row(str(field.label), escape(text))
    console.print(said)
    versions: list[RegisterEntry] = list(registers.history(register, code))
    made = Table("version", "written", "by", "why", "changed", "kept until")
    for version, before in zip(versions, [*versions[1:], None], strict=True):
        changed = registers.changes(before, version, rules) if before is not None else []
        until = registers.kept_until(version)
        made.add_row(
            str(version.version),
            timezone.localtime(version.made_at).strftime("%Y-%m-%d %H:%M"),
            version.made_by.username if version.made_by is not None else "",
            escape(version.note),
            ", ".join(str(change.label) for change in changed),
            until.isoformat() if until is not None else "",
        )
    console.print(made)


@registry.command("export")
def export_register(
    register: Annotated[Register, typer.Argument(help="Which register.")],
    out: Annotated[Path, typer.Option(help="The xlsx file to write; it must not exist yet.", dir_okay=False)],
    state: Annotated[registers.Standing | None, typer.Option(help="In any state, if not given.")] = None,
) -> None:
    """Write a register as a sheet, to hand to an authority."""
    now = timezone.now()
    with reporting("writing"):
        rows = list(registers.find(register, now, state=state))
        try:
            with out.open("xb") as file:
                registers.export(register, rows, file, now)
        except FileExistsError as error:
            raise typer.BadParameter(f"{out} exists already", param_hint="--out") from error
    console.print(f"{len(rows):,} entries: {out}", markup=False)


@privacy.command()
def looks(
    person: Annotated[str, typer.Option(help="Name or user name, in full.")] = "",
    unit: Annotated[str, typer.Option(help="Name or code of a unit, in full.")] = "",
    case: Annotated[str, typer.Option(help="Order number.")] = "",
    reason: Annotated[str, typer.Option(help="Words of the reason.")] = "",
    since: Annotated[dt.datetime | None, typer.Option(formats=_DAYS, help="First day; 30 days back.")] = None,
    until: Annotated[dt.datetime | None, typer.Option(formats=_DAYS, help="Last day.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most, the newest.")] = 50,
    unusual: Annotated[bool, typer.Option("--unusual", help="Unusual days of units instead.")] = False,
) -> None:
    """List who looked at sealed data, of which order, and why. What was opened is not shown."""
    ensure_database()
    now = timezone.now()
    if unusual:
        days = Table("day", "unit", "looks", "usual")
        for u in register_of_looks.unusual(Reveal.objects.all(), now):
            days.add_row(u.day.isoformat(), u.unit, str(u.looks), f"{u.usual:g}")
        console.print(days)
        return
    first = timezone.make_aware(since) if since is not None else now - register_of_looks.USUAL_PERIOD
    asked = register_of_looks.Asked(
        person=person,
        unit=unit,
        number=case,
        reason=reason,
        since=first,
        until=timezone.make_aware(until + dt.timedelta(days=1)) if until is not None else None,
    )
    table = Table("when", "who", "unit", "order", "opened", "reason")
    for look in register_of_looks.find(Reveal.objects.all(), asked)[:limit]:
        table.add_row(
            timezone.localtime(look.at).strftime("%Y-%m-%d %H:%M"),
            f"{look.person.name} ({look.person.username})",
            look.unit.name if look.unit is not None else "",
            look.number,
            ", ".join(look.fields),
            escape(look.reason),
        )
    console.print(table)


def register(app: typer.Typer) -> None:
    app.add_typer(privacy)
