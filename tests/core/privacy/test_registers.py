"""What a register says is replaced and never changed; it is kept three years, and says what waits for somebody."""

from __future__ import annotations

import datetime as dt
import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest
import typer
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from lucheng.core.errors import Conflict, Invalid, NotFound
from lucheng.core.faults import Faulty
from lucheng.core.organisation.models import Person
from lucheng.core.privacy import cli, registers, retention
from lucheng.core.privacy.models import Register, RegisterEntry
from lucheng.core.privacy.registers import FIELDS, Kind, Said, Standing, Waits
from lucheng.postgresql import context
from tests import factories
from tests.factories import NOW, City

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
YEAR = dt.timedelta(days=366)
PROCESSING, ASSESSMENT, PROCESSOR = Register.PROCESSING, Register.ASSESSMENT, Register.PROCESSOR


@pytest.fixture
def officer(db: None) -> Person:
    factories.city()
    return factories.person("officer", "data_protection_officer", factories.CITY)


def said(register: Register, **changes: Said) -> dict[str, Said]:
    """An entry that says something in every field that must be filled in."""
    filled: dict[Kind, Said] = {Kind.YES_NO: False, Kind.DAY: "2027-01-01"}
    values = {f.name: filled.get(f.kind, f"{f.name}:如实填写") for f in FIELDS[register] if f.required}
    return values | changes


def write(by: Person, register: Register, code: str, after: int = 0, **changes: Any) -> RegisterEntry | None:
    given = {k: changes.pop(k) for k in ("title", "note", "now", "ended_on") if k in changes}
    return registers.write(
        register,
        code,
        given.get("title", f"{code}的标题"),
        said(register, **changes),
        by=by,
        note=given.get("note", "按年度复核改写" if after else ""),
        ended_on=given.get("ended_on"),
        after=after,
        now=given.get("now", NOW),
    )


def waits(now: dt.datetime = NOW) -> dict[str, str]:
    return {e.code: e.waits for e in registers.listed(now) if e.waits}  # type: ignore[attr-defined]


# --- versions -------------------------------------------------------------------------------------------------------


def test_a_new_version_replaces_the_last_and_both_are_kept(officer: Person) -> None:
    write(officer, PROCESSING, "calls")
    made = write(officer, PROCESSING, "calls", 1, purpose="只用于回访", title="回访电话", now=NOW + YEAR)
    assert made is not None and made.version == 2
    second, first = registers.history(PROCESSING, "calls")
    assert (first.fields["purpose"], second.fields["purpose"]) == ("purpose:如实填写", "只用于回访")
    changed = registers.changes(first, second, {})
    assert [(str(c.label), c.before, c.after) for c in changed] == [
        ("标题", "calls的标题", "回访电话"),
        ("处理目的", "purpose:如实填写", "只用于回访"),
    ]
    assert registers.last(PROCESSING, "calls", NOW).version == 2


def test_the_same_again_is_no_version(officer: Person) -> None:
    write(officer, PROCESSING, "calls")
    assert write(officer, PROCESSING, "calls", 1) is None
    assert RegisterEntry.objects.count() == 1


def test_who_saw_an_older_version_is_told(officer: Person) -> None:
    write(officer, PROCESSING, "calls")
    write(officer, PROCESSING, "calls", 1, purpose="一")
    with pytest.raises(Conflict):
        write(officer, PROCESSING, "calls", 1, purpose="二")
    with pytest.raises(Conflict):
        registers.end(PROCESSING, "calls", TODAY, by=officer, note="不再处理", after=1, now=NOW)
    with pytest.raises(NotFound):
        write(officer, PROCESSING, "letters", 1)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_write_a_version_at_once_exactly_one_does() -> None:
    factories.city()
    officer = factories.person("officer", "data_protection_officer", factories.CITY)
    write(officer, PROCESSING, "calls")
    ready, outcomes = threading.Barrier(2), list[str]()

    def one(purpose: str) -> None:
        try:
            ready.wait(10)
            write(officer, PROCESSING, "calls", 1, purpose=purpose)
            outcomes.append("written")
        except Conflict:
            outcomes.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(text,)) for text in ("一", "二")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["told", "written"]
    assert registers.history(PROCESSING, "calls").count() == 2


