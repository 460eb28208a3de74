"""Errors as problem details (RFC 9457) in the caller's language, whatever raised them.

Every error becomes a :class:`lucheng.core.errors.Refused`, which knows its status, kind and words; one function turns
that into the answer. What we did not expect says so without a traceback, and stands in the log.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import ninja.errors
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Text, Unavailable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
#: Where /problems/<kind> explains a kind of error to people.
TYPE = "/problems/"
#: Seconds after which a caller may try again while the database is away.
RETRY_AFTER = 5


class Malformed(Refused):
    status, slug = 400, "malformed"
    title = _("The request cannot be read")


class Unauthenticated(Refused):
    status, slug = 401, "unauthenticated"
    title = _("Say who you are")


class Csrf(Refused):
    status, slug = 403, "csrf"
    title = _("The request does not come from our own page")


class NotAllowed(Refused):
    status, slug = 405, "method"
    title = _("This address does not take that method")


class TooLarge(Refused):
    status, slug = 413, "too-large"
    title = _("The request is too large")


class MediaType(Refused):
    status, slug = 415, "media-type"
    title = _("This kind of content is not understood here")


class VersionMissing(Refused):
    status, slug = 428, "version-missing"
    title = _("Say which version you have seen")


class KeyMissing(Refused):
    status, slug = 400, "key-missing"
    title = _("Send an idempotency key")


class Broken(Refused):
    status, slug = 500, "broken"
    title = _("Something went wrong on our side")


#: What to do about each kind of problem, for the page that its address opens.
ADVICE: dict[type[Refused], Text] = {
    Invalid: _(
        "Each entry of “errors” names a field and says what to change. Correct them and send it again."
    ),
    Malformed: _("The body must be JSON in UTF-8, and headers must be written as the documentation shows."),
    Unauthenticated: _(
        "Send the header “Authorization: Bearer” with a key that has neither expired nor been withdrawn, or sign in."
    ),
    Forbidden: _("None of the posts held today allows this step here. Ask whoever gives out posts."),
    Csrf: _("A signed-in browser must send the header X-CSRFToken. Programs use a key instead."),
    NotFound: _("Nothing is there, or your posts do not let you know of it."),
    NotAllowed: _("The header “Allow” names the methods that this address takes."),
    Conflict: _(
        "The order has moved on, or the key was used for something else. Fetch it again and decide anew."
    ),
    TooLarge: _("Send less: shorten the text, or send photographs one by one."),
    MediaType: _("Send JSON as “application/json”, photographs as “multipart/form-data”."),
    VersionMissing: _("Send the header If-Match with the ETag of the order as you fetched it."),
    KeyMissing: _(
        "Send the header Idempotency-Key with a fresh random value, and the same value again when you retry."
    ),
    Broken: _(
        "The error has been noted. Send the same request again later; with its key nothing is done twice."
    ),
    Unavailable: _(
        "Send the same request again after the seconds named in “Retry-After”; with its key nothing is done twice."
    ),
}
KINDS = {kind.slug: kind for kind in ADVICE}


def of(error: BaseException) -> Refused:
    """The refusal that says what went wrong. Notes what was not expected in the log."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, ninja.errors.ValidationError):
        return _from_pydantic(error.errors)
    if isinstance(error, msgspec.ValidationError):
        return _from_msgspec(str(error))
    if isinstance(error, msgspec.DecodeError | UnicodeDecodeError | RecursionError | UnreadablePostError):
        return Malformed(_("The body is not JSON in UTF-8."))
    if isinstance(error, RequestDataTooBig):
        return too_large()
    if isinstance(error, MultiPartParserError):
        return Malformed(_("The parts of the body cannot be told apart."))
    if isinstance(error, ninja.errors.AuthenticationError):
        return Unauthenticated(_("This address needs a key or a signed-in person."))
    if isinstance(error, ninja.errors.HttpError):
        if error.__cause__ is not None and error.status_code == 400:
            return of(error.__cause__)  # ninja's parser hides what our own said
        return from_status(error.status_code)
    if isinstance(error, Http404):
        return NotFound(_("There is nothing at this address."))
    if isinstance(error, DataError):
        return Malformed(_("A value in it holds characters that cannot be kept, or is out of range."))
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("no answer from the database: %s", str(error).strip().partition("\n")[0])
        return Unavailable(_("The database does not answer. Try again in a moment."))
    log.error("unexpected error", exc_info=error)
    return Broken(_("The error has been noted."))


def too_large() -> TooLarge:
    return TooLarge(_("The body is larger than this address takes."))


def from_status(status: int) -> Refused:
    """The refusal for an answer that another layer has already given as a bare status."""
    match status:
        case 401:
            return Unauthenticated(_("This address needs a key or a signed-in person."))
        case 403:
            return Csrf(_("The CSRF token is missing or wrong."))
        case 404:
            return NotFound(_("There is nothing at this address."))
        case 405:
            return NotAllowed(_("Use one of the methods named in the header “Allow”."))
        case 413:
            return too_large()
        case 415:
            return MediaType(_("Send the body as “application/json”."))
        case _ if status < 500:
            return Malformed(_("The request cannot be read."))
    return Broken(_("The error has been noted."))


