"""A whole call at the operator's desk: by keyboard alone, with a browser that dies, and without script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests import factories
from tests.browser.conftest import DESKTOP, VIEWS, Site, barriers, sign_in

pytestmark = pytest.mark.browser

Open = Callable[..., BrowserContext]
LAMP = "鹿苑小区3号楼门口的路灯不亮，已经三天了"
CODE = re.compile(r"LC-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}")


@pytest.fixture
def desk(desktop: Page, site: Site) -> Page:
    sign_in(desktop, "operator")
    desktop.goto("/desk/")
    expect(desktop.locator("#id_phone")).to_be_focused()
    return desktop


def begin(page: Page, words: str, phone: str = "13800132210") -> None:
    """A call, as far as the words: typed, with no mouse."""
    page.keyboard.type(phone)
    page.keyboard.press("Enter")
    expect(page.locator("#id_content")).to_be_focused()
    page.keyboard.type(words)


def ended(page: Page) -> str:
    """What is read out when the order is made; the desk is empty and waits for the next call."""
    page.wait_for_url("**/desk/?done=*")
    expect(page.locator("#id_phone")).to_be_focused()
    expect(page.locator("#id_content")).to_have_value("")
    words = page.locator(".done").inner_text()
    assert CODE.search(words)
    return words


def test_a_call_becomes_an_order_by_keyboard_alone(desk: Page) -> None:
    begin(desk, LAMP)
    expect(desk.locator("[data-mask]")).to_have_text("138****2210")
    expect(desk.locator("#id_phone")).to_be_hidden()
    expect(desk.get_by_role("timer")).to_be_visible()
    first = desk.locator(f"#place-{factories.GRID}")
    first.wait_for()
    desk.keyboard.press("Alt+1")
    expect(first).to_be_checked()
    desk.keyboard.press("Alt+m")
    desk.keyboard.type("路灯不")
    expect(desk.locator(".pick [role=option]").first).to_have_attribute("aria-selected", "true")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("combobox", name="事项分类")).to_have_value("路灯不亮")
    expect(desk.locator("#unit strong")).to_have_text("鹿原市城市管理局")
    desk.keyboard.press("F9")
    assert "已派给鹿原市城市管理局" in ended(desk)


def test_a_question_is_answered_from_the_knowledge_base_by_keyboard_alone(desk: Page) -> None:
    begin(desk, "路灯坏了归谁管？")
    desk.locator("[data-use=lamp]").wait_for()
    desk.keyboard.press("F8")  # nothing to say yet: it leads to the answer
    expect(desk.locator("#id_answer")).to_be_focused()
    desk.keyboard.press("Alt+3")
    expect(desk.locator("#id_answer")).to_have_value(re.compile("城市照明公司"))
    desk.keyboard.press("Alt+4")
    expect(desk.get_by_role("radio", name="咨询")).to_be_checked()
    desk.keyboard.press("F8")
    assert "答复" in ended(desk)


def test_a_browser_that_dies_in_the_middle_finds_its_draft(open_context: Open, site: Site) -> None:
    first = open_context(viewport=DESKTOP)
    page = first.new_page()
    sign_in(page, "duty_officer")
    page.goto("/desk/?phone=13900001111")
    expect(page.locator("#id_content")).to_be_focused()
    assert "13900001111" not in page.url
    page.keyboard.type("北甸旗的一件事，说到一半")
    expect(page.locator("[data-kept-at]")).to_contain_text("草稿已保存", timeout=5000)
    page.wait_for_url("**draft=**")
    first.close()

    page = open_context(viewport=DESKTOP).new_page()
    sign_in(page, "duty_officer")
    page.goto("/desk/")
    drafts = page.locator(".drafts")
    expect(drafts).to_contain_text("139****1111")
    expect(drafts).to_contain_text("北甸旗的一件事")
    assert not barriers(page)
    page.keyboard.press("Alt+r")
    expect(page.locator("#id_content")).to_have_value("北甸旗的一件事，说到一半")
    expect(page.locator("[data-mask]")).to_have_text("139****1111")
    page.keyboard.press("Control+s")
    ended(page)
    expect(page.locator(".drafts")).to_have_count(0)


def test_urgent_words_come_to_the_top_and_one_key_hands_over(desk: Page) -> None:
    begin(desk, "家里有煤气泄漏的味道")
    alarm = desk.locator("#urgent .alarm")
    expect(alarm).to_contain_text("请先转接 119")
    expect(desk.locator("#urgent")).to_have_attribute("aria-live", "assertive")
    assert not barriers(desk)
    desk.keyboard.press("Alt+0")
    assert "转外部" in ended(desk)


def test_a_session_that_ended_in_mid_call_is_said_and_no_word_is_lost(desk: Page) -> None:
    begin(desk, LAMP)
    desk.context.clear_cookies()
    desk.keyboard.type("，请来修")
    expect(desk.get_by_role("alert")).to_contain_text("登录已失效")
    expect(desk.locator("#id_content")).to_have_value(LAMP + "，请来修")
    again = desk.context.new_page()  # signed in anew in another window, the call goes on
    sign_in(again, "operator")
    expect(desk.locator("[data-over]")).to_be_hidden()
    expect(desk.locator("[data-kept-at]")).to_contain_text("草稿已保存")
    desk.keyboard.press("Control+s")
    ended(desk)


def test_what_is_wrong_is_said_on_the_same_screen(desk: Page) -> None:
    begin(desk, LAMP, phone="")
    desk.keyboard.press("Control+s")
    expect(desk.locator(".error-list")).to_be_visible()
    expect(desk.locator("#id_content")).to_have_value(LAMP)
    assert not barriers(desk)


@pytest.mark.parametrize(("viewport", "scheme"), VIEWS, ids=["phone-light", "desktop-dark"])
def test_nothing_stands_in_the_way_at_the_desk_or_in_the_knowledge_base(
    open_context: Open, site: Site, scheme: str, viewport: dict[str, int]
) -> None:
    page = open_context(viewport=viewport, color_scheme=scheme).new_page()
    page.goto("/faq/?q=路灯")
    found = barriers(page)
    assert "城市照明公司" in page.locator("main").inner_text()
    sign_in(page, "duty_officer")
    page.goto("/desk/")
    page.locator("#id_content").fill(LAMP)
    page.locator("[data-use=lamp]").wait_for()
    page.locator("#id_matter").click()
    for summary in page.locator("details.why > summary").all():
        summary.click()
    addresses = ["", "/knowledge/", "/knowledge/?q=路灯", "/knowledge/lamp/", "/knowledge/lamp/write/"]
    for address in addresses:
        if address:
            page.goto(address)
        found += barriers(page)
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(wide), address
    assert not found


def test_without_script_the_desk_still_writes_an_order(open_context: Open, site: Site) -> None:
    page = open_context(viewport=DESKTOP, java_script_enabled=False).new_page()
    sign_in(page, "operator")
    page.goto("/desk/")
    page.locator("[name=phone]").fill("13800132210")
    page.locator("[name=content]").fill(LAMP)
    page.get_by_role("button", name="重新建议").click()
    expect(page.locator("[name=content]")).to_have_value(LAMP)
    page.locator(f"#place-{factories.GRID}").check()
    page.locator("select[name=matter]").select_option(factories.LAMP)
    page.get_by_role("button", name="派单").click()
    assert "已派给鹿原市城市管理局" in page.locator(".done").inner_text()
