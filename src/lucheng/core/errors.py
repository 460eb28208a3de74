"""What can go wrong when somebody asks for something, in the words of whoever asks.

Every door turns these into its own form: a page shows the messages at their fields, the API answers with problem
details (RFC 9457). Messages are lazy translations, so each reader gets their own language.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class Refused(Exception):  # noqa: N818 (a refusal is an answer, not an error of ours)
    """Base of all refusals. ``status`` is the HTTP status that says the same; ``slug`` names the kind for programs."""

    status = 400
    slug = "refused"
    title: Text = _("This cannot be done")

    def __init__(self, detail: Text) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(Refused):
    """Something entered is wrong. ``fields`` says what to do, at each field; the empty name is the whole form."""

    status = 422
    slug = "invalid"
    title = _("Please correct what was entered")

    def __init__(self, fields: Mapping[str, Text]) -> None:
        super().__init__(next(iter(fields.values())))
        self.fields = dict(fields)


class Forbidden(Refused):
    status = 403
    slug = "forbidden"
    title = _("You may not do this")


class NotFound(Refused):
    """Also the answer where something exists but the reader may not know of it."""

    status = 404
    slug = "not-found"
    title = _("Not found")


class Conflict(Refused):
    """Somebody else was first: the state or the version is no longer what the request assumed."""

    status = 409
    slug = "conflict"
    title = _("Somebody else was first")


class Unavailable(Refused):
    """Something that is needed does not answer; the same request may succeed in a moment."""

    status, slug = 503, "unavailable"
    title = _("The service is interrupted for a moment")
