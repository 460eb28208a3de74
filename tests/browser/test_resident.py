"""A resident at a telephone, in a real browser against the real server."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Site, barriers, follow
from tests.browser.seed import STATES

pytestmark = pytest.mark.browser

CODE = re.compile(r"LC-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}")


def photograph() -> dict[str, object]:
    body = io.BytesIO()
    Image.new("RGB", (640, 480), "navy").save(body, "JPEG")
    return {"name": "lamp.jpg", "mimeType": "image/jpeg", "buffer": body.getvalue()}


def past_the_look_alikes(page: Page) -> None:
    """On from the place to the last step; what others reported nearby is shown in between, where there is anything."""
    page.get_by_role("button", name="下一步", exact=True).click()
    page.wait_for_url(re.compile("/(nearby|you)/$"))
    if "/nearby/" in page.url:
        page.get_by_role("button", name="都不是").click()
        page.wait_for_url("**/you/")


def report_and_track(page: Page) -> None:
    """The whole way: say, choose a place, send, keep the code, come back with it, add, withdraw."""
    page.goto("/")
    page.locator("[name=text]").fill("鹿苑小区门口的井盖松了，骑车会摔倒。")
    page.locator("[name=photo]").set_input_files(photograph())  # type: ignore[arg-type]
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("radio", name=re.compile("鹿苑小区")).check()
    past_the_look_alikes(page)
    page.locator("[name=phone]").fill("13800132210")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/t/**")
    code = page.locator(".code-big").inner_text()
    assert CODE.fullmatch(code)

    page.context.clear_cookies()  # another day, or another telephone
    page.goto("/t/")
    page.locator("[name=code]").fill(code.lower().replace("-", " "))
    page.get_by_role("button", name="查进度").click()
    page.wait_for_url("**/t/LC-**")
    expect(page.locator(".now")).to_contain_text("已收到")
    expect(page.locator("main")).not_to_contain_text("井盖")
    page.locator("[name=digits]").fill("1234")
    page.get_by_role("button", name="查看全部").click()
    expect(page.locator("#id_digits_error")).to_contain_text("没有与该查询码和号码尾号相符")
    page.locator("[name=digits]").fill("2210")
    page.get_by_role("button", name="查进度").click()
    page.wait_for_url("**/t/LC-**")
    expect(page.locator("blockquote.said")).to_contain_text("井盖")
    page.locator("summary", has_text="补充").click()
    page.locator("#supplement_note").fill("旁边还有一个也松了")
    page.get_by_role("button", name="提交补充").click()
    expect(page.locator(".timeline")).to_contain_text("旁边还有一个也松了")
    page.locator("summary", has_text="撤回").click()
    page.get_by_role("button", name="撤回我的诉求").click()
    expect(page.locator(".now")).to_contain_text("您已撤回")


def test_a_report_and_its_way_with_script(phone: Page) -> None:
    report_and_track(phone)


def test_a_report_and_its_way_without_script(phone_without_script: Page) -> None:
    report_and_track(phone_without_script)


def test_a_report_by_the_point_where_the_telephone_stands(
    open_context: Callable[..., BrowserContext],
) -> None:
    here = {"longitude": 110.006, "latitude": 40.006}
    page = open_context(geolocation=here, permissions=["geolocation"]).new_page()
    page.goto("/")
    page.locator("[name=text]").fill("这里的路灯不亮")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="我所在的位置").click()
    expect(page.locator("[data-point] input")).to_be_checked()
    past_the_look_alikes(page)
    expect(page.locator("main")).to_contain_text("花园社区")


def test_a_report_by_touching_the_map(phone: Page) -> None:
    phone.goto("/")
    phone.locator("[name=text]").fill("路灯不亮")
    phone.get_by_role("button", name="下一步").click()
    phone.get_by_role("button", name="在地图上选").click()
    expect(phone.locator(".map canvas")).to_be_visible()
    phone.locator(".map canvas").click()
    expect(phone.locator("[data-point] input")).to_be_checked()
    lon = float(phone.locator("[name=lon]").input_value())
    lat = float(phone.locator("[name=lat]").input_value())
    assert 110.0 < lon < 110.08
    assert 40.0 < lat < 40.04
    phone.get_by_role("button", name="下一步", exact=True).click()
    phone.wait_for_url(re.compile("/(nearby|you)/$"))


def test_emergency_numbers_come_up_while_typing(phone: Page) -> None:
    phone.goto("/")
    phone.locator("[name=text]").press_sequentially("楼上着火了")
    expect(phone.locator("#urgent a[href='tel:119']")).to_be_visible()
    phone.locator("[name=text]").fill("路灯不亮")
    expect(phone.locator("#urgent a")).to_have_count(0)


def test_two_quick_clicks_send_once(phone: Page) -> None:
    phone.goto("/")
    phone.locator("[name=text]").fill("我家门前路不平，只发一次")
    phone.get_by_role("button", name="下一步").click()
    phone.get_by_role("radio", name=re.compile("不清楚")).check()
    past_the_look_alikes(phone)
    sent: list[str] = []
    phone.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    phone.get_by_role("button", name="提交").dblclick(no_wait_after=True)
    phone.wait_for_url("**/t/**")
    code = phone.locator(".code-big").inner_text()
    assert len(sent) == 1
    phone.go_back()
    phone.wait_for_url(f"**/t/{code}/?again=1")


def test_the_back_button_brings_back_what_was_typed(phone: Page) -> None:
    phone.goto("/")
    phone.locator("[name=text]").fill("鹿苑小区的垃圾没人收")
    phone.get_by_role("button", name="下一步").click()
    phone.wait_for_url("**/place/")
    phone.go_back()
    expect(phone.locator("[name=text]")).to_have_value("鹿苑小区的垃圾没人收")


def test_the_first_page_weighs_less_than_100_kb_and_asks_nobody_else(
    open_context: Callable[..., BrowserContext], site: Site
) -> None:
    page = open_context().new_page()
    received: list[tuple[str, int]] = []

    def weigh(request: object) -> None:
        sizes = request.sizes()  # type: ignore[attr-defined]
        received.append((request.url, sizes["responseHeadersSize"] + sizes["responseBodySize"]))  # type: ignore[attr-defined]

    page.on("requestfinished", weigh)
    page.goto("/", wait_until="networkidle")
    assert received
    assert all(url.startswith((site.address, "data:")) for url, _size in received)
    assert sum(size for _url, size in received) < 100_000, received


@pytest.mark.parametrize(
    ("viewport", "locale"),
    [(PHONE, "zh-CN"), (PHONE, "en"), (DESKTOP, "zh-CN")],
    ids=["phone-zh", "phone-en", "desktop-zh"],
)
def test_nothing_stands_in_the_way_of_anyone(
    open_context: Callable[..., BrowserContext], site: Site, viewport: dict[str, int], locale: str
) -> None:
    """WCAG 2.2 AA as far as axe-core can tell, on every page a resident meets, errors among them; and no page is wider
    than the screen."""
    page = open_context(locale=locale, viewport=viewport).new_page()
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found[name] = barriers(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            found[name].append(f"{wide} pixels wider than the screen")

    page.goto("/")
    look("home")
    page.locator("main form button").click()
    expect(page.locator(".error-list")).to_be_visible()
    look("home with errors")
    page.locator("[name=text]").fill("鹿苑小区门口的路灯不亮，有人触电")
    page.locator("main form button").click()
    page.wait_for_url("**/place/")
    look("place")
    page.locator("main form > .buttons button").click()
    page.wait_for_url(re.compile("/(nearby|you)/$"))
    if "/nearby/" in page.url:
        look("nearby")
        page.locator("main form .buttons button").click()
    page.locator("[name=phone]").fill("x")
    page.locator("main form button").click()
    expect(page.locator(".error-list")).to_be_visible()
    look("you with errors")
    page.goto("/t/")
    look("track")
    page.locator("[name=code]").fill("LC-1111-1111-1112")
    page.locator("main form button").click()
    expect(page.locator(".error")).to_be_visible()
    look("track with errors")
    page.goto(f"/t/{site.code('callback')}/")
    look("stage")
    for state in STATES:
        follow(page, site.code(state))
        page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
        look(state)
    for address in ("/sign-in/", "/style/", "/no/such/page/"):
        page.goto(address)
        look(address)
    assert not {name: barriers for name, barriers in found.items() if barriers}


def test_large_print_is_larger_and_still_fits(phone: Page) -> None:
    phone.goto("/")
    size = "getComputedStyle(document.querySelector('[name=text]')).fontSize"
    small = float(phone.evaluate(f"parseFloat({size})"))
    phone.get_by_role("button", name="大字").click()
    phone.wait_for_selector("html.large")
    assert float(phone.evaluate(f"parseFloat({size})")) >= 1.3 * small
    assert phone.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert not barriers(phone)


def test_every_control_can_be_reached_and_used_by_keyboard(desktop: Page) -> None:
    desktop.goto("/")
    desktop.keyboard.press("Tab")
    assert desktop.evaluate("document.activeElement.className") == "skip"
    desktop.keyboard.press("Enter")
    reached = []
    for _n in range(4):
        desktop.keyboard.press("Tab")
        reached.append(desktop.evaluate("document.activeElement.name || document.activeElement.innerText"))
    assert reached[:3] == ["text", "photo", "下一步"]


@pytest.mark.parametrize("target", ["button", "a.button", "summary", "input:not([type=hidden])", "textarea"])
def test_targets_are_large_enough_for_a_thumb(phone: Page, site: Site, target: str) -> None:
    for address in ("/", "/t/", f"/t/{site.code('callback')}/"):
        phone.goto(address)
        for control in phone.locator(f"main {target}:visible").all():
            box = control.bounding_box()
            kind = control.get_attribute("type")
            if box and kind not in ("radio", "checkbox"):  # their label is the target
                assert box["height"] >= 44, (address, control.inner_html())
        for label in phone.locator("main .choices label:visible").all():
            box = label.bounding_box()
            assert box is None or box["height"] >= 44
