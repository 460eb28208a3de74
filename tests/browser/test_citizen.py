"""What can go wrong on a resident's telephone: in a real browser, against the real server."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import DESKTOP, VIEWS, Site, barriers, follow, sign_in
from tests.browser.test_resident import past_the_look_alikes

pytestmark = pytest.mark.browser

ZOOMED = {"width": 320, "height": 256}  # what 400 % leaves of 1280 × 1024


def jpeg(size: tuple[int, int], quality: int = 95) -> bytes:
    body = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(body, "JPEG", quality=quality)
    return body.getvalue()


def file(body: bytes, name: str = "lamp.jpg", kind: str = "image/jpeg") -> dict[str, object]:
    return {"name": name, "mimeType": kind, "buffer": body}


def begin(page: Page, text: str = "鹿苑小区门口的路灯不亮") -> None:
    page.goto("/")
    page.locator("[name=text]").fill(text)
    page.get_by_role("button", name="下一步").click()
    page.wait_for_url("**/place/")


def eventually(page: Page, condition: str) -> None:
    """Playwright's own waiting evaluates a string on the page, which the content policy refuses."""
    for _n in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    raise AssertionError(condition)


def size_of_photo(page: Page) -> int:
    return int(page.evaluate("document.querySelector('[name=photo]').files[0]?.size ?? 0"))


# --- the photograph --------------------------------------------------------------------------------------------------


def test_a_large_photograph_is_shown_and_made_smaller_before_it_is_sent(phone: Page, tmp_path: Path) -> None:
    large = jpeg((3600, 2700))
    assert len(large) > 5_000_000
    (tmp_path / "lamp.jpg").write_bytes(large)
    phone.goto("/")
    phone.locator("[name=photo]").set_input_files(tmp_path / "lamp.jpg", timeout=60_000)
    expect(phone.locator(".preview img")).to_be_visible()
    expect(phone.locator(".photo [role=status]")).to_have_text("已选：lamp.jpg")
    eventually(phone, "document.querySelector('[name=photo]').files[0].name === 'photo.jpg'")
    assert size_of_photo(phone) < len(large) / 2
    assert not barriers(phone)
    phone.get_by_role("button", name="不要这张").click()
    expect(phone.locator(".preview")).to_be_hidden()
    assert size_of_photo(phone) == 0


def test_the_browsers_own_english_words_do_not_stand_beside_the_button(phone: Page) -> None:
    phone.goto("/")
    label = phone.locator(".photo > label")
    expect(label).to_contain_text("拍照或选照片")
    assert phone.evaluate("getComputedStyle(document.querySelector('[name=photo]')).opacity") == "0"
    with phone.expect_file_chooser():
        label.click()


def test_a_photograph_of_80_mb_that_is_none_is_stopped_before_it_is_sent(phone: Page) -> None:
    phone.goto("/")
    # Chromium takes no 80 MB through Playwright: the file is made on the page.
    phone.evaluate(
        """() => {
            const list = new DataTransfer();
            list.items.add(new File([new Uint8Array(80 * 1024 * 1024)], "big.jpg", {type: "image/jpeg"}));
            const input = document.querySelector("[name=photo]");
            input.files = list.files;
            input.dispatchEvent(new Event("change", {bubbles: true}));
        }"""
    )
    expect(phone.locator(".photo [role=status]")).to_contain_text("有 80 MB，太大了")
    assert size_of_photo(phone) == 0


def test_a_photograph_of_80_mb_without_script_is_stopped_by_the_server_and_the_words_stay(
    phone_without_script: Page, tmp_path: Path
) -> None:
    big = tmp_path / "big.jpg"
    with big.open("wb") as f:
        f.truncate(80 * 1024 * 1024)
    page = phone_without_script
    page.goto("/")
    page.locator("[name=text]").fill("路灯不亮")
    page.locator("[name=photo]").set_input_files(big)
    page.get_by_role("button", name="下一步").click(timeout=60_000)
    expect(page.locator("#id_photo_error")).to_contain_text("超过 20 MB", timeout=60_000)
    expect(page.locator("[name=text]")).to_have_value("路灯不亮")


@pytest.mark.parametrize(
    "lie",
    [
        file(b"MZ\x90\x00 this program cannot be run", "holiday.jpg"),
        file(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "lamp.png", "image/png"),
        file(b"%PDF-1.7 x", "lamp.webp", "image/webp"),
    ],
    ids=["program", "drawing", "document"],
)
def test_a_file_that_lies_about_its_type_is_refused_and_the_words_stay(
    phone: Page, lie: dict[str, object]
) -> None:
    phone.goto("/")
    phone.locator("[name=text]").fill("路灯不亮")
    phone.locator("[name=photo]").set_input_files(lie)  # type: ignore[arg-type]
    expect(phone.locator(".preview")).to_be_hidden()
    phone.get_by_role("button", name="下一步").click()
    expect(phone.locator("#id_photo_error")).to_contain_text("不是")
    expect(phone.locator("[name=text]")).to_have_value("路灯不亮")


