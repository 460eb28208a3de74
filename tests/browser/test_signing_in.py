"""An administrator's first morning: the app, the recovery codes, a passkey, and signing in with each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lucheng.core.organisation.factors import code_at
from tests.browser.conftest import DESKTOP, PASSWORD, PHONE, Site, barriers, sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_context: Callable[..., BrowserContext], site: Site) -> Iterator[Page]:
    """At a name: browsers make no passkeys for a bare address. The device is Chromium's own virtual one."""
    context = open_context(viewport=DESKTOP, base_url=site.address.replace("127.0.0.1", "localhost"))
    opened = context.new_page()
    device = context.new_cdp_session(opened)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    yield opened


def test_an_administrator_sets_up_an_app_and_a_passkey_and_signs_in_with_it(page: Page) -> None:
    sign_in(page, "keeper")
    expect(page.locator("h1")).to_have_text("第二验证方式")
    page.goto("/admin/people/")
    expect(page.locator(".notice")).to_contain_text("请先设置第二验证方式")
    assert barriers(page) == []
    page.get_by_role("link", name="设置应用").click()
    secret = (page.locator("code").text_content() or "").replace(" ", "")
    assert barriers(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size(DESKTOP)
    page.locator("[name=code]").fill(code_at(secret, dt.datetime.now(dt.UTC)))
    page.locator("[name=current]").fill(PASSWORD)
    page.get_by_role("button", name="完成设置").click()
    expect(page.locator("ul.codes li")).to_have_count(10)
    code = page.locator("ul.codes li").first.text_content() or ""
    assert barriers(page) == []
    page.get_by_role("link", name="进入工作").click()
    page.wait_for_url("**/admin/people/")

    page.goto("/account/second/passkey/")
    page.locator("[name=label]").fill("值班室电脑")
    page.locator("[name=current]").fill(PASSWORD)
    assert barriers(page) == []
    page.get_by_role("button", name="添加", exact=True).click()
    expect(page.locator("main li")).to_contain_text("值班室电脑")
    assert barriers(page) == []

    page.get_by_role("button", name="退出").click()
    sign_in_half(page)
    assert barriers(page) == []
    page.get_by_role("button", name="使用通行密钥").click()
    page.wait_for_url("**/admin/")
    page.goto("/account/second/")
    expect(page.locator("main li")).to_contain_text("最近使用")

    page.get_by_role("button", name="退出").click()
    sign_in_half(page)
    page.locator("[name=code]").fill("000000")
    page.locator("main button:has-text('登录')").click()
    expect(page.locator("[role=alert]").first).to_contain_text("验证码错误")
    page.locator("[name=code]").fill(code)
    page.locator("main button:has-text('登录')").click()
    page.wait_for_url("**/admin/")


def sign_in_half(page: Page) -> None:
    """The password of somebody who is then asked for a second factor."""
    page.goto("/sign-in/")
    page.locator("[name=username]").fill("keeper")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url("**/sign-in/second/")
