"""Pictures for the documentation, from a running demo: ``python -m tools.screenshots --address http://127.0.0.1:8000``.

It walks a resident's report to its end (which adds one case to the demo) and, for each ``--staff NAME`` whose
password is given, opens every page in that person's bar.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parents[1] / "docs" / "images"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


def an_estate(address: str) -> str:
    """The name of an estate that stands in the demo's records once, so that a report about it is located."""
    with urllib.request.urlopen(address + "/outlines.json") as answer:
        body = answer.read()
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    names: list[str] = [
        f["properties"]["name"] for f in json.loads(body)["features"] if f["properties"]["level"] == 0
    ]
    return next((n for n in names if names.count(n) == 1), "")


def resident(page: Page, address: str) -> None:
    """The report from the first page to the case."""

    def shot(name: str) -> None:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=OUT / f"resident-{name}.png", full_page=True)

    page.goto(address + "/")
    page.locator("[name=text]").fill(f"{an_estate(address)}门口的路灯不亮，已经三天了。")
    shot("1-say")
    page.locator("main form button").click()
    page.locator("[name=where]").first.check()
    shot("2-place")
    page.locator("main form > .buttons button").click()
    if "/nearby/" in page.url:
        shot("3-nearby")
        page.locator("main form .buttons button").click()
    page.locator("[name=phone]").fill("13800000000")
    shot("4-you")
    page.locator("main form button").click()
    page.wait_for_url("**/t/**")
    shot("5-case")
    page.goto(address + "/t/")
    shot("6-follow")


def staff(page: Page, address: str, name: str, password: str) -> None:
    """Every page in the bar of one person."""
    page.goto(address + "/sign-in/")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(password)
    page.locator("main button").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    links = [link.get_attribute("href") for link in page.locator("header nav a").all()]
    for link in filter(None, links):
        page.goto(address + link)
        if link == "/desk/":
            page.locator("#id_content").press_sequentially(
                "友谊大街家里暖气一直不热，只有十四度，老人孩子都感冒了。"
            )
            page.locator("#unit strong").first.wait_for()  # the unit proposed for it
        page.wait_for_load_state("networkidle")
        page.screenshot(path=OUT / f"{name}-{link.strip('/').replace('/', '-')}.png")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--address", default="http://127.0.0.1:8000", help="where the demo runs")
    parser.add_argument(
        "--staff", action="append", default=[], help="a demo account; may be given several times"
    )
    parser.add_argument("--password", default="", help="the password of the demo accounts")
    parser.add_argument("--language", default="zh-CN", choices=["zh-CN", "en"])
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("Chromium is not installed (Debian: apt-get install chromium fonts-noto-cjk)")
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )

        def person(viewport: Any) -> Page:
            return browser.new_context(viewport=viewport, locale=options.language).new_page()

        resident(person(PHONE), options.address)
        for name in options.staff:
            staff(person(DESKTOP), options.address, name, options.password)
        browser.close()


if __name__ == "__main__":
    main()