def test_without_a_camera_or_a_photograph_the_report_goes_its_way(
    open_context: Callable[..., BrowserContext],
) -> None:
    page = open_context(permissions=[]).new_page()
    begin(page)
    past_the_look_alikes(page)
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/t/**")


# --- twice, back, two tabs, cookies ----------------------------------------------------------------------------------


def test_back_after_sending_leads_to_the_case_and_makes_no_second(phone: Page) -> None:
    begin(phone)
    past_the_look_alikes(phone)
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_url("**/t/**")
    code = phone.locator(".code-big").inner_text()
    for _n in range(3):
        phone.go_back()
    # Whatever page of the report the browser still holds, sending it again leads to the same case.
    phone.wait_for_load_state()
    if "/t/" not in phone.url:
        phone.locator("main form:has(.buttons) .buttons button").first.click()
    phone.wait_for_url(f"**/t/{code}/?again=1")
    expect(phone.locator(".notice")).to_contain_text("已经提交过")


def test_two_tabs_are_two_reports(open_context: Callable[..., BrowserContext]) -> None:
    context = open_context()
    codes = []
    one, two = context.new_page(), context.new_page()
    begin(one, "鹿苑小区路灯不亮，第一个窗口")
    begin(two, "鹿苑小区垃圾没人收，第二个窗口")
    for tab, words in ((one, "第一个窗口"), (two, "第二个窗口")):
        past_the_look_alikes(tab)
        tab.get_by_role("button", name="提交").click()
        tab.wait_for_url("**/t/**")
        codes.append(tab.locator(".code-big").inner_text())
        tab.locator("summary", has_text="您反映的内容").click()
        expect(tab.locator("blockquote.said")).to_contain_text(words)
    assert codes[0] != codes[1]


def test_cookies_cleared_in_the_middle_lose_nothing(phone: Page) -> None:
    begin(phone)
    past_the_look_alikes(phone)
    phone.locator("[name=name]").fill("王女士")
    phone.locator("[name=phone]").fill("13800132210")
    phone.context.clear_cookies()
    phone.get_by_role("button", name="提交").click()
    expect(phone.locator(".error-list")).to_contain_text("请再按一次按钮")
    expect(phone.locator("[name=name]")).to_have_value("王女士")
    expect(phone.locator(".said")).to_contain_text("路灯不亮")
    assert not barriers(phone)
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_url("**/t/**")


def test_cookies_cleared_on_the_front_page_lose_nothing(phone: Page) -> None:
    phone.goto("/")
    phone.locator("[name=text]").fill("路灯不亮")
    phone.context.clear_cookies()
    phone.get_by_role("button", name="下一步").click()
    expect(phone.locator(".error-list")).to_contain_text("请再按一次按钮")
    expect(phone.locator("[name=text]")).to_have_value("路灯不亮")
    phone.get_by_role("button", name="下一步").click()
    phone.wait_for_url("**/place/")


# --- no map ----------------------------------------------------------------------------------------------------------


def choose_from_the_list(page: Page) -> None:
    page.get_by_role("button", name="东原区", exact=True).click()
    page.get_by_role("button", name="长青街道", exact=True).click()
    page.get_by_role("button", name="钢花社区", exact=True).click()
    expect(page.get_by_role("radio", name=re.compile("钢花社区"))).to_be_checked()
    past_the_look_alikes(page)
    expect(page.locator("main")).to_contain_text("钢花社区")


def test_a_list_takes_the_place_of_a_map_whose_outlines_do_not_load(phone: Page) -> None:
    phone.route("**/outlines.json", lambda route: route.fulfill(status=404, body=""))
    begin(phone, "路灯不亮")
    phone.get_by_role("button", name="在地图上选").click()
    expect(phone.locator("[data-status]")).to_contain_text("地图打不开")
    expect(phone.locator(".map")).to_be_hidden()
    assert phone.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert not barriers(phone)
    choose_from_the_list(phone)


def test_a_list_takes_the_place_of_a_map_without_webgl(phone: Page) -> None:
    phone.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    begin(phone, "路灯不亮")
    phone.get_by_role("button", name="在地图上选").click()
    expect(phone.locator("[data-status]")).to_contain_text("地图打不开")
    choose_from_the_list(phone)


