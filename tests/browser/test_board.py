"""A dispatcher's morning: the orders of the night, one after another, without the mouse."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import DESKTOP, ROOT, VIEWS, Site, barriers, sign_in

pytestmark = pytest.mark.browser

Orders = dict[str, list[str]]


@pytest.fixture(scope="module")
def orders(site: Site) -> Orders:
    """What has come in overnight, by what is to be done with it."""
    from lucheng import embedded

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    parts = urlsplit(os.environ.get("DATABASE_URL") or embedded.url())
    address = urlunsplit(parts._replace(path=f"/browser_{worker}"))
    made = subprocess.run(
        [sys.executable, "-m", "tests.browser.board_seed"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "lucheng.settings"},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: Orders = json.loads(made.stdout)
    return found


def here(page: Page) -> str:
    """The order on whose row the focus is."""
    found: str = page.evaluate("document.activeElement?.closest('tr')?.dataset.number ?? ''")
    return found


def beside(page: Page, number: str) -> None:
    expect(page.locator(f"#preview:not([inert]) article[data-number='{number}']")).to_be_visible()


def begin(page: Page) -> None:
    """Come into the list, as soon as its script has been loaded."""
    for _ in range(100):
        if here(page):
            return
        page.keyboard.press("j")
        page.wait_for_timeout(50)
    pytest.fail("j leads nowhere")


def to(page: Page, number: str) -> None:
    """Move to the row of an order with j and k, and wait until it stands beside the list."""
    begin(page)
    for key in ("j", "k"):
        last = None
        while here(page) != number and here(page) != last:
            last = here(page)
            page.keyboard.press(key)
    assert here(page) == number
    beside(page, number)


def gone(page: Page, number: str) -> None:
    expect(page.locator(f"#case-{number}")).to_have_count(0)


def listed(page: Page, queue: str) -> set[str]:
    """Every order of a queue, by a page of its own."""
    words = page.request.get(f"/board/live/?queue={queue}").text()
    return set(re.findall(r'data-number="(\d+)"', words))


def said(page: Page, words: str) -> None:
    expect(page.locator("#toasts")).to_contain_text(words)


def test_a_morning_of_orders_is_worked_through_without_the_mouse(
    desktop: Page, site: Site, orders: Orders
) -> None:
    page = desktop
    sign_in(page, "dispatcher")
    page.clock.install()
    page.goto("/board/")
    page.keyboard.press("1")  # the queue of what is to be dispatched
    expect(page).to_have_url(re.compile("queue=new"))
    sure, worked = orders["sure"], 0

    # Ten, one after another: after each the focus is on the next row, whose order stands beside the list.
    to(page, sure[0])
    for _ in range(10):
        number = here(page)
        rows = page.locator("tr[data-number]").evaluate_all("all => all.map(r => r.dataset.number)")
        following = rows[rows.index(number) + 1]
        beside(page, number)
        page.keyboard.press("d")
        gone(page, number)
        expect(page.locator(f"#case-{following} a")).to_be_focused()
        if number not in sure:
            pytest.fail(f"{number} went out though nobody was sure of it")
        worked += 1
        if following not in sure:
            to(page, next(n for n in sure if page.locator(f"#case-{n}").count()))
    said(page, "已派给")

    # One that the advice could not place: d says why not, o names the matter and the unit.
    (doubtful,) = orders["doubtful"]
    to(page, doubtful)
    page.keyboard.press("d")
    said(page, "请选择事项")
    beside(page, doubtful)
    page.keyboard.press("o")
    expect(page.locator("#ask [name=lead_unit]")).to_be_focused()
    page.keyboard.type("鹿原市供热服务中心")
    page.locator("#ask [name=matter]").focus()
    page.keyboard.press("ArrowDown")
    page.locator("#ask [name=opinion]").focus()
    page.keyboard.type("来电核实为供热问题")
    page.keyboard.press("Control+Enter")
    gone(page, doubtful)
    worked += 1

    # The reasons stand in the page that is open.
    rest = [n for n in sure if page.locator(f"#case-{n}").count()]
    to(page, rest[0])
    page.keyboard.press("r")
    expect(page.locator("#preview details[open]")).to_contain_text(re.compile("派单目录第[0-9]+版"))

    # A matter of the police: the form comes with 110.
    page.keyboard.press("h")
    expect(page.locator("#ask [name=target][value='110']")).to_be_checked()
    page.locator("#ask [name=reason]").focus()
    page.keyboard.type("现场有人打架")
    page.keyboard.press("Control+Enter")
    gone(page, rest[0])
    worked += 1

    # Three selected, confirmed, and taken back.
    some = rest[1:4]
    for number in some:
        to(page, number)
        page.keyboard.press("x")
    page.keyboard.press("D")
    expect(page.locator("#ask")).to_contain_text("按建议派出 3 件")
    page.keyboard.press("Enter")
    for number in some:
        expect(page.locator(f"#case-{number}")).to_be_hidden()
    page.keyboard.press("z")
    for number in some:
        expect(page.locator(f"#case-{number}")).to_be_visible()
    page.clock.fast_forward(15_000)
    assert set(some) <= listed(page, "new")

    # The same and all others that are sure, and this time ten seconds pass.
    some = rest[1:]
    for number in some:
        to(page, number)
        page.keyboard.press("x")
    page.keyboard.press("D")
    expect(page.locator("#ask")).to_contain_text(f"按建议派出 {len(some)} 件")
    expect(page.locator("#ask h3")).to_have_count(2)  # by unit
    page.keyboard.press("Enter")
    expect(page.locator(f"#case-{some[0]}")).to_be_hidden()
    assert set(some) <= listed(page, "new")  # nothing is sent yet
    page.clock.fast_forward(10_000)
    said(page, f"已派出 {len(some)} 件")
    for number in some:
        gone(page, number)
    worked += len(some)

    # Two about one lamp: side by side, and joined.
    first, second = orders["alike"]
    to(page, second)
    page.keyboard.press("m")
    expect(page.locator("table.side-by-side")).to_contain_text(first)
    page.keyboard.press("m")
    expect(page).to_have_url(re.compile(r"/board/\?queue=new"))
    expect(page.locator("main .notice")).to_contain_text(f"{second} 已并入 {first}")
    gone(page, second)
    assert here(page)  # back on the row that took its place
    worked += 1

    # What a unit has answered: one approved, one sent back.
    page.keyboard.press("6")
    expect(page).to_have_url(re.compile("queue=review"))
    good, bad = orders["replied"]
    to(page, good)
    expect(page.locator("#preview")).to_contain_text("路灯已修好。")
    expect(page.locator("#preview")).to_contain_text("青山巷1号门前路灯坏了。")
    page.keyboard.press("v")
    gone(page, good)
    to(page, bad)
    page.keyboard.press("b")
    page.locator("#ask [name=reason]").focus()
    page.keyboard.type("请说明何时修好")
    page.keyboard.press("Control+Enter")
    gone(page, bad)
    worked += 2

    assert worked >= 20
    assert set(sure) - {rest[0]} <= listed(page, "to_sign")
    assert {good} <= listed(page, "callback")


def test_two_dispatchers_on_one_order_dispatch_it_once(
    open_context: Callable[..., BrowserContext], site: Site, orders: Orders
) -> None:
    (number,) = orders["rival"]
    mine, theirs = (open_context(viewport=DESKTOP).new_page() for _ in range(2))
    for page, who in ((mine, "dispatcher"), (theirs, "duty_officer")):
        sign_in(page, who)
        page.goto("/board/?queue=new")
        to(page, number)
    theirs.keyboard.press("d")
    gone(theirs, number)
    mine.keyboard.press("d")
    said(mine, "已有变化")
    gone(mine, number)
    assert here(mine)
    mine.goto(f"/cases/{number}/")
    assert mine.locator("main").inner_text().count("派单 →") <= 1


def test_what_is_held_goes_out_when_the_page_is_left(desktop: Page, site: Site, orders: Orders) -> None:
    sign_in(desktop, "dispatcher")
    desktop.goto("/board/?queue=new")
    for number in orders["leaving"]:
        to(desktop, number)
        desktop.keyboard.press("x")
    desktop.keyboard.press("D")
    expect(desktop.locator("#ask button").first).to_be_focused()
    desktop.keyboard.press("Enter")
    expect(desktop.locator(f"#case-{orders['leaving'][0]}")).to_be_hidden()
    desktop.goto("/style/")
    for number in orders["leaving"]:

        def arrived(number: str = number) -> bool:
            return number in listed(desktop, "to_sign")

        assert any(arrived() or desktop.wait_for_timeout(100) for _ in range(50))


def test_a_refresh_takes_neither_focus_nor_selection(desktop: Page, site: Site, orders: Orders) -> None:
    sign_in(desktop, "dispatcher")
    desktop.goto("/board/?queue=new")
    number = orders["plain"][0]
    to(desktop, number)
    desktop.keyboard.press("x")
    for _ in range(2):
        with desktop.expect_response(re.compile("/board/live/")):
            desktop.keyboard.press("R")
    expect(desktop.locator(f"#case-{number} a")).to_be_focused()
    expect(desktop.locator(f"#case-{number} input")).to_be_checked()
    expect(desktop.locator("#bulk button")).to_contain_text("1 件")


def test_a_list_that_cannot_be_refreshed_says_so_and_stays(desktop: Page, site: Site, orders: Orders) -> None:
    sign_in(desktop, "dispatcher")
    desktop.goto("/board/?queue=new")
    desktop.route("**/board/live/**", lambda route: route.fulfill(status=404, body="gone"))
    desktop.keyboard.press("R")
    expect(desktop.locator("#live")).to_contain_text("列表未能刷新")
    expect(desktop.locator(f"#case-{orders['plain'][0]}")).to_be_visible()


def test_a_session_that_has_ended_leads_back_to_the_list(desktop: Page, site: Site, orders: Orders) -> None:
    sign_in(desktop, "dispatcher")
    desktop.goto("/board/?queue=new")
    number = orders["plain"][0]
    to(desktop, number)
    desktop.context.clear_cookies(name="sessionid")
    desktop.keyboard.press("d")
    expect(desktop).to_have_url(re.compile(r"/sign-in/\?next=%2Fboard%2F%3Fqueue%3Dnew"))
    sign_in(desktop, "dispatcher")
    assert number in listed(desktop, "new")  # nothing was sent


def test_on_a_telephone_a_row_leads_to_the_case_and_many_go_by_touch(
    phone: Page, site: Site, orders: Orders
) -> None:
    sign_in(phone, "dispatcher")
    phone.goto("/board/?queue=new")
    number, other = orders["touched"]
    assert not phone.locator("#preview").is_visible()
    phone.locator(f"#case-{number} a").tap()
    expect(phone).to_have_url(re.compile(f"/cases/{number}/"))
    phone.go_back()
    for one in (number, other):
        phone.locator(f"#case-{one} input").tap()
    phone.locator("#bulk button").tap()
    expect(phone.locator("#ask")).to_contain_text("按建议派出 2 件")
    phone.locator("#ask form button").first.tap()
    expect(phone.locator(f"#case-{number}")).to_be_hidden()
    phone.locator("#toasts button").tap()
    expect(phone.locator(f"#case-{number}")).to_be_visible()


def test_without_script_many_orders_go_after_a_confirmation(
    open_context: Callable[..., BrowserContext], site: Site, orders: Orders
) -> None:
    page = open_context(viewport=DESKTOP, java_script_enabled=False).new_page()
    sign_in(page, "dispatcher")
    page.goto("/board/?queue=new")
    for number in orders["plain"]:
        page.locator(f"#case-{number} input").check()
    page.locator("#bulk button").click()
    page.locator("main form button").first.click()
    expect(page.locator("main")).to_contain_text("已派出 2 件")
    page.locator("main a", has_text="返回列表").click()
    for number in orders["plain"]:
        gone(page, number)


@pytest.mark.parametrize(("screen", "colours"), VIEWS, ids=["phone-light", "desktop-dark"])
def test_nothing_stands_in_the_way_on_the_board(
    open_context: Callable[..., BrowserContext],
    site: Site,
    orders: Orders,
    colours: str,
    screen: dict[str, int],
) -> None:
    page = open_context(viewport=screen, color_scheme=colours).new_page()
    sign_in(page, "duty_officer")
    found: dict[str, list[str]] = {}

    def look(name: str) -> None:
        found[name] = barriers(page)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found[name].append("wider than the screen")

    page.goto("/board/?queue=new&place=990101&unit=unknown")
    look("filtered")
    page.goto("/board/?queue=new")
    if screen is DESKTOP:
        to(page, orders["alike"][0])
        page.keyboard.press("r")
        look("preview")
        page.keyboard.press("h")
        expect(page.locator("#ask[open]")).to_be_visible()
        look("dialog")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_contain_text("并单")
        look("keys")
        page.keyboard.press("Escape")
    page.goto("/board/?queue=new")
    page.locator("td.select input").first.check()
    page.locator("#bulk button").click()
    expect(page.locator("#ask[open]")).to_be_visible()
    look("confirmation")
    first, second = orders["alike"]
    page.goto(f"/cases/{first}/merge/?with={second}")
    look("merge")
    page.goto(f"/cases/{site.cases['merged']['number']}/merge/")
    look("apart")
    page.goto("/board/?queue=review")
    if screen is DESKTOP:
        begin(page)
        expect(page.locator("#preview article")).to_be_visible()
    look("review")
    assert not {name: wrong for name, wrong in found.items() if wrong}
