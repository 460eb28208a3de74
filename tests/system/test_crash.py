"""What was acknowledged is never lost and a retry never makes a second case, whatever is killed when."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator

import pytest

from tests.system.installation import PATIENCE, Installation, apart


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with apart(Installation, "system") as made:
        made.prepare()
        made.start()
        yield made


_WHOLE = """
import json
from django.db.models import Count
from lucheng.core.cases.models import Case
from lucheng.core.ledger.models import Event, Message
from lucheng.core.clocks.models import Clock
from lucheng.core.privacy.models import Contact
cases = {c.content: c for c in Case.objects.all()}
print(json.dumps({
    "contents": [c.content for c in Case.objects.all()],
    "numbers": {c.content: c.number for c in cases.values()},
    "parts": {
        c.content: [
            Event.objects.filter(case=c).count(), Clock.objects.filter(case=c).count(),
            Message.objects.filter(case=c).count(), Contact.objects.filter(case=c).count(),
        ] for c in cases.values()
    },
}))
"""


def test_killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_is_doubled(
    installation: Installation,
) -> None:
    acknowledged: dict[str, str] = {}
    lock = threading.Lock()
    keys = [f"crash-test-{n:04}" for n in range(160)]
    chance = random.Random(7)
    waiting = list(reversed(keys))

    def work() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                key = waiting.pop()
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                status, made = installation.create(key, f"路灯不亮 {key}")
                if status in (200, 201):
                    with lock:
                        acknowledged[key] = made["number"]
                    break
                time.sleep(0.05)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for _ in range(4):
        time.sleep(chance.uniform(0.05, 0.3))
        installation.kill()
        installation.start()
    for t in threads:
        t.join(120)
    assert set(acknowledged) == set(keys)
    found = json.loads(installation.python(_WHOLE))
    ours = [c for c in found["contents"] if "crash-test" in c]
    assert sorted(ours) == sorted(f"路灯不亮 {k}" for k in keys)
    assert {k: found["numbers"][f"路灯不亮 {k}"] for k in keys} == acknowledged
    # Every case is whole: the same rows hang on each.
    assert len({tuple(found["parts"][c]) for c in ours}) == 1
    assert installation.command("ledger", "verify") == 0


def test_with_the_database_gone_requests_are_refused_in_words_and_succeed_when_it_is_back(
    installation: Installation,
) -> None:
    assert installation.create("before-the-outage", "停库前")[0] == 201
    installation.database(running=False)
    status, problem = installation.create("during-the-outage", "停库中")
    assert status == 503
    assert problem["status"] == 503
    installation.database(running=True)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status, made = installation.create("during-the-outage", "停库中")
        if status in (200, 201):
            break
        time.sleep(0.1)
    assert status in (200, 201)
    assert installation.create("during-the-outage", "停库中")[1]["number"] == made["number"]
    found = json.loads(installation.python(_WHOLE))["contents"]
    assert found.count("停库前") == found.count("停库中") == 1


_AN_HOUR_AWAY = """
import datetime as dt, json
from django.utils import timezone
from lucheng.core.clocks.models import Clock
now = timezone.now()
clocks = list(Clock.objects.filter(case__content__startswith="一小时", kind="sign", state="running").order_by("?"))
for n, clock in enumerate(clocks):
    clock.warn_at = clock.next_at = now - dt.timedelta(minutes=60 - 2 * n)
    clock.due_at = now + dt.timedelta(hours=3)
    clock.save()
print(json.dumps([[c.case_id, c.due_at.astimezone(dt.UTC).isoformat()] for c in clocks]))
"""
_SAID = """
import json
from lucheng.core.ledger.models import Event
said = Event.objects.filter(case__content__startswith="一小时", action__startswith="clock.").order_by("id")
print(json.dumps([[e.case_id, e.body["due_at"], e.action] for e in said]))
"""


def test_a_worker_that_was_away_for_an_hour_says_all_that_fell_due_once_and_in_order(
    installation: Installation,
) -> None:
    for n in range(24):
        assert installation.create(f"an-hour-away-{n:02}", f"一小时 {n:02}")[0] == 201
    due = json.loads(installation.python(_AN_HOUR_AWAY))
    assert len(due) == 24
    for _again in range(2):  # the second finds nothing left to say
        assert installation.command("worker", "--once") == 0
        assert json.loads(installation.python(_SAID)) == [[*row, "clock.warned"] for row in due]
