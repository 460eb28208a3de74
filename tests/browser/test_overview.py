"""The command overview in a real browser: live, honest of its age, on a map or in its table; and the wall, legible
from five metres; and the style page, which shows every component."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import DESKTOP, VIEWS, Site, barriers, sign_in
from tests.factories import GRID

pytestmark = pytest.mark.browser

Contexts = Callable[..., BrowserContext]
#: How long something may take to show on a busy machine.
PATIENCE = 20_000

_CREATE = """async ({place, key}) => {
  const token = document.querySelector("meta[name=csrf-token]").content;
  const answer = await fetch("/api/v1/cases", {
    method: "POST",
    headers: {"Content-Type": "application/json", "Idempotency-Key": key, "X-CSRFToken": token},
    body: JSON.stringify({
      kind: "command_centre.order", nature: "help", channel: "phone", place,
      content: "鹿苑小区门口的路灯不亮，已经三天了。", phone: "13800000000", name: "测试人",
    }),
  });
  return answer.status;
}"""


def count(page: Page, figure: str) -> int:
    return int(page.locator(f"#numbers .{figure} .figure").inner_text().replace(",", ""))


def test_a_case_from_the_api_appears_on_the_open_page_by_itself(
    open_context: Contexts, site: Site, desktop: Page
) -> None:
    sign_in(desktop, "supervisor")
    desktop.goto("/overview/")
    loaded: list[str] = []
    desktop.on("framenavigated", lambda frame: loaded.append(frame.url))
    before = count(desktop, "received")
    newest = desktop.locator("#events tbody tr").first
    assert newest.is_visible()
    desktop.locator("#numbers .open a").focus()

    elsewhere = open_context(viewport=DESKTOP).new_page()
    sign_in(elsewhere, "duty_officer")
    assert elsewhere.evaluate(_CREATE, {"place": GRID, "key": "browser-overview-1"}) == 201

    expect(desktop.locator("#numbers .received .figure")).to_have_text(str(before + 1), timeout=PATIENCE)
    expect(desktop.locator("#events tbody tr").first).to_contain_text("已收到")
    # In place: nothing was loaded again, and the keyboard stands where it stood.
    assert not loaded
    assert desktop.evaluate("document.activeElement.closest('li')?.className") == "open"
    assert desktop.locator("[data-away]").is_hidden()


def test_every_number_is_a_link_to_as_many_rows(desktop: Page, site: Site) -> None:
    sign_in(desktop, "duty_officer")
    for figure in ("received", "dispatched", "closed", "overdue", "open"):
        desktop.goto("/overview/")
        desktop.locator("[data-pause]").click()
        shown = count(desktop, figure)
        desktop.locator(f"#numbers .{figure} a").click()
        desktop.wait_for_url("**/board/**")
        assert desktop.locator("[data-number]").count() == min(shown, 50), figure  # a page of them
        expect(desktop.locator("nav.pages").last).to_contain_text(f"{shown:,}")


def test_a_server_that_is_away_is_said_with_the_time_and_forgotten_when_it_is_back(
    desktop: Page, site: Site
) -> None:
    sign_in(desktop, "duty_officer")
    desktop.goto("/overview/")
    clock = desktop.locator("[data-as-of]")
    expect(clock).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    shown = clock.inner_text()
    expect(clock).not_to_have_text(shown, timeout=PATIENCE)  # a sign of life

    held: list[Route] = []
    desktop.route("**/overview/", lambda route: held.append(route))  # no answer comes
    away = desktop.locator("[data-away]")
    expect(away).to_be_visible(timeout=PATIENCE)
    stood = clock.inner_text()
    expect(away).to_have_text(f"服务器自 {stood} 起没有应答，下列数字停在那一刻。")
    assert desktop.locator(".overview.stale").count() == 1
    assert not barriers(desktop)

    desktop.unroute_all(behavior="ignoreErrors")
    expect(away).to_be_hidden(timeout=PATIENCE)
    expect(clock).not_to_have_text(stood)


def test_updating_can_be_paused_and_says_so(desktop: Page, site: Site) -> None:
    sign_in(desktop, "duty_officer")
    desktop.goto("/overview/")
    pause = desktop.get_by_role("button", name="暂停更新")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    expect(desktop.locator("[data-away]")).to_contain_text("已暂停更新")
    pause.click()
    expect(desktop.locator("[data-away]")).to_be_hidden(timeout=PATIENCE)


def test_a_session_that_ended_is_said(desktop: Page, site: Site) -> None:
    sign_in(desktop, "duty_officer")
    desktop.goto("/overview/")
    desktop.context.clear_cookies()
    expect(desktop.locator("[data-away]")).to_contain_text("登录已失效", timeout=PATIENCE)


def test_the_map_labels_each_county_with_shapes_and_numbers_that_open_its_list(
    desktop: Page, site: Site
) -> None:
    sign_in(desktop, "duty_officer")
    desktop.goto("/overview/")
    expect(desktop.locator(".map[data-state=drawn]")).to_be_visible(timeout=PATIENCE)
    desktop.locator("[data-pause]").click()
    mark = desktop.locator(".mark", has_text="东原区")
    row = desktop.locator("#counties tr[data-key='990101']")
    standing = row.locator("[data-series=open]").get_attribute("data-value")
    expect(mark).to_contain_text(f"● 未办结 {standing}")
    assert f"未办结 {standing}" in (mark.text_content() or "")
    mark.focus()
    desktop.keyboard.press("Enter")
    desktop.wait_for_url("**/board/?place=990101")
    assert desktop.locator("[data-number]").count() == min(int(standing or "-1"), 50)  # a page of them
    expect(desktop.locator("nav.pages").last).to_contain_text(standing or "-1")


def test_where_the_map_cannot_load_its_table_stands_there(desktop: Page, site: Site) -> None:
    sign_in(desktop, "duty_officer")
    desktop.route("**/outlines.json", lambda route: route.fulfill(status=404))
    desktop.goto("/overview/")
    expect(desktop.get_by_text("此处无法显示地图，下表是同样的数字。")).to_be_visible(timeout=PATIENCE)
    expect(desktop.locator("#counties")).to_be_visible()
    assert desktop.locator("#counties tbody tr").count() == 2
    assert desktop.locator(".map").is_hidden()


def test_without_script_the_tables_are_there_and_the_page_renews_itself(
    open_context: Contexts, site: Site
) -> None:
    page = open_context(viewport=DESKTOP, java_script_enabled=False).new_page()
    sign_in(page, "duty_officer")
    page.goto("/overview/")
    assert page.locator("#counties").is_visible()
    assert page.locator("#hours").is_visible()
    assert page.locator("meta[http-equiv=refresh]").count() == 1
    assert page.locator("[data-pause]").is_hidden()


def test_a_figure_is_drawn_from_its_table(desktop: Page, site: Site) -> None:
    sign_in(desktop, "duty_officer")
    desktop.goto("/overview/")
    chart = desktop.locator(".chart", has=desktop.locator("#hours"))
    expect(chart.locator("canvas")).to_be_visible(timeout=PATIENCE)
    chart.get_by_text("以表格显示").click()
    assert chart.locator("tbody tr").count() == 24
    painted = """c => new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size"""
    assert chart.locator("canvas").evaluate(painted) > 10


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [*VIEWS, ({"width": 1920, "height": 1080}, "dark")],
    ids=["phone-light", "desktop-dark", "wall-dark"],
)
def test_nothing_stands_in_the_way_on_the_overview(
    open_context: Contexts, site: Site, scheme: str, viewport: dict[str, int]
) -> None:
    page = open_context(viewport=viewport, color_scheme=scheme).new_page()
    sign_in(page, "duty_officer")
    page.goto("/overview/")
    expect(page.locator(".map[data-state=drawn]")).to_be_visible(timeout=PATIENCE)
    page.locator("[data-pause]").click()
    assert not barriers(page)
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


# Every visible word of the wall with the height of its letters, and every part that does not fit its place.
_WORDS = """() => {
  const seen = [];
  const walk = document.createTreeWalker(document.querySelector(".wall-sheet"), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const at = walk.currentNode.parentElement, box = at.getBoundingClientRect();
    if (!walk.currentNode.textContent.trim() || box.width < 2 || box.height < 2 || !at.checkVisibility()) continue;
    if (at.closest(".table, .visually-hidden, .shape")) continue;
    seen.push({
      words: walk.currentNode.textContent.trim(), size: parseFloat(getComputedStyle(at).fontSize),
      figure: at.matches(".today-numbers .figure"), bottom: box.bottom, right: box.right,
    });
  }
  return seen;
}"""
_CUT = """() => [...document.querySelectorAll(".wall-sheet > section, .wall-sheet > .head, .map, body, main")]
  .filter(e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
  .map(e => `${e.tagName}.${e.className} ${e.scrollWidth}x${e.scrollHeight} in ${e.clientWidth}x${e.clientHeight}`)"""


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
def test_the_wall_fits_without_scrolling_and_is_legible_from_five_metres(
    open_context: Contexts, site: Site, width: int, height: int
) -> None:
    page = open_context(viewport={"width": width, "height": height}).new_page()
    sign_in(page, "duty_officer")
    page.goto("/wall/")
    expect(page.locator(".map[data-state=drawn]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".mark").first).to_be_visible()
    assert page.evaluate(_CUT) == []
    words = page.evaluate(_WORDS)
    assert len(words) > 20
    assert not [w for w in words if w["size"] < height * 0.028 - 0.5]
    assert not [w for w in words if w["figure"] and w["size"] < height * 0.075 - 0.5]
    assert not [w for w in words if w["bottom"] > height + 1 or w["right"] > width + 1]
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert not barriers(page)


def test_the_wall_lives_and_the_keyboard_finds_the_way_back(open_context: Contexts, site: Site) -> None:
    page = open_context(viewport={"width": 1920, "height": 1080}).new_page()
    sign_in(page, "supervisor")
    page.goto("/wall/")
    clock = page.locator("[data-as-of]")
    shown = clock.inner_text()
    expect(clock).not_to_have_text(shown, timeout=PATIENCE)
    bar = page.locator("header.bar")
    assert bar.bounding_box()["x"] < 0  # type: ignore[index]
    page.keyboard.press("Tab")  # the link past the bar
    page.keyboard.press("Tab")
    assert bar.bounding_box()["x"] == 0  # type: ignore[index]
    page.get_by_role("link", name="指挥总览").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/overview/")


@pytest.mark.parametrize(("viewport", "scheme"), VIEWS, ids=["phone-light", "desktop-dark"])
def test_the_style_page_shows_every_component_and_nothing_stands_in_the_way(
    open_context: Contexts, site: Site, scheme: str, viewport: dict[str, int]
) -> None:
    page = open_context(viewport=viewport, color_scheme=scheme).new_page()
    page.goto("/style/")
    expect(page.locator(".map[data-state=drawn]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".chart canvas")).to_have_count(2)
    for part in (
        "header.bar",
        "form.filter",
        ".pages",
        ".cases",
        ".clock",
        ".timeline",
        ".empty",
        ".alarm",
        ".error-list",
        ".facts",
        "figure.chart",
        ".map",
    ):
        assert page.locator(part).first.is_visible(), part
    assert not barriers(page)
    page.locator("[data-dialog=sample]").click()
    expect(page.locator("dialog#sample")).to_be_visible()
    assert not barriers(page)
    page.locator("dialog#sample button").first.click()
    page.locator("[data-island=say]").click()
    expect(page.locator("#toasts")).to_contain_text("两件工单已派出")
    assert not barriers(page)
    page.locator("#toasts button").click()
    expect(page.locator("#toasts")).to_contain_text("已撤回")
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
