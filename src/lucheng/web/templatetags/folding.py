"""What somebody wrote, however long and in whatever script: ``{% load folding %}{% said case.content %}``."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

register = template.Library()

#: What is read at a glance. Nearly every message is shorter.
SHOWN = 1200
_BREAKS = "\n。！？；，. "


def cut(text: str, limit: int = SHOWN) -> tuple[str, str]:
    """A text in what is shown and what is folded away, parted after a sentence or a word where one ends nearby.

    >>> cut("路灯不亮。已经三天了，没有人来。", 8)
    ('路灯不亮。', '已经三天了，没有人来。')
    """
    if len(text) <= limit:
        return text, ""
    at = max(text.rfind(mark, limit // 2, limit) for mark in _BREAKS) + 1
    at = at or limit
    return text[:at], text[at:]


@register.simple_tag
def said(text: str, limit: int = SHOWN) -> SafeString:
    """A text as written, in its own direction; a long one with the rest folded away behind "show all"."""
    if len(text) <= limit + limit // 4:  # nobody opens a fold for half a line
        return format_html('<p class="said" dir="auto">{}</p>', text)
    shown, rest = cut(text, limit)
    return format_html(
        '<div class="folded"><p class="said" dir="auto">{}</p>'
        '<details><summary>{}</summary><p class="said" dir="auto">{}</p></details></div>',
        shown,
        _("Show all (%(count)s characters)") % {"count": f"{len(text):,}"},
        rest,
    )
