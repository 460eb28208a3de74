"""How many queries a page asks, apart from the one that looks once a second whether memory is up to date."""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext


def queries(browser: Client, address: str) -> int:
    browser.get(address)  # warms what is held in memory
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(address).status_code == 200
    return sum("revisions_revision" not in q["sql"] for q in seen.captured_queries)
