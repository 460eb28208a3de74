"""A handler's day in the browser: by keyboard at the desk, by thumb on the telephone, and nothing typed is lost."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import PASSWORD, VIEWS, Site, barriers, sign_in

pytestmark = pytest.mark.browser

REPLY = "您反映的路灯已由照明公司更换灯泡，当晚复查照明正常，经过时请注意安全。"


def photograph() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "grey").save(out, "JPEG")
    return out.getvalue()


def go_to(page: Page, number: str) -> None:
    """Go down the inbox with j until the order has the focus."""
    page.wait_for_load_state("load")
    focused = "document.activeElement?.closest('tr')?.dataset.number ?? ''"
    expect(page.locator("[data-island=inbox][data-island-on]")).to_be_visible()
    page.locator("[data-open]:not([hidden])").first.wait_for(state="attached")
    for _ in range(40):
        if page.evaluate(focused) == number:
            return
        page.keyboard.press("j")
    raise AssertionError(f"order {number} is not in the inbox")


def ready(page: Page) -> None:
    """Wait until keys are listened to: the island has put the focus into the form that the address names."""
    page.locator("details.panel :focus, details.panel:focus").wait_for(state="attached")


def tab_to(page: Page, name: str) -> None:
    for _ in range(12):
        page.keyboard.press("Tab")
        if (
            page.evaluate(
                "document.activeElement?.getAttribute('name') ?? document.activeElement?.textContent"
            )
            == name
        ):
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_a_handlers_day_by_keyboard(desktop: Page, site: Site) -> None:
    page = desktop
    first, back, late = (site.cases[f"unit{n}"]["number"] for n in (0, 1, 2))
    sign_in(page, "handler")
    assert page.url.endswith("/unit/")

    # Sign for one, see it beside the list, try to reach the requester, then reach them.
    go_to(page, first)
    expect(page.locator("#preview")).to_contain_text("鹿苑小区门口的路灯不亮")
    page.keyboard.press("s")
    expect(page.get_by_role("status").filter(has_text="已签收 1 件。")).to_be_visible()
    go_to(page, first)
    page.keyboard.press("c")
    page.wait_for_url(f"**/unit/cases/{first}/contact/")
    ready(page)
    page.keyboard.press("Enter")
    expect(page.locator(".number-shown")).to_have_text("13800000000")
    expect(page.locator(".number-shown")).to_be_focused()
    tab_to(page, "note")
    page.keyboard.insert_text("上午十点无人接听")
    tab_to(page, "未联系上")
    page.keyboard.press("Enter")
    expect(page.locator("#who")).to_contain_text("已尝试 1 次")
    page.locator(".handling[data-island-on]").wait_for()
    page.keyboard.press("c")
    tab_to(page, "note")
    page.keyboard.insert_text("约定当晚到场")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".timeline")).to_contain_text("约定当晚到场")

    # Reply from a template; the check speaks while typing and refuses nothing.
    page.locator(".with-button button[name=use][type=button]").wait_for(state="attached")
    page.keyboard.press("r")
    reply = page.locator("#reply_public_reply")
    expect(reply).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(reply).to_have_value(re.compile(f"工单号{first}"))
    expect(page.locator("#findings")).to_contain_text("模板中还有空格没有填写")
    expect(reply).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("此事不归我们管，请拨打13900000000，马上解决。")
    for words in ("不归我们管", "13900000000", "马上解决"):
        expect(page.locator("#findings")).to_contain_text(words)
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(REPLY)
    expect(page.locator("#findings")).to_contain_text("未发现")
    tab_to(page, "handling")
    page.keyboard.insert_text("更换灯泡一只")
    tab_to(page, "solved")
    page.keyboard.press("Space")
    tab_to(page, "note")
    page.keyboard.insert_text("照明公司已到场，口头反馈")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".request .facts")).to_contain_text("待审核")
    page.keyboard.press("u")
    page.wait_for_url("**/unit/")

    # Return another with evidence.
    go_to(page, back)
    page.keyboard.press("b")
    page.wait_for_url(f"**/unit/cases/{back}/return/")
    ready(page)
    page.keyboard.insert_text("该路灯在小区红线内，由物业管理")
    tab_to(page, "basis")
    page.keyboard.insert_text("《物业管理条例》第五十一条")
    page.locator("[name=photo]").set_input_files(
        {"name": "红线图.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
    )
    page.locator("[name=basis]").focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".request .facts")).to_contain_text("退单")
    expect(page.locator(".photographs img")).to_have_count(1)
    page.keyboard.press("u")

    # Sign for a third and ask for more time.
    go_to(page, late)
    page.keyboard.press("s")
    expect(page.get_by_role("status").filter(has_text="已签收 1 件。")).to_be_visible()
    go_to(page, late)
    page.keyboard.press("e")
    page.wait_for_url(f"**/unit/cases/{late}/extend/")
    ready(page)
    page.keyboard.type("5")
    tab_to(page, "reason")
    page.keyboard.insert_text("灯杆需要订制")
    tab_to(page, "person_told")
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".timeline")).to_contain_text("灯杆需要订制")
    page.keyboard.press("n")
    page.wait_for_url(lambda address: "/unit/cases/" in address and late not in address)


def test_several_are_ticked_and_signed_for_together(desktop: Page, site: Site) -> None:
    one, two = (site.cases[f"unit{n}"]["number"] for n in (3, 4))
    sign_in(desktop, "colleague")
    for number in (one, two):
        go_to(desktop, number)
        desktop.keyboard.press("x")
    desktop.keyboard.press("s")
    expect(desktop.get_by_role("status").filter(has_text="已签收 2 件。")).to_be_visible()


def test_a_session_that_ended_in_mid_reply_loses_nothing(desktop: Page, site: Site) -> None:
    number = site.cases["signed"]["number"]
    sign_in(desktop, "handler")
    desktop.goto(f"/unit/cases/{number}/reply/")
    ready(desktop)
    desktop.keyboard.insert_text(REPLY)
    desktop.locator("[name=handling]").fill("更换灯泡一只")
    desktop.locator("#reply_solved_0").check()
    desktop.locator("#reply_note").fill("照明公司已到场")
    desktop.context.clear_cookies(name="sessionid")
    desktop.keyboard.press("Control+Enter")
    desktop.wait_for_url("**/sign-in/**")
    desktop.locator("[name=username]").fill("handler")
    desktop.locator("[name=password]").fill(PASSWORD)
    desktop.locator("main button").click()
    desktop.wait_for_url(f"**/unit/cases/{number}/reply/")
    expect(desktop.locator("#reply_public_reply")).to_have_value(REPLY)
    expect(desktop.locator("#reply_handling")).to_have_value("更换灯泡一只")
    expect(desktop.locator("#reply_solved_0")).to_be_checked()
    # Sent now, it is refused by a rule of law (nobody was contacted), and still nothing is lost.
    desktop.get_by_role("button", name="提交答复").click()
    expect(desktop.locator(".error-list")).to_contain_text("请先联系")
    expect(desktop.locator("#reply_public_reply")).to_have_value(REPLY)


def test_on_the_telephone_an_order_is_signed_for_and_the_call_recorded(phone: Page, site: Site) -> None:
    number = site.cases["unit5"]["number"]
    sign_in(phone, "handler")
    phone.locator(f"tr[data-number='{number}'] .title a").tap()
    phone.get_by_role("button", name="签收").tap()
    phone.get_by_role("button", name="查看号码").tap()
    expect(phone.locator("a[href='tel:13800000000']")).to_be_visible()
    phone.get_by_label("说明").first.fill("已说明安排")
    phone.get_by_role("button", name="记录已联系").tap()
    expect(phone.locator(".timeline")).to_contain_text("已说明安排")


@pytest.mark.parametrize(("viewport", "scheme"), VIEWS, ids=["phone-light", "desktop-dark"])
def test_nothing_stands_in_the_way(
    open_context: Callable[..., BrowserContext], site: Site, scheme: str, viewport: dict[str, int]
) -> None:
    page = open_context(viewport=viewport, color_scheme=scheme).new_page()
    sign_in(page, "head")
    signed, dispatched = site.cases["signed"]["number"], site.cases["dispatched"]["number"]
    found: dict[str, list[str]] = {}
    for address in (
        "/unit/",
        "/unit/?tray=assist",
        "/unit/load/",
        "/unit/templates/",
        f"/unit/cases/{signed}/contact/",
        f"/unit/cases/{signed}/reply/",
        f"/unit/cases/{signed}/extend/",
        f"/unit/cases/{dispatched}/return/",
        f"/unit/cases/{site.cases['replied']['number']}/",
    ):
        page.goto(address)
        if address.endswith("/reply/"):
            page.locator("#reply_public_reply").fill("马上解决，不归我们管。")
            expect(page.locator("#findings li")).not_to_have_count(0)
        if address.endswith("/return/"):
            page.locator("#return_photo").evaluate("field => field.form.noValidate = true")
            page.get_by_role("button", name="申请退单").click()
            expect(page.locator(".error-list")).to_be_visible()
        found[address] = barriers(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found[address].append("wider than the screen")
    assert not {address: problems for address, problems in found.items() if problems}


def test_an_order_is_replied_to_at_400_percent(
    open_context: Callable[..., BrowserContext], site: Site
) -> None:
    page = open_context(viewport={"width": 320, "height": 256}).new_page()
    sign_in(page, "head")
    for address in ("/unit/", f"/unit/cases/{site.cases['signed']['number']}/reply/", "/unit/load/"):
        page.goto(address)
        assert not page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
