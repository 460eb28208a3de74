"""What templates say of time, place and built files: ``{% load lucheng %}``."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.template.context import Context
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lucheng.core.cases.models import Case
from lucheng.core.dispatch import matters
from lucheng.core.places import names
from lucheng.web import rows, words

register = template.Library()

_DIST = Path(settings.PACKAGE) / "static" / "dist"
_manifest: tuple[int, dict[str, Any]] = (0, {})


def manifest() -> dict[str, Any]:
    """Vite's list of what it built, read again when it has been built anew.

    Raises ImproperlyConfigured where the front end has not been built.
    """
    global _manifest
    file = _DIST / "manifest.json"
    try:
        built = file.stat().st_mtime_ns
    except FileNotFoundError:
        raise ImproperlyConfigured("The front end is not built. Run: python hatch_build.py") from None
    if _manifest[0] != built:
        _manifest = (built, json.loads(file.read_text()))
    return _manifest[1]


@register.simple_tag
def asset(name: str) -> SafeString:
    """The elements that load one entry of ``frontend/src`` and its styles: ``{% asset "main.ts" %}``."""
    entry = manifest()[f"src/{name}"]
    base = f"{settings.STATIC_URL}dist/"
    styles = format_html_join(
        "", '<link rel="stylesheet" href="{}{}">', ((base, css) for css in entry.get("css", ()))
    )
    return format_html('{}<script type="module" src="{}{}"></script>', styles, base, entry["file"])


@register.simple_tag
def place(code: str) -> str:
    """A place as people say it: "友谊大街街道 · 第三社区 · 012 网格"."""
    return names.place_name(code) if code else ""


@register.simple_tag
def matter(code: str) -> str | Promise:
    """The name of a class of matter in the reader's language."""
    return matters.name(code) if code else ""


@register.simple_tag(takes_context=True)
def when(context: Context, moment: dt.datetime | None) -> SafeString | str:
    """A moment as people say it, exact on hover and for screen readers. ``now`` comes from the page."""
    if moment is None:
        return ""
    return format_html(
        '<time class="when" datetime="{}" title="{}">{}</time>',
        moment.isoformat(timespec="minutes"),
        words.exact(moment),
        words.when(moment, context["now"]),
    )


@register.simple_tag(takes_context=True)
def clock(
    context: Context, due: dt.datetime | None, warn: dt.datetime | None = None, paused: bool = False
) -> SafeString:
    """How much time is left: ``{% clock case.due_at %}``, ``{% clock c.due_at warn=c.warn_at paused=True %}``."""
    return rows.clock(due, context["now"], warn=warn, paused=paused)


@register.simple_tag(takes_context=True)
def case_rows(context: Context, cases: Iterable[Case], label: str, **given: Any) -> SafeString:
    """Cases in a table: ``{% case_rows cases _("Cases") select=True %}``; see :func:`lucheng.web.rows.table`."""
    return rows.table(cases, context["now"], label=label, **given)


@register.filter
def figure(value: float) -> str:
    """A figure with its thousands apart: 1204 is "1,204", 3.5 stays "3.5"."""
    return words.figure(value)


@register.filter
def unlocalized(value: object) -> str:
    """A number for a script, in no language's way of writing it."""
    return str(value)
