"""What is due is proposed, a person approves, the worker destroys; the chain and every figure stay what they were."""

from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.cases import attachments, intake, public, queries, today
from lucheng.core.cases.models import Attachment, Case, Request, State, Text
from lucheng.core.clocks.models import Clock
from lucheng.core.errors import Conflict, Forbidden, Invalid
from lucheng.core.faults import Faulty
from lucheng.core.ledger import verify
from lucheng.core.ledger.models import Event
from lucheng.core.privacy import contacts, destruction, retention
from lucheng.core.privacy.models import (
    Contact,
    RetentionBatch,
    RetentionEdition,
    RetentionHold,
    RetentionItem,
    Tombstone,
    What,
)
from lucheng.core.revisions import snapshot
from tests import factories
from tests.core.cases.test_attachments import picture
from tests.factories import LAMP, NOW, City, case_in, received, step

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
#: All that the national pack says of an order is due.
MUCH_LATER = NOW + 3700 * DAY
#: The contact is due, nothing else.
LATER = NOW + 760 * DAY


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.ATTACHMENTS = tmp_path / "attachments"
    settings.DESTROYED = tmp_path / "destroyed.jsonl"


@pytest.fixture
def city(db: None) -> City:
    made = factories.city()
    made.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    retention.load(now=NOW)
    return made


def closed(city: City, **changes: Any) -> Case:
    """An order with a contact, texts and a photograph, closed at NOW."""
    case = received(**changes)
    attachments.store(case.pk, picture(), person=None, role="requester", now=NOW)
    case.refresh_from_db()
    for action, who, fields in [
        ("accept", "dispatcher", {"matter": LAMP}),
        ("dispatch", "dispatcher", {"opinion": "请尽快到现场查看"}),
        ("sign", "handler", {}),
        ("contact", "handler", {"how": "phone"}),
        ("assist", "helper", {"assist_reply": "照明公司已到场"}),
        ("reply", "handler", {"handling": "更换灯泡", "public_reply": "路灯已修好。"}),
        ("approve", "dispatcher", {}),
        ("close", "operator", {"satisfaction": "5", "solved": True}),
    ]:
        case = step(case, action, who, city, **fields)
    return case


def approved(city: City, now: dt.datetime) -> RetentionBatch:
    retention.propose(now)
    batch = RetentionBatch.objects.get(state=RetentionBatch.State.PROPOSED)
    return retention.approve(batch.pk, person=city.people["officer"], seen=batch.items.count(), now=now)


def wrong(**given: Any) -> list[str]:
    return [str(f) for f in verify.verify(verify.Tally(), files=True, **given)]


def proposed() -> set[tuple[str, str]]:
    return set(RetentionItem.objects.filter(state="proposed").values_list("number", "what"))


# --- rules ----------------------------------------------------------------------------------------------------------


def test_the_national_rules_are_an_edition_and_the_same_rules_again_are_none(city: City) -> None:
    edition = retention.in_force()
    assert edition is not None and edition.number == 1 and edition.made_by is None
    assert {r.what for r in edition.rules.filter(kind="command_centre.order")} == set(What.values)
    assert retention.load(now=LATER) is None


def rules(folder: Path, *rows: dict[str, Any]) -> Path:
    file = folder / "rules.toml"
    file.write_text(
        "\n".join(
            "[[rule]]\n" + "\n".join(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in row.items())
            for row in rows
        ),
        "utf-8",
    )
    return file


ROW = {"kind": "command_centre.order", "what": "contact", "months": 12, "basis": "本市规定"}


def test_a_city_puts_its_own_rules_in_force_under_a_name(city: City, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        retention.load(rules(tmp_path, ROW), now=NOW)
    assert list(refused.value.fields) == ["by"]
    made = retention.load(rules(tmp_path, ROW), by=city.people["duty_officer"], note="市里已定", now=NOW)
    assert made is not None and made.number == 2 and made.made_by == city.people["duty_officer"]


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"kind": "no.such"}, "kind"),
        ({"what": "everything"}, "what"),
        ({"months": 0}, "months"),
        ({"months": "12"}, "months"),
        ({"months": True}, "months"),
        ({"matter": "99"}, "matter"),
        ({"basis": ""}, "basis"),
    ],
)
def test_every_fault_of_a_file_is_named_and_nothing_is_taken_over(
    city: City, tmp_path: Path, changed: dict[str, Any], column: str
) -> None:
    with pytest.raises(Faulty) as refused:
        retention.load(rules(tmp_path, ROW | changed), by=city.people["duty_officer"], now=NOW)
    assert [f.column for f in refused.value.faults] == [column]
    assert RetentionEdition.objects.count() == 1


