"""Whoever keeps the city's data does their whole task on the pages: at a desk, on a telephone, by light and by dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, VIEWS, Site, barriers, sign_in

pytestmark = pytest.mark.browser

ADMINISTRATOR = [
    "/admin/",
    "/admin/units/",
    "/admin/units/add/",
    "/admin/people/",
    "/admin/people/add/",
    "/admin/roles/",
    "/admin/roles/handler/",
    "/admin/calendar/2026/",
    "/admin/limits/",
    "/admin/messages/",
    "/admin/messages/received/",
    "/admin/jobs/",
    "/admin/jobs/failed/",
]
DUTY_OFFICER = [
    "/admin/catalogue/",
    "/admin/catalogue/1/",
    "/admin/catalogue/1/try/",
    "/admin/catalogue/1/compare/",
]
OFFICER = [
    "/admin/registers/",
    "/admin/registers/?register=processor",
    "/admin/registers/new/processor/",
    "/admin/registers/processing/case-content/",
    "/admin/registers/processing/case-content/?version=1",
    "/admin/registers/processing/case-content/write/",
    "/admin/registers/print/",
]


def wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize(("size", "scheme"), VIEWS, ids=["phone-light", "desktop-dark"])
def test_nothing_stands_in_the_way_on_any_page(
    open_context: Callable[..., BrowserContext], site: Site, size: dict[str, int], scheme: str
) -> None:
    found: dict[str, list[str]] = {}
    for who, addresses in (
        ("administrator", ADMINISTRATOR),
        ("duty_officer", DUTY_OFFICER),
        ("officer", OFFICER),
    ):
        page = open_context(viewport=size, color_scheme=scheme).new_page()
        sign_in(page, who)
        if who == "administrator":
            page.goto("/admin/units/")
            unit = page.locator("tbody th a").first.get_attribute("href")
            page.goto("/admin/people/?q=handler")
            person = page.locator("tbody th a").first.get_attribute("href")
            addresses = [*addresses, *filter(None, (unit, person))]
        for address in addresses:
            page.goto(address)
            found[address] = (["wider than the screen"] if wide(page) else []) + barriers(page)
    assert not {address: barriers for address, barriers in found.items() if barriers}


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_administrator_adds_a_unit_and_a_person_who_signs_in(
    open_context: Callable[..., BrowserContext], site: Site, size: dict[str, int]
) -> None:
    page = open_context(viewport=size).new_page()
    sign_in(page, "administrator")
    page.get_by_role("link", name="管理", exact=True).first.click()
    page.get_by_role("navigation", name="管理").get_by_role("link", name="单位").click()
    page.get_by_role("link", name="新增下级单位").click()
    mark = f"parks{size['width']}"
    page.get_by_label("编码").fill(mark)
    page.get_by_label("名称").fill(f"园林局{size['width']}")
    # Type to find: the browser's list holds what fits what has been typed.
    place = page.get_by_label("地点")
    place.fill("")
    place.press_sequentially("长青")
    offered = page.locator("#id_place-names option").first
    expect(offered).to_have_attribute("value", "东原区 · 长青街道 [990101001]")
    place.fill(offered.get_attribute("value") or "")
    page.get_by_role("button", name="新增该单位").click()
    expect(page.get_by_role("status").first).to_contain_text("已新增园林局")

    page.goto("/admin/people/add/")
    page.get_by_label("用户名").fill(f"zhao{size['width']}")
    page.get_by_label("姓名").fill("赵敏")
    page.locator("main form button").click()
    password = page.locator(".code-big").inner_text()
    page.get_by_role("link", name="去设置赵敏的岗位").click()
    page.get_by_label("角色").select_option(label="承办员")
    page.get_by_label("地点").fill("长青街道")
    page.get_by_role("button", name="任职").click()
    # The role serves in a unit: told so in words, and what was typed is still there.
    expect(page.get_by_role("alert")).to_contain_text("单位")
    expect(page.get_by_label("地点")).to_have_value("长青街道")
    page.get_by_label("单位").fill(mark)
    page.get_by_role("button", name="任职").click()
    expect(page.locator("tbody")).to_contain_text(f"园林局{size['width']}")

    other = open_context(viewport=size).new_page()
    other.goto("/sign-in/")
    other.locator("[name=username]").fill(f"zhao{size['width']}")
    other.locator("[name=password]").fill(password)
    other.locator("main button").click()
    other.wait_for_url(lambda address: "/sign-in/" not in address)
    expect(other.locator("header")).to_contain_text("赵敏")


def test_a_catalogue_draft_is_edited_tried_and_published(desktop: Page, site: Site) -> None:
    page = desktop
    sign_in(page, "duty_officer")
    page.goto("/admin/catalogue/")
    page.locator("#draft_note").fill("秋季调整")
    page.locator("form[action$='/draft/'] button").click()
    page.get_by_role("link", name="添加条目").click()
    matter = page.locator("#id_事项编码")
    matter.press_sequentially("停放")
    expect(page.locator("datalist option[value$='[060101]']")).to_have_count(1)
    page.locator("#id_区划编码").fill("东原区")
    page.locator("#id_主办单位编码").fill("鹿原市城市管理局")
    page.locator("#id_依据").fill("权责清单第9项")
    matter.fill("060101")
    page.locator("main form button").first.click()
    expect(page.get_by_role("status").first).to_be_visible()
    page.get_by_role("link", name="用以往工单试派").click()
    expect(page.locator("dl.facts dd").first).not_to_have_text("0")
    page.get_by_role("link", name="比较并发布").click()
    expect(page.locator("tbody")).to_contain_text("权责清单第9项")
    reason = page.get_by_label("发布理由")
    expect(reason).to_have_value("秋季调整")
    reason.fill("新增停车秩序")
    page.locator("main form button").click()
    expect(page.get_by_role("status").first).to_contain_text("已生效")
    page.goto("/admin/catalogue/")
    expect(page.locator("tr.yours-row")).to_contain_text("新增停车秩序")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_message_is_worded_with_its_length_before_the_eyes(
    open_context: Callable[..., BrowserContext], site: Site, size: dict[str, int]
) -> None:
    page = open_context(viewport=size).new_page()
    sign_in(page, "administrator")
    page.goto("/admin/messages/")
    page.get_by_role("link", name="诉求人撤回").click()
    words = page.get_by_label("中文")
    words.fill(f"工单{{number}}已撤回{size['width']}。")
    expect(page.locator("#reads .bubble").first).to_have_text(f"工单26030200000001已撤回{size['width']}。")
    expect(page.locator("#reads")).to_contain_text("按1条短信计")
    words.fill("工单{number}，电话13800000000")
    expect(page.locator("#reads .error")).to_contain_text("一长串数字")
    page.get_by_role("button", name="启用该文字").click()
    expect(page.get_by_role("alert")).to_contain_text("一长串数字")
    page.get_by_label("中文").fill(f"工单{{number}}已撤回{size['width']}。")
    page.get_by_role("button", name="启用该文字").click()
    expect(page.get_by_role("status").first).to_contain_text("已启用")
    expect(page.locator("tbody")).to_contain_text("administrator")
    page.get_by_role("button", name="恢复默认文字").click()
    expect(page.get_by_role("status").first).to_contain_text("已恢复默认文字")


def test_what_was_typed_survives_a_session_that_ended(desktop: Page, site: Site) -> None:
    sign_in(desktop, "administrator")
    desktop.goto("/admin/messages/merged/")
    desktop.get_by_label("中文").fill("工单{number}与他单合并，查询码{code}。")
    desktop.context.clear_cookies(name="sessionid")
    desktop.get_by_role("button", name="启用该文字").click()
    expect(desktop.get_by_label("中文")).to_have_count(0)
    sign_in(desktop, "administrator")
    desktop.goto("/admin/messages/merged/")
    expect(desktop.get_by_label("中文")).to_have_value("工单{number}与他单合并，查询码{code}。")


def test_a_message_that_was_given_up_is_seen_and_tried_again(desktop: Page, site: Site) -> None:
    sign_in(desktop, "administrator")
    desktop.goto("/admin/jobs/")
    expect(desktop.get_by_role("alert")).to_contain_text("后台进程未运行")
    row = desktop.locator("tr", has_text="the gateway answered 403")
    row.get_by_role("button", name="重新发送").click()
    expect(desktop.get_by_role("status").first).to_contain_text("将重新发送1条通知")
    expect(desktop.locator("tr", has_text="the gateway answered 403")).to_have_count(0)


def test_without_script_every_form_still_works(
    open_context: Callable[..., BrowserContext], site: Site
) -> None:
    page = open_context(viewport=DESKTOP, java_script_enabled=False).new_page()
    sign_in(page, "administrator")
    page.goto("/admin/messages/merged/")
    page.get_by_label("中文").fill("很短{code}")
    page.get_by_role("button", name="预览").click()
    expect(page.locator("#reads .bubble").first).to_have_text("很短LC-7Q4K-29XM-5TAB")
    page.goto("/admin/limits/")
    page.get_by_label("紧急程度").select_option(index=2)
    page.get_by_role("button", name="试算").click()
    expect(page.locator("#due tbody tr").first).to_be_visible()
    page.goto("/admin/units/add/")
    page.get_by_label("编码").fill("noscript")
    page.get_by_label("名称").fill("无脚本局")
    page.get_by_label("地点").fill("东原区")
    page.get_by_role("button", name="新增该单位").click()
    expect(page.get_by_role("status").first).to_contain_text("已新增无脚本局")


def test_the_limits_follow_what_is_chosen(desktop: Page, site: Site) -> None:
    sign_in(desktop, "administrator")
    desktop.goto("/admin/limits/")
    before = desktop.locator("#due tbody").inner_text()
    desktop.get_by_label("紧急程度").select_option(index=2)
    expect(desktop.locator("#due tbody")).not_to_have_text(before, use_inner_text=True)
    assert "?" not in desktop.url