def test_a_list_takes_the_place_of_a_map_whose_program_does_not_arrive(
    open_context: Callable[..., BrowserContext], request: pytest.FixtureRequest
) -> None:
    page = open_context().new_page()

    def cut(route: Route) -> None:
        route.fulfill(status=404, body="")

    page.route(re.compile(r"/assets/map-.*\.js"), cut)
    begin(page, "路灯不亮")
    page.get_by_role("button", name="在地图上选").click()
    expect(page.locator("[data-status]")).to_contain_text("地图打不开")
    choose_from_the_list(page)


def test_the_list_works_without_script(phone_without_script: Page) -> None:
    begin(phone_without_script, "路灯不亮")
    phone_without_script.locator("summary", has_text="从名单中选").click()
    choose_from_the_list(phone_without_script)


def test_the_list_works_by_keyboard(desktop: Page) -> None:
    begin(desktop, "路灯不亮")
    desktop.locator("details.list summary").focus()
    desktop.keyboard.press("Enter")
    desktop.keyboard.press("Tab")
    assert desktop.evaluate("document.activeElement.innerText") == "东原区"
    desktop.keyboard.press("Enter")
    desktop.wait_for_url("**/place/?list=1#list")
    expect(desktop.get_by_role("button", name="长青街道")).to_be_visible()


def test_the_map_is_used_by_keyboard(desktop: Page) -> None:
    begin(desktop, "路灯不亮")
    desktop.get_by_role("button", name="在地图上选").click()
    expect(desktop.locator(".map canvas")).to_be_visible()
    desktop.locator(".map canvas").focus()
    desktop.keyboard.press("Enter")
    expect(desktop.locator("[data-point] input")).to_be_checked()
    assert 110.0 < float(desktop.locator("[name=lon]").input_value()) < 110.08


# --- the code, to keep -----------------------------------------------------------------------------------------------


def test_the_code_is_copied_saved_and_shared(open_context: Callable[..., BrowserContext], site: Site) -> None:
    context = open_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.add_init_script("navigator.share = given => { window.shared = given; return Promise.resolve(); }")
    code = site.code("signed")
    page.goto(f"/t/{code}/")
    page.locator("summary", has_text="保存、分享查询码").click()
    page.get_by_role("button", name="复制查询码").click()
    expect(page.locator("#toasts")).to_contain_text("已复制")
    assert page.evaluate("navigator.clipboard.readText()") == code
    page.get_by_role("button", name="分享", exact=True).click()
    assert page.evaluate("window.shared") == {
        "title": "鹿城 12345 · 查询码",
        "text": code,
        "url": f"{site.address}/t/{code}/",
    }
    with page.expect_download() as saved:
        page.get_by_role("link", name="存成图片").click()
    assert saved.value.suggested_filename == f"{code}.png"
    assert Image.open(saved.value.path()).format == "PNG"


def test_the_code_is_copied_where_the_clipboard_is_closed(phone: Page, site: Site) -> None:
    phone.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    phone.goto(f"/t/{site.code('signed')}/")
    phone.locator("summary", has_text="保存、分享查询码").click()
    phone.get_by_role("button", name="复制查询码").click()
    expect(phone.locator("#toasts")).to_contain_text("已复制")


def test_paper_has_the_story_the_code_and_no_buttons(desktop: Page, site: Site) -> None:
    follow(desktop, site.code("signed"))
    desktop.wait_for_load_state("networkidle")  # the island that unfolds for paper has come
    desktop.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    desktop.emulate_media(media="print")
    expect(desktop.locator(".qr")).to_be_visible()
    expect(desktop.locator("blockquote.said").last).to_be_visible()
    expect(desktop.locator(".timeline")).to_be_visible()
    assert desktop.locator("main button:visible").count() == 0
    assert desktop.locator("main textarea:visible").count() == 0


# --- my cases --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_my_cases_open_by_a_code_to_the_number(
    open_context: Callable[..., BrowserContext], site: Site, script: bool
) -> None:
    staff = open_context(viewport=DESKTOP).new_page()
    sign_in(staff, "duty_officer")
    page = open_context(java_script_enabled=script).new_page()
    page.goto("/")
    page.get_by_role("link", name="我的诉求").click()
    page.locator("[name=phone]").fill("138 0000 0000")
    page.get_by_role("button", name="获取验证码").click()
    page.wait_for_url("**/mine/code/")
    page.locator("[name=code]").fill("12345")
    page.get_by_role("button", name="查看我的诉求").click()
    expect(page.locator("#id_code_error")).to_be_visible()
    staff.goto("/messages/")
    found = re.search(r"验证码(\d{6})", staff.locator("main").inner_text())
    assert found
    page.locator("[name=code]").fill(found[1])
    page.get_by_role("button", name="查看我的诉求").click()
    page.wait_for_url("**/mine/cases/")
    page.locator(".alike a").first.click()
    page.wait_for_url("**/t/LC-**")
    expect(page.locator("blockquote.said")).to_have_count(1)
    page.goto("/mine/")
    page.wait_for_url("**/mine/cases/")
    assert not script or not barriers(page)
    page.get_by_role("button", name="在本设备上退出").click()
    page.wait_for_url("**/mine/")
    assert not script or not barriers(page)


