"""Numbers of persons that somebody typed into free text: shown to them before it is sent, to be covered or left in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lucheng.core.privacy import personal
from lucheng.core.privacy.personal import Kind

#: The name of the buttons with which a person decides, and what they send.
DECISION, COVER, LEAVE = "numbers", "cover", "leave"
_WORDS: dict[Kind, str | Promise] = {
    Kind.MOBILE: _("mobile number"),
    Kind.LANDLINE: _("telephone number"),
    Kind.IDENTITY: _("identity card number"),
    Kind.CARD: _("bank card number"),
}


@dataclass(frozen=True)
class Typed:
    """A number as it was typed, and what it is."""

    kind: str | Promise
    words: str


def undecided(
    data: Mapping[str, str], names: Iterable[str], kinds: Iterable[Kind] = frozenset(Kind)
) -> list[Typed]:
    """The numbers of ``kinds`` in the fields ``names`` of a form that was sent, each once; none once it is decided."""
    if data.get(DECISION) in (COVER, LEAVE):
        return []
    wanted = frozenset(kinds)
    found = [
        Typed(_WORDS[hit.kind], text[hit.start : hit.end])
        for text in (data.get(name, "") for name in names)
        for hit in personal.find(text)
        if hit.kind in wanted
    ]
    return list({typed.words: typed for typed in found}.values())


def decided(data: Mapping[str, str], text: str, kinds: Iterable[Kind] = frozenset(Kind)) -> str:
    """``text`` as the person wants it: with its numbers of ``kinds`` covered, or as it is."""
    return personal.cover(text, kinds) if data.get(DECISION) == COVER else text
