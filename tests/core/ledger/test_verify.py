"""Whatever somebody with all rights over the database does to the ledger is found and named by case and event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lucheng.core.cases.models import Attachment, Case, State, Text
from lucheng.core.errors import NotFound
from lucheng.core.ledger import acts, anchors, chain
from lucheng.core.ledger import verify as verification
from lucheng.core.ledger.append import append
from lucheng.core.ledger.models import Act, Anchor, Event
from lucheng.core.ledger.verify import Finding, Kind, Tally, head, read_witness, verify
from lucheng.core.organisation import people
from tests import factories
from tests.core.ledger.stories import NOW, case_of_a_broken_lamp, more

pytestmark = pytest.mark.django_db


def found(**options: Any) -> list[tuple[Kind, str, int | None]]:
    return [(f.kind, f.case, f.seq) for f in verify(Tally(), **options)]


@contextmanager
def as_superuser() -> Iterator[Any]:
    """What a superuser can do who switches the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("set session_replication_role = replica")
        try:
            yield cursor
        finally:
            cursor.execute("set session_replication_role = origin")


def tamper(sql: str, *params: Any) -> None:
    with as_superuser() as cursor:
        cursor.execute(sql, params)
        assert cursor.rowcount, "the tampering changed nothing"


@pytest.fixture
def case() -> Case:
    """A case with five events, between two whole ones."""
    case_of_a_broken_lamp(events=2)
    made = case_of_a_broken_lamp(events=5)
    case_of_a_broken_lamp(events=2)
    return made


def rehash(event: Event) -> bytes:
    """The right hash for what an event says now: a forger can compute it, too."""
    return chain.link(
        bytes(event.prev),
        event.case_id,
        event.seq,
        event.at,
        event.actor_id,
        event.actor_role,
        event.action,
        event.body,
    )


# --- nothing wrong --------------------------------------------------------------------------------------------------


def test_an_untouched_ledger_is_proved_and_counted(case: Case) -> None:
    anchors.anchor(NOW)
    more(case, NOW + dt.timedelta(hours=1), "补充说明")
    tally = Tally()
    assert list(verify(tally)) == []
    assert (tally.cases, tally.events, tally.anchors, tally.not_anchored, tally.findings) == (3, 10, 1, 1, 0)


def test_every_way_that_a_real_case_can_go_is_proved() -> None:
    city = factories.city()
    for state in State:
        if state is not State.DRAFT:
            factories.case_in(state, city)
    tally = Tally()
    assert list(verify(tally)) == []
    assert tally.events > 50


def test_an_empty_ledger_is_in_order() -> None:
    assert found() == []


# --- inside one chain -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "body = jsonb_set(body, '{to}', '\"closed\"')",
        "body = '[1.5]'",
        "body = 'null'",
        "action = 'close'",
        "actor_role = 'dispatcher'",
        "at = at + interval '1 microsecond'",
        "prev = decode(repeat('00', 32), 'hex')",
        "hash = decode(repeat('00', 32), 'hex')",
    ],
)
def test_a_changed_event_is_named(case: Case, change: str) -> None:
    tamper(f"update ledger_event set {change} where case_id = %s and seq = 3", case.pk)
    assert (Kind.CHANGED, case.number, 3) in found()
    assert {f[1:] for f in found()} <= {(case.number, 3), (case.number, 4)}


def test_only_the_changed_event_is_named_where_only_its_content_changed(case: Case) -> None:
    tamper("update ledger_event set action = 'close' where case_id = %s and seq = 3", case.pk)
    assert found() == [(Kind.CHANGED, case.number, 3)]


def test_an_event_rewritten_with_the_right_hash_is_named(case: Case) -> None:
    event = Event.objects.get(case=case, seq=3)
    event.action = "close"
    tamper("update ledger_event set action = 'close', hash = %s where id = %s", rehash(event), event.pk)
    assert found() == [(Kind.FORGED, case.number, 3)]


def test_the_last_event_rewritten_with_the_right_hash_is_named(case: Case) -> None:
    event = Event.objects.get(case=case, seq=5)
    event.action = "close"
    tamper("update ledger_event set action = 'close', hash = %s where id = %s", rehash(event), event.pk)
    assert found() == [(Kind.OUT_OF_STEP, case.number, 5)]