def test_two_rows_for_the_same_are_refused(city: City, tmp_path: Path) -> None:
    with pytest.raises(Faulty):
        retention.read(rules(tmp_path, ROW, ROW | {"months": 6}))


# --- what is due ----------------------------------------------------------------------------------------------------


@given(
    st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC)),
    st.integers(1, retention.LONGEST),
    st.integers(0, 60 * 24),
)
def test_nothing_is_due_before_its_day_and_three_days_after_it_always_is(
    ended: dt.datetime, months: int, minutes: int
) -> None:
    local = timezone.localtime(ended)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    first = dt.datetime(year, month + 1, 1, local.hour, local.minute, local.second, local.microsecond)
    day = timezone.make_aware(first) + (local.day - 1) * DAY  # may lie some days in the next month
    assert ended > retention.months_before(first.replace(tzinfo=local.tzinfo) - DAY, months)
    assert (
        ended > retention.months_before(day - 3 * DAY - dt.timedelta(minutes=minutes), months) or day.day < 4
    )
    assert ended <= retention.months_before(day + 3 * DAY + dt.timedelta(minutes=minutes), months)


def test_only_what_is_closed_long_enough_is_proposed(city: City) -> None:
    case = closed(city)
    assert retention.propose(NOW + 700 * DAY) == 0
    assert retention.propose(LATER) == 1
    assert proposed() == {(case.number, "contact")}
    assert retention.propose(LATER) == 0, "one batch waits at a time"


def test_nothing_open_is_ever_proposed_and_whatever_has_ended_is_in_time(city: City) -> None:
    cases = {state: case_in(state, city) for state in State if state is not State.DRAFT}
    retention.propose(MUCH_LATER)
    ended = {cases[state].number for state in (State.CLOSED, State.ARCHIVED, State.WITHDRAWN)}
    assert proposed() == {(number, what) for number in ended for what in ("contact", "texts")}


def test_what_is_under_appeal_or_held_is_not_proposed(city: City) -> None:
    from lucheng.core.cases import engine

    appealed, held = closed(city), closed(city)
    engine.act_as_requester(appealed.code, "appeal", {"note": "没有修好"}, now=NOW)
    retention.hold(held.number, reason="行政诉讼期间", person=city.people["officer"], now=NOW)
    assert retention.propose(MUCH_LATER) == 0
    hold = RetentionHold.objects.get()
    retention.lift(hold.pk, reason="已经结案", person=city.people["officer"], now=LATER)
    assert retention.propose(MUCH_LATER) == 3


def test_of_two_rules_the_one_for_the_longer_matter_holds(city: City, tmp_path: Path) -> None:
    lamp, heating = closed(city), case_in(State.WITHDRAWN, city)
    Case.objects.filter(pk=heating.pk).update(matter=factories.HEATING)
    file = rules(tmp_path, ROW, ROW | {"matter": "03", "months": 36})
    retention.load(file, by=city.people["duty_officer"], now=NOW)
    retention.propose(NOW + 400 * DAY)
    assert proposed() == {(lamp.number, "contact")}
    batch = approved_again(city, NOW + 400 * DAY)
    assert batch.edition.number == 2
    retention.carry_out(NOW + 400 * DAY)
    retention.propose(NOW + 1200 * DAY)
    assert proposed() == {(heating.number, "contact")}


def approved_again(city: City, now: dt.datetime) -> RetentionBatch:
    batch = RetentionBatch.objects.get(state=RetentionBatch.State.PROPOSED)
    return retention.approve(
        batch.pk, person=city.people["officer"], seen=batch.items.filter(state="proposed").count(), now=now
    )


def test_a_batch_by_old_rules_cannot_be_approved_and_is_proposed_anew(city: City, tmp_path: Path) -> None:
    closed(city)
    retention.propose(LATER)
    old = RetentionBatch.objects.get()
    retention.load(rules(tmp_path, ROW | {"months": 24}), by=city.people["duty_officer"], now=LATER)
    with pytest.raises(Conflict):
        retention.approve(old.pk, person=city.people["officer"], seen=1, now=LATER)
    assert retention.propose(LATER) == 1
    old.refresh_from_db()
    assert old.state == "dropped"


# --- approving ------------------------------------------------------------------------------------------------------


