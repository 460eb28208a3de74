"""The classes of matter: names in memory, and loading them from a data pack."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise, lazy
from django.utils.translation import get_language

from lucheng.core.dispatch.models import Matter
from lucheng.core.revisions.snapshot import Snapshot


def _load() -> dict[str, tuple[str, str]]:
    return {
        code: (name, name_en) for code, name, name_en in Matter.objects.values_list("code", "name", "name_en")
    }


_names = Snapshot("matters", _load)


def names() -> Mapping[str, tuple[str, str]]:
    """Code → (Chinese name, English name or empty)."""
    return _names.get()


def exists(code: str) -> bool:
    return code in names()


def _name(code: str) -> str:
    zh, en = names().get(code, (code, ""))
    return en if en and (get_language() or "").startswith("en") else zh


_lazy_name = lazy(_name, str)


def name(code: str) -> str | Promise:
    """The name of a matter in the reader's language; its code where it is not known."""
    return _lazy_name(code)
