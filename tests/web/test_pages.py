"""The frame of every page: the bar, signing in, large print, language, errors, and what may stand in HTML."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import path

from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.urls import urlpatterns as all_pages
from lucheng.web.templatetags import lucheng as tags
from tests import factories

SOURCE = Path(__file__).parents[2] / "src" / "lucheng"
TEMPLATES = sorted(SOURCE.glob("**/templates/**/*.html"))


def refuse(request: HttpRequest, kind: str) -> HttpResponse:
    raise {
        "notfound": NotFound("there is no such order"),
        "forbidden": Forbidden("your posts do not let you do this"),
        "conflict": Conflict("somebody was first"),
        "invalid": Invalid({"phone": "not a number"}),
        "denied": PermissionDenied(),
        "bug": RuntimeError("a bug"),
    }[kind]


urlpatterns = [*all_pages, path("refuse/<str:kind>/", refuse)]


# --- the bar and signing in -----------------------------------------------------------------------------------------


def bar(client: Client, address: str = "/style/") -> list[str]:
    page = client.get(address).content.decode()
    nav = re.search(r'<nav aria-label="[^"]*">(.*?)</nav>', page, re.DOTALL)
    return re.findall(r'href="([^"]+)"', nav[1]) if nav else []


def test_the_bar_shows_what_the_posts_open(client: Client, city: factories.City) -> None:
    assert bar(client) == []
    client.force_login(city.people["operator"])
    operator = bar(client)
    client.force_login(city.people["administrator"])
    administrator = bar(client)
    assert operator
    assert set(operator) != set(administrator)


def test_every_address_in_the_bar_opens_for_whom_it_is_shown(client: Client, city: factories.City) -> None:
    for name in (
        "operator",
        "dispatcher",
        "handler",
        "duty_officer",
        "supervisor",
        "administrator",
        "auditor",
    ):
        client.force_login(city.people[name])
        for address in bar(client):
            assert client.get(address, follow=True).status_code == 200, (name, address)


@pytest.mark.parametrize(("name", "address"), [("operator", "/desk/"), ("dispatcher", "/board/")])
def test_signing_in_leads_to_where_the_day_begins(
    client: Client, city: factories.City, name: str, address: str
) -> None:
    person = city.people[name]
    person.set_password("eine lange Losung 7")
    person.save()
    answer = client.post("/sign-in/", {"username": name, "password": "eine lange Losung 7"})
    assert (answer.status_code, answer["Location"]) == (302, address)
    assert address in bar(client)


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_colours_follow_the_device_until_the_reader_chooses(client: Client, db: None, chosen: str) -> None:
    assert "data-theme" not in client.get("/style/").content.decode()
    answer = client.post("/theme/", {"theme": chosen, "next": "/style/"})
    assert (answer.status_code, answer["Location"]) == (302, "/style/")
    assert f'data-theme="{chosen}"' in client.get("/style/").content.decode()
    client.post("/theme/", {"theme": "purple", "next": "https://elsewhere.example/"})
    assert "data-theme" not in client.get("/style/").content.decode()


@pytest.mark.parametrize(
    ("name", "password"), [("dispatcher", "wrong"), ("nobody", "x"), ("", ""), ("a\x00b", "x")]
)
def test_a_wrong_sign_in_says_so_and_keeps_the_name(
    client: Client, city: factories.City, name: str, password: str
) -> None:
    answer = client.post(
        "/sign-in/", {"username": name, "password": password}, headers={"accept-language": "zh-CN"}
    )
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert not answer.wsgi_request.user.is_authenticated


def test_a_person_who_left_cannot_sign_in(client: Client, city: factories.City) -> None:
    person = city.people["dispatcher"]
    person.set_password("eine lange Losung 7")
    person.is_active = False
    person.save()
    client.post("/sign-in/", {"username": "dispatcher", "password": "eine lange Losung 7"})
    assert bar(client) == []


def test_nobody_signs_out_by_following_a_link(client: Client, city: factories.City) -> None:
    client.force_login(city.people["operator"])
    assert client.get("/sign-out/").status_code == 405


# --- large print and language ---------------------------------------------------------------------------------------


def test_large_print_is_kept_and_taken_back(client: Client, db: None) -> None:
    assert client.post("/large-print/", {"next": "/t/"})["Location"] == "/t/"
    assert ' class="large"' in client.get("/sign-in/").content.decode()
    client.post("/large-print/", {"next": "/t/"})
    assert ' class="large"' not in client.get("/sign-in/").content.decode()


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)", ""]
)
def test_large_print_leads_nowhere_else(client: Client, db: None, target: str) -> None:
    assert client.post("/large-print/", {"next": target})["Location"] == "/"


def test_the_language_is_chosen_and_kept(client: Client, db: None) -> None:
    chinese = client.get("/sign-in/", headers={"accept-language": "zh-CN"}).content.decode()
    assert '<html lang="zh-Hans"' in chinese
    assert "工作人员登录" in chinese
    client.post("/i18n/setlang/", {"language": "en", "next": "/sign-in/"})
    english = client.get("/sign-in/", headers={"accept-language": "zh-CN"}).content.decode()
    assert '<html lang="en"' in english
    assert "Staff sign-in" in english


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("notfound", 404, "there is no such order"),
        ("forbidden", 403, "your posts do not let you do this"),
        ("conflict", 409, "somebody was first"),
        ("invalid", 422, "not a number"),
        ("denied", 403, "您不能查看此页"),
    ],
)
def test_a_refusal_becomes_a_page_with_its_status_and_words(
    client: Client, db: None, kind: str, status: int, words: str
) -> None:
    answer = client.get(f"/refuse/{kind}/", headers={"accept-language": "zh-CN"})
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert "<main" in answer.content.decode()


@pytest.mark.urls(__name__)
def test_a_fault_of_ours_says_so_and_tells_nothing_of_it(db: None) -> None:
    client = Client(raise_request_exception=False, headers={"accept-language": "zh-CN"})
    answer = client.get("/refuse/bug/")
    assert answer.status_code == 500
    assert "出错了" in answer.content.decode()
    assert "a bug" not in answer.content.decode()


def test_an_unknown_address_is_answered_in_the_readers_language(client: Client, db: None) -> None:
    for language, words in (("zh-CN", "没有这个页面"), ("en", "There is no such page")):
        answer = client.get("/no/such/page/", headers={"accept-language": language})
        assert answer.status_code == 404
        assert words in answer.content.decode()


def test_a_form_from_elsewhere_is_refused_with_what_to_do(db: None) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "zh-CN"})
    answer = client.post("/sign-in/", {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert "请再提交一次" in answer.content.decode()


def test_a_form_that_is_too_large_is_refused_with_what_to_do(client: Client, db: None) -> None:
    answer = client.post("/t/", {"code": "x" * 2_000_000}, headers={"accept-language": "zh-CN"})
    assert answer.status_code == 400
    assert "内容过大" in answer.content.decode()


# --- what pages are made of -----------------------------------------------------------------------------------------


def test_the_policy_allows_only_what_comes_from_here(client: Client, db: None) -> None:
    policy = client.get("/sign-in/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "object-src 'none'" in policy


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: str(t.relative_to(SOURCE)))
def test_no_template_has_inline_script_or_style_or_an_address_outside(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=|<style\b|\son[a-z]+\s*=|\bhx-on\b|javascript:", text), (
        "inline style or script"
    )
    assert not re.search(r"<script\b(?![^>]*\bsrc=)", text), "inline script"
    assert not re.search(r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//""", text), "an address outside"


