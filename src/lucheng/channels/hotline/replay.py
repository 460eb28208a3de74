"""Replaying real messages through the front door, as an operator who takes every proposal the system is sure of.

Each message goes the way of a call: the proposals are asked for, the order is made, and where matter and unit are
proposed with confidence the operator dispatches; an order that looks the same as an open one is joined to it; the rest
is left for a person, with the reason. Nothing is dropped without a line.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from lucheng.core.cases.models import Nature
from lucheng.core.cases.text import MAX_TEXT

#: Sources write local time.
ZONE = ZoneInfo("Asia/Shanghai")
#: Two orders that look this much alike are taken for one matter; a person may take them apart again.
SAME = 0.9

_NATURES = {
    "咨询": Nature.INQUIRY,
    "求助": Nature.HELP,
    "投诉": Nature.COMPLAINT,
    "举报": Nature.REPORT,
    "建议": Nature.SUGGESTION,
    "意见建议": Nature.SUGGESTION,
    "表扬": Nature.PRAISE,
}
#: Where each field of a message may stand: the headers of known exports.
_COLUMNS = {
    "text": ("content", "留言详情", "诉求内容", "内容"),
    "title": ("title", "留言主题", "标题"),
    "time": ("date", "留言时间", "受理时间", "时间"),
    "nature": ("nature", "诉求类型", "类型"),
    "ref": ("id", "留言编号", "工单编号", "编号"),
}
_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%m/%d/%Y",
)


class NotReplayable(Exception):  # noqa: N818
    """The file cannot be replayed at all; the message says why."""


@dataclass(frozen=True)
class Message:
    """One row of the file. ``complaints`` are what is odd about it, said in the closing lines."""

    row: int
    ref: str
    title: str
    text: str
    nature: str
    at: dt.datetime | None
    complaints: tuple[str, ...] = ()


def moment(text: str) -> dt.datetime | None:
    """A date as exports write it, in any of the usual orders; None for what is not one.

    >>> moment("2019/2/28 11:25:05").isoformat(), moment("12/31/2016").date().isoformat(), moment("2016-13-01")
    ('2019-02-28T11:25:05+08:00', '2016-12-31', None)
    """
    for form in _FORMATS:
        try:
            return dt.datetime.strptime(text.strip(), form).replace(tzinfo=ZONE)
        except ValueError:
            continue
    return None


def messages(file: Path) -> Iterator[Message]:
    """The rows of a CSV file with a header, in UTF-8, as messages.

    Raises NotReplayable where the file is not UTF-8, is not CSV, or has no column of text.
    """
    try:
        yield from _messages(file)
    except UnicodeDecodeError:
        raise NotReplayable(f"{file}: not in UTF-8; save it as UTF-8 first") from None
    except csv.Error as e:
        raise NotReplayable(f"{file}: not a CSV file: {e}") from None


def _messages(file: Path) -> Iterator[Message]:
    # A cell may hold the longest text that a case takes, and more: the front door says so at its row.
    csv.field_size_limit(10 * MAX_TEXT)
    with file.open(encoding="utf-8-sig", newline="") as f:
        rows = csv.DictReader(f)
        header = rows.fieldnames or []
        names = {what: next((c for c in known if c in header), None) for what, known in _COLUMNS.items()}
        if names["text"] is None:
            raise NotReplayable(f"{file}: no column of text; expected one of {', '.join(_COLUMNS['text'])}")

        def cell(row: dict[str, Any], what: str) -> str:
            name = names[what]
            return str(row.get(name) or "").strip() if name else ""

        for n, row in enumerate(rows, 2):
            odd = []
            if None in row:
                odd.append("more cells than the header has columns; those beyond it are left out")
            stamp = cell(row, "time")
            at = moment(stamp) if stamp else None
            if stamp and at is None:
                odd.append(f"“{stamp[:30]}” is not a date; replayed without one")
            said = cell(row, "nature")
            nature = _NATURES.get(said, Nature.HELP if not said else Nature.OTHER)
            if said and said not in _NATURES:
                odd.append(f"nature “{said[:20]}” is not known; replayed as other")
            text = cell(row, "text") or cell(row, "title")
            yield Message(
                n, cell(row, "ref")[:80], cell(row, "title")[:120], text, nature.value, at, tuple(odd)
            )


@dataclass
class Outcome:
    """What became of one message."""

    message: Message
    number: str = ""
    located: str = ""
    matter: str = ""
    rule: int | None = None
    unit: str = ""
    merged_into: str = ""
    #: Why a person must look at it; empty where it was dispatched or merged.
    left: str = ""
    #: Why it is not there at all: refused by the front door, or no answer.
    failed: str = ""
    seconds: float = 0.0


@dataclass
class Tally:
    """The closing table, kept as messages come back."""

    outcomes: list[Outcome] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: Outcome) -> None:
        with self._lock:
            self.outcomes.append(outcome)

    def count(self, name: str) -> int:
        return sum(1 for o in self.outcomes if getattr(o, name))

    def by(self, name: str) -> Counter[str]:
        return Counter(str(getattr(o, name)) for o in self.outcomes if getattr(o, name))

    def milliseconds(self, share: float) -> float:
        """The time under which ``share`` of the messages were done."""
        times = sorted(o.seconds for o in self.outcomes)
        return 1000 * times[min(len(times) - 1, int(share * len(times)))] if times else 0.0


def _is_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


class Door:
    """A connection to the API as one person; one for each thread."""

    def __init__(self, address: str, token: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or not _is_port(parts):
            raise NotReplayable(f"“{address}” is not an address; write it as http://127.0.0.1:8000")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=30)
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept-Language": "en",
        }

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any], str]:
        """Status, body and ETag. A connection that the server closed meanwhile is opened once more."""
        payload = json.dumps(body, ensure_ascii=False).encode()
        for attempt in (1, 2):
            try:
                self._connection.request("POST", path, payload, {**self._headers, **headers})
                answer = self._connection.getresponse()
                return answer.status, json.loads(answer.read() or b"{}"), answer.headers.get("ETag", "")
            except (http.client.HTTPException, ConnectionError):
                self._connection.close()
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")


def _say(problem: dict[str, Any]) -> str:
    """A problem's own words."""
    errors = "; ".join(f"{e.get('field')}: {e.get('detail')}" for e in problem.get("errors", []))
    return errors or str(problem.get("detail") or problem.get("title") or problem)