# --- the whole of it, narrow, large and dark -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("viewport", "scheme"), [*VIEWS, (ZOOMED, "light")], ids=["phone-light", "desktop-dark", "zoomed-light"]
)
def test_nothing_stands_in_the_way_on_any_page(
    open_context: Callable[..., BrowserContext], site: Site, viewport: dict[str, int], scheme: str
) -> None:
    page = open_context(viewport=viewport, color_scheme=scheme).new_page()
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found[name] = barriers(page)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            found[name].append(f"{wide} pixels wider than the screen")

    page.goto("/")
    page.locator("[name=photo]").set_input_files(file(jpeg((640, 480))))  # type: ignore[arg-type]
    expect(page.locator(".preview img")).to_be_visible()
    page.locator("[name=text]").fill("鹿苑小区着火了")
    expect(page.locator("#urgent a[href='tel:119']")).to_be_visible()
    look("front page")
    page.get_by_role("button", name="下一步").click()
    page.wait_for_url("**/place/")
    page.locator("details.list summary").click()
    look("place")
    page.get_by_role("button", name="东原区", exact=True).click()
    page.wait_for_url("**list=1#list")
    look("place, list")
    page.get_by_role("radio", name=re.compile("不清楚")).check()
    past_the_look_alikes(page)
    page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
    look("you")
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/t/**")
    look("sent")
    follow(page, site.code("callback"))
    page.evaluate("document.querySelectorAll('details').forEach(d => (d.open = true))")
    look("tracking")
    for name, address in {
        "neighbourhoods": "/around/",
        "found": "/around/?q=鹿苑小区",
        "not found": "/around/?q=火星",
        "township": "/around/990101001/?days=90",
        "community": "/around/990101001001/?days=90",
    }.items():
        page.goto(address)
        look(name)
    assert not {name: barriers for name, barriers in found.items() if barriers}


def test_the_neighbourhood_where_the_telephone_stands(open_context: Callable[..., BrowserContext]) -> None:
    here = {"longitude": 110.006, "latitude": 40.006}
    page = open_context(geolocation=here, permissions=["geolocation"]).new_page()
    page.goto("/")
    page.get_by_role("link", name="身边的事").click()
    page.get_by_role("button", name="我所在的位置").click()
    page.wait_for_url("**/around/990101001001/")
    expect(page.locator("h1")).to_contain_text("花园社区")
    expect(page.locator("main")).to_contain_text("数据截至")


def test_the_neighbourhood_without_script(phone_without_script: Page) -> None:
    page = phone_without_script
    page.goto("/around/")
    for name in ("东原区", "长青街道", "花园社区"):
        page.get_by_role("link", name=name, exact=True).click()
    page.wait_for_url("**/around/990101001001/")


def test_the_callback_is_answered_on_the_page_and_an_objection_made(phone: Page, site: Site) -> None:
    follow(phone, site.code("closed"))
    phone.locator("summary", has_text="我有意见").click()
    phone.locator("#appeal_note").fill("没有人联系过我")
    phone.get_by_role("button", name=re.compile("提交")).click()
    expect(phone.locator(".timeline")).to_contain_text("没有人联系过我")


def test_words_in_other_scripts_run_their_own_way(phone: Page) -> None:
    phone.goto("/")
    box = phone.locator("[name=text]")
    box.fill("الشارع مظلم")
    assert phone.evaluate("getComputedStyle(document.querySelector('[name=text]')).direction") == "rtl"
    box.fill("ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ")
    assert phone.evaluate("getComputedStyle(document.querySelector('[name=text]')).direction") == "ltr"
    phone.get_by_role("button", name="下一步").click()
    expect(phone.locator(".said")).to_have_text("ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ")


def test_fifty_thousand_characters_do_not_break_the_page(phone: Page) -> None:
    text = "路灯不亮。" * 10_000
    phone.goto("/")
    phone.locator("[name=text]").fill(text)
    phone.get_by_role("button", name="下一步").click()
    phone.get_by_role("radio", name=re.compile("不清楚")).check()
    past_the_look_alikes(phone)
    phone.get_by_role("button", name="提交").click()
    phone.wait_for_url("**/t/**")
    phone.locator("summary", has_text="您反映的内容").click()
    assert phone.locator("blockquote.said").inner_text() == text
    assert phone.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