def test_the_style_page_shows_every_component(client: Client, db: None) -> None:
    page = client.get("/style/", headers={"accept-language": "zh-CN"}).content.decode()
    for sign in (
        "还有 3 天",
        "还有 3 小时",
        "超期 2 天",
        "已暂停计时",
        "无时限",
        'class="timeline"',
        'aria-invalid="true"',
    ):
        assert sign in page


def test_a_field_with_an_error_is_joined_to_it_for_screen_readers(client: Client, db: None) -> None:
    page = client.post("/t/", {"code": ""}).content.decode()
    assert 'aria-describedby="id_code_helptext id_code_error"' in page
    assert 'id="id_code_error"' in page
    assert 'id="id_code_helptext"' in page


def test_built_files_are_named_by_content_and_kept_for_ever(client: Client, db: None) -> None:
    page = client.get("/sign-in/").content.decode()
    addresses = re.findall(r'(?:src|href)="(/static/dist/assets/[^"]+)"', page)
    assert len(addresses) == 2
    for address in addresses:
        answer = client.get(address, headers={"accept-encoding": "gzip"})
        assert "immutable" in answer["Cache-Control"]
        assert answer["Content-Encoding"] == "gzip"


def test_without_a_built_front_end_the_error_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tags, "_DIST", tmp_path)
    with pytest.raises(ImproperlyConfigured, match=r"hatch_build\.py"):
        tags.asset("main.ts")


def test_the_drawing_under_maps_holds_counties_townships_and_estates(
    client: Client, city: factories.City
) -> None:
    answer = client.get("/outlines.json")
    drawing: dict[str, Any] = json.loads(gzip.decompress(answer.content))
    named = {(f["properties"]["level"], f["properties"]["name"]) for f in drawing["features"]}
    assert {(6, "东原区"), (6, "北甸旗"), (9, "长青街道"), (0, "鹿苑小区")} <= named


def test_the_error_page_of_a_broken_server_needs_no_request() -> None:
    assert "500" not in render_to_string("500.html")
    assert "<form" not in render_to_string("400.html")


def test_the_time_of_a_page_is_the_one_that_the_page_says() -> None:
    context = {"now": factories.NOW, "case": {"due_at": factories.NOW, "state": "signed"}, "address": "#"}
    row = render_to_string("web/timeline.html", {**context, "entries": [{"at": factories.NOW, "title": "x"}]})
    assert "今天 09:30" in row or "today 09:30" in row


def test_requests_are_made_by_a_factory_without_a_scope(rf: RequestFactory) -> None:
    """A middleware that fails before the scope is known must still be able to render an error page."""
    assert "<main" in render_to_string("404.html", request=rf.get("/"))
