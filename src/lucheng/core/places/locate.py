"""The door from the world to a code: a point, many points, or a text."""

from __future__ import annotations

from typing import overload

from lucheng.core.places.gazetteer import Candidate, Word, WordKind, locate_text
from lucheng.core.places.outlines import locate_point, locate_points

__all__ = ["Candidate", "Word", "WordKind", "locate", "locate_point", "locate_points", "locate_text"]


@overload
def locate(what: str) -> list[Candidate]: ...


@overload
def locate(what: tuple[float, float]) -> str | None: ...


def locate(what: str | tuple[float, float]) -> list[Candidate] | str | None:
    """A text to its ranked candidates; a point (longitude, latitude in WGS 84) to the code of the place it lies in."""
    return locate_text(what) if isinstance(what, str) else locate_point(*what)
