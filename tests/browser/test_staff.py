"""Every page that the bar opens for a member of staff can be used by everyone, and fits the screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import DESKTOP, Site, barriers, sign_in

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("who", ["dispatcher", "handler", "duty_officer", "administrator"])
def test_nothing_stands_in_the_way_of_staff(
    open_context: Callable[..., BrowserContext], site: Site, who: str
) -> None:
    page = open_context(viewport=DESKTOP).new_page()
    sign_in(page, who)
    found: dict[str, list[str]] = {}
    addresses = [link.get_attribute("href") for link in page.locator("header nav a").all()]
    cases = [f"/cases/{site.cases[state]['number']}/" for state in ("signed", "callback")]
    for address in (*filter(None, addresses), *(cases if "/board/" in addresses else [])):
        page.goto(address)
        found[address] = barriers(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found[address].append("wider than the screen")
    assert addresses
    assert not {address: barriers for address, barriers in found.items() if barriers}
