"""The callback desk in a browser: a callback by keyboard, one in vain on a phone, the plan, what is supervised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import VIEWS, Site, barriers, sign_in

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("size", "colours"), VIEWS, ids=["phone-light", "desktop-dark"])
def test_nothing_stands_in_the_way_at_the_callback_desk(
    open_context: Callable[..., BrowserContext], site: Site, size: dict[str, int], colours: Any
) -> None:
    page = open_context(viewport=size, color_scheme=colours).new_page()
    sign_in(page, "supervisor")
    found: dict[str, list[str]] = {}
    callback = f"/callbacks/{site.cases['callback']['number']}/"
    for address in (
        "/callbacks/",
        "/callbacks/?list=rest",
        "/callbacks/plan/",
        "/supervised/",
        callback,
    ):
        page.goto(address)
        found[address] = barriers(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found[address].append("wider than the screen")
    page.locator("button", has_text="放回").click()  # for whoever comes next
    assert not {address: wrong for address, wrong in found.items() if wrong}


def test_a_whole_callback_by_keyboard(desktop: Page, site: Site) -> None:
    sign_in(desktop, "operator")
    desktop.goto("/callbacks/")
    desktop.keyboard.press("n")
    desktop.wait_for_url(f"**/callbacks/{site.cases['call']['number']}/")
    expect(desktop.locator("#number")).to_contain_text("138****0000")
    desktop.keyboard.press("t")
    expect(desktop.locator("#number")).to_contain_text("13800000000")
    expect(desktop.locator("fieldset[data-asked] legend")).to_have_text("承办单位联系您了吗？")
    desktop.keyboard.press("1")
    expect(desktop.locator("fieldset[data-asked] legend")).to_have_text("问题解决了吗？")
    desktop.keyboard.press("2")
    desktop.keyboard.press("Backspace")  # a slip of the finger
    desktop.keyboard.press("1")
    desktop.keyboard.press("5")
    expect(desktop.locator("[name=note]")).to_be_focused()
    desktop.keyboard.type("12 号楼住户表示感谢")  # digits belong to the note now
    expect(desktop.locator("[name=contacted][value=true]")).to_be_checked()
    expect(desktop.locator("[name=solved][value=true]")).to_be_checked()
    expect(desktop.locator("[name=satisfaction][value='5']")).to_be_checked()
    assert not barriers(desktop)
    desktop.keyboard.press("Control+Enter")
    desktop.wait_for_url("**/callbacks/?list=call")
    expect(desktop.locator("[role=status]").first).to_contain_text("回访办结")
    desktop.goto(f"/cases/{site.cases['call']['number']}/")
    expect(desktop.locator(".story")).to_contain_text("非常满意")
    expect(desktop.locator(".events")).to_contain_text("电话回访")  # why the number was looked at
    expect(desktop.locator(".events")).to_contain_text("12 号楼住户表示感谢")


def test_nobody_answers_and_the_attempt_is_recorded(
    phone: Page, open_context: Callable[..., BrowserContext], site: Site
) -> None:
    number = site.cases["call_in_vain"]["number"]
    sign_in(phone, "operator")
    phone.goto(f"/callbacks/{number}/")
    phone.locator("[name=note]").fill("响铃无人接听")
    phone.locator("[name=again]").select_option("day")
    phone.locator("button", has_text="记录未接通").tap()
    phone.wait_for_url("**/callbacks/?list=call")
    phone.goto("/callbacks/?list=rest")
    expect(phone.locator(f"[data-number='{number}']")).to_contain_text("再拨")
    without_script = open_context(java_script_enabled=False).new_page()
    sign_in(without_script, "supervisor")
    without_script.goto(f"/callbacks/{number}/")
    without_script.locator("button", has_text="显示号码").click()
    expect(without_script.locator("#number")).to_contain_text("13800000000")
    without_script.locator("button", has_text="放回").click()


def test_the_plan_is_written_and_orders_are_supervised_from_their_list(desktop: Page, site: Site) -> None:
    sign_in(desktop, "supervisor")
    desktop.goto("/callbacks/plan/")
    desktop.locator("[name=nature-0]").select_option("help")
    desktop.locator("[name=percent-0]").fill("100")
    desktop.locator("[name=note]").fill("求助类全部回访")
    desktop.locator("button", has_text="启用新方案").click()
    expect(desktop.locator("[name=percent-0]")).to_have_value("100")
    expect(desktop.locator("main")).to_contain_text("求助类全部回访")

    number = site.cases["dispatched"]["number"]
    desktop.goto(f"/cases/{number}/do/supervise/?level=daily")
    desktop.locator("[name=supervision_ground][value=other]").check()
    desktop.locator("[name=opinion]").fill("请今天签收。")
    desktop.keyboard.press("Control+Enter")
    desktop.wait_for_url("**/cases/*/")
    desktop.goto("/supervised/")
    row = desktop.locator(".supervised > li", has_text=number)
    expect(row).to_contain_text("请今天签收。")
    assert not barriers(desktop)
    row.locator("a", has_text="升级为挂牌督办").click()
    expect(desktop.locator("[name=level][value=listed]")).to_be_checked()
    desktop.goto("/supervised/")
    desktop.locator(".supervised > li", has_text=number).locator("a", has_text="解除督办").click()
    desktop.locator("[name=reason]").fill("已签收，转日常跟进")
    desktop.keyboard.press("Control+Enter")
    desktop.wait_for_url("**/cases/*/")
    desktop.goto("/supervised/")
    expect(desktop.locator("main")).not_to_contain_text(number)
