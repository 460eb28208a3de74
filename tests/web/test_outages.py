"""What a person reads where something below a page is away: which it is, and that nothing of theirs was kept."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from lucheng import urls
from lucheng.core import errors

handler500 = urls.handler500


def _disk_full(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("do $$ begin raise exception 'no room' using errcode = '53100'; end $$")
    raise AssertionError("the server raised nothing")


def _cut(request: HttpRequest) -> HttpResponse:
    connection.ensure_connection()
    connection.connection.close()
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    raise AssertionError("the connection was not cut")


def _no_room(request: HttpRequest) -> HttpResponse:
    raise OSError(errno.ENOSPC, "No space left on device")


def _fault(request: HttpRequest) -> HttpResponse:
    raise KeyError("ours")


urlpatterns = [
    path("full/", _disk_full),
    path("cut/", _cut),
    path("no-room/", _no_room),
    path("fault/", _fault),
    *urls.urlpatterns,
]


@pytest.fixture
def browser(settings: Any) -> Client:
    settings.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False, headers={"accept-language": "en"})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("where", "status", "words"),
    [
        ("full", 507, "Nothing of this was kept"),
        ("no-room", 507, "Nothing of this was kept"),
        ("cut", 503, "The database does not answer"),
        ("fault", 500, "Something went wrong on our side"),
    ],
)
def test_a_page_says_what_is_away(browser: Client, where: str, status: int, words: str) -> None:
    answer = browser.get(f"/{where}/")
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert answer.has_header("Retry-After") == (status != 500)
    connection.close()


def test_only_an_outage_is_taken_for_one() -> None:
    assert errors.outage(KeyError("x")) is None
    assert errors.outage(OSError(errno.ENOENT, "gone")) is None
    assert isinstance(errors.outage(OSError(errno.EDQUOT, "quota")), errors.NoSpace)
