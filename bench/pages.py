"""Every screen at a million cases: server time, queries, bytes and the time until it can be used.

    python -m bench pages

Uses the database of ``bench lists`` (1,000,000 cases, made if it is not there) and the real server in front of it. Each
screen is opened by somebody with ordinary rights for it:

- server: the whole request over HTTP, p50 and p95 of ROUNDS;
- queries: what one request asks the database;
- first, again: bytes on the wire for a first visit with everything the page loads, and for a second one;
- usable: from the click to the moment at which the page's own scripts are on, in Chromium; residents' pages with the
  processor four times slower, as on an old telephone.
"""

from __future__ import annotations

import http.client
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bench import lists

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "40"))
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]

_USABLE = """
() => [...document.querySelectorAll("[data-island]")].every((e) => "islandOn" in e.dataset)
  && document.readyState === "complete" && performance.now()
"""


@dataclass
class Screen:
    """One screen: whose it is, where, and the session of somebody who may see it (empty: a resident)."""

    name: str
    address: str
    session: str = ""


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _screens() -> list[Screen]:
    """What is measured, with people and cases chosen from the demo city by chance."""
    from django.test import Client
    from django.urls import NoReverseMatch, reverse

    from lucheng.core.cases import codes
    from lucheng.core.cases.models import Case, State
    from lucheng.core.organisation.models import Post
    from lucheng.core.places import names

    chance = random.Random(lists.SEED)
    sessions: dict[str, str] = {}
    units: dict[str, int | None] = {}

    def somebody(role: str) -> str:
        if role not in sessions:
            posts = Post.objects.filter(role=role, person__is_active=True)
            if role == "handler":
                busy = (
                    Case.objects.filter(open=True).exclude(lead_unit=None).values_list("lead_unit", flat=True)
                )
                posts = posts.filter(unit__in=set(busy))
            elif role != "unit_head":
                posts = posts.filter(place=names.root())
            post = chance.choice(list(posts.select_related("person")[:50]))
            client = Client()
            client.force_login(post.person)
            sessions[role], units[role] = client.cookies["sessionid"].value, post.unit_id
        return sessions[role]

    somebody("handler")
    signed = Case.objects.filter(state=State.SIGNED).order_by("id")
    known = signed.first()
    theirs = signed.filter(lead_unit=units["handler"]).first() or known
    told = Case.objects.filter(state=State.CALLBACK).order_by("id").first()
    assert known is not None and theirs is not None and told is not None  # the demo has some in every state
    code = codes.written(told.code)
    wanted: list[tuple[str, str, str, list[Any]]] = [
        ("resident: report", "", "home", []),
        ("resident: follow a case", "", "tracking", [code]),
        ("resident: neighbourhood", "", "around-place", [known.place[:9]]),
        ("operator: desk", "operator", "desk", []),
        ("operator: callbacks", "operator", "callbacks", []),
        ("dispatcher: board", "dispatcher", "board", []),
        ("dispatcher: merge", "dispatcher", "merge", [known.number]),
        ("case page", "dispatcher", "case", [known.number]),
        ("case: print sheet", "dispatcher", "sheet", [known.number]),
        ("unit: inbox", "handler", "inbox", []),
        ("unit: one case", "handler", "unit-case", [theirs.number]),
        ("unit: load", "unit_head", "unit-load", []),
        ("duty officer: overview", "duty_officer", "overview", []),
        ("wall", "duty_officer", "wall", []),
        ("supervisor: supervised", "supervisor", "supervised", []),
        ("administrator: people", "administrator", "people", []),
        ("administrator: units", "administrator", "units", []),
        ("administrator: jobs", "administrator", "jobs", []),
    ]
    screens = []
    for name, role, page, arguments in wanted:
        try:
            address = reverse(page, args=arguments)
        except NoReverseMatch:
            sys.exit(f"There is no page “{page}” any more: correct the list in bench/pages.py")
        screens.append(Screen(name, address, somebody(role) if role else ""))
    return screens


def _queries(screen: Screen) -> int:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"accept-language": "zh-CN"})
    if screen.session:
        client.cookies["sessionid"] = screen.session
    client.get(screen.address)
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(screen.address)
    if answer.status_code != 200:
        sys.exit(f"{screen.name}: {screen.address} answered {answer.status_code}")
    return len(asked)


def _server_time(screen: Screen, port: int) -> tuple[float, float]:
    """p50 and p95 in milliseconds over one kept connection."""
    headers = {"Accept-Language": "zh-CN", "Cookie": f"sessionid={screen.session}" if screen.session else ""}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times = []
    for n in range(ROUNDS + 5):
        started = time.perf_counter()
        connection.request("GET", screen.address, headers=headers)
        connection.getresponse().read()
        if n >= 5:  # the first requests of a process load reference data
            times.append(1000 * (time.perf_counter() - started))
    times.sort()
    return median(times), times[int(0.95 * len(times))]


def _in_browser(browser: Any, screen: Screen, base: str) -> tuple[int, int, float]:
    """Bytes of a first visit, of a second, and milliseconds of the second until the page can be used."""
    resident = not screen.session
    context = browser.new_context(viewport=PHONE if resident else DESKTOP, locale="zh-CN", base_url=base)
    if screen.session:
        context.add_cookies([{"name": "sessionid", "value": screen.session, "url": base}])
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    if resident:
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    received = [0]
    devtools.on(
        "Network.loadingFinished",
        lambda event: received.__setitem__(0, received[0] + event["encodedDataLength"]),
    )
    visits = []
    usable = 0.0
    for _visit in range(2):
        received[0] = 0
        page.goto(screen.address)
        usable = float(page.wait_for_function(_USABLE).json_value())
        page.wait_for_timeout(300)
        visits.append(int(received[0]))
    context.close()
    return visits[0], visits[1], usable


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
    import django

    django.setup()
    from django.conf import settings
    from playwright.sync_api import sync_playwright

    from lucheng import embedded

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not installed (Debian: apt-get install chromium fonts-noto-cjk)")
    settings.ALLOWED_HOSTS = ["testserver"]
    lists.use_database(lists.DATABASE)
    lists._fill()
    screens = _screens()
    asked = {s.name: _queries(s) for s in screens}
    parts = urlsplit(os.environ.get("DATABASE_URL") or embedded.url())
    port = _free_port()
    env = {
        **os.environ,
        "DATABASE_URL": urlunsplit(parts._replace(path=f"/{lists.DATABASE}")),
        "LUCHENG_LOG": "ERROR",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "lucheng", "serve", "--port", str(port), "--workers", "1"], env=env
    )
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in this thread
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        columns = ("server p50", "p95 ms", "queries", "first kB", "again kB", "usable ms")
        print(f"  {'screen':<26}" + "".join(f"{c:>11}" for c in columns))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=_SWITCHES)
            for screen in screens:
                p50, p95 = _server_time(screen, port)
                first, again, usable = _in_browser(browser, screen, f"http://127.0.0.1:{port}")
                line = f"  {screen.name:<26}{p50:>11.1f}{p95:>11.1f}{asked[screen.name]:>11}"
                print(f"{line}{first / 1024:>11.1f}{again / 1024:>11.1f}{usable:>11.0f}", flush=True)
            browser.close()
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