@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_deleted_event_is_named_also_the_first_and_the_last(case: Case, seq: int) -> None:
    tamper("delete from ledger_event where case_id = %s and seq = %s", case.pk, seq)
    assert found() == [(Kind.MISSING, case.number, seq)]


def test_several_deleted_events_are_named_together(case: Case) -> None:
    tamper("delete from ledger_event where case_id = %s and seq in (2, 3, 5)", case.pk)
    findings = list(verify(Tally()))
    assert [(f.kind, f.seq) for f in findings] == [(Kind.MISSING, 2), (Kind.MISSING, 5)]


def test_a_deleted_event_is_named_even_where_the_rest_was_moved_up(case: Case) -> None:
    tamper("delete from ledger_event where case_id = %s and seq = 3", case.pk)
    tamper("update ledger_event set seq = seq - 1 where case_id = %s and seq > 3", case.pk)
    assert found() == [
        (Kind.MISSING, case.number, 3),
        (Kind.REORDERED, case.number, 3),
        (Kind.REORDERED, case.number, 4),
    ]


def test_two_exchanged_events_are_named(case: Case) -> None:
    tamper("update ledger_event set seq = 100 where case_id = %s and seq = 2", case.pk)
    tamper("update ledger_event set seq = 2 where case_id = %s and seq = 4", case.pk)
    tamper("update ledger_event set seq = 4 where case_id = %s and seq = 100", case.pk)
    assert found() == [(Kind.REORDERED, case.number, 2), (Kind.REORDERED, case.number, 4)]


def test_an_event_put_in_is_named(case: Case) -> None:
    tamper("update ledger_event set seq = seq + 100 where case_id = %s and seq >= 3", case.pk)
    tamper("update ledger_event set seq = seq - 99 where case_id = %s and seq >= 103", case.pk)
    second = Event.objects.get(case=case, seq=2)
    forged = Event(
        case=case, seq=3, at=second.at, actor_role="system", action="note", body={}, prev=bytes(second.hash)
    )
    tamper(
        "insert into ledger_event (case_id, seq, at, actor_role, action, body, prev, hash) "
        "values (%s, 3, %s, 'system', 'note', '{}', %s, %s)",
        case.pk,
        second.at,
        bytes(second.hash),
        rehash(forged),
    )
    assert (Kind.FORGED, case.number, 3) in found()
    assert [f for f in found() if f[0] == Kind.REORDERED] == [
        (Kind.REORDERED, case.number, n) for n in (4, 5, 6)
    ]


def test_an_event_put_at_the_end_is_named(case: Case) -> None:
    last = Event.objects.get(case=case, seq=5)
    forged = Event(
        case=case, seq=6, at=last.at, actor_role="system", action="note", body={}, prev=bytes(last.hash)
    )
    with as_superuser():
        forged.hash = rehash(forged)
        forged.save()
    assert found() == [(Kind.OUT_OF_STEP, case.number, 6)]


def test_the_history_of_another_case_does_not_pass_for_its_own(case: Case) -> None:
    other = case_of_a_broken_lamp(events=5)
    tamper("delete from ledger_event where case_id = %s", case.pk)
    tamper("update ledger_event set case_id = %s where case_id = %s", case.pk, other.pk)
    tamper("update cases_case set chain_head = %s where id = %s", bytes(other.chain_head), case.pk)
    kinds = {(kind, number) for kind, number, _seq in found()}
    assert kinds == {(Kind.CHANGED, case.number), (Kind.MISSING, other.number)}


def _change(event: Event) -> tuple[str, list[Any]]:
    return "update ledger_event set body = body || '{\"x\": 1}' where id = %s", [event.pk]


def _delete(event: Event) -> tuple[str, list[Any]]:
    return "delete from ledger_event where id = %s", [event.pk]


def _backdate(event: Event) -> tuple[str, list[Any]]:
    return "update ledger_event set at = at - interval '1 day' where id = %s", [event.pk]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(length=st.integers(1, 6), data=st.data())
