"""Why a clock stands where it stands, told from the clocks and the ledger alone."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import translation

from lucheng.core.cases.models import Case, State, Text
from lucheng.core.clocks.account import Account, accounts
from lucheng.core.clocks.models import TimeLimit
from lucheng.core.revisions import snapshot
from tests import factories
from tests.factories import NOW, City, case_in, step

DAY = dt.timedelta(days=1)


@pytest.fixture
def city(db: None) -> City:
    return factories.city()


def told(case: Case, kind: str) -> list[Account]:
    texts: dict[int, dict[str, str]] = {}
    for t in Text.objects.filter(case=case):
        texts.setdefault(t.seq, {})[t.name] = t.text
    events = list(case.events.select_related("actor").order_by("seq"))
    return accounts(case, case.clocks.filter(kind=kind).order_by("started_at", "id"), events, texts)


def test_a_limit_names_its_row_its_start_and_the_days_that_do_not_count(city: City) -> None:
    case = case_in(State.DISPATCHED, city)
    (reply,) = told(case, "reply")
    assert (reply.amount, reply.unit) == (5, "working_days")
    assert reply.row
    assert reply.started_by is not None
    assert reply.started_by.action == "dispatch"
    assert reply.days_off == [dt.date(2026, 3, 7), dt.date(2026, 3, 8)]
    with translation.override("zh-hans"):
        assert reply.sentence == (
            "5 个工作日，2026年3月2日 09:30 起算；其间休息日 2 天不计入；2026年3月9日 18:00 到期。"
        )
    with translation.override("en"):
        assert reply.sentence == (
            "5 working days from March 2, 2026 09:30; 2 days off not counted; due March 9, 2026 18:00."
        )


def test_an_extension_tells_who_gave_it_how_much_and_why_it_was_asked(city: City) -> None:
    case = case_in(State.EXTEND_REQ, city)
    case = step(case, "grant_extension", "duty_officer", city, now=NOW + DAY, days="5")
    (reply,) = told(case, "reply")
    (change,) = reply.changes
    assert (change.op, change.added, change.who, change.cause) == ("extend", 5, "duty_officer", "等待配件")
    assert (reply.amount, reply.clock.amount) == (5, 10)
    with translation.override("zh-hans"):
        assert "2026年3月3日 09:30 延期5 个工作日" in reply.sentence
        assert reply.sentence.endswith("2026年3月16日 18:00 到期。")
    assert change.due_at == reply.clock.due_at


def test_a_pause_tells_its_cause_and_its_days_are_not_counted_off(city: City) -> None:
    case = case_in(State.SUSPENDED, city)
    (reply,) = told(case, "reply")
    assert [c.op for c in reply.changes] == ["pause"]
    assert reply.changes[0].cause == "冬季无法施工"
    with translation.override("zh-hans"):
        assert reply.sentence.endswith("暂停中，恢复后按剩余时间继续计时。")
    case = step(case, "resume", "handler", city, now=NOW + 7 * DAY)
    (reply,) = told(case, "reply")
    assert [c.op for c in reply.changes] == ["pause", "resume"]
    assert not {dt.date(2026, 3, 7), dt.date(2026, 3, 8)} & set(reply.days_off)
    assert dt.date(2026, 3, 14) in reply.days_off


def test_met_and_missed_are_told_apart(city: City) -> None:
    case = case_in(State.DISPATCHED, city)
    (sign,) = told(step(case, "sign", "handler", city, now=NOW + DAY), "sign")
    (dispatch,) = told(case, "dispatch")
    with translation.override("zh-hans"):
        assert "完成，已超期" in sign.sentence
        assert "按时完成" in dispatch.sentence


def test_a_clock_that_began_anew_has_an_account_of_its_own(city: City) -> None:
    case = case_in(State.RETURN_REQ, city)
    case = step(case, "uphold", "duty_officer", city, now=NOW + DAY, reason="属本单位职责")
    first, second = told(case, "sign")
    assert first.started_by is not None
    assert second.started_by is not None
    assert (first.started_by.action, second.started_by.action) == ("dispatch", "uphold")
    with translation.override("zh-hans"):
        assert "取消，不再计时" in first.sentence


def test_a_row_of_the_table_that_was_changed_since_is_not_named(city: City) -> None:
    case = case_in(State.DISPATCHED, city)
    TimeLimit.objects.filter(clock="reply").update(amount=9)
    snapshot.bump("time_limits")
    snapshot.forget()
    (reply,) = told(case, "reply")
    assert reply.row == ""
    assert reply.amount == 5
