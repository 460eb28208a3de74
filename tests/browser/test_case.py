"""The case page in a browser: read in ten seconds, worked by keyboard, proved, printed; nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, VIEWS, Site, barriers, sign_in

pytestmark = pytest.mark.browser

#: The part of an A4 sheet between the margins that the print sheet sets, in CSS pixels.
A4 = {"width": 680, "height": 997}


def too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize(("size", "colours"), VIEWS, ids=["phone-light", "desktop-dark"])
def test_nothing_stands_in_the_way_on_the_case_page_its_steps_and_its_paper(
    open_context: Callable[..., BrowserContext], site: Site, size: dict[str, int], colours: Any
) -> None:
    page = open_context(viewport=size, color_scheme=colours).new_page()
    sign_in(page, "duty_officer")
    signed, long = site.cases["signed"]["number"], site.cases["long"]["number"]
    found: dict[str, list[str]] = {}
    for address in (
        f"/cases/{signed}/",
        f"/cases/{signed}/verify/",
        f"/cases/{site.cases['suspended']['number']}/",
        f"/cases/{long}/",
        f"/cases/{signed}/do/suspend/",
        f"/cases/{signed}/print/",
    ):
        page.goto(address)
        found[address] = barriers(page) + (["wider than the screen"] if too_wide(page) else [])
    assert not {address: wrong for address, wrong in found.items() if wrong}


def test_the_story_comes_first_on_the_phone_and_the_clocks_stand_beside_it_on_a_desk(
    open_context: Callable[..., BrowserContext], site: Site
) -> None:
    page = open_context(viewport=PHONE).new_page()
    sign_in(page, "dispatcher")
    page.goto(f"/cases/{site.cases['signed']['number']}/")

    def top(name: str) -> tuple[float, float]:
        box = page.locator(f".case > .{name}").bounding_box()
        assert box is not None
        return box["x"], box["y"]

    assert top("case-head")[1] < top("story")[1] < top("side")[1] < top("events")[1]
    page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    assert top("story")[1] == pytest.approx(top("side")[1], abs=40)
    assert top("side")[0] > top("story")[0]


def test_a_case_is_worked_by_keyboard(desktop: Page, site: Site) -> None:
    sign_in(desktop, "duty_officer")
    number = site.cases["replied"]["number"]
    desktop.goto(f"/cases/{number}/")
    desktop.keyboard.press("?")
    expect(desktop.locator("dialog#keys")).to_contain_text("审核通过")
    desktop.keyboard.press("Escape")
    desktop.keyboard.press("v")
    desktop.wait_for_url("**/verify/**")
    expect(desktop.locator("#verified")).to_contain_text("校验通过")
    desktop.keyboard.press("1")
    desktop.wait_for_url(f"**/cases/{number}/do/approve/")
    desktop.keyboard.press("Escape")
    desktop.wait_for_url(f"**/cases/{number}/")


def test_a_long_text_opens_by_a_press(desktop: Page, site: Site) -> None:
    sign_in(desktop, "dispatcher")
    desktop.goto(f"/cases/{site.cases['long']['number']}/")
    folded = desktop.locator(".story .folded details p")
    expect(folded).to_be_hidden()
    desktop.locator(".story summary", has_text="显示全文").click()
    expect(folded).to_be_visible()


def test_a_work_order_is_printed_on_a4(desktop: Page, site: Site) -> None:
    sign_in(desktop, "dispatcher")
    desktop.goto(f"/cases/{site.cases['callback']['number']}/print/")
    expect(desktop.locator("button", has_text="打印")).to_be_visible()
    desktop.set_viewport_size(A4)  # type: ignore[arg-type]
    desktop.emulate_media(media="print")
    expect(desktop.locator("header.bar")).to_be_hidden()
    expect(desktop.locator(".sheet h1")).to_have_text("鹿原市12345政务服务便民热线工单")
    assert not too_wide(desktop)
    sheet = desktop.locator(".sheet").bounding_box()
    assert sheet is not None
    assert sheet["height"] < A4["height"]  # an ordinary order is one page
    border = desktop.locator(".sheet td").first.evaluate("cell => getComputedStyle(cell).borderTopWidth")
    assert border != "0px"
    assert max(int(n) for n in re.findall(rb"/Count (\d+)", desktop.pdf(prefer_css_page_size=True))) == 1


def test_a_text_of_fifty_thousand_characters_is_printed_over_many_pages(desktop: Page, site: Site) -> None:
    sign_in(desktop, "dispatcher")
    desktop.goto(f"/cases/{site.cases['long']['number']}/print/")
    pdf = desktop.pdf(prefer_css_page_size=True)
    counted = [int(n) for n in re.findall(rb"/Count (\d+)", pdf)]
    assert max(counted) > 15
    desktop.set_viewport_size(A4)  # type: ignore[arg-type]
    desktop.emulate_media(media="print")
    assert not too_wide(desktop)


def test_a_session_that_ends_in_mid_form_loses_nothing(desktop: Page, site: Site) -> None:
    sign_in(desktop, "duty_officer")
    number = site.cases["accepted"]["number"]
    desktop.goto(f"/cases/{number}/do/supervise/?level=daily")
    expect(desktop.locator("[name=level][value=daily]")).to_be_checked()
    desktop.locator("[name=supervision_ground][value=other]").check()
    desktop.locator("[name=opinion]").fill("请今天派出，并在回访前核实现场情况。")
    desktop.context.clear_cookies(name="sessionid")
    desktop.keyboard.press("Control+Enter")
    desktop.wait_for_url("**/sign-in/**")
    desktop.locator("[name=username]").fill("duty_officer")
    desktop.locator("[name=password]").fill(PASSWORD)
    desktop.locator("main button").click()
    desktop.wait_for_url(f"**/cases/{number}/do/supervise/**")
    expect(desktop.locator("[name=opinion]")).to_have_value("请今天派出，并在回访前核实现场情况。")
    expect(desktop.locator("[name=supervision_ground][value=other]")).to_be_checked()


def test_a_form_that_was_refused_for_its_token_loses_nothing(desktop: Page, site: Site) -> None:
    sign_in(desktop, "duty_officer")
    address = f"/cases/{site.cases['accepted']['number']}/do/supervise/?level=daily"
    desktop.goto(address)
    desktop.locator("[name=supervision_ground][value=other]").check()
    desktop.locator("[name=opinion]").fill("请今天派出。")
    desktop.context.clear_cookies(name="csrftoken")
    desktop.keyboard.press("Control+Enter")
    expect(desktop.locator("[data-refused]")).to_be_visible()
    desktop.goto(address)
    expect(desktop.locator("[name=opinion]")).to_have_value("请今天派出。")


def test_two_tabs_on_one_order(open_context: Callable[..., BrowserContext], site: Site) -> None:
    context = open_context(viewport=DESKTOP)
    first = context.new_page()
    sign_in(first, "duty_officer")
    address = f"/cases/{site.cases['merged']['number']}/do/supplement/"
    first.goto(address)
    second = context.new_page()
    second.goto(address)
    first.locator("[name=note]").fill("来电人说夜里又停了一次。")
    first.keyboard.press("Control+Enter")
    first.wait_for_url("**/cases/*/")
    second.locator("[name=note]").fill("来电人补充：影响整栋楼。")
    second.keyboard.press("Control+Enter")
    expect(second.locator("[role=alert]").first).to_contain_text("来电人说夜里又停了一次。")
    expect(second.locator("[name=note]")).to_have_value("来电人补充：影响整栋楼。")
    assert not barriers(second)
    second.keyboard.press("Control+Enter")
    second.wait_for_url("**/cases/*/")
    expect(second.locator(".story")).to_contain_text("来电人补充：影响整栋楼。")
