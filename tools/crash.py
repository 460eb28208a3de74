"""Kill a running installation at random moments, many times, and count what is left of what it promised.

    python -m tools.crash --times 100 --seed 1            # prints the figures
    python -m tools.crash --times 100 --seed 1 --write    # and puts them into docs/promises.md

Web server, worker and PostgreSQL run as an operator runs them, with a gateway for text messages in a process of its
own that keeps what it was given. Clients report, sign, contact and reply over HTTP; what they got no answer to they
send again with the same key. Limits of some cases are moved into the past, as if weeks had gone by. Meanwhile one of
the processes is ended by kill -9; web server and worker are started again, as a service manager does; PostgreSQL is
started again by whichever of the two first finds it gone.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from tests.system.installation import PREPARED, ROOT, Installation, alive, apart, children, kill_all

PROMISES = ROOT / "docs" / "promises.md"
START, END = "<!-- figures of `python -m tools.crash --write` -->", "<!-- end of the figures -->"
CLIENTS = 5
#: Most seconds to wait for anything to come back.
PATIENCE = 300.0
#: Requests that must be acknowledged between two kills: something must be going on when the next one comes.
BETWEEN = 3

_KEYS = """
import json
from django.utils import timezone
from lucheng.core.organisation import tokens
from lucheng.core.organisation.models import Person
people = Person.objects.filter(username__in=["operator", "handler"])
print(json.dumps({p.username: tokens.issue(p, "crash", timezone.now()) for p in people}))
"""

_GATEWAY = """
import json, random, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
chance = random.Random(int(sys.argv[2]))
log = open(sys.argv[1], "a", buffering=1)
class Gateway(BaseHTTPRequestHandler):
    def do_POST(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        taken = chance.random() > 0.05
        if taken:
            log.write(json.dumps([self.headers["Idempotency-Key"], given["id"], given["to"], given["text"]]) + "\\n")
        self.send_response(200 if taken else 503)
        self.end_headers()
    def log_message(self, *args): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
print(server.server_port, flush=True)
server.serve_forever()
"""

_LEFT = """
import json
from collections import Counter
from django.db import connection
from lucheng.core.cases.models import Case
from lucheng.core.clocks.models import Clock
from lucheng.core.ledger import anchors
from lucheng.core.ledger.models import Event, Message
from lucheng.core.ledger.verify import Tally, verify
from lucheng.core.privacy.models import Contact
from django.utils import timezone
for _try in range(3):
    anchors.anchor(timezone.now())
tally = Tally()
findings = [str(f) for f in verify(tally)]
print(json.dumps({
    "cases": [[c.content, c.number] for c in Case.objects.all()],
    "contacts": list(Contact.objects.values_list("case__number", flat=True)),
    "events": [[n, a, b.get("clock")] for n, a, b in Event.objects.values_list("case__number", "action", "body")],
    "clocks": [[*row] for row in Clock.objects.values_list("case__number", "kind", "state", "stage", "failures")],
    "messages": [
        [m.case.number, m.template, m.channel, m.state, m.attempts, f"{m.pk}-{int(m.created_at.timestamp() * 1000)}"]
        for m in Message.objects.select_related("case")
    ],
    "findings": findings,
    "verified": [tally.events, tally.cases, tally.anchors],
}))
"""


# --- what is left, and what is wrong with it ------------------------------------------------------------------------


@dataclass
class Heard:
    """What the clients were told: numbers by key, steps taken by number; and whose limits were moved."""

    numbers: dict[str, str] = field(default_factory=dict)
    steps: set[tuple[str, str]] = field(default_factory=set)
    aged: set[str] = field(default_factory=set)


_STAGES = {"clock.warned": 1, "clock.urged": 2, "clock.escalated": 3}


def wrong(heard: Heard, left: dict[str, Any], sent: list[list[str]]) -> list[str]:
    """Every promise that what is left breaks, in words. ``sent`` is what the gateway noted."""
    faults: list[str] = []
    cases = [tuple(row) for row in left["cases"]]
    for content, count in collections.Counter(content for content, _number in cases).items():
        if count > 1:
            faults.append(f"{count} cases of one create: {content}")
    for key, number in heard.numbers.items():
        if (key, number) not in cases:
            faults.append(f"create {key} was acknowledged as {number} and is not there")
    events = collections.Counter(tuple(row) for row in left["events"])
    for number, action in heard.steps:
        if events[number, action, None] != 1:
            faults.append(f"{number}: {action} was acknowledged, {events[number, action, None]} events")
    contacts = collections.Counter(left["contacts"])
    clocked = collections.Counter(number for number, *_rest in left["clocks"])
    for _content, number in cases:
        if contacts[number] != 1 or not clocked[number] or not events[number, "create", None]:
            faults.append(f"{number} is not whole")
    told = collections.Counter((number, template) for number, template, *_rest in left["messages"])
    said: collections.Counter[tuple[str, str]] = collections.Counter()
    for number, kind, state, stage, failures in left["clocks"]:
        for action, at in _STAGES.items():
            fired = events[number, action, kind]
            said[number, action.replace(".", "_")] += fired
            if fired != (stage >= at):
                faults.append(f"{number}: clock {kind} stands at {stage}, {action} fired {fired} times")
        if number in heard.aged and state == "running" and kind != "return" and stage != 3:
            faults.append(f"{number}: clock {kind} is long overdue and stands at {stage}")
        if failures:
            faults.append(f"{number}: clock {kind} failed")
    for (number, template), count in said.items():
        if told[number, template] != count:
            faults.append(f"{number}: {count} times {template}, {told[number, template]} messages")
    words: dict[str, set[tuple[str, ...]]] = collections.defaultdict(set)
    for key, given, *rest in sent:
        words[given].add(tuple(rest))
        if key != given:
            faults.append(f"message {given} left under the key {key}")
    due = {ident for _n, _t, channel, _s, _a, ident in left["messages"] if channel == "sms"}
    faults += [f"message {ident} never left" for ident in due - set(words)]
    faults += [f"the gateway has a message {ident} that is none" for ident in set(words) - due]
    faults += [
        f"message {ident} left with different words" for ident, texts in words.items() if len(texts) > 1
    ]
    faults += [f"message {row[-1]} stands as {row[3]}" for row in left["messages"] if row[3] != "sent"]
    return faults + list(left["findings"])


# --- the installation under fire ------------------------------------------------------------------------------------


class Target(Installation):
    """An installation with web server, worker and gateway, each of which can be killed and comes back."""

    keys: dict[str, str]
    gateway: subprocess.Popen[str]
    gateway_port = 0
    worker: subprocess.Popen[bytes] | None = None

    @property
    def env(self) -> dict[str, str]:
        gateway = f"http://127.0.0.1:{self.gateway_port}/send"
        return {**super().env, "LUCHENG_SMS_URL": gateway, "LUCHENG_OUTGOING_HOSTS": "127.0.0.1"}

    @property
    def sent(self) -> Path:
        return self.home.parent / "sent"

    def begin(self, seed: int) -> None:
        arguments = [sys.executable, "-c", _GATEWAY, str(self.sent), str(seed)]
        self.gateway = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert self.gateway.stdout is not None
        self.gateway_port = int(self.gateway.stdout.readline())
        self.prepare(copied=PREPARED in os.environ)
        self.keys = json.loads(self.python(_KEYS).splitlines()[-1])
        self.token = self.keys["operator"]
        self.start_worker()
        self.start()

    def start_worker(self) -> None:
        self.worker = self.spawn("worker")

    def keep(self) -> None:
        """What a service manager does: start again what has ended."""
        if self.server is not None and self.server.poll() is not None:
            self.server = self.spawn("serve", "--port", str(self.port), "--workers", "2", "--threads", "4")
        if self.worker is not None and self.worker.poll() is not None:
            self.start_worker()

    def postmaster(self) -> int | None:
        try:
            pid = int((self.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])
            mine = Path(f"/proc/{pid}/comm").read_text().strip() == "postgres"
            return pid if mine and alive(pid) else None
        except (OSError, IndexError, ValueError):
            return None

    def kill_one(self, chance: random.Random) -> str | None:
        """kill -9 for one of the processes; its name, or None where it was not up itself just now."""
        victim = chance.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        pids: list[int] = []
        if victim == "worker" and self.worker is not None and self.worker.poll() is None:
            pids = [self.worker.pid]
        elif victim.startswith("web") and self.server is not None and self.server.poll() is None:
            below = children(self.server.pid)
            serving = [pid for pid in below if b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes()]
            pids = [self.server.pid, *below] if victim == "web server" else serving[:1]
        elif (postmaster := self.postmaster()) is not None and victim.startswith("PostgreSQL"):
            below = children(postmaster)
            pids = {
                "PostgreSQL": [postmaster],
                "PostgreSQL, with all its processes": [postmaster, *below],
                "PostgreSQL, one of its processes": chance.sample(below, 1) if below else [],
            }[victim]
        kill_all(pids)
        return victim if pids else None

    def remove(self) -> None:
        if self.worker is not None and self.worker.poll() is None:
            self.worker.kill()
            self.worker.wait()
        super().remove()
        self.gateway.kill()
        self.gateway.wait()

    def request(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and body of one request; status 0 where no answer came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        given = {"Authorization": f"Bearer {self.keys[who]}", "Content-Type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(
                method, f"/api/v1{path}", None if body is None else json.dumps(body).encode(), given
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return 0, {}
        finally:
            connection.close()


#: What is killed, and how often of a hundred.
VICTIMS = {
    "worker": 30,
    "web server": 12,
    "web server, one of its processes": 18,
    "PostgreSQL": 15,
    "PostgreSQL, with all its processes": 15,
    "PostgreSQL, one of its processes": 10,
}


class Campaign:
    """Clients, time and kills. :meth:`run` returns the figures; ``faults`` then holds what is wrong."""

    def __init__(
        self, target: Target, times: int, seed: int, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.target, self.times, self.chance, self.say = target, times, random.Random(seed), say
        self.heard = Heard()
        self.refused: collections.Counter[str] = collections.Counter()
        self.kills: collections.Counter[str] = collections.Counter()
        self.requests = 0
        self.faults: list[str] = []
        self._lock = threading.Lock()
        self._enough, self._over = threading.Event(), threading.Event()

    # clients

    def _until_answered(self, send: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
        """Send until an answer that stands comes: anything but no answer, a busy server or a database that is away."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            status, answer = send()
            with self._lock:
                self.requests += 1
                if status and status < 500:
                    return status, answer
                self.refused["no answer" if not status else str(status)] += 1
            time.sleep(0.1)
        raise TimeoutError("no request is answered any more")

    def _client(self, number: int) -> None:
        chance = random.Random(f"{self.chance.random()}-{number}")
        count = 0
        while not self._enough.is_set():
            count += 1
            key = f"crash-{number}-{count:05}"
            try:
                self._case(key, chance)
            except Exception as error:
                self._fault(f"{key}: {type(error).__name__} {error}")
                return

    def _case(self, key: str, chance: random.Random) -> None:
        status, made = self._until_answered(lambda: self.target.create(key, key))
        if status not in (200, 201):
            self._fault(f"{key}: create was answered {status} {made}")
            return
        with self._lock:
            self.heard.numbers[key] = made["number"]
        for action, fields in _STEPS[: chance.choice((0, 0, 1, 3))]:
            if not self._step(made["number"], f"{key}-{action}", action, fields):
                return
        if chance.random() < 0.5:
            self._age(made["number"])

    def _step(self, number: str, key: str, action: str, fields: dict[str, str]) -> bool:
        while True:
            status, case = self._until_answered(
                lambda: self.target.request("handler", "GET", f"/cases/{number}")
            )
            if status == 200:
                headers = {"If_Match": f'"{case["version"]}"', "Idempotency_Key": key}
                path = f"/cases/{number}/actions/{action}"
                status, answer = self._until_answered(
                    partial(self.target.request, "handler", "POST", path, fields, **headers)
                )
                if status == 200:
                    with self._lock:
                        self.heard.steps.add((number, action))
                    return True
                if status == 409:  # a clock spoke meanwhile: look again
                    continue
                case = answer
            self._fault(f"{number}: {action} was answered {status} {case}")
            return False

    def _age(self, number: str) -> None:
        """Move the running limits of a case so far into the past that all their stages are due."""
        self._sql(
            "update clocks_clock k set started_at = k.started_at - interval '90 days', "
            "warn_at = k.warn_at - interval '90 days', due_at = k.due_at - interval '90 days', next_at = now() "
            "from cases_case c where c.id = k.case_id and c.number = %s and k.state = 'running' "
            "and k.stage = 0 and k.next_at is not null",
            number,
        )
        with self._lock:
            self.heard.aged.add(number)

    def _sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with psycopg.connect(
                    host=str(self.target.home / "postgres"),
                    user="postgres",
                    dbname="lucheng",
                    autocommit=True,
                ) as conn:
                    cursor = conn.execute(statement, values)
                    return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def _fault(self, words: str) -> None:
        with self._lock:
            self.faults.append(words)

    # kills

    def _keeper(self) -> None:
        while not self._over.wait(0.2):
            self.target.keep()

    def _acknowledged(self) -> int:
        with self._lock:
            return len(self.heard.numbers) + len(self.heard.steps)

    def _shoot(self) -> None:
        done = 0
        while done < self.times and not self.faults:
            before, end = self._acknowledged(), time.monotonic() + PATIENCE
            while self._acknowledged() < before + BETWEEN:
                if time.monotonic() > end:
                    self._fault(f"nothing was acknowledged for {PATIENCE:.0f} s after kill {done}")
                    return
                time.sleep(0.05)
            time.sleep(self.chance.uniform(0.0, 1.0))
            victim = self.target.kill_one(self.chance)
            if victim is not None:
                done += 1
                self.kills[victim] += 1
                self.say(f"{done:>4}  {victim}; {self._acknowledged():,} requests acknowledged so far")

    def _settle(self) -> None:
        """Let the worker come to the end of what is due, the pauses after failures not waited for."""
        end = time.monotonic() + PATIENCE
        while True:
            self._sql("update ledger_message set next_at = now() where state = 'waiting' and next_at > now()")
            self._sql("update clocks_clock set next_at = now() where failures > 0 and next_at > now()")
            waiting = self._sql(
                "select (select count(*) from ledger_message where state = 'waiting'), "
                "(select count(*) from clocks_clock where state = 'running' and next_at <= now())"
            )
            if waiting == [(0, 0)]:
                return
            if time.monotonic() > end:
                self._fault(f"messages and clocks that are due and stay so: {waiting[0]}")
                return
            time.sleep(2)

    def run(self) -> dict[str, Any]:
        began = time.monotonic()
        threads = [threading.Thread(target=self._client, args=(n,)) for n in range(CLIENTS)]
        keeper = threading.Thread(target=self._keeper)
        keeper.start()
        try:
            for thread in threads:
                thread.start()
            self._shoot()
            self._enough.set()
            for thread in threads:
                thread.join()
            self._settle()
        finally:
            self._enough.set()
            self._over.set()
            keeper.join()
        left = json.loads(self.target.python(_LEFT).splitlines()[-1])
        sent = [json.loads(line) for line in self.target.sent.read_text().splitlines()]
        self.faults += wrong(self.heard, left, sent)
        fired = collections.Counter(action for _n, action, _c in left["events"] if action in _STAGES)
        texts = [row for row in left["messages"] if row[2] == "sms"]
        return {
            "seconds": round(time.monotonic() - began),
            "kills": dict(self.kills),
            "requests": self.requests,
            "refused": dict(self.refused),
            "creates": len(self.heard.numbers),
            "steps": len(self.heard.steps),
            "fired": dict(fired),
            "texts": len(texts),
            "repeated": len(sent) - len({row[1] for row in sent}),
            "verified": left["verified"],
            "wrong": len(self.faults),
        }


_STEPS: list[tuple[str, dict[str, str]]] = [
    ("sign", {}),
    ("contact", {"how": "phone"}),
    ("reply", {"handling": "更换灯泡", "public_reply": "路灯已修好。", "note": "照明公司已到场"}),
]


def campaign(
    times: int, seed: int, say: Callable[[str], None] = lambda _: None
) -> tuple[dict[str, Any], list[str]]:
    """Run one; its figures, and what is wrong in words."""
    with apart(Target, "crash") as target:
        target.begin(seed)
        shots = Campaign(target, times, seed, say)
        return shots.run(), shots.faults


def sentences(figures: dict[str, Any], seed: int, day: str) -> str:
    """The figures as they stand in docs/promises.md."""
    kills = ", ".join(f"{count} × {name}" for name, count in sorted(figures["kills"].items()))
    refused = ", ".join(f"{count:,} × {what}" for what, count in sorted(figures["refused"].items())) or "none"
    events, cases, anchors = figures["verified"]
    fired = figures["fired"]
    lines = [
        f"- `python -m tools.crash --times {sum(figures['kills'].values())} --seed {seed}`, {day}, "
        f"{figures['seconds']} seconds on {os.cpu_count()} cores.",
        f"- Killed by `kill -9`: {kills}.",
        f"- {figures['creates']:,} creates and {figures['steps']:,} steps acknowledged in {figures['requests']:,} "
        f"requests from {CLIENTS} clients; requests to send again: {refused}.",
        f"- Clocks: {fired.get('clock.warned', 0):,} warned, {fired.get('clock.urged', 0):,} urged, "
        f"{fired.get('clock.escalated', 0):,} escalated, each once.",
        f"- {figures['texts']:,} text messages, each at the gateway under one id; {figures['repeated']:,} repetitions.",
        f"- {events:,} events of {cases:,} cases and {anchors:,} anchors verified.",
        f"- **Wrong: {figures['wrong']}.**",
    ]
    return "\n".join(lines)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> int:
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/promises.md")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    figures, faults = campaign(given.times, given.seed, _say)
    text = sentences(figures, given.seed, f"{datetime.now(UTC):%Y-%m-%d}")
    for words in (text, *faults[:50]):
        _say(words)
    if given.write:
        whole = PROMISES.read_text("utf-8")
        written, count = re.subn(
            f"{re.escape(START)}.*?{re.escape(END)}", lambda _: f"{START}\n{text}\n{END}", whole, flags=re.S
        )
        assert count == 1, f"{PROMISES} has no place for the figures"
        PROMISES.write_text(written, "utf-8")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
