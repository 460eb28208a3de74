"""Whatever goes wrong under /api/ is a problem with a page that explains it, and never shows what is inside."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import translation

from lucheng.channels.api import problems
from lucheng.core.cases.models import Case
from lucheng.core.errors import Refused
from tests import factories
from tests.channels.api.conftest import Callers, request


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/", "/api/v2/cases", "/api/v1/cases/"])
def test_an_unknown_address_is_a_problem(db: None, path: str) -> None:
    answer = request("GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert answer.json["type"] == "/problems/not-found"
    assert answer.json["detail"] == "该地址没有内容。"


def test_a_wrong_method_names_the_right_ones(caller: Callers) -> None:
    answer = request("DELETE", "/api/v1/cases", accept_language="en")
    assert (answer.status, answer.json["type"]) == (405, "/problems/method")
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "POST"}


def test_pages_outside_the_api_keep_their_own_errors(db: None) -> None:
    assert "problem" not in request("GET", "/nothing-here").headers["Content-Type"]


def test_an_error_of_ours_says_so_and_nothing_more(caller: Callers, city: factories.City) -> None:
    who = caller("dispatcher")
    with connection.cursor() as cursor:
        cursor.execute("drop table dispatch_alarm cascade")
    for answer in (
        who.get("/cases?queue=no_rule"),
        who.create({"kind": "command_centre.order", "nature": "help", "content": "路灯不亮"}),
    ):
        assert (answer.status, answer.json["type"]) == (500, "/problems/broken")
        assert answer.json.keys() == {"type", "title", "status", "detail"}
        assert not re.search("dispatch_alarm|relation|select|Traceback|Error", answer.body.decode())
        with connection.cursor() as cursor:
            cursor.execute("rollback")
            cursor.execute("begin")


def test_every_kind_of_problem_has_a_page_in_both_languages(db: None) -> None:
    for slug, kind in problems.KINDS.items():
        for language in ("zh-hans", "en"):
            page = Client().get(f"/problems/{slug}", headers={"Accept-Language": language})
            assert page.status_code == 200
            with translation.override(language):
                assert str(kind.title) in page.content.decode()
                assert str(problems.ADVICE[kind])[:10] in page.content.decode()
    assert Client().get("/problems/no-such-kind").status_code == 404


def test_every_kind_of_problem_is_explained() -> None:
    def below(kind: type[Refused]) -> set[str]:
        return {kind.slug}.union(*(below(k) for k in kind.__subclasses__()))

    assert below(Refused) - {"refused"} <= set(problems.KINDS)


def test_every_sentence_has_its_chinese(db: None) -> None:
    texts = [
        *problems.ADVICE.values(),
        *(kind.title for kind in problems.ADVICE),
        *problems._PYDANTIC.values(),
        *(text for _pattern, text in problems._MSGSPEC),
    ]
    with translation.override("zh-hans"):
        assert [str(t) for t in texts if not re.search("[一-鿿]", str(t))] == []


def test_while_the_keys_of_personal_data_are_away_a_create_is_refused_in_words_and_succeeds_later(
    caller: Callers, settings: Any, tmp_path: Path
) -> None:
    who, kept = caller("operator"), settings.HOME
    settings.HOME, settings.WRAPPING, settings.VAULT_URL = tmp_path, "vault", "http://127.0.0.1:9"
    order = {"kind": "command_centre.order", "nature": "help", "content": "路灯不亮", "phone": "13800000000"}
    answer = who.post("/cases", order, idempotency_key="keys-are-away", accept_language="zh-CN")
    assert answer.status == 503 and answer.headers["Retry-After"]
    assert answer.json["type"] == "/problems/unavailable" and "密钥暂时无法使用" in answer.json["detail"]
    assert "127.0.0.1" not in answer.json["detail"]
    assert not Case.objects.exists()
    settings.HOME = kept
    assert who.post("/cases", order, idempotency_key="keys-are-away").status == 201
