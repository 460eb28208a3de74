"""Every page that a person can reach by links can be used by everyone: at a desk by day and on a telephone by night."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import DESKTOP, PHONE, Site, barriers, sign_in

pytestmark = pytest.mark.browser

#: Pages of one kind differ by their records: so many of each are looked at.
OF_A_KIND = 2
PEOPLE = ("resident", "operator", "dispatcher", "duty_officer", "supervisor", "handler", "administrator")


def named(address: str) -> str:
    """The name of the page at an address; empty where it is none of ours to look at."""
    parts = urlsplit(address)
    if parts.path.startswith(("/api/", "/static/", "/problems/")):
        return ""
    try:
        return resolve(parts.path).url_name or ""
    except Resolver404:
        return ""


def links(page: Page) -> list[str]:
    """Where the links of a page lead inside the house; queries count, since filters are links."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('a[href]:not([download])')]"
        ".filter((a) => a.origin === location.origin).map((a) => a.pathname + a.search)"
    )
    return found


def walk(page: Page, starts: list[str]) -> tuple[set[str], dict[str, list[str]]]:
    """Follow links from ``starts``; the names of the pages seen, and what was wrong with each address."""
    waiting, seen, often = list(starts), set(starts), dict[str, int]()
    wrong: dict[str, list[str]] = {}
    while waiting:
        address = waiting.pop(0)
        name = named(address)
        if not name or often.get(name, 0) >= OF_A_KIND:
            continue
        often[name] = often.get(name, 0) + 1
        answer = page.goto(address) if not name.endswith("sheet") else None
        if answer is None or "text/html" not in (answer.headers.get("content-type") or ""):
            continue
        faults = [] if answer.status == 200 else [f"answered {answer.status}"]
        faults += barriers(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            faults.append("wider than the screen")
        if faults:
            wrong[address] = faults
        for link in links(page):
            if link not in seen:
                seen.add(link)
                waiting.append(link)
    return set(often), wrong


@pytest.mark.parametrize("by", ["day", "night"])
@pytest.mark.parametrize("who", PEOPLE)
def test_nothing_stands_in_anybodys_way(
    open_context: Callable[..., BrowserContext], site: Site, who: str, by: str
) -> None:
    device = {"viewport": DESKTOP} if by == "day" else {"viewport": PHONE, "color_scheme": "dark"}
    page = open_context(**device).new_page()
    starts = ["/"]
    if who == "resident":
        starts += ["/sign-in/", "/style/", *(f"/t/{site.code(state)}/" for state in ("callback", "closed"))]
    else:
        sign_in(page, who)
        starts = [urlsplit(page.url).path]
    seen, wrong = walk(page, starts)
    assert seen
    assert not wrong
