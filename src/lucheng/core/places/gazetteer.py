"""From what people write to the places they name.

Every name in force (divisions with and without their generic endings, what people call them, roads, estates, addresses
of estates) lies in one automaton, which finds all of them in a text in one pass. Of overlapping matches the longest
counts. Each match is evidence, in bits, for the places it may mean and for everything inside them, so that a county
named before an estate tells two estates of one name apart. A candidate's score is its share of the evidence among all
places that exclude each other, and it stays low where a name is short or many places have it.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import ahocorasick

from lucheng.core.places.day import today
from lucheng.core.places.kinds import forms
from lucheng.core.places.models import LEVELS, Building, Division, Estate, Kind, Road
from lucheng.core.places.names import place_name
from lucheng.core.revisions.snapshot import Snapshot

#: Characters of a text that are read; a place is named early, and no text may hold the door up.
MAX_TEXT = 5_000

#: Distinct names of a text that are weighed, the longest first.
_MAX_WORDS = 24

#: A name that more places than these have (001网格) says nothing but inside a place that the text names too.
_COMMON = 40

#: Characters after an estate's name in which its building is looked for.
_NEAR = 12

# Evidence in bits. A name is the stronger the longer it is; a generic ending (区, 社区) shows that a place is meant.
_BITS_PER_CHARACTER = 1.5
_FOR_ENDING = 1.0
_FOR_COUNTY = 1.0
_WITHOUT_ENDING = -1.0
_LIKE_A_ROAD = -3.0
_MOST_FOR_NAME = 9.0
_FOR_ALIAS = 5.0
_FOR_ADDRESS = 9.0
_FOR_BUILDING = 4.0

#: What is needed to be as likely right as wrong.
_DOUBT = 3.0


_LENGTHS = tuple(LEVELS.values())


class WordKind(StrEnum):
    DIVISION = "division"
    ESTATE = "estate"
    ROAD = "road"
    BUILDING = "building"


@dataclass(frozen=True, slots=True)
class Word:
    """Characters of the text that matched, and where they start."""

    text: str
    kind: WordKind
    start: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that the text may mean. ``score`` is between 0 and 1; candidates that exclude each other share it.

    ``lon`` and ``lat`` (degrees, WGS 84) are those of the estate or building named, where it has any.
    """

    place: str
    name: str
    score: float
    lon: float | None
    lat: float | None
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class _Meaning:
    """One place that a name may mean."""

    place: str
    bits: float
    kind: WordKind
    estate: int | None = None
    label: str = ""
    """What stands after the name of the place: the estate, the building."""
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True)
class _Gazetteer:
    names: ahocorasick.Automaton
    """Each name with its list of meanings."""
    buildings: dict[tuple[int, str], _Meaning]
    """By estate and number."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A name in the text with its meanings."""

    text: str
    start: int
    meanings: list[_Meaning]


def locate_text(text: str, limit: int = 5) -> list[Candidate]:
    """The places that ``text`` may mean, the likeliest first, at most ``limit``. Empty where it names none we know.

    Only the first MAX_TEXT characters are read.
    """
    text = text[:MAX_TEXT]
    gazetteer = _gazetteer(today()).get()
    found = _names_in(_plain(text), gazetteer)
    if not found:
        return []
    return _ranked([_as_written(f, text) for f in found], limit)


# What is in the text


_WIDTH = {**{0xFF01 + i: 0x21 + i for i in range(94)}, 0x3000: 0x20}
_FOLD = {**{ord(c): ord(c.upper()) for c in "abcdefghijklmnopqrstuvwxyz"}, **_WIDTH}
_FOLD.update({0xFF41 + i: 0x41 + i for i in range(26)})


def _plain(text: str) -> str:
    """Full-width signs as half-width, small letters as capitals; no character moves."""
    return text.translate(_FOLD)


def _as_written(found: _Found, text: str) -> _Found:
    return _Found(text[found.start : found.start + len(found.text)], found.start, found.meanings)


def _names_in(text: str, gazetteer: _Gazetteer) -> list[_Found]:
    """The names in the text that weigh most, none overlapping another, and the buildings named after estates."""
    if not len(gazetteer.names):
        return []
    matches = [(end - len(name) + 1, name, meanings) for end, (name, meanings) in gazetteer.names.iter(text)]
    matches = [m for m in matches if _stands_alone(text, m[0], m[1])]
    matches.sort(key=lambda m: (-len(m[1]), m[0]))
    taken = bytearray(len(text))
    words: dict[str, _Found] = {}
    buildings: dict[str, _Found] = {}
    for start, name, meanings in matches:
        end = start + len(name)
        if any(taken[start:end]):
            continue
        taken[start:end] = b"\1" * len(name)
        if name not in words:
            if len(words) == _MAX_WORDS:
                break
            words[name] = _Found(name, start, meanings)
        for found in _building_after(text, end, meanings, gazetteer):
            buildings.setdefault(f"{name} {found.text}", found)
    return [*words.values(), *itertools.islice(buildings.values(), _MAX_WORDS)]