def test_nothing_is_destroyed_that_nobody_approved(city: City) -> None:
    case = closed(city)
    retention.propose(MUCH_LATER)
    assert retention.carry_out(MUCH_LATER) == 0
    case.refresh_from_db()
    assert case.content and case.contact.phone and case.attachments.exists() and not case.tombstones.exists()


def test_who_made_the_rules_does_not_approve_by_them(city: City, tmp_path: Path) -> None:
    closed(city)
    officer = city.people["officer"]
    retention.load(rules(tmp_path, ROW), by=officer, now=NOW)
    retention.propose(LATER)
    batch = RetentionBatch.objects.get()
    with pytest.raises(Forbidden):
        retention.approve(batch.pk, person=officer, seen=1, now=LATER)
    other = factories.person("other", "data_protection_officer", factories.CITY)
    assert retention.approve(batch.pk, person=other, seen=1, now=LATER).approved_by == other


def test_what_was_held_after_the_look_makes_the_approval_look_again(city: City) -> None:
    first, second = closed(city), closed(city)
    retention.propose(LATER)
    batch = RetentionBatch.objects.get()
    item = batch.items.get(number=first.number)
    officer = city.people["officer"]
    assert retention.hold_items(batch.pk, [item.pk], reason="行政诉讼期间", person=officer, now=LATER) == 1
    with pytest.raises(Conflict):
        retention.approve(batch.pk, person=officer, seen=2, now=LATER)
    retention.approve(batch.pk, person=officer, seen=1, now=LATER)
    assert retention.approve(batch.pk, person=officer, seen=1, now=LATER).state == "approved", "sent twice"
    retention.carry_out(LATER)
    assert Contact.objects.get(case=first).phone is not None
    assert Contact.objects.get(case=second).phone is None
    batch.refresh_from_db()
    assert batch.state == "done"
    with pytest.raises(Conflict):
        retention.hold_items(batch.pk, [item.pk], reason="行政诉讼期间", person=officer, now=LATER)


def test_a_hold_needs_a_reason_and_an_order_and_stands_once(city: City) -> None:
    case, officer = closed(city), city.people["officer"]
    for number, reason, field in (
        (case.number, "诉", "reason"),
        (case.number, "原告电话13800132210", "reason"),
        ("123", "行政诉讼期间", "number"),
        ("١٢٣", "行政诉讼期间", "number"),
    ):
        with pytest.raises(Invalid) as refused:
            retention.hold(number, reason=reason, person=officer, now=NOW)
        assert list(refused.value.fields) == [field]
    retention.hold(case.number, reason="行政诉讼期间", person=officer, now=NOW)
    with pytest.raises(Conflict):
        retention.hold(case.number, reason="行政诉讼期间", person=officer, now=NOW)
    with pytest.raises(Conflict):
        hold = RetentionHold.objects.get()
        retention.lift(hold.pk, reason="已经结案", person=officer, now=NOW)
        retention.lift(hold.pk, reason="已经结案", person=officer, now=NOW)


# --- destroying -----------------------------------------------------------------------------------------------------


def figures(city: City) -> dict[str, Any]:
    """What the city counts, of the day on which the cases of a test came in and were closed."""
    snapshot.forget()
    public.kept.clear()
    scope, now = city.scope("duty_officer"), NOW + dt.timedelta(hours=2)
    overview = today.reckon(scope, now)
    return {
        "overview": (overview.numbers, overview.hours, overview.counties, overview.townships),
        "queues": queries.queue_counts(scope, now),
        "around": public.neighbourhood(factories.STREET, 30, now),
        "answers": list(
            Case.objects.order_by("id").values("state", "matter", "place", "satisfaction", "solved")
        ),
        "clocks": list(Clock.objects.order_by("id").values("kind", "state", "due_at", "ended_at")),
    }


def test_all_of_a_case_goes_and_its_chain_and_every_figure_stay(city: City, settings: Any) -> None:
    cases = [closed(city, name="李测试", phone="13800132210", address="鹿苑小区3号楼") for _n in range(6)]
    case_in(State.SIGNED, city)
    before, digests = figures(city), list(Event.objects.order_by("id").values_list("hash", flat=True))
    assert before["around"].cases == 5
    approved(city, MUCH_LATER)
    assert retention.carry_out(MUCH_LATER) == 18
    assert figures(city) == before
    assert wrong() == []
    assert list(Event.objects.order_by("id").values_list("hash", flat=True))[: len(digests)] == digests
    case = Case.objects.get(pk=cases[0].pk)
    assert (case.title, case.content, case.address, case.public_reply) == ("", "", "", "")
    assert (case.lon, case.lat, case.fields, case.request_digest) == (None, None, {}, None)
    assert not Text.objects.filter(case=case).exists() and not Request.objects.filter(case=case).exists()
    assert not case.assists.exclude(reply="").exists() and not case.clocks.exclude(pause_cause="").exists()
    contact = case.contact
    assert (contact.name, contact.phone, contact.phone_mask, contact.phone_index) == (None, None, "", None)
    assert not Contact.objects.filter(phone_index__in=contacts.phone_indexes("13800132210")).exists()
    assert not Attachment.objects.filter(case=case).exists()
    assert not list(Path(settings.ATTACHMENTS).rglob("*.jpg"))
    assert case.chain_length == case.version == case.events.count()


