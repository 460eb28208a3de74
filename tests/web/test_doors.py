"""The outer doors, each attacked: headers, cookies, foreign hosts and addresses, bodies that are too much."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lucheng.core.cases import codes
from lucheng.web.addresses import ours
from tests import factories
from tests.channels.api.conftest import request

ROOT = Path(__file__).parents[2]
ELSEWHERE = [
    "https://elsewhere.example/",
    "//elsewhere.example/",
    "///elsewhere.example/",
    "/\\elsewhere.example/",
    "\\\\elsewhere.example/",
    "http:elsewhere.example",
    "https:///elsewhere.example",
    "/\t/elsewhere.example/",
    " https://elsewhere.example/",
    "javascript:alert(1)",
    "http://localhost@elsewhere.example/",
    "//localhost:pass@elsewhere.example/",
    "https://localhost.elsewhere.example/",
]


# --- headers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/", "/sign-in/", "/no/such/page", "/api/v1/cases", "/api/v1/openapi.json", "/outlines.json"]
)
def test_every_answer_shuts_what_no_page_uses(client: Client, db: None, address: str) -> None:
    answer = client.get(address)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "same-origin"
    assert {"camera=()", "microphone=()", "geolocation=(self)"} <= set(
        answer["Permissions-Policy"].split(", ")
    )
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_the_door_that_goes_around_the_framework_says_the_same(city: factories.City) -> None:
    answer = request("POST", "/api/v1/cases", b"{}", authorization="Bearer lck_unknown")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"


def test_nothing_of_a_session_stays_in_the_browser_and_what_is_public_is_asked_for_again(
    city: factories.City,
) -> None:
    assert Client().get("/")["Cache-Control"] == "private, no-cache"
    signed_in = factories.client(city, "dispatcher")
    case = factories.received()
    for address in ("/board/", "/", reverse("case", args=[case.number]), "/no/such/page"):
        assert signed_in.get(address, follow=True)["Cache-Control"] == "no-store", address


def test_what_a_resident_sees_of_their_case_stays_nowhere(client: Client, city: factories.City) -> None:
    case = factories.received()
    page = client.get(f"/t/{codes.written(case.code)}/")
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]


# --- cookies and TLS ------------------------------------------------------------------------------------------------

_BEHIND_TLS = """
import django; django.setup()
from django.test import Client
from django.urls import reverse
client = Client(headers={"x-forwarded-proto": "https"})
page = client.get("/sign-in/", HTTP_HOST="city.example")
print(page.status_code, page["Strict-Transport-Security"])
for cookie in page.cookies.values():
    print(cookie.key, bool(cookie["secure"]), bool(cookie["httponly"]), cookie["samesite"])