_NUMERALS = "0123456789一二三四五六七八九十"


def _stands_alone(text: str, start: int, name: str) -> bool:
    """Whether no number runs over the edge of the match: 十八街坊 is not in 二十八街坊."""
    end = start + len(name)
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (
        (name[0] in _NUMERALS and before != "" and before in _NUMERALS)
        or (name[-1] in _NUMERALS and after != "" and after in _NUMERALS)
    )


_BUILDING = re.compile(
    "(?<![0-9一二三四五六七八九十A-Z])"
    "(?P<number>[0-9]{1,3}|[一二三四五六七八九十]{1,3}|[A-Z]) ?[#号]? ?(?P<what>楼|栋|幢|座|排|#)"
    "|(?<![0-9-])(?P<first>[0-9]{1,3})-[0-9]{1,2}-[0-9]{2,4}"  # building, stairwell, door
)


def _building_key(match: re.Match[str]) -> str:
    """The number as digits, so that 三号楼, 3栋 and 3# are one; rows of courtyards (排) count for themselves."""
    number = _digits(match["number"] or match["first"])
    return f"{number}排" if match["what"] == "排" else number


def _digits(number: str) -> str:
    """Chinese numerals to 99 as digits: 十二 is 12."""
    if number[0] not in "一二三四五六七八九十":
        return number.lstrip("0") or "0"
    tens, ten, ones = number.rpartition("十")
    value = {c: i for i, c in enumerate("一二三四五六七八九", 1)}
    if not ten:
        return "".join(str(value[c]) for c in number)
    return str(value.get(tens, 1) * 10 + value.get(ones, 0))


def _building_after(text: str, end: int, meanings: list[_Meaning], gazetteer: _Gazetteer) -> Iterator[_Found]:
    """The building of one of the estates meant, where its number follows the name."""
    estates = [m.estate for m in meanings if m.estate is not None]
    match = _BUILDING.search(text, end, end + _NEAR) if estates else None
    if match is None:
        return
    key = _building_key(match)
    found = [b for e in estates if (b := gazetteer.buildings.get((e, key))) is not None]
    if found:
        yield _Found(match[0], match.start(), found)


# What it may mean


def _ranked(found: list[_Found], limit: int) -> list[Candidate]:
    # For each name, the strongest meaning at each place: a name speaks for that place and for all inside it.
    spoken: list[dict[str, _Meaning]] = []
    for meanings in _telling(found):
        best: dict[str, _Meaning] = {}
        for meaning in meanings:
            if meaning.place not in best or meaning.bits > best[meaning.place].bits:
                best[meaning.place] = meaning
        spoken.append(best)

    # Every place named, with the places above it and itself, from the city down.
    lines = {place: [place[:n] for n in _LENGTHS if n <= len(place)] for best in spoken for place in best}
    support: dict[str, list[tuple[int, _Meaning]]] = {}
    weight: dict[str, float] = {}
    for place, line in lines.items():
        support[place] = words = []
        bits = 0.0
        for i, best in enumerate(spoken):
            strongest: _Meaning | None = None
            for above in line:
                said = best.get(above)
                if said is not None and (strongest is None or said.bits >= strongest.bits):
                    strongest = said
            if strongest is not None:
                words.append((i, strongest))
                bits += strongest.bits
        weight[place] = 2.0**bits

    # What excludes a place are all places but those above and below it.
    whole = sum(weight.values())
    below: dict[str, float] = defaultdict(float)
    shadowed: set[str] = set()
    for place, line in lines.items():
        words_here = {i for i, _ in support[place]}
        for above in line:
            below[above] += weight[place]
            # A place above another says nothing new where all its words speak for the one below too.
            if above != place and above in lines and all(i in words_here for i, _ in support[above]):
                shadowed.add(above)
    scores: dict[str, float] = {}
    for place in lines.keys() - shadowed:
        above_it = sum(weight.get(above, 0.0) for above in lines[place][:-1])
        excluded = max(0.0, whole - above_it - below[place])
        scores[place] = weight[place] / (2.0**_DOUBT + weight[place] + excluded)
    order = sorted(scores, key=lambda p: (-round(scores[p], 9), -len(p), p))
    return [_candidate(place, scores[place], support[place], spoken, found) for place in order[:limit]]


def _telling(found: list[_Found]) -> Iterator[list[_Meaning]]:
    """The meanings of each name; of a common one only those in a township or community that is named too, if few."""
    named = {m.place for f in found if len(f.meanings) <= _COMMON for m in f.meanings}
    for f in found:
        if len(f.meanings) <= _COMMON:
            yield f.meanings
            continue
        inside = [m for m in f.meanings if m.place[:9] in named or m.place[:12] in named]
        yield inside if len(inside) <= _COMMON else []


