"""What can go wrong when somebody asks for something, in the words of whoever asks.

Every door turns these into its own form: a page shows the messages at their fields, the API answers with problem
details (RFC 9457). Messages are lazy translations, so each reader gets their own language.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


def in_every_language(text: Text) -> dict[str, str]:
    """What ``text`` says by the code of each language, for keeping: whoever reads it may have another than whoever
    writes it."""
    said = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said[language] = str(text)
    return said


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
    """What is needed is away for a moment. The same request will succeed later, first after ``retry_after`` seconds."""

    status = 503
    slug = "unavailable"
    title = _("The service is interrupted for a moment")
    retry_after = 5


class NoSpace(Unavailable):
    """A disk is full: nothing of the request was kept."""

    status = 507
    slug = "no-space"
    title = _("There is no room left to keep this")
    retry_after = 60


#: PostgreSQL's disk_full.
_DISK_FULL = "53100"


def outage(error: BaseException) -> Unavailable | None:
    """What to tell somebody whom an outage below us stopped: the database away, a disk full. None for anything else."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or (isinstance(error, OperationalError) and _state(error) == _DISK_FULL):
        return NoSpace(
            _("The disk of the server is full. Nothing of this was kept; send it again when there is room.")
        )
    if isinstance(error, OperationalError | InterfaceError):
        return Unavailable(_("The database does not answer. Try again in a moment."))
    return None


def _state(error: BaseException) -> str | None:
    """The SQLSTATE of an error of the database."""
    return getattr(error.__cause__, "sqlstate", None) or getattr(error, "sqlstate", None)