from django.conf import settings
print(settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE, settings.ADDRESS)
"""


def behind_tls(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "LUCHENG_TLS": "1", **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_behind_tls_browsers_are_bound_to_it_and_cookies_to_this_host() -> None:
    said = behind_tls(_BEHIND_TLS, LUCHENG_HOSTS="city.example")
    assert said.stdout.splitlines() == [
        "200 max-age=31536000",
        "__Host-csrftoken True True Lax",
        "__Host-sessionid True https://city.example",
    ], said.stderr


@pytest.mark.parametrize(
    "env",
    [
        {"LUCHENG_HOSTS": "*"},
        {"LUCHENG_HOSTS": "*", "LUCHENG_ADDRESS": "ftp://city.example"},
        {"LUCHENG_ADDRESS": "https://city.example/x?y"},
    ],
)
def test_an_address_that_cannot_stand_in_a_printed_sheet_is_refused_at_the_start(env: dict[str, str]) -> None:
    said = behind_tls("import django; django.setup()", **env)
    assert said.returncode == 1
    assert "set LUCHENG_ADDRESS" in said.stderr


def test_no_script_reads_a_cookie(client: Client, city: factories.City) -> None:
    person = city.people["dispatcher"]
    person.set_password("eine lange Losung 7")
    person.save()
    client.get("/sign-in/")
    client.post("/i18n/setlang/", {"language": "en"})
    client.post("/large-print/")
    client.post("/theme/", {"theme": "dark"})
    client.post("/sign-in/", {"username": "dispatcher", "password": "eine lange Losung 7"})
    set_ = {c.key: (bool(c["httponly"]), c["samesite"]) for c in client.cookies.values()}
    assert set(set_) >= {"sessionid", "csrftoken", "django_language", "large", "theme"}
    assert set(set_.values()) == {(True, "Lax")}


# --- hosts and addresses --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/sign-in/", "/api/v1/kinds", "/t/"])
@pytest.mark.parametrize("host", ["elsewhere.example", "localhost.elsewhere.example", "localhost:80@x", ""])
def test_another_host_is_not_answered(client: Client, db: None, address: str, host: str) -> None:
    assert client.get(address, HTTP_HOST=host).status_code == 400


def test_no_address_on_a_page_follows_the_host_that_was_asked_for(
    client: Client, city: factories.City, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.ADDRESS = "https://city.example"
    case = factories.received()
    path = f"/t/{codes.written(case.code)}/"
    evil = {"HTTP_HOST": "elsewhere.example", "HTTP_X_FORWARDED_HOST": "elsewhere.example"}
    page = client.get(path, **evil)
    assert f'data-address="https://city.example{path}"' in page.content.decode()
    assert "elsewhere.example" not in page.content.decode()
    assert client.get(path + "code.png", **evil).content == client.get(path + "code.png").content
    assert "elsewhere.example" not in client.get("/api/v1/openapi.json", **evil).content.decode()


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nothing_leads_elsewhere(city: factories.City, target: str) -> None:
    person = city.people["dispatcher"]
    person.set_password("eine lange Losung 7")
    person.save()
    handler = factories.client(city, "handler")
    signed_in = factories.client(city, "dispatcher")
    password = {"username": "dispatcher", "password": "eine lange Losung 7"}
    answers = [
        Client().post("/sign-in/", {**password, "next": target}),
        Client().get("/sign-in/", {"next": target}),
        signed_in.get("/sign-in/", {"next": target}),
        signed_in.post("/theme/", {"theme": "dark", "next": target}),
        signed_in.post("/large-print/", {"next": target}),
        signed_in.post("/i18n/setlang/", {"language": "en", "next": target}),
        signed_in.post("/i18n/setlang/", {"language": "en"}, headers={"referer": target}),
        handler.post(reverse("unit-together", args=["sign"]), {"next": target}),
        signed_in.post(reverse("board-dispatch"), {"back": target}),
        factories.client(city, "dispatcher").post("/sign-out/", {"next": target}),
    ]
    for answer in answers:
        # A browser reads a backslash as a slash and leaves tabs out.
        location = answer.headers.get("Location", "").replace("\\", "/").replace("\t", "")
        assert not location or (location.startswith("/") and not location.startswith("//")), location
    assert ours(target, "/otherwise/") == "/otherwise/"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-http-method-override": "POST"},
        {"x-http-method": "DELETE"},
        {"x-method-override": "PUT"},
        {"x-original-url": "/admin/", "x-rewrite-url": "/admin/"},
    ],
)
def test_no_header_turns_a_request_into_another(city: factories.City, headers: dict[str, str]) -> None:
    client = factories.client(city, "dispatcher")
    assert client.get("/sign-out/?_method=POST", headers=headers).status_code == 405
    assert client.post("/board/live/", {"_method": "GET"}, headers=headers).status_code == 405
    assert client.get("/board/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "../../keys/django",
        "..%2f..%2fkeys%2fdjango",
        "%2e%2e/%2e%2e/keys/django",
        "....//....//keys/sealing",
        "/etc/passwd",
        "..\\..\\keys\\django",
        "waiting",
        "0" * 64 + "%00.jpg",
    ],
)
def test_no_name_of_a_photograph_leads_out_of_its_folder(city: factories.City, name: str) -> None:
    case = factories.received()
    client = factories.client(city, "dispatcher")
    for address in (
        f"/cases/{case.number}/photographs/{name}/",
        f"/api/v1/cases/{case.number}/attachments/{name}",
        f"/static/{name}",
        f"/static/../{name}",
    ):
        assert client.get(address).status_code in (400, 404, 422), address


# --- bodies ---------------------------------------------------------------------------------------------------------


def test_a_body_of_many_files_is_refused_before_they_fill_the_disk(city: factories.City) -> None:
    part = '--x\r\nContent-Disposition: form-data; name="f{0}"; filename="{0}"\r\n\r\nx\r\n'
    body = ("".join(part.format(n) for n in range(11)) + "--x--\r\n").encode()
    kind = {"content_type": "multipart/form-data; boundary=x"}
    assert Client().generic("POST", "/", body, **kind).status_code == 400
    case = factories.received()
    key = factories.key(city.people["dispatcher"])
    path = f"/api/v1/cases/{case.number}/attachments"
    assert request("POST", path, body, authorization=f"Bearer {key}", **kind).status == 413


def test_a_body_of_many_fields_is_refused(client: Client, db: None) -> None:
    body = "&".join(f"f{n}=" for n in range(2000))
    answer = client.generic("POST", "/t/", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400


@pytest.mark.parametrize("nested", [b"[" * 200_000, b'{"a":' * 100_000, b'{"nature":' + b"[" * 100_000])
def test_json_nested_without_end_is_refused_in_words_at_every_door(
    city: factories.City, nested: bytes
) -> None:
    case = factories.received()
    who = {"authorization": f"Bearer {factories.key(city.people['dispatcher'])}"}
    headers = {"content_type": "application/json", "idempotency_key": "nested-12345", "if_match": '"1"'}
    for path in (
        "/api/v1/cases",
        "/api/v1/public/cases",
        "/api/v1/triage/propose",
        f"/api/v1/cases/{case.number}/actions/accept",
        f"/api/v1/track/{codes.written(case.code)}/actions/supplement",
    ):
        answer = request("POST", path, nested, **headers, **who)
        assert answer.status in (400, 422), (path, answer.status)
        assert json.loads(answer.body)["type"].startswith("/problems/")


@pytest.mark.parametrize("deep", [50, 900, 5000])
def test_json_nested_in_a_field_breaks_nothing(city: factories.City, deep: int) -> None:
    case = factories.received()
    who = {"authorization": f"Bearer {factories.key(city.people['dispatcher'])}"}
    body = b'{"matter":' + b"[" * deep + b"]" * deep + b"}"
    answer = request(
        "POST",
        f"/api/v1/cases/{case.number}/actions/accept",
        body,
        content_type="application/json",
        idempotency_key="nested-12345",
        if_match=f'"{case.version}"',
        **who,
    )
    assert answer.status in (400, 422)