def _candidate(
    place: str,
    score: float,
    support: list[tuple[int, _Meaning]],
    spoken: list[dict[str, _Meaning]],
    found: list[_Found],
) -> Candidate:
    own = max(
        (best[place] for best in spoken if place in best), key=lambda m: (m.kind == WordKind.BUILDING, m.bits)
    )
    words = [Word(found[i].text, m.kind, found[i].start) for i, m in support]
    return Candidate(
        place=place,
        name=" · ".join(filter(None, (place_name(place), own.label))),
        score=score,
        lon=own.lon,
        lat=own.lat,
        words=tuple(sorted(words, key=lambda w: w.start)),
    )


# What we know


@functools.lru_cache(maxsize=2)
def _gazetteer(day: dt.date) -> Snapshot[_Gazetteer]:
    return Snapshot("places", lambda: _load(day))


def _load(day: dt.date) -> _Gazetteer:
    divisions = list(Division.objects.as_of(day).values_list("code", "name", "kind", "aliases"))
    in_force = {code for code, *_ in divisions}
    meanings: dict[str, list[_Meaning]] = defaultdict(list)
    buildings, grids = _buildings(in_force)
    for pk, name, place, address, lon, lat in Estate.objects.values_list(
        "id", "name", "place", "address", "lon", "lat"
    ):
        # An estate that lies in one grid is known to the grid.
        at = next(iter(grids[pk])) if len(grids[pk]) == 1 else _held_by(place, in_force)
        for text, bits in ((name, _bits(name)), (address, _FOR_ADDRESS if address.endswith("号") else 0.0)):
            if bits and at:
                what = WordKind.ESTATE if text == name else WordKind.ROAD
                meanings[_plain(text)].append(_Meaning(at, bits, what, pk, name, lon, lat))
    for name, place in Road.objects.values_list("name", "place"):
        if (bits := _bits(name)) and (at := _held_by(place, in_force)):
            meanings[_plain(name)].append(_Meaning(at, bits, WordKind.ROAD, label=name))
    taken = set(meanings)
    for code, name, kind, aliases in divisions:
        if kind == Kind.PLACEHOLDER.value:
            continue
        for text, bits in _division_names(code, name, aliases):
            # Where the road itself is known, or an estate has the name, a stem does not compete with it.
            if bits and not (len(text) < len(name) and text in taken and text not in aliases):
                meanings[_plain(text)].append(_Meaning(code, bits, WordKind.DIVISION))

    names = ahocorasick.Automaton()
    for text, found in meanings.items():
        names.add_word(text, (text, found))
    if meanings:
        names.make_automaton()
    return _Gazetteer(names, buildings)


def _held_by(place: str, in_force: set[str]) -> str:
    """The place, or the smallest one above it that is in force: a register may still carry a code that has ended."""
    return next((place[:n] for n in sorted(LEVELS.values(), reverse=True) if place[:n] in in_force), "")


def _bits(name: str) -> float:
    """How much the name of a road or an estate says. A name of one character says nothing."""
    return min(_MOST_FOR_NAME, _BITS_PER_CHARACTER * len(name)) if len(name) > 1 else 0.0


def _division_names(code: str, name: str, aliases: list[str]) -> Iterator[tuple[str, float]]:
    """The ways to write a division, each with what it says."""
    if len(code) == LEVELS["grid"]:
        yield name, _bits(name)
        return
    written = forms(len(code), name)
    stem = written[-1]
    bits = _BITS_PER_CHARACTER * len(stem)
    county = _FOR_COUNTY if len(code) <= LEVELS["county"] else 0.0
    for text in written:
        if text != stem or len(written) == 1:
            yield text, min(_MOST_FOR_NAME, bits + _FOR_ENDING + county)
        elif len(stem) > 2 or county:
            # 建设, 和平: two characters without an ending are words of the language before they are a village.
            # 友谊大街 means the road more often than the sub-district called after it.
            yield (
                text,
                min(_MOST_FOR_NAME, bits + (_LIKE_A_ROAD if text[-1] in "路街道巷" else _WITHOUT_ENDING)),
            )
    for alias in aliases:
        yield alias, _FOR_ALIAS


def _buildings(in_force: set[str]) -> tuple[dict[tuple[int, str], _Meaning], dict[int, set[str]]]:
    """Buildings by estate and number, and the grids in which each estate has buildings."""
    found: dict[tuple[int, str], _Meaning] = {}
    grids: dict[int, set[str]] = defaultdict(set)
    for estate, estate_name, name, grid, lon, lat in Building.objects.filter(
        estate__isnull=False
    ).values_list("estate", "estate__name", "name", "grid", "lon", "lat"):
        if not (at := _held_by(grid, in_force)):
            continue
        grids[estate].add(at)
        if match := _BUILDING.search(_plain(name)):
            label = f"{estate_name} · {name}"
            meaning = _Meaning(at, _FOR_BUILDING, WordKind.BUILDING, estate, label, lon, lat)
            found.setdefault((estate, _building_key(match)), meaning)
    return found, grids