# --- answering ------------------------------------------------------------------------------------------------------


def document(refused: Refused) -> dict[str, Any]:
    """The problem details, in the language that is active."""
    body: dict[str, Any] = {
        "type": TYPE + refused.slug,
        "title": str(refused.title),
        "status": refused.status,
        "detail": str(refused.detail),
    }
    if isinstance(refused, Invalid):
        body["errors"] = [{"field": name, "detail": str(text)} for name, text in refused.fields.items()]
    return body


def headers(refused: Refused) -> dict[str, str]:
    """What a problem says beside its body."""
    found = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
    if refused.status == HTTPStatus.UNAUTHORIZED:
        found["WWW-Authenticate"] = "Bearer"
    if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
        found["Retry-After"] = str(RETRY_AFTER)
    return found


def encode(refused: Refused) -> bytes:
    return msgspec.json.encode(document(refused))


def response(refused: Refused) -> HttpResponse:
    return HttpResponse(encode(refused), status=refused.status, headers=headers(refused))


class ApiMiddleware:
    """Under /api/, whatever a layer refuses by itself (an unknown address, a wrong method) reads as a problem too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if answer.status_code < 400 or not request.path_info.startswith("/api/"):
            return answer
        if answer.headers.get("Content-Type") == MEDIA_TYPE:
            return answer
        problem = response(from_status(answer.status_code))
        if "Allow" in answer:
            problem["Allow"] = answer["Allow"]
        return problem


# --- what the parsers say, in words ---------------------------------------------------------------------------------

_TEXT, _WHOLE, _NUMBER = _("Enter text here."), _("Enter a whole number."), _("Enter a number.")
_FLAG, _MISSING, _UNKNOWN = _("Say true or false."), _("This is missing."), _("There is no such field.")
_MOMENT = _("Write a date and time with its zone, as 2026-07-09T08:30:00+08:00.")
_DATE = _("Write a date as 2026-07-09.")
_LIST, _OBJECT = _("Send a list here."), _("Send an object with named fields here.")

#: By the beginning of pydantic's error type.
_PYDANTIC: dict[str, Text] = {
    "missing": _MISSING,
    "extra_forbidden": _UNKNOWN,
    "string_type": _TEXT,
    "string_pattern": _("This is not written as it should be."),
    "string_too_short": _("This is too short: at least %(min_length)s characters."),
    "string_too_long": _("This is too long: at most %(max_length)s characters."),
    "int": _WHOLE,
    "float": _NUMBER,
    "finite_number": _NUMBER,
    "bool": _FLAG,
    "date": _DATE,
    "literal": _("Choose one of: %(expected)s."),
    "enum": _("Choose one of: %(expected)s."),
    "greater_than": _("This is too small: at least %(ge)s."),
    "less_than": _("This is too large: at most %(le)s."),
    "list": _LIST,
    "too_short": _("Send at least %(min_length)s of these."),
    "too_long": _("Send at most %(max_length)s of these."),
    "dict": _OBJECT,
    "model": _OBJECT,
}
_WRONG = _("This value cannot be used here.")


def _from_pydantic(errors: Iterable[Mapping[str, Any]]) -> Invalid:
    fields: dict[str, Text] = {}
    for error in errors:
        # ("body", "data", "parts", 0, "content") → parts.0.content: where it came from and our own argument's name
        # are no field of the caller's.
        where = [str(part) for part in error["loc"][1:]]
        if error["loc"][0] == "body":
            where = where[1:]
        template = next((t for start, t in _PYDANTIC.items() if error["type"].startswith(start)), _WRONG)
        fields.setdefault(".".join(where), _filled(template, error.get("ctx", {})))
    return Invalid(fields)


def _filled(template: Text, given: Mapping[str, Any]) -> Text:
    try:
        return template % given if given and "%(" in str(template) else template
    except KeyError:
        return _WRONG


#: msgspec says it in one sentence: what was expected, then where.
_MSGSPEC: list[tuple[re.Pattern[str], Text]] = [
    (re.compile(r"missing required field `(?P<field>[^`]*)`"), _MISSING),
    (re.compile(r"unknown field `(?P<field>[^`]*)`"), _UNKNOWN),
    (re.compile(r"Expected `str"), _TEXT),
    (re.compile(r"Expected `bool"), _FLAG),
    (re.compile(r"Expected `int"), _WHOLE),
    (re.compile(r"Expected `float|[Nn]umber out of range"), _NUMBER),
    (re.compile(r"Expected `datetime|RFC3339|timezone"), _MOMENT),
    (re.compile(r"Expected `array"), _LIST),
    (re.compile(r"Expected `object"), _OBJECT),
]
_AT = re.compile(r" - at `\$(?P<path>[^`]*)`$")


def _from_msgspec(message: str) -> Invalid:
    at = _AT.search(message)
    path = at["path"].lstrip(".") if at else ""
    for pattern, text in _MSGSPEC:
        if found := pattern.search(message):
            name = found.groupdict().get("field")
            return Invalid({".".join(p for p in (path, name) if p): text})
    return Invalid({path: _WRONG})
