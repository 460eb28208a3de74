"""The worker runs what is due, survives a bad sweep and a lost database, and stops when told."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction

from lucheng.core.ledger.worker import (
    LONGEST_WAIT,
    Outage,
    Runner,
    Sweep,
    discover,
    work,
    work_once,
)

NOW = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


def runner(run: Callable[[dt.datetime], int], *, every: float = 10.0, **given: Any) -> Runner:
    given.setdefault("outage", Outage())
    given.setdefault("clock", lambda: 0.0)
    return Runner(Sweep("test", every, run), given.pop("outage"), now=lambda: NOW, **given)


def test_a_sweep_gets_the_time_and_waits_its_period() -> None:
    seen: list[dt.datetime] = []

    def run(now: dt.datetime) -> int:
        seen.append(now)
        return 0

    assert runner(run).step() == 10.0
    assert seen == [NOW]


def test_time_spent_counts_towards_the_period() -> None:
    times = iter([100.0, 100.0, 104.0])
    assert runner(lambda now: 0, clock=lambda: next(times)).step() == 6.0


def test_a_sweep_that_found_work_runs_again_at_once() -> None:
    left = iter([100, 40, 0])
    r = runner(lambda now: next(left))
    assert [r.step(), r.step(), r.step()] == [0.0, 0.0, 10.0]


def test_a_failing_sweep_is_tried_more_and_more_rarely_and_recovers(caplog: pytest.LogCaptureFixture) -> None:
    broken = True

    def run(now: dt.datetime) -> int:
        if broken:
            raise ValueError("a bad row")
        return 0

    r = runner(run)
    waits = [r.step() for _ in range(8)]
    assert waits[:3] == [20.0, 40.0, 80.0]
    assert waits[-1] == LONGEST_WAIT
    assert "a bad row" in caplog.text
    broken = False
    assert r.step() == 10.0


def test_an_outage_is_logged_once_by_all_sweeps_and_so_is_its_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever connection an earlier test has left open in this thread: in an outage there is none.
    monkeypatch.setattr(connections[DEFAULT_DB_ALIAS], "connection", None)
    caplog.set_level(logging.WARNING, logger="lucheng")
    away = True

    def run(now: dt.datetime) -> int:
        if away:
            raise OperationalError("connection refused")
        return 0

    outage = Outage()
    first, second = (runner(run, outage=outage) for _ in range(2))
    waits = [first.step(), second.step(), first.step(), first.step()]
    assert waits == [1.0, 1.0, 2.0, 4.0]
    assert max(first.step() for _ in range(20)) == 15.0
    away = False
    assert first.step() == second.step() == 10.0
    assert [r.message.split(",")[0].split(" after")[0] for r in caplog.records] == [
        "the database is away",
        "the database is back",
    ]


def test_a_failed_statement_is_the_sweeps_own_fault(
    caplog: pytest.LogCaptureFixture, transactional_db: None
) -> None:
    def run(now: dt.datetime) -> int:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set local statement_timeout = 1")
            cursor.execute("select pg_sleep(1000)")
        return 0

    outage = Outage()
    assert runner(run, outage=outage).step() == 20.0
    assert "sweep test failed" in caplog.text
    assert outage.since is None


def test_a_connection_killed_by_the_server_is_replaced(transactional_db: None) -> None:
    pids: list[int] = []

    def run(now: dt.datetime) -> int:
        with connection.cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
            if len(pids) == 1:
                with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
                    other.execute("select pg_terminate_backend(%s, 5000)", pids)
                cursor.execute("select 1")
        return 0

    r = runner(run)
    assert [r.step(), r.step()] == [1.0, 10.0]
    assert pids[0] != pids[1]


def test_one_bad_sweep_never_stops_the_others() -> None:
    stop = threading.Event()
    good_runs = 0

    def good(now: dt.datetime) -> int:
        nonlocal good_runs
        good_runs += 1
        if good_runs == 5:
            stop.set()
        return 1

    def bad(now: dt.datetime) -> int:
        raise RuntimeError("broken for good")

    held = threading.Event()

    def slow(now: dt.datetime) -> int:
        held.wait(30)
        return 0

    work([Sweep("bad", 0.0, bad), Sweep("slow", 1.0, slow), Sweep("good", 1.0, good)], stop, grace=0.0)
    held.set()
    assert good_runs >= 5


def test_stopping_waits_for_the_batch_under_way() -> None:
    stop = threading.Event()
    finished = False

    def run(now: dt.datetime) -> int:
        nonlocal finished
        stop.set()
        finished = True
        return 1

    work([Sweep("last", 1.0, run)], stop)
    assert finished


def test_once_runs_each_until_nothing_is_left_and_names_the_failed() -> None:
    left = iter([2, 1, 0])

    def bad(now: dt.datetime) -> int:
        raise RuntimeError("broken")

    done = work_once([Sweep("good", 1.0, lambda now: next(left)), Sweep("bad", 1.0, bad)])
    assert done == {"good": 3, "bad": None}


def test_sweeps_are_found_by_name_and_names_are_unique() -> None:
    names = [s.name for s in discover()]
    assert len(names) == len(set(names))


class Wire:
    """A TCP wire to the tests' database, which can be cut."""

    def __init__(self) -> None:
        params = connection.get_connection_params()
        host, port = params.get("host") or "", params.get("port") or 5432
        unix = host.startswith("/")
        self._target = f"{host}/.s.PGSQL.{port}" if unix else (host, int(port))
        self._family = socket.AF_UNIX if unix else socket.AF_INET
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.mend()

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        assert self._listener is not None
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(self._family)
                far.connect(self._target)
                self._open += [near, far]
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def worker_process(**environment: str) -> subprocess.Popen[str]:
    """A real ``lucheng worker`` on the tests' database."""
    params = connection.get_connection_params()
    address = (
        f"postgresql:///{params['dbname']}?host={params.get('host') or ''}&port={params.get('port') or ''}"
    )
    login = {"user": params.get("user") or "postgres", "password": params.get("password") or ""}
    return subprocess.Popen(
        [sys.executable, "-c", "from lucheng.cli import main; main()", "worker"],
        env={
            **os.environ,
            "DATABASE_URL": address,
            "PGUSER": login["user"],
            "PGPASSWORD": login["password"],
            "LUCHENG_LOG": "INFO",
            "PYTHONUNBUFFERED": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_worker_outlives_its_database_and_stops_on_sigterm(transactional_db: None) -> None:
    wire = Wire()
    dbname = connection.get_connection_params()["dbname"]
    process = worker_process(DATABASE_URL=f"postgresql://127.0.0.1:{wire.port}/{dbname}")
    lines: list[str] = []

    def read_until(text: str) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if text in line:
                return
        pytest.fail(f"the worker never said {text!r} but: {''.join(lines)}")

    try:
        read_until("worker runs")
        wire.cut()
        read_until("the database is away")
        wire.mend()
        read_until("the database is back")
        process.send_signal(signal.SIGTERM)
        read_until("worker stopped")
        assert process.wait(10) == 0
    finally:
        process.kill()
        wire.cut()
    assert "".join(lines).count("the database is away") == 1
    assert "".join(lines).count("the database is back") == 1
