"""The words of a case: put together from sentences of its class of matter, its place, and turns of phrase."""

from __future__ import annotations

from random import Random
from typing import Any

from lucheng.core import packs
from lucheng.demo.cases.subjects import Subject
from lucheng.demo.cases.world import Where

_STOPS = "。！？，、；"


def wording() -> dict[str, Any]:
    return packs.of_demo_city("wording.toml")


def content(random: Random, subject: Subject, nature: str, channel: str, where: Where, unit: str) -> str:
    """What somebody says. Thousands of texts, few of them twice."""
    w = wording()
    stretch = random.choice(w["stretches"])
    values = {"where": where.words, "when": stretch, "matter": subject.name, "unit": unit}
    opening = random.choice(w["content"][channel]).format(**values)
    if nature in ("praise", "other"):
        middle = random.choice(w[nature]["texts"]).format(**values)
    else:
        middle = random.choice(subject.examples).rstrip(_STOPS)
        if where.words not in opening:
            middle = random.choice(w["where"]).format(**values) + middle
        if nature != "inquiry" and random.random() < 0.4:
            middle += "，" + random.choice(w["when"]).format(**values)
        if random.random() < 0.12 and len(subject.examples) > 1:
            middle += "；" + random.choice(subject.examples).rstrip(_STOPS)
        middle += "。"
    text: str = opening + middle + random.choice(w["ask"][nature])
    return text.rstrip("，")


def again(random: Random, text: str) -> str:
    """The same matter in the words of a neighbour."""
    w = wording()["content"]
    _before, colon, rest = text.partition("：")
    body = rest if colon else text
    opening: str = random.choice(w["phone"]).format(where="附近")
    return opening + body


def title(subject: Subject, nature: str, where: Where) -> str:
    """As an operator heads it: where, what, and what is wanted."""
    return f"{where.words}{subject.name}{wording()['nature'][nature]}"[:120]


def phrase(random: Random, step: str, subject: Subject) -> str:
    """Something written in a step of the life cycle. May be empty."""
    text: str = random.choice(wording()["step"][step])
    return text.replace("{matter}", subject.name)
