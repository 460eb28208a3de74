"""The OpenAPI document: kept in the repository, valid, complete; and a page to browse it under the strict policy."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from lucheng.channels.api import cli
from tests.channels.api.conftest import request

KEPT = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_the_document_in_the_repository_is_the_one_that_is_served(db: None) -> None:
    assert cli.text() == KEPT.read_text(encoding="utf-8"), (
        "The API has changed: run `lucheng api document --out docs/openapi.json` and look at the difference."
    )
    served = request("GET", "/api/v1/openapi.json")
    assert served.json == json.loads(KEPT.read_text(encoding="utf-8"))


def test_the_document_is_valid_openapi_3_1() -> None:
    document = json.loads(KEPT.read_text(encoding="utf-8"))
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    document: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    seen = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"] and operation["description"], (method, path)
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
            assert operation["operationId"] not in seen
            seen.add(operation["operationId"])
            open_to_all = "/track/" in path or "/public/" in path
            assert ("security" in operation) is not open_to_all, (method, path)


def test_the_page_to_browse_it_fetches_nothing_from_elsewhere_and_runs_nothing_inline(db: None) -> None:
    page = Client().get("/api/docs")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    html = page.content.decode()
    for attributes, content in re.findall(r"<script([^>]*)>(.*?)</script>", html, re.DOTALL):
        assert "src=" in attributes or 'type="application/json"' in attributes, content
    assert not re.search(r"<style|\sstyle=|\son\w+=|https?://", html)
    for source in re.findall(r'(?:src|href)="/static/([^"]+)"', html):
        assert finders.find(source), source