@pytest.mark.parametrize(
    "statement",
    [
        "update privacy_register_entry set title = 'x'",
        "delete from privacy_register_entry",
        "truncate privacy_register_entry",
    ],
)
@pytest.mark.parametrize("walled", [False, True])
def test_the_database_refuses_to_change_or_remove_what_must_be_kept(
    officer: Person, statement: str, walled: bool
) -> None:
    write(officer, PROCESSING, "calls", now=timezone.now() - 9 * YEAR)
    write(officer, PROCESSING, "calls", 1, purpose="一", now=timezone.now() - YEAR)
    with (
        pytest.raises(Error, match=r"kept three years|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("set constraints all immediate")  # truncate waits for nothing
        if walled:
            cursor.execute(f"set local role {context.ROLE}")
        cursor.execute(statement)
    assert RegisterEntry.objects.count() == 2


# --- what is asked --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "  "}, "purpose"),
        ({"purpose": "字" * 4001}, "purpose"),
        ({"people": "字" * 201}, "people"),
        ({"assessments": ["nowhere"]}, "assessments"),
        ({"processors": ["\x00", "x" * 500]}, "processors"),
        ({"rules": ["command_centre.order/everything"]}, "rules"),
        ({"colour": "blue"}, "colour"),
        ({"title": ""}, "title"),
        ({"title": "\x00"}, "title"),
        ({"title": "字" * 121}, "title"),
    ],
)
def test_what_is_wrong_is_refused_at_its_field(officer: Person, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        write(officer, PROCESSING, "calls", **changes)
    assert list(refused.value.fields) == [field] and not RegisterEntry.objects.exists()


@pytest.mark.parametrize("day", ["2026-02-30", "next year", "0001-01-01", "2026-3-2"])
def test_what_is_no_day_is_refused(officer: Person, day: str) -> None:
    with pytest.raises(Invalid) as refused:
        write(officer, ASSESSMENT, "calls", next_on=day)
    assert list(refused.value.fields) == ["next_on"]


@pytest.mark.parametrize("day", [dt.date.min, dt.date.max])
def test_a_day_that_nobody_means_is_no_end(officer: Person, day: dt.date) -> None:
    write(officer, PROCESSING, "calls")
    with pytest.raises(Invalid) as refused:
        write(officer, PROCESSING, "calls", 1, ended_on=day)
    assert list(refused.value.fields) == ["ended_on"]
    with pytest.raises(Invalid) as refused:
        registers.end(PROCESSING, "calls", day, by=officer, note="不再处理", after=1, now=NOW)
    assert list(refused.value.fields) == ["ended_on"]


@pytest.mark.parametrize("code", ["", "x", "Calls", "来电", "a b", "-a", "a" * 61, "a\x00b"])
def test_a_code_is_small_letters_digits_and_dashes(officer: Person, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        write(officer, PROCESSING, code)
    assert "code" in refused.value.fields


def test_a_code_stands_for_one_entry_and_a_change_says_why(officer: Person) -> None:
    write(officer, PROCESSING, "calls")
    write(officer, ASSESSMENT, "calls")  # another register
    with pytest.raises(Invalid) as refused:
        write(officer, PROCESSING, "calls", purpose="二")
    assert "code" in refused.value.fields
    with pytest.raises(Invalid) as refused:
        write(officer, PROCESSING, "calls", 1, purpose="二", note="改")
    assert "note" in refused.value.fields


def test_what_cannot_be_kept_is_dropped_and_markup_stays(officer: Person) -> None:
    made = write(officer, PROCESSING, "calls", purpose="一\x00\u202e二\r\n<b>三</b>", people="来电人\n  员工")
    assert made is not None
    made.refresh_from_db()
    assert made.fields["purpose"] == "一二\n<b>三</b>" and made.fields["people"] == "来电人 员工"


def test_an_activity_shows_how_long_the_rules_in_force_keep_it(officer: Person) -> None:
    made = write(
        officer, PROCESSING, "calls", rules=["command_centre.order/contact", "grids.finding/contact"]
    )
    assert made is not None
    field = next(f for f in FIELDS[PROCESSING] if f.name == "rules")
    assert "没有生效的规则" in registers.words(field, made.fields["rules"], registers.rules_in_force())
    retention.load(now=NOW)
    shown = registers.words(field, made.fields["rules"], registers.rules_in_force()).splitlines()
    assert "24个月" in shown[0] and "没有生效的规则" in shown[1]


# --- what waits -----------------------------------------------------------------------------------------------------


def test_a_sensitive_or_entrusted_activity_waits_until_an_assessment_in_force_is_named(
    officer: Person,
) -> None:
    write(officer, PROCESSOR, "gateway", contract_end="2030-01-01")
    write(officer, PROCESSING, "plain")
    write(officer, PROCESSING, "entrusted", processors=["gateway"])
    write(officer, PROCESSING, "sensitive", sensitive=True)
    assert waits() == {"entrusted": Waits.UNASSESSED, "sensitive": Waits.UNASSESSED}
    write(officer, ASSESSMENT, "health")
    write(officer, PROCESSING, "sensitive", 1, sensitive=True, assessments=["health"])
    assert waits() == {"entrusted": Waits.UNASSESSED}
    registers.end(ASSESSMENT, "health", TODAY, by=officer, note="评估作废", after=1, now=NOW)
    assert waits().keys() == {"entrusted", "sensitive"}
    registers.end(PROCESSING, "entrusted", TODAY, by=officer, note="不再处理", after=1, now=NOW)
    assert waits().keys() == {"sensitive"}, "what is over waits for nobody"


def test_an_assessment_waits_on_its_next_day_and_a_contract_sixty_days_before_its_end(
    officer: Person,
) -> None:
    write(officer, ASSESSMENT, "health", next_on=(TODAY + dt.timedelta(days=100)).isoformat())
    write(officer, PROCESSOR, "gateway", contract_end=(TODAY + dt.timedelta(days=100)).isoformat())
    assert waits(NOW + dt.timedelta(days=39)) == {}
    assert waits(NOW + dt.timedelta(days=40)) == {"gateway": Waits.EXPIRING}
    assert waits(NOW + dt.timedelta(days=99)) == {"gateway": Waits.EXPIRING}
    assert waits(NOW + dt.timedelta(days=100)) == {"gateway": Waits.EXPIRING, "health": Waits.DUE}
    assert registers.figures(NOW) == {None: 2}
    assert registers.figures(NOW + YEAR) == {Waits.EXPIRING: 1, Waits.DUE: 1}


def test_entries_are_found_by_state_and_words(officer: Person) -> None:
    write(officer, PROCESSING, "calls", title="来电记录")
    write(officer, PROCESSING, "letters", sensitive=True, data="信件原文")
    write(officer, PROCESSING, "old", ended_on=TODAY)
    write(officer, PROCESSING, "soon", ended_on=TODAY + dt.timedelta(days=1))

    def found(**wanted: Any) -> list[str]:
        return [e.code for e in registers.find(PROCESSING, NOW, **wanted)]

    assert found() == ["calls", "letters", "soon"]
    assert found(state=Standing.ENDED) == ["old"]
    assert found(state=Standing.WAITING) == ["letters"]
    assert found(state=None) == ["calls", "letters", "old", "soon"]
    assert found(text="来电") == ["calls"] and found(text="信件原文") == ["letters"]
    assert found(text="SOO") == ["soon"] and found(text="%") == [] and found(text="sensitive") == []


def test_a_list_asks_as_often_for_one_entry_as_for_many(officer: Person) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            for entry in registers.find(PROCESSING, NOW):
                assert entry.made_by is not None and entry.made_by.name
        return len(seen.captured_queries)

    write(officer, PROCESSING, "calls")
    one = asked()
    for n in range(60):
        write(officer, PROCESSING, f"calls-{n}", sensitive=True)
    assert asked() == one


# --- the end, and three years ---------------------------------------------------------------------------------------


def test_an_entry_ends_and_is_taken_up_again(officer: Person) -> None:
    write(officer, PROCESSING, "calls")
    tomorrow = TODAY + dt.timedelta(days=1)
    registers.end(PROCESSING, "calls", tomorrow, by=officer, note="不再处理", after=1, now=NOW)
    last = registers.last(PROCESSING, "calls", NOW)
    assert registers.state_of(last, NOW) is Standing.IN_FORCE
    assert registers.state_of(last, NOW + dt.timedelta(days=1)) is Standing.ENDED
    assert registers.end(PROCESSING, "calls", tomorrow, by=officer, note="再说一遍", after=2, now=NOW) is None
    write(officer, PROCESSING, "calls", 2)
    assert registers.state_of(registers.last(PROCESSING, "calls", NOW), NOW + YEAR) is Standing.IN_FORCE


def test_an_entry_that_names_what_is_gone_can_still_be_ended(officer: Person) -> None:
    long_ago = NOW - 9 * YEAR
    write(officer, ASSESSMENT, "health", now=long_ago, ended_on=long_ago.date())
    write(officer, PROCESSING, "calls", assessments=["health"])
    assert registers.destroy(ASSESSMENT, "health", NOW) == 1
    with pytest.raises(Invalid):
        write(officer, PROCESSING, "calls", 1, assessments=["health"], purpose="二")
    assert registers.end(PROCESSING, "calls", TODAY, by=officer, note="不再处理", after=1, now=NOW)


def test_a_version_may_go_three_years_after_it_was_replaced_and_not_a_day_before(officer: Person) -> None:
    written = dt.datetime(2020, 2, 28, 9, tzinfo=NOW.tzinfo)
    replaced = dt.datetime(2020, 2, 29, 9, tzinfo=NOW.tzinfo)
    write(officer, PROCESSING, "calls", now=written)
    write(officer, PROCESSING, "calls", 1, purpose="二", now=replaced)
    second, first = registers.history(PROCESSING, "calls")
    assert registers.kept_until(first) == dt.date(2023, 2, 28)
    assert registers.kept_until(second) is None, "it holds"
    with pytest.raises(Conflict):
        registers.destroy(PROCESSING, "calls", dt.datetime(2023, 2, 28, 23, tzinfo=NOW.tzinfo))
    assert registers.destroy(PROCESSING, "calls", dt.datetime(2023, 3, 1, tzinfo=NOW.tzinfo)) == 1
    assert [v.version for v in registers.history(PROCESSING, "calls")] == [2]
    with pytest.raises(Conflict):
        registers.destroy(PROCESSING, "calls", NOW)


def test_an_end_written_for_a_day_long_past_counts_from_when_it_was_written(officer: Person) -> None:
    now = timezone.now()  # the database goes by its own clock
    made = write(officer, PROCESSING, "calls", ended_on=dt.date(2001, 1, 1), now=now)
    assert made is not None
    until = registers.kept_until(registers.history(PROCESSING, "calls")[0])
    assert until is not None and until.year == timezone.localdate(now).year + 3
    with pytest.raises(Conflict):
        registers.destroy(PROCESSING, "calls", now)
    with pytest.raises(Error, match="kept three years"), transaction.atomic():
        RegisterEntry.objects.all().delete()


def test_with_the_last_version_the_entry_is_gone_and_its_code_is_free(officer: Person) -> None:
    write(officer, PROCESSING, "calls", now=NOW - 8 * YEAR)
    long_ago = NOW - 5 * YEAR
    registers.end(PROCESSING, "calls", long_ago.date(), by=officer, note="不再处理", after=1, now=long_ago)
    assert registers.destroy(PROCESSING, "calls", NOW) == 2
    with pytest.raises(NotFound):
        registers.last(PROCESSING, "calls", NOW)
    made = write(officer, PROCESSING, "calls")
    assert made is not None and made.version == 1


# --- packs ----------------------------------------------------------------------------------------------------------


def own(folder: Path, *entries: dict[str, Any]) -> Path:
    file = folder / "registers.toml"
    file.write_text(
        "\n".join(
            "[[entry]]\n" + "\n".join(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in e.items())
            for e in entries
        ),
        "utf-8",
    )
    return file


def test_the_national_pack_says_what_the_platform_does_and_assesses_nothing(officer: Person) -> None:
    loaded = registers.load(now=NOW)
    assert loaded.new == RegisterEntry.objects.count() > 15 and not loaded.changed
    assert set(RegisterEntry.objects.values_list("register", flat=True)) == {PROCESSING}
    assert set(waits().values()) == {Waits.UNASSESSED}
    assert registers.load(now=NOW) == registers.Loaded(0, 0, [])
    retention.load(now=NOW)
    rules = registers.rules_in_force()
    named = {r for e in RegisterEntry.objects.all() for r in e.fields["rules"]}
    assert named == rules.keys(), "every retention rule destroys what some activity keeps"


def test_every_table_that_the_national_pack_names_exists(officer: Person) -> None:
    registers.load(now=NOW)
    tables = set(connection.introspection.table_names())
    places = " ".join(e.fields["location"] for e in RegisterEntry.objects.all())
    named = {word for word in places.replace("、", " ").split() if "_" in word and word.islower()}
    named = {word.split("（")[0] for word in named}
    assert len(named) > 10 and named <= tables


def test_the_national_pack_leaves_alone_what_the_city_has_written(officer: Person) -> None:
    registers.load(now=NOW)
    before = registers.last(PROCESSING, "logs", NOW)
    registers.write(
        PROCESSING,
        "logs",
        before.title,
        before.fields | {"kept": "一年"},
        by=officer,
        note="本市规定",
        after=1,
        now=NOW,
    )
    assert registers.load(now=NOW + YEAR) == registers.Loaded(0, 0, ["processing logs"])
    assert registers.last(PROCESSING, "logs", NOW).fields["kept"] == "一年"


def test_a_city_loads_its_own_entries_under_a_name(officer: Person, tmp_path: Path) -> None:
    file = own(
        tmp_path,
        {
            "register": "processing",
            "code": "calls",
            "title": "来电",
            **said(PROCESSING, processors=["gateway"]),
        },
        {"register": "processor", "code": "gateway", "title": "网关公司", **said(PROCESSOR)},
    )
    with pytest.raises(Invalid):
        registers.load(file, now=NOW)
    assert registers.load(file, by=officer, now=NOW) == registers.Loaded(2, 0, [])
    registers.end(PROCESSOR, "gateway", TODAY, by=officer, note="合同终止", after=1, now=NOW)
    own(tmp_path, {"register": "processor", "code": "gateway", "title": "网关", **said(PROCESSOR)})
    assert registers.load(file, by=officer, note="更名", now=NOW) == registers.Loaded(0, 1, [])
    last = registers.last(PROCESSOR, "gateway", NOW)
    assert (last.version, last.title, last.ended_on, last.note) == (3, "网关", TODAY, "更名")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"register": "people"}, "register"),
        ({"code": "Calls"}, "code"),
        ({"sensitive": "yes"}, "sensitive"),
        ({"purpose": ""}, "purpose"),
        ({"assessments": ["nowhere"]}, "assessments"),
        ({"next_on": "2027-01-01"}, "next_on"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_file_with_a_fault_is_refused_as_a_whole_and_the_fault_named(
    officer: Person, tmp_path: Path, changes: dict[str, Any], where: str
) -> None:
    good = {"register": "processing", "code": "good", "title": "来电", **said(PROCESSING)}
    with pytest.raises(Faulty) as refused:
        registers.load(own(tmp_path, good, good | {"code": "calls"} | changes), by=officer, now=NOW)
    assert [(f.row, str(f.column)) for f in refused.value.faults] == [(2, where)]
    assert not RegisterEntry.objects.exists()


def test_the_same_entry_twice_in_a_file_is_refused(officer: Person, tmp_path: Path) -> None:
    entry = {"register": "processing", "code": "calls", "title": "来电", **said(PROCESSING)}
    with pytest.raises(Faulty):
        registers.load(own(tmp_path, entry, entry), by=officer, now=NOW)


# --- sheets and commands --------------------------------------------------------------------------------------------


def test_a_sheet_holds_every_field_in_words(officer: Person) -> None:
    write(officer, PROCESSING, "calls", sensitive=True, purpose="=1+1")
    file = io.BytesIO()
    registers.export(PROCESSING, registers.find(PROCESSING, NOW), file, NOW)
    head, row = load_workbook(file).worksheets[0].iter_rows(values_only=True)
    assert len(head) == len(FIELDS[PROCESSING]) + 8
    by_head = dict(zip(head, row, strict=True))
    assert (by_head["编码"], by_head["含敏感个人信息"], by_head["处理目的"]) == ("calls", "是", "=1+1")
    assert by_head["填写人"] == "officer"


@pytest.fixture
def _console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lucheng.cli.ensure_database", lambda: None)
    monkeypatch.setattr(cli, "ensure_database", lambda: None)
    monkeypatch.setattr("lucheng.core.console.console._width", 250)


def lucheng(*arguments: str) -> Result:
    app = typer.Typer()
    cli.register(app)
    return CliRunner().invoke(app, ["privacy", "register", *arguments])


@pytest.mark.usefixtures("_console")
def test_the_commands_load_list_show_and_export(officer: Person, tmp_path: Path) -> None:
    assert "0 with a new version" in lucheng("load").output
    listed = lucheng("list", "processing", "--state", "waiting")
    assert "case-content" in listed.output and "unassessed" in listed.output
    assert "requester-contact" not in listed.output
    entry = registers.last(PROCESSING, "logs", NOW)
    registers.end(PROCESSING, "logs", TODAY, by=officer, note="改由他处记录", after=entry.version, now=NOW)
    shown = lucheng("show", "processing", "logs")
    assert "改由他处记录" in shown.output and "终止日期" in shown.output
    assert lucheng("show", "processing", "nothing").exit_code == 1
    out = tmp_path / "register.xlsx"
    assert lucheng("export", "processing", "--out", str(out)).exit_code == 0 and out.stat().st_size > 5000
    again = lucheng("export", "processing", "--out", str(out))
    assert again.exit_code == 2 and "exists" in again.output
    assert lucheng("load", str(out), "--by", "officer").exit_code == 1


def test_the_demo_citys_registers_show_each_state_and_a_second_time_changes_nothing(city: City) -> None:
    from lucheng.core.privacy import demo

    factories.person("privacy", "data_protection_officer", factories.CITY)
    demo.fill(NOW)
    count = RegisterEntry.objects.count()
    found = waits()
    assert found["sms-gateway"] == Waits.EXPIRING and found["text-messages"] == Waits.UNASSESSED
    assert "case-content" not in found and "call-drafts" in found
    demo.fill(NOW)
    assert RegisterEntry.objects.count() == count
