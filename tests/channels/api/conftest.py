from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection

from lucheng.channels.api import auth
from lucheng.wsgi import application
from tests import factories


@pytest.fixture(autouse=True)
def _no_key_is_remembered() -> None:
    auth.forget()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def faults(self) -> dict[str, str]:
        """What a problem says at each field."""
        return {e["field"]: e["detail"] for e in self.json["errors"]}


def request(method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    """One request through the WSGI application, as the server hands it over. ``if_match`` is the header If-Match."""
    address, _mark, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(address).decode("latin-1"),
        "QUERY_STRING": quote(query, safe="%&=+-_.:'"),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "HTTP_HOST": "localhost",
    }
    for name, value in headers.items():
        name = name.upper()
        environ[name if name == "CONTENT_TYPE" else f"HTTP_{name}"] = value
    setup_testing_defaults(environ)
    said: list[Any] = []
    inside = (
        connection.in_atomic_block
    )  # the test's own transaction outlives the request, as with Django's client
    for signal in (request_started, request_finished) if inside else ():
        signal.disconnect(close_old_connections)
    try:
        answer = application(environ, lambda status, found, *rest: said.extend([status, found]))
        content = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
    finally:
        for signal in (request_started, request_finished) if inside else ():
            signal.connect(close_old_connections)
    return Answer(int(said[0][:3]), dict(said[1]), content)


class Caller:
    """A program that acts as one of the city's people, or as nobody: ``caller("dispatcher").get("/cases")``."""

    _keys = itertools.count(1)

    def __init__(self, token: str | None, language: str) -> None:
        self.headers = {"accept_language": language}
        if token is not None:
            self.headers["authorization"] = f"Bearer {token}"

    def get(self, path: str, **headers: str) -> Answer:
        return request("GET", "/api/v1" + path, b"", **{**self.headers, **headers})

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self._send("POST", path, body, headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self._send("PUT", path, body, headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return request(
            method,
            "/api/v1" + path,
            content,
            **{"content_type": "application/json", **self.headers, **headers},
        )

    def create(self, body: Any, path: str = "/cases", **headers: str) -> Answer:
        """POST with a fresh idempotency key, unless one is given."""
        return self.post(path, body, **{"idempotency_key": f"test-key-{next(self._keys)}", **headers})


Callers = Callable[..., Caller]


@pytest.fixture
def caller(city: factories.City) -> Callers:
    def made(name: str | None, language: str = "en") -> Caller:
        return Caller(factories.key(city.people[name]) if name is not None else None, language)

    return made
