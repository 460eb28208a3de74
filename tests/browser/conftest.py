"""The real server, as people run it, and a real browser in front of it.

The server has a database of its own, seeded by ``tests.browser.seed`` once for each test process; tests talk to it
through pages only, and add to it without disturbing each other.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[2]
PASSWORD = "lucheng-browser-tests"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
#: How each screen is looked at by its own tests; the walk over every page (test_every_page) takes them crosswise.
VIEWS = [(PHONE, "light"), (DESKTOP, "dark")]
_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is. On a developer's machine without it the test is skipped; in CI that is an error."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found:
        return found
    reason = "Chromium is not installed (Debian: apt-get install chromium fonts-noto-cjk)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass(frozen=True)
class Site:
    """A running Lucheng: its address, and the seeded cases by the state they stand in."""

    address: str
    cases: dict[str, dict[str, str]]

    def code(self, state: str) -> str:
        return self.cases[state]["code"]


def _own_database(worker: str) -> str:
    """A fresh, empty database on the server that the tests use; its address."""
    from lucheng import embedded

    parts = urlsplit(os.environ.get("DATABASE_URL") or embedded.url())
    name = f"browser_{worker}"
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as conn:
        conn.execute(f"drop database if exists {name} with (force)")
        conn.execute(f"create database {name} template template0 encoding 'UTF8' locale 'C'")
    return urlunsplit(parts._replace(path=f"/{name}"))


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(address + "/sign-in/", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the server at {address} did not come up") from None
            time.sleep(0.1)


@pytest.fixture(scope="session")
def site(chromium: str, request: pytest.FixtureRequest) -> Iterator[Site]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    env = {
        **os.environ,
        "DATABASE_URL": _own_database(worker),
        "DJANGO_SETTINGS_MODULE": "lucheng.settings",
        "LUCHENG_DEMO": "1",  # no gateway takes text messages here: the page of messages shows them whole
    }
    seeded = subprocess.run(
        [sys.executable, "-m", "tests.browser.seed", PASSWORD],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        check=True,
    )
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    env["LUCHENG_ADDRESS"] = address
    command = [sys.executable, "-c", "from lucheng.cli import main; main()"]
    server = subprocess.Popen([*command, "serve", "--port", str(port), "--workers", "1"], cwd=ROOT, env=env)
    try:
        _wait_for(address, server)
        yield Site(address, json.loads(seeded.stdout))
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, which Django would take for an async caller of the ORM.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=_SWITCHES)
        yield started
        started.close()


@pytest.fixture
def open_context(browser: Browser, site: Site) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts (a person at a device); an error in any page's console fails the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def make(**options: Any) -> BrowserContext:
        given: dict[str, Any] = {"viewport": PHONE, "locale": "zh-CN", "base_url": site.address}
        context = browser.new_context(**{**given, **options})
        context.set_default_timeout(10_000)
        # A page that answers 4xx on purpose is logged by the browser too; scripts and the policy must be silent.
        context.on(
            "console",
            lambda m: (
                complaints.append(m.text) if m.type == "error" and "status of 4" not in m.text else None
            ),
        )
        context.on("weberror", lambda e: complaints.append(str(e.error)))
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def phone(open_context: Callable[..., BrowserContext]) -> Page:
    """A resident's telephone."""
    return open_context(viewport=PHONE, has_touch=True, is_mobile=True).new_page()


@pytest.fixture
def phone_without_script(open_context: Callable[..., BrowserContext]) -> Page:
    return open_context(viewport=PHONE, java_script_enabled=False).new_page()


@pytest.fixture
def desktop(open_context: Callable[..., BrowserContext]) -> Page:
    return open_context(viewport=DESKTOP).new_page()


def follow(page: Page, code: str, digits: str = "0000") -> None:
    """Open a case by its code and the last digits of its requester's number; those of ``tests.factories.call``."""
    page.goto("/t/")
    page.locator("[name=code]").fill(code)
    page.locator("[name=digits]").fill(digits)
    page.locator("main form button").click()
    page.wait_for_url(f"**/t/{code}/")


def sign_in(page: Page, name: str) -> None:
    """Sign in as one of the people of ``tests.factories.city``."""
    page.goto("/sign-in/")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(lambda address: "/sign-in/" not in address)


_AXE = ROOT / "frontend/node_modules/axe-core/axe.min.js"
_LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def barriers(page: Page) -> list[str]:
    """What stands in people's way on this page: WCAG 2.2 A and AA, as far as axe-core can tell."""
    page.evaluate(_AXE.read_text())
    found = page.evaluate("levels => axe.run(document, {runOnly: {type: 'tag', values: levels}})", _LEVELS)
    return [
        f"{v['id']}: {v['help']}: {node['html'][:160]} ({node['failureSummary']})"
        for v in found["violations"]
        for node in v["nodes"]
    ]