def test_the_tombstone_the_event_and_the_record_say_what_went_by_which_rule_and_who_approved_it(
    city: City, settings: Any
) -> None:
    case = closed(city)
    batch = approved(city, LATER)
    retention.carry_out(LATER)
    stone = Tombstone.objects.get()
    rule = batch.edition.rules.get(kind=case.kind, what="contact")
    assert (stone.case, stone.what, stone.at, stone.edition) == (case, "contact", LATER, 1)
    assert (stone.basis, stone.months, stone.approved_by) == (rule.basis, 24, city.people["officer"])
    assert stone.settled_at == LATER
    event = Event.objects.get(case=case, action="destroyed")
    assert event.seq == stone.seq and event.actor is None and event.actor_role == "system"
    assert event.body == {
        "destroyed": "contact",
        "edition": 1,
        "months": 24,
        "approved_by": city.people["officer"].pk,
        "batch": batch.pk,
        "rule": rule.pk,
    }
    (line,) = Path(settings.DESTROYED).read_text("utf-8").splitlines()
    said = json.loads(line)
    assert (said["number"], said["destroyed"], said["approved_by"]) == (case.number, "contact", "officer")
    assert Path(settings.DESTROYED).stat().st_mode & 0o77 == 0


def test_every_column_of_a_contact_that_could_say_who_it_is_is_emptied() -> None:
    left = {f.name for f in Contact._meta.concrete_fields} - {f.name for f in destruction._sealed_fields()}
    assert left == {"id", "case"}


def test_a_number_cannot_be_tried_against_a_digest_that_is_left(city: City) -> None:
    """The digest of the request covers words and number: with the words still here, every number could be tried."""
    case = closed(city)
    assert case.request_digest is not None
    approved(city, LATER)
    retention.carry_out(LATER)
    case.refresh_from_db()
    assert case.content and case.request_digest is None


def test_a_photograph_that_another_case_shows_stays_for_that_case(city: City) -> None:
    case, other = closed(city), received()
    attachments.store(other.pk, picture(), person=None, role="requester", now=NOW)
    approved(city, MUCH_LATER)
    retention.carry_out(MUCH_LATER)
    assert not case.attachments.exists()
    with attachments.open_file(other.attachments.get()) as file:
        assert file.read()
    assert wrong() == []


def test_what_is_no_longer_due_when_its_turn_comes_is_passed_over(city: City) -> None:
    case = closed(city)
    approved(city, LATER)
    step(case, "reopen", "duty_officer", city, now=LATER, reason="又不亮了")
    retention.carry_out(LATER)
    assert RetentionItem.objects.get().state == "passed"
    assert Contact.objects.get(case=case).phone is not None


def test_a_text_that_is_gone_without_a_rule_is_found(city: City) -> None:
    case = closed(city)
    Case.objects.filter(pk=case.pk).update(content="")
    assert len(wrong()) == 1
    approved(city, MUCH_LATER)
    retention.carry_out(MUCH_LATER)
    assert wrong() == []


def test_a_create_with_the_key_of_what_was_destroyed_makes_no_second_case(city: City) -> None:
    new = factories.call()
    made = intake.create(new, actor=None, role="requester", now=NOW, idempotency_key="test:kept")
    step(Case.objects.get(pk=made.id), "withdraw", "operator", city, reason="来电要求撤回")
    approved(city, MUCH_LATER)
    retention.carry_out(MUCH_LATER)
    with pytest.raises(Conflict):
        intake.create(new, actor=None, role="requester", now=MUCH_LATER, idempotency_key="test:kept")
    assert Case.objects.count() == 1


