"""Single sign-on against a real provider: another process on this machine that speaks OpenID Connect."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client

from lucheng.core.organisation import factors
from lucheng.core.organisation.models import Person, SignIn
from tests import factories
from tests.core.organisation.test_factors import with_app

pytestmark = pytest.mark.django_db

ENGLISH = {"accept-language": "en"}
USERS = (
    {"sub": "1", "preferred_username": "dispatcher"},
    {"sub": "2", "preferred_username": "stranger"},
    {"sub": "3", "preferred_username": "auditor"},
    {"sub": "4"},
)


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"]
    for user in USERS:
        command += ["--user-claims", json.dumps(user)]
    provider = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 60
    while True:
        try:
            said = requests.get(f"{address}/.well-known/openid-configuration", timeout=5).json()["issuer"]
            break
        except requests.RequestException:
            if provider.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the provider did not come up") from None
            time.sleep(0.1)
    yield said.rstrip("/")
    provider.terminate()
    provider.wait(20)


@pytest.fixture
def configured(settings: Any, issuer: str, city: factories.City) -> factories.City:
    settings.OIDC_ISSUER, settings.OIDC_CLIENT, settings.OIDC_SECRET = issuer, "lucheng", "a secret"
    settings.OUTGOING_HOSTS = {"127.0.0.1", "localhost"}
    return city


def at_the_provider(client: Client, sub: str, going: str = "") -> str:
    """Through the provider's own form as the user ``sub``; the address to which it sends the browser back."""
    begun = client.get("/sign-in/city/", {"next": going})
    assert begun.status_code == 302
    asked = parse_qs(urlsplit(begun["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["state"] and asked["nonce"]
    answer = requests.post(begun["Location"], data={"sub": sub}, allow_redirects=False, timeout=10)
    back = urlsplit(answer.headers["Location"])
    assert back.path == "/sign-in/city/back/"
    return f"{back.path}?{back.query}"


def refused(client: Client, address: str) -> str:
    """What the sign-in page says of an answer that lets nobody in."""
    answer = client.get(address, follow=True, headers=ENGLISH)
    assert answer.redirect_chain == [("/sign-in/", 302)]
    assert "_auth_user_id" not in client.session
    return str(answer.content.decode())


def test_whom_the_provider_names_is_signed_in_and_comes_to_where_they_wanted(
    client: Client, configured: factories.City
) -> None:
    page = client.get("/sign-in/?next=/board/", headers=ENGLISH).content.decode()
    assert "/sign-in/city/?next=%2Fboard%2F" in page
    back = at_the_provider(client, "1", "/board/?queue=new")
    answer = client.get(back)
    assert (answer.status_code, answer["Location"]) == (302, "/board/?queue=new")
    assert client.get("/board/").status_code == 200
    assert client.get("/account/").context["member"].username == "dispatcher"
    signed_in = SignIn.objects.get()
    assert (signed_in.person, signed_in.outcome, signed_in.by) == (
        configured.people["dispatcher"],
        "in",
        "city",
    )


def test_nobody_is_made_by_signing_on(client: Client, configured: factories.City) -> None:
    before = Person.objects.count()
    for sub in ("2", "4"):
        assert "no open account" in refused(client, at_the_provider(client, sub))
    assert Person.objects.count() == before
    # Whom the provider named and nobody here knows is not kept either.
    assert [(r.person, r.by, r.reason) for r in SignIn.objects.all()] == [(None, "city", "failed")] * 2


def test_a_locked_account_and_one_of_the_demo_are_refused(client: Client, configured: factories.City) -> None:
    for change in ({"is_active": False}, {"is_active": True, "for_show": True}):
        Person.objects.filter(username="dispatcher").update(**change)
        assert "no open account" in refused(client, at_the_provider(client, "1"))
    dispatcher = configured.people["dispatcher"]
    assert [(r.person, r.reason) for r in SignIn.objects.order_by("pk")] == [
        (dispatcher, "closed"),
        (None, "failed"),
    ]


def test_an_answer_is_good_once_in_the_browser_that_asked(client: Client, configured: factories.City) -> None:
    back = at_the_provider(client, "1")
    assert "did not succeed" in refused(Client(), back)
    forged = back.replace("state=", "state=x")
    assert "did not succeed" in refused(client, forged)
    assert client.get(back)["Location"] == "/board/"
    client.post("/sign-out/")
    assert "did not succeed" in refused(client, back)
    assert "did not succeed" in refused(client, "/sign-in/city/back/?error=access_denied")


def test_where_it_leads_stays_here(client: Client, configured: factories.City) -> None:
    back = at_the_provider(client, "1", "https://elsewhere.example/")
    assert client.get(back)["Location"] == "/board/"


def test_a_second_factor_here_is_asked_for_all_the_same(client: Client, configured: factories.City) -> None:
    assert client.get(at_the_provider(client, "3"))["Location"] == "/account/second/"
    with_app(configured.people["auditor"])
    fresh = Client()
    assert fresh.get(at_the_provider(fresh, "3"))["Location"] == "/sign-in/second/"
    assert factors.held(configured.people["auditor"])


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://127.0.0.1:{port}/wrong"])
def test_a_provider_that_is_away_or_wrong_is_said_in_words(
    client: Client, configured: factories.City, settings: Any, issuer: str, address: str
) -> None:
    settings.OIDC_ISSUER = address.format(port=urlsplit(issuer).port)
    assert "does not answer" in refused(client, "/sign-in/city/")


def test_without_a_provider_there_is_no_such_page(client: Client, db: None) -> None:
    assert client.get("/sign-in/city/").status_code == 404
    assert client.get("/sign-in/city/back/").status_code == 404
    assert "/sign-in/city/" not in client.get("/sign-in/").content.decode()
