"""Every page that a person can reach by links can be used by everyone. Each screen's own tests look at it by day and by
night, at a desk and on a telephone; this walk sees to it that no page is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import BrowserContext, Page

from tests.browser.conftest import DESKTOP, PHONE, Site, barriers, follow, sign_in

pytestmark = pytest.mark.browser

DAY, NIGHT = {"viewport": DESKTOP}, {"viewport": PHONE, "color_scheme": "dark"}
#: Who walks, and on what.
PEOPLE = {
    "resident": NIGHT,
    "operator": DAY,
    "dispatcher": NIGHT,
    "duty_officer": DAY,
    "handler": NIGHT,
    "head": DAY,
    "administrator": NIGHT,
    "officer": DAY,
    "auditor": NIGHT,
}
#: What a link may lead to that is a file and no page.
FILES = {
    *("attachment", "calendar-sheet", "catalogue-sheet", "processing-registers-sheet"),
    *("time-limits-sheet", "tracking-picture"),
    *("attachment", "tracking-picture"),
    *("acts-sheet", "calendar-sheet", "catalogue-sheet", "looks-sheet", "time-limits-sheet"),
}


def named(address: str) -> str:
    """The name of the page at an address; empty where it is none of ours to look at."""
    parts = urlsplit(address)
    if parts.path.startswith(("/api/", "/static/", "/problems/")):
        return ""
    try:
        name = resolve(parts.path).url_name or ""
    except Resolver404:
        return ""
    return "" if name in FILES else name


def links(page: Page) -> list[str]:
    """Where the links of a page lead inside the house; queries count, since filters are links."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('a[href]:not([download])')]"
        ".filter((a) => a.origin === location.origin).map((a) => a.pathname + a.search)"
    )
    return found


def walk(page: Page, starts: list[str]) -> tuple[set[str], dict[str, list[str]]]:
    """Follow links from ``starts``; the names of the pages seen, and what was wrong with each address."""
    waiting, seen, visited = list(starts), set(starts), set[str]()
    wrong: dict[str, list[str]] = {}
    while waiting:
        address = waiting.pop(0)
        name = named(address)
        if not name or name in visited:  # pages of one kind differ by their records alone
            continue
        visited.add(name)
        answer = page.goto(address)
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
    return visited, wrong


@pytest.mark.parametrize("who", PEOPLE)
def test_nothing_stands_in_anybodys_way(
    open_context: Callable[..., BrowserContext], site: Site, who: str
) -> None:
    page = open_context(**PEOPLE[who]).new_page()
    starts = ["/"]
    if who == "resident":
        for state in ("callback", "closed"):
            follow(page, site.code(state))
        starts += ["/sign-in/", "/style/", *(f"/t/{site.code(state)}/" for state in ("callback", "closed"))]
    else:
        sign_in(page, who)
        starts = [urlsplit(page.url).path]
    seen, wrong = walk(page, starts)
    assert seen
    assert not wrong
