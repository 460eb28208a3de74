"""A gentle reading of texts before they leave: what a reply should not say, and what no public text may show.

Rules that a city can read and change (packs/national/reply_lint.toml), no model. A finding is a hint beside the editor:
it names the words and says what to write instead, and the writer decides.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lucheng.core.triage.words import Codes, grams, plain

NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "reply_lint.toml"

_LONGEST = 50_000
_SPACES = re.compile(r"\s+")
#: A reply shorter than this says nothing.
_SHORT = 10
#: Pairs of characters below which a request is too short to compare, and the share of them that an answer takes up.
_PAIRS, _TAKEN_UP = 8, 0.05

_MESSAGES: dict[str, str | Promise] = {
    "promise": _("A promise of time: give the date and what it rests on, or leave it out."),
    "absolute": _("Absolute words bind the unit to what it cannot know: say what has been done and what is planned."),
    "pushing": _("This pushes the requester away: say which unit is in charge and that the order goes there."),
    "citation": _("This cannot be looked up: name the law or document with its article or number."),
    "phone": _("A private telephone number: leave it out, or give the unit's public number."),
    "identity": _("An identity or card number: it may not stand in a reply."),
    "danger": _("The request speaks of danger: say what has been done to make it safe and what to mind until then."),
    "unanswered": _("The reply takes up none of the request's words: does it answer what was asked?"),
    "blank": _("A blank of the template is still to be filled in."),
    "short": _("This is too short to be an answer."),
}  # fmt: skip

MASK = "***"

# Digits as people write them, full-width ones included, with a space, dash or dot between groups.
_DATE = r"(?<!\d)(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}(?!\d)"
_LONG_NUMBER = r"\+?\d(?:[ \-–—.·]?\d){6,}[xX]?"
_SPOKEN_NUMBER = r"[〇零一二三四五六七八九幺]{7,}"
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[ \-]?)?1[3-9]\d(?:[ \-]?\d{4}){2}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(?:\(?0\d{2,3}\)?[ \-]?)?[2-8]\d{6,7}(?!\d)")
_IDENTITY = re.compile(r"(?<![\dA-Za-z])(?:\d{17}[\dXx]|\d{16}|\d{19})(?![\dA-Za-z])")
#: A room, after which an address would name one household. What stands before it stays.
_ROOM = (
    r"(?P<unit>单元\s*)\d{1,4}(?:室|户|房|号)?"
    r"|(?P<building>\d[ \-]\d{1,2}[ \-])\d{3,4}(?!\d)"
    r"|(?P<block>\d(?:号楼|栋|幢|座)\s*)\d{3,4}(?!\d)(?:室|户|房|号)?"
    r"|(?<!\d)\d{3,4}\s*室(?![外内])"
)
_ROOMS = re.compile(_ROOM)
_ROOM_NUMBER = re.compile(r"\d{3,4}")
_PERSONAL = re.compile(
    rf"(?P<date>{_DATE})"
    rf"|{_LONG_NUMBER}|{_SPOKEN_NUMBER}"
    r"|[A-Za-z0-9_.+\-]+@[A-Za-z0-9\-]+\.[A-Za-z0-9.\-]+"
    r"|(?P<account>(?:微信|[Qq]{2})号?[:：]?\s*)[A-Za-z0-9_\-]{5,}"
    r"|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·・ ]?[A-HJ-NP-Z0-9]{5,6}(?![A-Z0-9])"
    rf"|{_ROOM}"
    r"|(?P<named>(?:我叫|名叫|姓名|联系人)[:：是为]?\s*)[一-龥·]{2,3}"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at again: ``kind`` for programs, the ``words`` it is about, and what to do, for people."""

    kind: str
    words: tuple[str, ...]
    message: str | Promise


@dataclass(frozen=True)
class _Rules:
    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    asked: tuple[str, ...]
    answered: tuple[str, ...]


@cache
def _rules() -> _Rules:
    pack = tomllib.loads(NATIONAL.read_text(encoding="utf-8"))
    return _Rules(
        tuple((rule["kind"], re.compile("|".join(rule["patterns"]))) for rule in pack["rule"]),
        tuple(pack["danger"]["asked"]),
        tuple(pack["danger"]["answered"]),
    )


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _pairs(text: str) -> Codes:
    codes = grams([text])[1]
    return codes[codes > 0xFFFF]


def check(text: str, request_text: str) -> list[Finding]:
    """What to look at again in a reply ``text`` to ``request_text``, by kind, each kind once with all its words.

    An empty list says that none of the rules found anything, not that the reply is good.
    """
    rules = _rules()
    reply, request = plain(text, _LONGEST), plain(request_text, _LONGEST)
    said, asked = _SPACES.sub("", reply), _SPACES.sub("", request)
    findings: list[Finding] = []

    def found(kind: str, words: list[str]) -> None:
        if words:
            findings.append(Finding(kind, tuple(dict.fromkeys(words)), _MESSAGES[kind]))

    if len(said) < _SHORT:
        findings.append(Finding("short", (), _MESSAGES["short"]))
    for kind, pattern in rules.patterns:
        found(kind, [match.group() for match in pattern.finditer(said)])
    found("identity", _IDENTITY.findall(reply))
    without = _IDENTITY.sub(" ", reply)
    theirs = {_digits(n) for n in _LANDLINE.findall(request)}
    found("phone", _MOBILE.findall(without) + [n for n in _LANDLINE.findall(without) if _digits(n) in theirs])
    if not any(word in said for word in rules.answered):
        found("danger", [word for word in rules.asked if word in asked])
    wanted = _pairs(asked)
    if len(wanted) >= _PAIRS and len(said) >= _SHORT:
        taken_up = np.isin(wanted, _pairs(said)).sum()
        if taken_up < _TAKEN_UP * len(wanted):
            findings.append(Finding("unanswered", (), _MESSAGES["unanswered"]))
    return findings


def mask_text(text: str) -> str:
    """``text`` with personal numbers and room numbers replaced by three stars, for public use.

    Masked are telephone, identity, card and other long numbers (dates stay), plates, mail addresses, accounts, what
    follows "my name is", and rooms: an address ends at the stairwell (单元). Other names cannot be told from words: a
    person still reads a text before it is published. Masking twice changes nothing more.
    """

    def star(match: re.Match[str]) -> str:
        if date := match["date"]:
            return date
        return (
            next((v for k in ("account", "unit", "building", "block", "named") if (v := match[k])), "") + MASK
        )

    return _PERSONAL.sub(star, text)


def mask_rooms(text: str, named: str) -> str:
    """``text`` without the rooms of households, for a page that opens by a code alone.

    Masked is what follows a stairwell or a block, as an address of a home is written, and any other room whose number
    stands in ``named``, the requester's own words. The room of an office to which a reply sends people stays.
    """
    theirs = {digits for room in _ROOMS.finditer(named) for digits in _ROOM_NUMBER.findall(room.group())}

    def star(match: re.Match[str]) -> str:
        before = match["unit"] or match["building"] or match["block"] or ""
        if not before and not theirs.intersection(_ROOM_NUMBER.findall(match.group())):
            return match.group()
        return before + MASK

    return _ROOMS.sub(star, text)
