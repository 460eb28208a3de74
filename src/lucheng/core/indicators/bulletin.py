"""A bulletin: a city's own sentences, in which every figure is named and none is typed.

A template is a TOML file: a title, and parts of headings and paragraphs, in which ``{1.centres.city}`` stands for what
that indicator comes to at the place and in the period of the bulletin.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import NotFound
from lucheng.core.faults import Fault, Faulty
from lucheng.core.indicators.indicator import Indicator, Value, indicators
from lucheng.core.indicators.models import BulletinText
from lucheng.core.indicators.periods import Window
from lucheng.core.ledger import acts
from lucheng.core.places import names

_NAMED = re.compile(r"\{([0-9A-Za-z_.]+)\}")
_DIGITS = re.compile(r"[0-9０-９]+")
#: What a template may say of itself beside its parts: {year}, {place}, {since}, {until}.
_FRAME = ("year", "place", "since", "until")


@dataclass(frozen=True)
class Figure:
    """One figure of a bulletin, with the page on which it opens."""

    indicator: Indicator
    value: Value
    address: str

    @property
    def text(self) -> str:
        value = self.value.value
        return "—" if value is None else f"{value:,.{self.indicator.digits}f}".replace(",", "")

    def __str__(self) -> str:
        return self.text


Piece = str | Figure


@dataclass(frozen=True)
class Paragraph:
    """One paragraph. ``level`` 1 and 2 are headings, 0 is text."""

    level: int
    pieces: tuple[Piece, ...]

    def __str__(self) -> str:
        return "".join(str(p) for p in self.pieces)


@dataclass(frozen=True)
class Bulletin:
    title: str
    window: Window
    place: str
    paragraphs: tuple[Paragraph, ...]

    def figures(self) -> Iterator[Figure]:
        """Every figure in the order in which it is told, each once."""
        seen: set[str] = set()
        for paragraph in self.paragraphs:
            for piece in paragraph.pieces:
                if isinstance(piece, Figure) and piece.indicator.id not in seen:
                    seen.add(piece.indicator.id)
                    yield piece

    def as_json(self) -> dict[str, dict[str, Any]]:
        """What every figure comes to, from what, as of which day and by which query, by its id."""
        return {
            figure.indicator.id: {
                "value": figure.value.value,
                "numerator": figure.value.numerator,
                "denominator": figure.value.denominator,
                "as_of": figure.value.as_of.isoformat(),
                "query": str(figure.indicator.numerator.under(self.window, self.place).query),
            }
            for figure in self.figures()
        }


def _texts(template: dict[str, Any]) -> Iterator[tuple[int, int, str]]:
    """Number of the part, level and text, in the order in which they are told."""
    for number, part in enumerate(template.get("part", []), 1):
        if part.get("heading"):
            yield number, int(part.get("level", 1)), part["heading"]
        for text in part.get("text", []):
            yield number, 0, text


def check(text: str) -> dict[str, Any]:
    """A template as it was read.

    Raises Faulty: for what is no TOML, an unknown figure, and digits that are typed: a figure is named, so that it
    follows its records. Names with digits in them (12345) are listed under ``names``.
    """
    try:
        template = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Faulty(
            [Fault(0, "", format_lazy(_("This is no TOML file: {error}"), error=str(error)))]
        ) from error
    faults: list[Fault] = []
    if not isinstance(template.get("title"), str) or not template["title"].strip():
        faults.append(Fault(0, "title", _("This may not be empty.")))
    allowed = sorted((str(n) for n in template.get("names", [])), key=len, reverse=True)
    told = [(0, "title", str(template.get("title", "")))]
    told += [(number, "text" if not level else "heading", words) for number, level, words in _texts(template)]
    for number, where, words in told:
        if not isinstance(words, str):
            faults.append(Fault(number, where, _("Write this as text.")))
            continue
        for name in _NAMED.findall(words):
            if name not in _FRAME and name not in indicators():
                faults.append(Fault(number, where, format_lazy(_("There is no figure “{name}”."), name=name)))
        rest = _NAMED.sub("", words)
        for name in allowed:
            rest = rest.replace(name, "")
        if found := _DIGITS.search(rest):
            text_ = _(
                "“{digits}” is typed. Name the figure as {{id}}, or list the name that holds it under names."
            )
            faults.append(Fault(number, where, format_lazy(text_, digits=found[0])))
    if not template.get("part"):
        faults.append(Fault(0, "part", _("There is no part in it.")))
    if faults:
        raise Faulty(faults)
    return template


def load(path: Path, now: dt.datetime) -> BulletinText:
    """Put the template at ``path`` in force; the earlier ones stay. The same text again changes nothing.

    Raises Faulty.
    """
    text = path.read_text(encoding="utf-8")
    check(text)
    with transaction.atomic():
        last = BulletinText.objects.select_for_update().order_by("-number").first()
        if last is not None and last.text == text:
            return last
        made = BulletinText.objects.create(number=last.number + 1 if last else 1, text=text, loaded_at=now)
        acts.wrote("bulletin_loaded", made.number)
        return made


def current() -> BulletinText:
    """The template in force. Raises NotFound where none was loaded."""
    found = BulletinText.objects.order_by("-number").first()
    if found is None:
        raise NotFound(_("No template of a bulletin is loaded: lucheng bulletin load FILE"))
    return found


def compose(text: str, window: Window, place: str) -> Bulletin:
    """The bulletin of a period at a place. Each figure is counted once. Raises Faulty as :func:`check` does."""
    template = check(text)
    frame = {
        "year": str(window.since.year),
        "place": names.place_name(place, window.day),
        "since": _day(window.since),
        "until": _day(window.day),
    }
    known = indicators()
    found: dict[str, Figure] = {}

    def piece(name: str) -> Piece:
        if name in frame:
            return frame[name]
        if name not in found:
            indicator = known[name]
            query = urlencode({"place": place, "period": window.name})
            address = f"{reverse('figure', args=[name])}?{query}"
            found[name] = Figure(indicator, indicator.value(window, place), address)
        return found[name]

    def pieces(words: str) -> tuple[Piece, ...]:
        parts = _NAMED.split(words)
        return tuple(piece(part) if at % 2 else part for at, part in enumerate(parts) if part)

    return Bulletin(
        "".join(str(p) for p in pieces(template["title"])),
        window,
        place,
        tuple(Paragraph(level, pieces(words)) for _number, level, words in _texts(template)),
    )


def _day(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
