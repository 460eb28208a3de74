"""A standby that takes over has everything that was acknowledged, once; and two primaries are kept from arising."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.system.installation import PATIENCE, ROOT, Installation, apart

_FOUND = """
import json
from lucheng.core.cases.models import Case
from lucheng.core.ledger.models import Event
from lucheng.core.ledger.verify import Tally, verify
print(json.dumps({
    "cases": [[c.content, c.number, Event.objects.filter(case=c).count()] for c in Case.objects.all()],
    "findings": [str(f) for f in verify(Tally())],
}))
"""
_FOLLOW = """
import datetime as dt
from pathlib import Path
standby.follow(Path({source!r}), dt.datetime.now(dt.UTC))
"""


_WATCH = """
import datetime as dt, signal, threading
from lucheng import standby
stop = threading.Event()
standby.watch(stop, take_over=dt.timedelta(seconds=1), say=lambda words: print(words, flush=True))
"""


class Pair:
    """Two installations, of which one is the primary and the other its standby; and a load on the primary."""

    def __init__(self, primary: Installation, standby: Installation) -> None:
        self.primary, self.standby = primary, standby
        standby.port, standby.token = primary.port, primary.token

    def swap(self) -> None:
        self.primary, self.standby = self.standby, self.primary

    def follow(self) -> str:
        """Make the standby follow, with the primary's keys; what it says."""
        shutil.copytree(self.primary.home / "keys", self.standby.home / "keys", dirs_exist_ok=True)
        return self.standby.light(_FOLLOW.format(source=str(self.primary.home)))

    def kill_primary(self) -> None:
        """Web server and database of the primary, in one moment."""
        self.primary.database(running=False, hard=True)
        self.primary.kill()

    def load(self, name: str, then: Callable[[], None]) -> tuple[dict[str, str], set[str]]:
        """Send creates from four clients, do ``then`` in the midst of it, go on until every create is acknowledged.

        Returns the numbers by key, and the keys that were acknowledged before ``then`` had ended.
        """
        keys = [f"{name}-{n:03}" for n in range(80)]
        waiting, lock = list(reversed(keys)), threading.Lock()
        acknowledged: dict[str, str] = {}
        enough = threading.Event()

        def work() -> None:
            while True:
                with lock:
                    if not waiting:
                        return
                    key = waiting.pop()
                deadline = time.monotonic() + 2 * PATIENCE
                while time.monotonic() < deadline:
                    status, made = self.primary.create(key, f"井盖松动 {key}")
                    if status in (200, 201):
                        with lock:
                            acknowledged[key] = made["number"]
                            if len(acknowledged) >= 25:
                                enough.set()
                        break
                    time.sleep(0.05)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(PATIENCE)
        then()
        early = set(acknowledged)
        self.primary.start()
        for thread in threads:
            thread.join(2 * PATIENCE)
        assert set(acknowledged) == set(keys)
        return acknowledged, early

    def check(self, acknowledged: dict[str, str]) -> None:
        """Every acknowledged create is there once under its number, whole, and every chain verifies."""
        found = json.loads(self.primary.python(_FOUND))
        numbers = [(content, number) for content, number, _events in found["cases"]]
        for key, number in acknowledged.items():
            assert numbers.count((f"井盖松动 {key}", number)) == 1
        assert len({content for content, _number in numbers}) == len(numbers)
        assert len({events for _content, _number, events in found["cases"]}) == 1
        assert not found["findings"]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        primary, standby = (stack.enter_context(apart(Installation, name)) for name in ("one", "two"))
        primary.prepare()
        primary.start()
        assert primary.create("the-first", "井盖松动 first")[0] == 201
        yield Pair(primary, standby)


def test_a_primary_killed_under_load_loses_nothing_acknowledged_to_its_standby(pair: Pair) -> None:
    # Without the primary's keys it follows, and must not take over.
    code, words = pair.standby.lucheng("standby", "follow", str(pair.primary.home))
    assert (code, "copy the primary's keys" in words) == (1, True)
    assert "Another standby follows" in pair.follow()
    assert pair.primary.light("standby.require()") == ""
    assert "follows another one" in pair.standby.light("standby.ready_for_work()")
    assert "still lives" in pair.standby.light("standby.promote()")

    def promote() -> None:
        pair.kill_primary()
        code, words = pair.standby.lucheng("standby", "promote", "--yes")
        assert (code, "nothing acknowledged is lost" in words) == (0, True)
        pair.swap()

    acknowledged, early = pair.load("by-hand", promote)
    assert early
    pair.check(acknowledged)
    # The old one does not come back as a primary.
    assert "took over" in pair.standby.light("embedded.ensure_running()")


def test_the_standby_takes_over_by_itself_when_the_primary_it_is_required_by_is_killed(pair: Pair) -> None:
    assert pair.follow() == ""
    with subprocess.Popen(
        [sys.executable, "-m", "lucheng", "standby", "watch", "--take-over", "--after", "3"],
        env=pair.standby.env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as watcher:
        assert watcher.stdout is not None
        assert "not required" in watcher.stdout.readline()
        assert pair.primary.light("standby.require()") == ""
        assert watcher.stdout.readline() == "follows, required\n"

        def wait() -> None:
            pair.kill_primary()
            assert watcher.wait(PATIENCE) == 0
            pair.swap()

        acknowledged, early = pair.load("by-itself", wait)
        assert "nothing acknowledged is lost" in watcher.stdout.read()
    assert early
    pair.check(acknowledged)


def test_while_the_required_standby_is_away_writes_wait_and_are_acknowledged_when_it_is_back_or_released(
    pair: Pair,
) -> None:
    assert pair.follow() == ""
    assert pair.primary.light("standby.require()") == ""
    answers: list[int] = []

    def send() -> None:
        deadline = time.monotonic() + 2 * PATIENCE
        while not answers and time.monotonic() < deadline:
            status, _made = pair.primary.create("until-it-is-back", "井盖松动 until-it-is-back")
            if status:  # a client that hears nothing for long asks again, with the same key
                answers.append(status)

    pair.standby.database(running=False)
    waiting = threading.Thread(target=send)
    waiting.start()
    waiting.join(1.5)
    assert waiting.is_alive()
    code, words = pair.primary.lucheng("status")
    assert (code, "standby: away since" in words) == (1, True)
    pair.standby.database(running=True)
    waiting.join(2 * PATIENCE)
    assert answers[0] in (200, 201)

    # Started again while its standby is away, it cannot know whether that has taken over.
    pair.standby.database(running=False)
    assert "acknowledges nothing without its standby" in pair.primary.light("standby.ready_for_work(1.0)")
    assert pair.primary.light("print(standby.release())") == "False"
    assert pair.primary.create("without-the-standby", "井盖松动 alone")[0] == 201


def test_a_standby_that_is_not_required_never_takes_over_by_itself_and_says_what_may_be_lost(
    pair: Pair,
) -> None:
    pair.standby.database(running=True)
    with subprocess.Popen(
        [sys.executable, "-c", _WATCH], env=pair.standby.env, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as watcher:
        assert watcher.stdout is not None
        assert "not required" in watcher.stdout.readline()
        pair.kill_primary()
        assert "by hand" in watcher.stdout.readline()
        time.sleep(1.5)  # past the second after which it would
        watcher.send_signal(signal.SIGTERM)
    assert pair.standby.light("print(standby.promote().whole)") == "False"
