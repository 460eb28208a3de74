"""The API's documentation in a real browser, under the strict content security policy."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, sign_in

pytestmark = pytest.mark.browser


def test_the_documentation_lists_every_operation_and_tries_one_out_with_the_session(desktop: Page) -> None:
    sign_in(desktop, "dispatcher")
    desktop.goto("/api/docs")
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    expect(desktop.locator(".opblock")).to_have_count(
        sum(len(methods) for methods in document["paths"].values())
    )
    block = desktop.locator("#operations-cases-list_queues")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table tbody .response-col_status")).to_contain_text("200")
