"""No log line of any process holds what somebody left: number, name or words (PIPL arts. 5, 6 and 51)."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.system.installation import ROOT, Installation, apart


class Talkative(Installation):
    """An installation whose processes log all they can, and whose gateway for text messages is not there."""

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "LUCHENG_LOG": "DEBUG", "LUCHENG_SMS_URL": "http://127.0.0.1:9/send"}


@pytest.fixture
def installation() -> Iterator[Talkative]:
    with apart(Talkative, "logs") as made:
        made.log = made.home / "server.log"
        made.prepare()
        made.start()
        yield made


def test_no_log_holds_a_number_a_name_or_a_word_of_what_was_sent(installation: Talkative) -> None:
    words, name = "灯柱旁的老槐树倒了", "闻人未央"
    numbers = [f"1390042{n:04}" for n in range(40)]
    for n, number in enumerate(numbers):
        key = f"log-test-{n:04}"
        status, _made = installation.create(key, words, phone=number, name=name)
        assert status == 201
        # What goes wrong is logged most readily.
        assert installation.create(key, words + "！", phone=number, name=name)[0] == 409
        assert installation.create(key + "-a", words, phone=number + "转甲", name=name)[0] == 422
        assert installation.create(key + "-b", words, phone=number, name=name, place="0000")[0] == 422
    fault = f"insert into privacy_contact (case_id, phone_mask) values (-1, '{numbers[0]}')"
    installation.python(
        "from django.db import Error, connection\n"
        f"try: connection.cursor().execute({fault!r})\n"
        "except Error: pass"
    )
    work = [sys.executable, "-m", "lucheng", "worker"]
    with subprocess.Popen(
        work, env=installation.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as worker:
        assert worker.stdout is not None
        said = []
        for line in worker.stdout:
            said.append(line)
            if "message" in line.lower():
                break
        worker.send_signal(signal.SIGTERM)
        said.append(worker.stdout.read())
    assert installation.log is not None
    logs = {
        "server": installation.log.read_text(),
        "worker": "".join(said),
        "database": (installation.home / "postgres" / "log").read_text(),
    }
    assert "DEBUG" in logs["worker"] or "INFO" in logs["worker"]
    assert "ERROR" in logs["database"]
    for whose, log in logs.items():
        for secret in (*numbers, words, name):
            assert secret not in log, f"the log of the {whose} holds {secret}"
