"""No log line of any process holds what somebody left: number, name or words (PIPL arts. 5, 6 and 51)."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from tests.system.installation import ROOT, Installation, apart


class Parrot(BaseHTTPRequestHandler):
    """A gateway for text messages that refuses each and says back all that it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(body.decode())  # type: ignore[attr-defined]
        self.send_response(400, "no")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


class Talkative(Installation):
    """An installation whose processes log all they can, and whose gateway for text messages takes nothing."""

    gateway: ThreadingHTTPServer

    @property
    def env(self) -> dict[str, str]:
        return {
            **super().env,
            "LUCHENG_LOG": "DEBUG",
            "LUCHENG_SMS_URL": f"http://127.0.0.1:{self.gateway.server_port}/send",
            "LUCHENG_OUTGOING_HOSTS": "127.0.0.1",
        }


@pytest.fixture
def installation() -> Iterator[Talkative]:
    gateway = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    gateway.taken = []  # type: ignore[attr-defined]
    Thread(target=gateway.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    with apart(Talkative, "logs") as made:
        made.gateway = gateway
        made.log = made.home / "server.log"
        made.prepare()
        made.start()
        yield made
    gateway.shutdown()
    gateway.server_close()


WORDS, NAME, PASSWORD = "灯柱旁的老槐树倒了", "闻人未央", "Losung-4711-geheim"
NUMBERS = [f"1390042{n:04}" for n in range(24)]


class Browser:
    """A resident's browser: keeps cookies, sends the token of the page it has seen."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._open = build_opener(HTTPCookieProcessor()).open
        self.page = ""
        self.address = ""

    def get(self, path: str) -> int:
        return self._send(path, None)

    def post(self, path: str, **fields: str) -> int:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page)
        token = {"csrfmiddlewaretoken": found[1]} if found else {}
        return self._send(path, urlencode({**token, **fields}).encode())

    def _send(self, path: str, body: bytes | None) -> int:
        try:
            answer = self._open(self._base + quote(path, safe="/?=&"), body, timeout=60)
        except HTTPError as error:
            answer = error
        with answer:
            self.page = answer.read().decode("utf-8", "replace")
            self.address = urlsplit(answer.url).path
            return int(answer.status)


def by_interface(installation: Talkative) -> None:
    """Creates that succeed, and for each several that do not: what goes wrong is logged most readily."""
    for n, number in enumerate(NUMBERS[:12]):
        key = f"log-test-{n:04}"
        assert installation.create(key, WORDS, phone=number, name=NAME)[0] == 201
        assert installation.create(key, WORDS + "！", phone=number, name=NAME)[0] == 409
        assert installation.create(key + "-a", WORDS, phone=number + "转甲", name=NAME)[0] == 422
        assert installation.create(key + "-b", WORDS, phone=number, name=NAME, place="0000")[0] == 422
        assert installation.create(key + "-c", WORDS, phone=number, **{NAME: number})[0] == 422


def by_pages(installation: Talkative) -> str:
    """Residents' reports, as their browsers send them; the last one's tracking code."""
    code = ""
    for number in NUMBERS[12:16]:
        browser = Browser(installation.port)
        assert browser.get("/") == 200
        assert browser.post("/", text="") == 422
        assert browser.post("/", text=f"{WORDS}，我叫{NAME}，{number}") == 422  # cover the number?
        assert browser.post("/", text=f"{WORDS}，我叫{NAME}，{number}", numbers="leave") == 200
        place = browser.address
        assert browser.post(place, where="unknown", address=f"{NAME}家 {number}") in (200, 422)
        you = place.replace("/place/", "/you/")
        assert browser.get(you) == 200
        assert browser.post(you, nature="help", phone=number + "x?", name=NAME) == 422
        assert browser.post(you, nature="help", phone=number, name=NAME) == 200, browser.page
        code = browser.address.strip("/").removeprefix("t/")
        # What people type into the address, or into the box for the code.
        assert browser.get(f"/t/{number}/") == 404
        assert browser.get(f"/api/v1/track/{number}") == 404
        assert browser.get(f"/nowhere/{number}/") == 404
        browser.get("/t/")
        browser.post("/t/", code=number)
        assert browser.post(f"/t/{code}/supplement/", note="") in (200, 404, 422)
    return code


def by_sign_in(installation: Talkative) -> None:
    """People who write a number where the name goes, and without the token of the page."""
    browser = Browser(installation.port)
    for number in NUMBERS[16:20]:
        browser.get("/sign-in/")
        assert browser.post("/sign-in/", username=number, password=PASSWORD) == 200
    browser.page = ""
    assert browser.post("/sign-in/", username=NAME, password=PASSWORD) == 403


def by_replay(installation: Talkative) -> str:
    """A file of the hotline's messages; what the command says of it."""
    file = installation.home / "calls.csv"
    rows = "".join(
        f"{n},{WORDS},{WORDS}，联系{NAME} {number},2026-13-45\n" for n, number in enumerate(NUMBERS[20:])
    )
    file.write_text("编号,标题,内容,时间\n" + rows + f"9,{WORDS}\n", encoding="utf-8")
    address = f"http://127.0.0.1:{installation.port}"
    _code, said = installation.lucheng("replay", str(file), "--address", address, "--as", "operator")
    return said


def by_force(installation: Talkative) -> None:
    """The database refuses a row that the program thought good: its words quote the whole row."""
    rule = "alter table privacy_contact add constraint forced check (phone_mask = '') not valid"
    sql = "from django.db import connection\nconnection.cursor().execute({!r})"
    installation.python(sql.format(rule))
    for n, number in enumerate(NUMBERS[:4]):
        status, _answer = installation.create(f"forced-{n:04}", WORDS, phone=number, name=NAME)
        assert status == 500
    browser = Browser(installation.port)
    browser.get("/")
    browser.post("/", text=f"{WORDS} {NUMBERS[0]}", numbers="leave")
    you = browser.address.replace("/place/", "/you/")
    browser.get(you)
    assert browser.post(you, nature="help", phone=NUMBERS[0], name=NAME) == 500
    installation.python(sql.format("alter table privacy_contact drop constraint forced"))


def by_worker(installation: Talkative) -> str:
    """Let the worker try the messages that wait, and the gateway say back what it got; the worker's log."""
    work = [sys.executable, "-m", "lucheng", "worker"]
    with subprocess.Popen(
        work, env=installation.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as worker:
        assert worker.stdout is not None
        said = []
        for line in worker.stdout:
            said.append(line)
            if "is given up" in line:
                break
        worker.send_signal(signal.SIGTERM)
        said.append(worker.stdout.read())
    return "".join(said)


def test_no_log_holds_a_number_a_name_or_a_word_of_what_was_sent(installation: Talkative) -> None:
    by_interface(installation)
    code = by_pages(installation)
    by_sign_in(installation)
    replayed = by_replay(installation)
    by_force(installation)
    worked = by_worker(installation)
    assert installation.log is not None
    logs = {
        "server": installation.log.read_text(),
        "worker": worked,
        "database": (installation.home / "postgres" / "log").read_text(),
        "replay": replayed,
    }
    # All that should have gone wrong did, and was told.
    assert "unexpected error" in logs["server"] and "CheckViolation" in logs["server"]
    assert "Not Found: /nowhere/" in logs["server"] and "Forbidden" in logs["server"]
    assert "the gateway answered 400" in logs["worker"]
    assert any(number in text for text in installation.gateway.taken for number in NUMBERS)  # type: ignore[attr-defined]
    assert "ERROR" in logs["database"] and "forced" in logs["database"]
    assert "What became of the messages" in logs["replay"]
    for whose, log in logs.items():
        for secret in (*NUMBERS, WORDS, NAME, PASSWORD, code, code.replace("-", "")):
            assert secret not in log, f"the log of the {whose} holds {secret}"
