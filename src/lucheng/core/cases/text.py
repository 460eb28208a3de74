"""Text as it arrives from outside, made safe to keep without losing a word of it."""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Invalid

#: The longest text of one request or step. Nobody types this much; a pasted file may.
MAX_TEXT = 100_000
MAX_TITLE = 120

#: Control characters other than tab and line feed, surrogates, and the two overrides of direction.
_DROPPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202d\u202e]")


def clean(text: str, field: str = "content", limit: int = MAX_TEXT) -> str:
    """Drop control characters that PostgreSQL or a page cannot hold (line breaks and tabs stay), and outer spaces.

    Markup stays as written: pages escape it. Formatting characters (Mongolian joiners, direction marks) stay, save the
    overrides by which a text could show as something else.

    Raises Invalid where the text is longer than ``limit`` characters.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = _DROPPED.sub("", text).strip()
    if len(kept) > limit:
        raise Invalid(
            {
                field: _(
                    "This text has %(length)s characters; at most %(limit)s can be kept. Please shorten it."
                )
                % {"length": len(kept), "limit": limit}
            }
        )
    return kept


def one_line(text: str, limit: int = MAX_TITLE) -> str:
    """The first words of a text as a title, cut where it must be.

    >>> one_line("路灯不亮\\n已经三天", 6)
    '路灯不亮…'
    """
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
