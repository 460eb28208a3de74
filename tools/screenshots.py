"""Pictures for the documentation, from a demo city of its own: ``python -m tools.screenshots [NAME…]``.

Makes a small demo city in a folder that is thrown away, opens every screen as the person whose screen it is, and
writes ``docs/images/NAME.png``. With names, only those pictures.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "images"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
WALL = {"width": 1920, "height": 1080}
_SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
_PATIENCE = 300.0

LAMP = "{estate}门口的路灯不亮，已经三天了，晚上老人出门看不见路。"
HEATING = "{estate}3号楼家里暖气一直不热，只有十四度，老人孩子都感冒了。"


@dataclass
class City:
    """The demo city that is photographed: its address, the password of its accounts, an estate that words can name."""

    address: str
    password: str
    estate: str
    browser: Browser
    language: str
    pages: dict[tuple[str, str], Page] = field(default_factory=dict)

    def page(self, account: str = "", device: str = "desktop") -> Page:
        """A browser page of one person (nobody: a resident), signed in once."""
        key = (account, device)
        if key not in self.pages:
            viewport: Any = {"phone": PHONE, "desktop": DESKTOP, "wall": WALL}[device]
            page = self.browser.new_context(
                viewport=viewport, locale=self.language, base_url=self.address
            ).new_page()
            if account:
                page.goto("/sign-in/")
                page.locator("[name=username]").fill(account)
                page.locator("[name=password]").fill(self.password)
                page.locator("main button").click()
                page.wait_for_url(lambda url: "/sign-in/" not in url)
            self.pages[key] = page
        return self.pages[key]

    def first_case(self, account: str, address: str) -> str:
        """The number of the first order in a list."""
        page = self.page(account)
        page.goto(address)
        number = page.locator("[data-number]").first.get_attribute("data-number")
        assert number, f"{address} lists no order"
        return number

    def first_place(self) -> str:
        """The township of the first order on the board."""
        page = self.page("dispatcher")
        page.goto(f"/cases/{self.first_case('dispatcher', '/board/?all=1')}/")
        place = page.locator("a[href*='place=']").first.get_attribute("href") or ""
        return place.partition("place=")[2][:9]


Picture = Callable[[City], Page]
PICTURES: dict[str, Picture] = {}


def picture(name: str) -> Callable[[Picture], Picture]:
    def register(take: Picture) -> Picture:
        PICTURES[name] = take
        return take

    return register


# --- residents ------------------------------------------------------------------------------------------------------


@picture("resident-1-say")
def _say(city: City) -> Page:
    page = city.page(device="phone")
    page.goto("/")
    page.locator("[name=text]").fill(LAMP.format(estate=city.estate))
    return page


@picture("resident-2-place")
def _place(city: City) -> Page:
    page = _say(city)
    page.locator("main form .buttons button").first.click()
    page.wait_for_url("**/place/")
    page.locator("[name=where]").first.check()
    return page


def _to_you(city: City) -> Page:
    page = _place(city)
    page.locator("main form > .buttons button").last.click()
    page.wait_for_url(lambda url: "/place/" not in url)
    return page


@picture("resident-3-nearby")
def _nearby(city: City) -> Page:
    return _to_you(city)


@picture("resident-4-you")
def _you(city: City) -> Page:
    page = _to_you(city)
    if "/nearby/" in page.url:
        page.locator("main form .buttons button").last.click()
        page.wait_for_url("**/you/")
    page.locator("[name=phone]").fill("13800000000")
    return page


@picture("resident-5-case")
def _case(city: City) -> Page:
    page = _you(city)
    page.locator("main form .buttons button").last.click()
    page.wait_for_url("**/t/**")
    return page


@picture("resident-6-around")
def _around(city: City) -> Page:
    page = city.page(device="phone")
    place = city.first_place()
    page.goto(f"/around/{place}/?days=90")
    return page


# --- staff ----------------------------------------------------------------------------------------------------------


@picture("operator-desk")
def _desk(city: City) -> Page:
    page = city.page("operator")
    page.goto("/desk/?phone=13800000000")
    page.locator("#id_content").press_sequentially(HEATING.format(estate=city.estate))
    page.locator("#unit strong").first.wait_for()
    return page


@picture("dispatcher-board")
def _board(city: City) -> Page:
    page = city.page("dispatcher")
    page.goto("/board/?queue=new")
    page.wait_for_load_state("networkidle")  # the keys have come
    page.keyboard.press("j")
    page.wait_for_load_state("networkidle")
    return page


@picture("unit-inbox")
def _inbox(city: City) -> Page:
    page = city.page("handler")
    page.goto("/unit/")
    page.wait_for_load_state("networkidle")  # the keys have come
    page.keyboard.press("j")
    page.wait_for_load_state("networkidle")
    return page


@picture("unit-reply")
def _reply(city: City) -> Page:
    page = city.page("handler")
    number = city.first_case("handler", "/unit/?tray=in_hand")
    page.goto(f"/unit/cases/{number}/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("r")
    return page


@picture("case")
def _case_page(city: City) -> Page:
    page = city.page("dispatcher")
    page.goto(f"/cases/{city.first_case('dispatcher', '/board/?queue=review')}/")
    return page


@picture("case-sheet")
def _sheet(city: City) -> Page:
    page = city.page("dispatcher")
    page.goto(f"/cases/{city.first_case('dispatcher', '/board/?queue=callback')}/print/")
    return page


@picture("callbacks")
def _callbacks(city: City) -> Page:
    page = city.page("supervisor")
    page.goto("/callbacks/")
    return page


@picture("overview")
def _overview(city: City) -> Page:
    page = city.page("duty")
    page.goto("/overview/")
    page.wait_for_timeout(2500)
    return page


@picture("wall")
def _wall(city: City) -> Page:
    page = city.page("duty", "wall")
    page.goto("/wall/")
    page.wait_for_timeout(2500)
    return page


@picture("admin")
def _admin(city: City) -> Page:
    page = city.page("admin")
    page.goto("/admin/")
    return page


@picture("admin-jobs")
def _jobs(city: City) -> Page:
    page = city.page("admin")
    page.goto("/admin/jobs/")
    return page


# --- the camera -----------------------------------------------------------------------------------------------------


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _an_estate(address: str) -> str:
    """The name of an estate that stands in the demo's records once, so that a report about it is located."""
    with urllib.request.urlopen(address + "/outlines.json") as answer:
        body = answer.read()
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    names: list[str] = [
        f["properties"]["name"] for f in json.loads(body)["features"] if f["properties"]["level"] == 0
    ]
    return next(n for n in names if names.count(n) == 1)


