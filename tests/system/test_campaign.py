"""Whatever is killed when: what was acknowledged is there once, clocks fire once, messages leave under one id."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tools.crash import Heard, campaign, wrong


def test_killed_at_random_moments_under_load_every_promise_holds() -> None:
    figures, faults = campaign(times=6, seed=7)
    assert faults == []
    assert sum(figures["kills"].values()) == 6
    assert figures["steps"] and figures["fired"]["clock.escalated"] and figures["texts"]


_HEARD = Heard({"k1": "1"}, {("1", "sign")}, {"1"})
_LEFT: dict[str, Any] = {
    "cases": [["k1", "1"]],
    "contacts": ["1"],
    "events": [
        ["1", "create", None],
        ["1", "sign", None],
        ["1", "clock.warned", "reply"],
        ["1", "clock.urged", "reply"],
        ["1", "clock.escalated", "reply"],
    ],
    "clocks": [["1", "reply", "running", 3, 0]],
    "messages": [
        ["1", "received", "sms", "sent", 1, "7-0"],
        *(["1", t, "in_app", "sent", 0, "8-0"] for t in ("clock_warned", "clock_urged", "clock_escalated")),
    ],
    "findings": [],
}
_SENT = [["7-0", "7-0", "138", "您好"], ["7-0", "7-0", "138", "您好"]]


def test_a_message_that_was_sent_twice_under_its_id_is_no_fault() -> None:
    assert wrong(_HEARD, _LEFT, _SENT) == []


@pytest.mark.parametrize(
    ("part", "change", "fault"),
    [
        ("cases", lambda rows: rows.clear(), "is not there"),
        ("cases", lambda rows: rows.append(["k1", "2"]), "2 cases of one create"),
        ("contacts", lambda rows: rows.clear(), "is not whole"),
        ("events", lambda rows: rows.pop(1), "sign was acknowledged, 0 events"),
        ("events", lambda rows: rows.append(rows[1]), "sign was acknowledged, 2 events"),
        ("events", lambda rows: rows.append(rows[2]), "clock.warned fired 2 times"),
        ("events", lambda rows: rows.pop(4), "clock.escalated fired 0 times"),
        ("clocks", lambda rows: rows[0].__setitem__(3, 1), "stands at 1"),
        ("messages", lambda rows: rows.pop(1), "0 messages"),
        ("messages", lambda rows: rows[0].__setitem__(3, "failed"), "stands as failed"),
        ("messages", lambda rows: rows.append(["1", "received", "sms", "sent", 1, "9-0"]), "never left"),
        ("messages", lambda rows: rows.pop(0), "a message 7-0 that is none"),
        ("findings", lambda rows: rows.append("a chain is broken"), "a chain is broken"),
        ("sent", lambda rows: rows.append(["7-1", "7-0", "138", "您好"]), "under the key 7-1"),
        ("sent", lambda rows: rows.append(["7-0", "7-0", "138", "再见"]), "different words"),
    ],
)
def test_every_broken_promise_is_found(part: str, change: Any, fault: str) -> None:
    left, sent = copy.deepcopy(_LEFT), copy.deepcopy(_SENT)
    change(sent if part == "sent" else left[part])
    assert any(fault in words for words in wrong(_HEARD, left, sent))
