"""Column types that the whole house shares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models

from lucheng.core.errors import Text, in_every_language


class PrefixField(models.CharField):  # type: ignore[type-arg]
    """A code whose prefixes mean containment: division codes, matter codes, unit paths.

    The column uses collation "C", so that "starts with" is a range on the index and sorting follows the digits.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 15)
        kwargs["db_collation"] = "C"
        super().__init__(*args, **kwargs)


def after(prefix: str) -> str:
    """The first string, in collation "C", that sorts after every string that starts with ``prefix``.

    ``column >= prefix and column < after(prefix)`` is containment. An empty prefix contains everything.

    >>> after("1502")
    '1503'
    """
    if not prefix:
        return "\U0010ffff"
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def within(column: str, prefix: str) -> models.Q:
    """The rows whose ``column`` lies under ``prefix``, written as a range that the index serves.

    >>> within("place", "1502")
    <Q: (AND: ('place__gte', '1502'), ('place__lt', '1503'))>
    """
    if not prefix:
        return models.Q()
    return models.Q(**{f"{column}__gte": prefix, f"{column}__lt": after(prefix)})


def words_for(choices: Iterable[tuple[Any, Text]]) -> dict[str, Any]:
    """The value of each choice by every word that may stand for it: its name in each language, and the value itself."""
    choices = list(choices)
    found = {said: value for value, name in choices for said in in_every_language(name).values()}
    return found | {str(value): value for value, _name in choices}