# --- a crash, and two at once ---------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["erase", "_write", "between"])
def test_after_a_crash_at_any_moment_it_is_gone_on_with_and_ends_the_same(
    city: City, settings: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    for _n in range(2):
        closed(city)
    approved(city, MUCH_LATER)

    def die(*_args: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        if moment == "erase":
            patch.setattr(attachments, "erase", die)
        elif moment == "_write":
            patch.setattr(destruction, "_write", die)
        else:
            patch.setattr(destruction, "settle", die)
        with pytest.raises(Crash):
            retention.carry_out(MUCH_LATER)
    assert Tombstone.objects.filter(settled_at=None).count() == 1
    while retention.carry_out(MUCH_LATER):
        pass
    assert Tombstone.objects.count() == 6 and not Tombstone.objects.filter(settled_at=None).exists()
    assert Event.objects.filter(action="destroyed").count() == 6
    lines = [json.loads(x) for x in Path(settings.DESTROYED).read_text("utf-8").splitlines()]
    assert len({(x["number"], x["destroyed"]) for x in lines}) == 6
    assert not list(Path(settings.ATTACHMENTS).rglob("*.jpg"))
    assert RetentionBatch.objects.get().state == "done"
    assert wrong() == []


def test_a_crash_before_the_commit_leaves_the_case_whole(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    case = closed(city)
    approved(city, MUCH_LATER)

    def die(*_args: Any, **_given: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(RetentionItem, "save", die)
        with pytest.raises(Crash):
            retention.carry_out(MUCH_LATER)
    assert Case.objects.get(pk=case.pk).content and not Tombstone.objects.exists()
    assert wrong() == []


@pytest.mark.django_db(transaction=True)
def test_two_workers_destroy_everything_once(city: City) -> None:
    for _n in range(4):
        closed(city)
    approved(city, MUCH_LATER)
    gate, handled = threading.Barrier(2), []

    def run() -> None:
        try:
            connection.ensure_connection()
            gate.wait(10)
            handled.append(retention.carry_out(MUCH_LATER))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _n in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert len(handled) == 2
    assert Tombstone.objects.count() == Event.objects.filter(action="destroyed").count() == 12
    assert wrong() == []


# --- after a restored backup ----------------------------------------------------------------------------------------


def test_after_a_restored_backup_the_record_destroys_again_once(city: City, settings: Any) -> None:
    cases = [closed(city), closed(city)]
    record = Path(settings.DESTROYED)
    record.write_text(
        "\n".join(
            json.dumps(
                {
                    "number": number,
                    "destroyed": what,
                    "at": LATER.isoformat(),
                    "edition": 1,
                    "months": 24,
                    "basis": "本市规定",
                    "approved_by": "officer",
                }
            )
            for number in (cases[0].number, cases[1].number, "20990101000001")
            for what in ("contact", "photographs")
        ),
        "utf-8",
    )
    retention.hold(cases[1].number, reason="行政诉讼期间", person=city.people["officer"], now=NOW)
    lines = record.read_text("utf-8").splitlines()
    first = destruction.again(lines, MUCH_LATER)
    assert (first.destroyed, first.already, first.unknown) == (2, 0, 2)
    assert first.left == [cases[1].number] * 2
    assert Contact.objects.get(case=cases[0]).phone is None and not cases[0].attachments.exists()
    assert {(s.what, s.basis) for s in Tombstone.objects.all()} == {
        ("contact", "本市规定"),
        ("photographs", "本市规定"),
    }
    second = destruction.again(lines, MUCH_LATER)
    assert (second.destroyed, second.already) == (0, 2)
    assert wrong() == []


@pytest.mark.parametrize(
    "line", ["{", "[]", "{}", '{"number": 1, "destroyed": "contact"}', '{"destroyed": "all"}']
)
def test_a_record_with_a_line_of_something_else_is_refused_whole(city: City, line: str) -> None:
    with pytest.raises(Invalid) as refused:
        destruction.again([line], NOW)
    assert list(refused.value.fields) == ["record"]


# --- telling --------------------------------------------------------------------------------------------------------


def test_it_is_told_in_words_and_nothing_is_asked_of_an_open_case(
    city: City, django_assert_num_queries: Any
) -> None:
    open_case = received()
    case = closed(city)
    approved(city, LATER)
    retention.carry_out(LATER)
    case.refresh_from_db()
    (stone,) = destruction.told(case)
    with translation.override("zh-hans"):
        words = destruction.sentence(stone)
    assert "2028年" in words and "第1版" in words and "24个月" in words and stone.basis in words
    with django_assert_num_queries(0):
        assert destruction.told(open_case) == []
