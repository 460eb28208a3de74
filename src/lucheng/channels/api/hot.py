"""POST /api/v1/cases straight from the server: the address that takes the most traffic carries only what it needs.

No cookie is read here and none is set, so neither sessions nor CSRF nor the rest of the middleware have work to do.
A request without a key goes on to Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone, translation
from django.utils.translation import trans_real

from lucheng.channels.api import problems
from lucheng.channels.api.auth import bearer, identify
from lucheng.channels.api.create import PATH, create
from lucheng.web.headers import ALWAYS

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


@lru_cache(maxsize=256)
def language(accepted: str) -> str:
    """The language to answer in, from the header Accept-Language; Django chooses alike.

    >>> language("mn,en-GB;q=0.8"), language(""), language("zh-CN")
    ('en', 'zh-hans', 'zh-hans')
    """
    for wanted, _weight in trans_real.parse_accept_lang_header(accepted[:500]):
        if wanted == "*":
            break
        try:
            return trans_real.get_supported_language_variant(wanted)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


def _body(environ: Environ) -> bytes:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body: bytes = environ["wsgi.input"].read(most + 1)
    if len(body) > most:
        raise problems.too_large()
    return body


def post_case(environ: Environ, start_response: StartResponse) -> Iterable[bytes] | None:
    """A WSGI application; None, with nothing read, where Django is to answer."""
    key = bearer(environ.get("HTTP_AUTHORIZATION", ""))
    if key is None:
        return None
    with translation.override(language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))):
        now = timezone.now()
        try:
            status, headers, body = create(
                _body(environ),
                environ.get("CONTENT_TYPE", ""),
                environ.get("HTTP_IDEMPOTENCY_KEY"),
                identify(key, now),
                now,
            )
        except Exception as error:
            refused = problems.of(error)
            status, headers, body = refused.status, problems.headers(refused), problems.encode(refused)
        finally:
            if not connection.in_atomic_block:  # as it is where a test's own transaction goes on
                connection.close()  # back to the pool
        headers["Content-Length"] = str(len(body))
        headers["Content-Language"] = translation.get_language() or ""
        headers |= ALWAYS
        start_response(f"{status} {HTTPStatus(status).phrase}", list(headers.items()))
    return (body,)


HOT = {("POST", PATH): post_case}