@contextmanager
def _demo(scale: float) -> Iterator[tuple[str, str]]:
    """A demo city while it is open: its address and the password of its accounts."""
    # Not deeper: a socket's path is short, and the database's system user must be able to pass.
    home = Path(tempfile.mkdtemp(prefix="lucheng-pictures-"))
    home.chmod(0o755)
    port = _free_port()
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | {"LUCHENG_HOME": str(home)}
    command = [sys.executable, "-m", "lucheng", "demo", "--scale", str(scale), "--port", str(port)]
    demo = subprocess.Popen(command, env=env, cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                urllib.request.urlopen(address + "/sign-in/", timeout=5).close()
                break
            except OSError:
                if demo.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the demo city did not open") from None
                time.sleep(0.5)
        yield address, (home / "demo-password").read_text().strip()
    finally:
        demo.terminate()
        demo.wait(60)
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="pictures to take; all, if none is named")
    parser.add_argument("--scale", type=float, default=0.05, help="share of the city")
    parser.add_argument("--language", default="zh-CN", choices=["zh-CN", "en"])
    options = parser.parse_args()
    if unknown := set(options.names) - PICTURES.keys():
        parser.error(f"no such picture: {', '.join(sorted(unknown))}; there are {', '.join(PICTURES)}")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("Chromium is not installed (Debian: apt-get install chromium fonts-noto-cjk)")
    OUT.mkdir(parents=True, exist_ok=True)
    with _demo(options.scale) as (address, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_SWITCHES)
        city = City(address, password, _an_estate(address), browser, options.language)
        for name, take in PICTURES.items():
            if options.names and name not in options.names:
                continue
            page = take(city)
            page.wait_for_timeout(700)  # maps and charts draw themselves
            page.screenshot(path=OUT / f"{name}.png")
            sys.stdout.write(f"docs/images/{name}.png\n")
        browser.close()


if __name__ == "__main__":
    main()