def send(door: Door, message: Message, run: str) -> Outcome:
    """Send one message the way an operator would. Its key makes a second run of the same file find the same order."""
    outcome = Outcome(message)
    started = time.perf_counter()
    try:
        _send(door, message, run, outcome)
    except (OSError, http.client.HTTPException) as e:
        outcome.failed = f"no answer: {type(e).__name__}"
    except (ValueError, LookupError, TypeError) as e:  # not our front door, or not this version of it
        outcome.failed = f"an answer that makes no sense: {type(e).__name__}: {e}"
    outcome.seconds = time.perf_counter() - started
    return outcome


def _send(door: Door, message: Message, run: str, outcome: Outcome) -> None:
    text = f"{message.title}\n{message.text}"
    status, advice, _tag = door.post("/api/v1/triage/propose", {"text": text})
    if status != 200:
        outcome.failed = f"{status} {_say(advice)}"
        return
    matter = advice["matter"]["code"] if advice["matter"] else ""
    alike = next((a for a in advice["alike"] if a["similarity"] >= SAME), None)
    body: dict[str, Any] = {
        "kind": "command_centre.order",
        "nature": message.nature,
        "channel": "phone",
        "title": message.title,
        "content": message.text,
        "anonymous": True,  # exports carry no numbers, and none are invented
        "source_ref": message.ref,
    }
    if message.at is not None:
        body["occurred_at"] = message.at.isoformat()
    status, made, tag = door.post("/api/v1/cases", body, **{"Idempotency-Key": f"{run}:{message.row}"})
    if status not in (200, 201):
        outcome.failed = f"{status} {_say(made)}"
        return
    outcome.number = made["number"]
    outcome.located = made["place"] if len(made["place"]) > 4 else ""
    outcome.matter = matter
    if made["repeated"]:
        outcome.left = f"was replayed before; stands at {made['state']}"
        return

    def act(action: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        nonlocal tag
        key = f"{run}:{message.row}:{action}"
        path = f"/api/v1/cases/{outcome.number}/actions/{action}"
        status, answer, tag = door.post(path, fields, **{"If-Match": tag, "Idempotency-Key": key})
        return status, answer

    if alike is not None:
        status, answer = act("merge", {"main": alike["number"], "reason": f"{alike['similarity']:.0%} alike"})
        if status == 200:
            outcome.merged_into = alike["number"]
        else:
            outcome.left = f"looks like an open order but was not merged: {_say(answer)}"
    elif not matter:
        outcome.left = "category not certain enough to propose"
    else:
        status, answer = act("accept", {"matter": matter})
        if status == 200 and made["rule"] is None:
            outcome.left = "no rule of the catalogue for this matter at this place"
            return
        if status == 200:
            status, answer = act("dispatch", {})
        if status == 200:
            outcome.rule, outcome.unit = made["rule"], made["lead_unit"]
        else:
            outcome.left = f"not dispatched: {_say(answer)}"


def run_name(file: Path) -> str:
    """The name of a file's replay: its content, so that a second run finds what the first has made."""
    return "replay-" + hashlib.sha256(file.read_bytes()).hexdigest()[:16]