def test_any_single_tampering_anywhere_is_found_and_its_case_named(length: int, data: Any) -> None:
    made = case_of_a_broken_lamp(events=length)
    event = Event.objects.get(case=made, seq=data.draw(st.integers(1, length)))
    how: Callable[[Event], tuple[str, list[Any]]] = data.draw(st.sampled_from([_change, _delete, _backdate]))
    sql, params = how(event)
    tamper(sql, *params)
    findings = found(number=made.number)
    assert findings
    assert (findings[0][1], findings[0][2]) == (made.number, event.seq)


# --- the case and what hangs on it ----------------------------------------------------------------------------------


def test_a_state_set_by_hand_is_named(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(state="closed")
    assert found() == [(Kind.OUT_OF_STEP, case.number, None)]


def test_a_row_set_back_is_named(case: Case) -> None:
    fourth = Event.objects.get(case=case, seq=4)
    Case.objects.filter(pk=case.pk).update(chain_length=4, chain_head=bytes(fourth.hash))
    assert found() == [(Kind.OUT_OF_STEP, case.number, 5)]


def test_a_row_that_is_gone_while_its_events_stand_is_named(case: Case) -> None:
    tamper("delete from cases_case where id = %s", case.pk)
    assert found() == [(Kind.CASE_MISSING, f"#{case.pk}", None)]


def test_words_put_into_the_requesters_mouth_are_named(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(content="一切都好，谢谢。")
    assert found() == [(Kind.CONTENT, case.number, 1)]


def test_a_text_of_a_step_that_was_changed_or_is_gone_is_named_unless_it_was_destroyed_by_rule(
    case: Case,
) -> None:
    more(case, NOW, "已联系诉求人")
    more(case, NOW, "路灯已修复")
    assert found() == []
    Text.objects.filter(case=case, seq=6).update(text="未联系诉求人")
    Text.objects.filter(case=case, seq=7).delete()
    assert found() == [(Kind.CONTENT, case.number, 6), (Kind.CONTENT, case.number, 7)]
    append(case, "destroyed", {"destroyed": "texts"}, actor=None, role="system", now=NOW)
    case.save()
    assert found() == [(Kind.CONTENT, case.number, 6)]
    more(case, NOW, "又来电补充")
    Text.objects.filter(case=case).delete()
    assert found() == [(Kind.CONTENT, case.number, 9)], "what came after is not covered"


def test_a_photograph_that_is_gone_or_changed_is_named(case: Case, settings: Any, tmp_path: Any) -> None:
    from lucheng.core.cases import attachments
    from tests.core.cases.test_attachments import picture

    settings.ATTACHMENTS = tmp_path
    first = attachments.store(case.pk, picture(), person=None, role="requester", now=NOW)
    second = attachments.store(case.pk, picture(80, 60), person=None, role="requester", now=NOW)
    assert found(files=True) == []
    (tmp_path / first.sha256[:2] / f"{first.sha256[2:]}.jpg").write_bytes(picture(90, 90))
    assert found() == []
    assert found(files=True) == [(Kind.CONTENT, case.number, 6)]
    Attachment.objects.filter(pk=second.pk).delete()
    assert found() == [(Kind.CONTENT, case.number, 7)]


# --- anchors --------------------------------------------------------------------------------------------------------


def anchored(case: Case) -> Case:
    assert anchors.anchor(NOW) is not None
    return case


def erase(case: Case) -> None:
    """Remove a case without a trace in the other tables."""
    with as_superuser() as cursor:
        for table, column in (
            ("ledger_event", "case_id"),
            ("privacy_contact", "case_id"),
            ("cases_case", "id"),
        ):
            cursor.execute(f"delete from {table} where {column} = %s", [case.pk])


def test_a_whole_missing_case_is_noticed_by_the_anchor_over_it(case: Case) -> None:
    first = Event.objects.order_by("id").first()
    last = Event.objects.order_by("-id").first()
    assert first is not None and last is not None
    erase(anchored(case))
    findings = list(verify(Tally()))
    assert [f.kind for f in findings] == [Kind.ANCHOR]
    assert "5" in str(findings[0].text)
    assert str(last.pk) in str(findings[0].text)


def test_a_chain_rewritten_from_end_to_end_with_right_hashes_is_noticed_by_the_anchor(case: Case) -> None:
    anchored(case)
    prev = chain.GENESIS
    for event in Event.objects.filter(case=case).order_by("seq"):
        event.prev, event.actor_role = prev, "requester"
        prev = rehash(event)
        tamper(
            "update ledger_event set prev = %s, actor_role = 'requester', hash = %s where id = %s",
            bytes(event.prev),
            prev,
            event.pk,
        )
    Case.objects.filter(pk=case.pk).update(chain_head=prev)
    assert found() == [(Kind.ANCHOR, "", None)]


def test_a_case_put_in_later_among_old_ids_is_noticed(case: Case) -> None:
    free = Event.objects.filter(case=case).order_by("id").values_list("id", flat=True)[0]
    other = case_of_a_broken_lamp()
    tamper(
        "update ledger_event set id = id + 1000000 where case_id = %s", other.pk
    )  # a gap, as a rollback leaves it
    last = case_of_a_broken_lamp()
    anchored(last)
    assert found() == []
    tamper("update ledger_event set id = %s where case_id = %s", free - 1000, other.pk)
    assert {f[0] for f in found()} == {Kind.ANCHOR}


def test_a_missing_or_changed_anchor_is_noticed(case: Case) -> None:
    for n in range(3):
        more(case, NOW + dt.timedelta(hours=n + 1))
        anchored(case)
    second = Anchor.objects.order_by("upto")[1]
    tamper("update ledger_anchor set hash = %s where id = %s", bytes(32), second.pk)
    assert {f[0] for f in found()} == {Kind.ANCHOR}
    tamper("delete from ledger_anchor where id = %s", second.pk)
    assert {f[0] for f in found()} == {Kind.ANCHOR}


def test_a_noted_anchor_shows_that_everything_was_rewritten(case: Case) -> None:
    anchored(case)
    noted = read_witness(head())
    assert found(witness=noted) == []
    erase(case)
    with as_superuser() as cursor:
        cursor.execute("truncate ledger_anchor")
    anchored(case)  # over what is left: perfectly consistent in itself
    assert found() == []
    assert found(witness=noted) == [(Kind.ANCHOR, "", None)]


# --- acts -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def five_acts(db: None) -> None:
    for n in range(5):
        people.add_person(f"li{n}", "李")


def rewritten(act: Act) -> None:
    """Give an act the right hash for what it says now."""
    tamper("update ledger_act set hash = %s where seq = %s", acts.link(act), act.seq)


def test_an_untouched_chain_of_acts_is_proved_and_counted(five_acts: None) -> None:
    anchors.anchor(NOW)
    tally = Tally()
    assert list(verify(tally)) == []
    assert (tally.acts, tally.anchors) == (5, 1)


@pytest.mark.parametrize(
    "change",
    [
        "action = 'person_locked'",
        "name = 'wang'",
        "role = 'auditor'",
        "kind = 'unit'",
        "details = '{\"count\": 1}'",
        "details = '[1.5]'",
        "at = at + interval '1 microsecond'",
        "hash = decode(repeat('00', 32), 'hex')",
    ],
)
def test_a_changed_act_is_named(five_acts: None, change: str) -> None:
    tamper(f"update ledger_act set {change} where seq = 3")
    assert (Kind.ACT, "", 3) in found()
    assert {f[2] for f in found()} <= {3, 4}


def test_an_act_changed_with_a_right_hash_is_named_by_the_next(five_acts: None) -> None:
    tamper("update ledger_act set name = 'wang' where seq = 3")
    rewritten(Act.objects.get(seq=3))
    assert found() == [(Kind.ACT, "", 4)]


def test_a_missing_act_is_named_and_so_is_a_gap_of_several(five_acts: None) -> None:
    tamper("delete from ledger_act where seq = 2")
    (finding,) = verify(Tally())
    assert (finding.seq, "2" in str(finding)) == (2, True)
    tamper("delete from ledger_act where seq = 3")
    (finding,) = verify(Tally())
    assert finding.seq == 2 and "2" in str(finding) and "3" in str(finding)


def test_acts_that_are_missing_at_the_end_are_noticed_by_the_anchor(five_acts: None) -> None:
    tamper("delete from ledger_act where seq = 5")
    assert found() == []  # nothing says yet that it was there
    anchors.anchor(NOW)
    tamper("delete from ledger_act where seq = 4")
    (finding,) = verify(Tally())
    assert finding.kind == Kind.ANCHOR and "4" in str(finding)


def test_a_chain_of_acts_rewritten_with_right_hashes_is_noticed_by_the_anchor(five_acts: None) -> None:
    anchors.anchor(NOW)
    prev = chain.GENESIS
    for act in Act.objects.order_by("seq"):
        act.prev, act.name = prev, "wang"
        prev = acts.link(act)
        tamper(
            "update ledger_act set prev = %s, name = 'wang', hash = %s where seq = %s",
            bytes(act.prev),
            prev,
            act.seq,
        )
    assert found() == [(Kind.ANCHOR, "", None)]


def test_what_an_anchor_says_of_acts_cannot_be_changed(five_acts: None) -> None:
    anchors.anchor(NOW)
    tamper("update ledger_anchor set acts = null, act_hash = null")
    assert found() == [(Kind.ANCHOR, "", None)]


def test_a_noted_anchor_covers_the_acts(five_acts: None) -> None:
    case_of_a_broken_lamp()
    anchors.anchor(NOW)
    people.add_person("wang", "王")
    anchors.anchor(NOW)
    noted = read_witness(head())
    assert found(witness=noted) == []
    with as_superuser() as cursor:
        cursor.execute("delete from ledger_act where seq = 6")
        cursor.execute("delete from ledger_anchor where acts = 6")
    assert found() == []
    assert found(witness=noted) == [(Kind.ANCHOR, "", None)]


@pytest.mark.parametrize("word", ["", "12", "12:zz", "x:" + "0" * 64, "12:" + "0" * 62])
def test_a_mistyped_witness_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"anchor|hex"):
        read_witness(word)


# --- asking for less ------------------------------------------------------------------------------------------------


def test_one_case_can_be_verified_alone(case: Case) -> None:
    other = case_of_a_broken_lamp(events=3)
    tamper("delete from ledger_event where case_id = %s and seq = 2", case.pk)
    assert found(number=other.number) == []
    assert found(number=case.number) == [(Kind.MISSING, case.number, 2)]
    with pytest.raises(NotFound):
        found(number="no such number")


def test_since_takes_what_came_later_with_its_whole_chain_and_only_that(case: Case) -> None:
    untouched = case_of_a_broken_lamp(events=2)
    anchored(case)
    more(case, NOW + dt.timedelta(days=2))
    tamper("delete from ledger_event where case_id in (%s, %s) and seq = 2", case.pk, untouched.pk)
    tally = Tally()
    since = NOW + dt.timedelta(days=1)
    assert [f.case for f in verify(tally, since=since)] == [case.number]
    assert (tally.cases, tally.anchors) == (1, 0)


def test_the_number_of_queries_does_not_grow_with_the_number_of_cases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert list(verify(Tally())) == []
        return len(seen)

    case_of_a_broken_lamp(events=2)
    one = queries()
    for _ in range(99):
        case_of_a_broken_lamp(events=2)
    assert queries() == one
    monkeypatch.setattr(verification, "BATCH", 10)
    tally = Tally()
    assert list(verify(tally)) == []
    assert (tally.cases, tally.events) == (100, 200)


def test_events_without_a_case_are_found_in_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "BATCH", 2)
    cases = [case_of_a_broken_lamp() for _ in range(5)]
    gone = [cases[0], cases[2], cases[4]]
    for each in gone:
        tamper("delete from cases_case where id = %s", each.pk)
    assert found() == [(Kind.CASE_MISSING, f"#{each.pk}", None) for each in gone]


def test_a_finding_reads_as_a_sentence() -> None:
    assert (
        str(Finding(Kind.MISSING, "event 3 is missing", "26030200000001", 3))
        == "26030200000001: event 3 is missing"
    )
