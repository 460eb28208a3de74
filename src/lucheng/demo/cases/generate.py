"""Making cases by the thousand: who asks, about what, where; and then their stories."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

import numpy as np

from lucheng.core.cases import codes, kinds
from lucheng.core.cases.text import one_line
from lucheng.core.clocks.calendar import ZONE
from lucheng.demo import pack
from lucheng.demo.cases import rhythm, words
from lucheng.demo.cases.life import Life
from lucheng.demo.cases.stories import Story
from lucheng.demo.cases.subjects import Subject
from lucheng.demo.cases.world import Where, World
from lucheng.demo.chance import stream

_BLOCK = 1000
ORDER, FINDING = "command_centre.order", "grids.finding"
#: Telephone numbers of a range that has never been given out, so that they ring nowhere.
_PHONE = "100{:08d}"


@dataclass
class _Arrival:
    id: int
    at: dt.datetime
    finding: bool
    #: The state in which it shall come to rest, if any, and the part of the pack that says so.
    rest: str = ""
    showcase: dict[str, Any] = field(default_factory=dict)


def lives(
    world: World, count: int, seed: int, until: dt.datetime, *, days: int, first_id: int, block: int = _BLOCK
) -> Iterator[list[Life]]:
    """``count`` cases that came in during the ``days`` before ``until``, in the order of their numbers, a block at a
    time. The same city, seed and moments give the same cases."""
    rng = stream(seed, "cases")
    findings = rng.random(count) < rhythm.plan()["findings"]
    moments = rhythm.moments(rng, count, findings, until, days, world.calendar)
    order = np.argsort(np.array([m.timestamp() for m in moments]), kind="stable").tolist()
    arrivals = [_Arrival(first_id + n, moments[i], bool(findings[i])) for n, i in enumerate(order)]
    _lay_to_rest(arrivals, until, world)
    for start in range(0, count, block):
        maker = _Maker(world, until, Random(f"{seed}/{start}"))
        yield maker.block(arrivals[start : start + block])


def _lay_to_rest(arrivals: list[_Arrival], until: dt.datetime, world: World) -> None:
    """Choose a few recent orders that will stand in one state each, so that the city has cases in every state."""
    orders = [a for a in arrivals if not a.finding]
    wanted = [(s, state, age) for s in rhythm.plan()["showcase"] for state, age in s["working_days"].items()]
    for showcase, state, age in wanted:
        day, left = until.date(), float(age)
        while left >= 1:
            day -= dt.timedelta(days=1)
            left -= world.calendar.is_working(day)
        latest = dt.datetime.combine(day, until.timetz()) - dt.timedelta(days=left)
        found = next((a for a in reversed(orders) if not a.rest and a.at <= latest), None)
        if found is not None:
            found.rest, found.showcase = state, showcase


@cache
def _day(day: dt.date) -> str:
    return codes.number(0, dt.datetime.combine(day, dt.time(12), ZONE)).removesuffix("0" * 8)


def _number(arrival: _Arrival) -> str:
    """As codes.number writes it; the day is written once for all its cases."""
    return f"{_day(arrival.at.date())}{arrival.id:08d}"


class _Maker:
    """Makes one block of cases; orders that belong together lie in one block."""

    def __init__(self, world: World, until: dt.datetime, random: Random) -> None:
        self.w, self.until, self.r = world, until, random
        plan = rhythm.plan()
        self.natures, self.nature_weights = list(plan["natures"]), list(plan["natures"].values())
        self.channels, self.channel_weights = list(plan["channels"]), list(plan["channels"].values())
        self.accused = plan["accused"]
        people = pack.names()["people"]
        self.surnames: list[str] = people["surnames"]
        #: An order others are about to be merged into or split from, and how many are still to come.
        self.main: tuple[Life, Subject, Where] | None = None
        self.mergers = 0
        #: (place, state) → the order that was laid to rest in it.
        self.shown: dict[tuple[str, str], Life] = {}

    def block(self, arrivals: list[_Arrival]) -> list[Life]:
        made: list[Life] = []
        to_split: tuple[Story, bool] | None = None  # an order out of which the next arrival will be split
        for n, arrival in enumerate(arrivals):
            if arrival.rest:
                life = self._showcase(arrival)
            elif arrival.finding:
                life, subject = self._finding(arrival)
                Story(self.w, life, subject, self.r).tell(given=True, dispatch=False)
            elif to_split is not None:
                parent, given = to_split
                life, subject = self._part(arrival, parent)
                parent.parts = [life]
                parent.tell(given=given, dispatch=False)
                Story(self.w, life, subject, self.r).tell(given=False, dispatch=False)
                to_split = None
            else:
                more = any(not a.finding and not a.rest for a in arrivals[n + 1 :])
                life, to_split = self._tell_order(arrival, more)
            made.append(life)
        return made

    def _tell_order(self, arrival: _Arrival, more: bool) -> tuple[Life, tuple[Story, bool] | None]:
        """One order with its story, unless it waits to be split: then with the story still to be told."""
        r = self.r
        twin = self.main[0] if self.main is not None and self.mergers > 0 else None
        life, subject, where, given = self._order(arrival)
        story = Story(self.w, life, subject, r)
        story.twin = twin
        if twin is not None:
            self.mergers -= 1
        chance = r.random()
        wanted = life.nature in ("help", "complaint", "suggestion") and life.accused_unit is None
        if twin is None and wanted and chance < 0.012:
            story.plain, self.mergers, self.main = True, r.randint(1, 4), (life, subject, where)
        elif twin is None and wanted and chance < 0.016 and more:
            return life, (story, given)
        at_once = given and life.channel == "phone" and r.random() < 0.55
        if life.nature in ("praise", "other") or (life.nature == "inquiry" and r.random() < 0.8):
            at_once = False
        story.tell(given=given, dispatch=at_once)
        return life, None

    def _showcase(self, arrival: _Arrival) -> Life:
        """An order of the county and the classes that the pack names, which comes to rest in one state."""
        r, plan = self.r, arrival.showcase
        nature = "inquiry" if arrival.rest == "answered" else "help"
        subject = self.w.subjects.all[
            plan["unmatched"] if arrival.rest == "accepted" else r.choice(plan["matters"])
        ]
        place = self.w.first_built(plan["place"]) if plan.get("with_committee") else plan["place"]
        where = next(w for w in iter(lambda: self.w.near(r), None) if w.place.startswith(place))
        life = self._life(arrival, ORDER, "phone", nature, where, subject.code)
        life.rest, life.proposed = arrival.rest, self._proposal(subject, where)
        life.content = words.content(r, subject, nature, "phone", where, "")
        life.title = words.title(subject, nature, where)
        self._requester(life)
        if arrival.rest == "draft":
            life.draft(self.w.centre(r, "operator"), "operator")
            return life
        story = Story(self.w, life, subject, r)
        if plan.get("with_committee"):
            story.helpers = [self.w.by_code[f"{where.place[:12]}-committee"]]
        if arrival.rest == "merged":
            story.twin = self.shown.get((plan["place"], "signed"))
        story.tell(given=True, dispatch=False)
        self.shown[plan["place"], arrival.rest] = life
        return life

    def _life(
        self, arrival: _Arrival, kind: str, channel: str, nature: str, where: Where, known: str
    ) -> Life:
        about = self.w.subjects.all.get(known)
        return Life(
            world=self.w,
            until=self.until,
            id=arrival.id,
            number=_number(arrival),
            code=codes.of_bits(self.r.getrandbits(55)),
            kind=kind,
            channel=channel,
            nature=nature,
            urgency=(about.urgency if about is not None else "") or "ordinary",
            created_at=arrival.at,
            place=where.place,
            address=where.address,
            lon=where.lon,
            lat=where.lat,
            has_requester=kinds.KINDS[kind].has_requester,
        )

    def _finding(self, arrival: _Arrival) -> tuple[Life, Subject]:
        subject = self.w.subjects.choose(self.r, "finding", arrival.at.date())
        where = self.w.in_grid(self.r, self.r.choice(self.w.grids))
        life = self._life(arrival, FINDING, "grid", "finding", where, subject.code)
        life.content = words.content(self.r, subject, "finding", "grid", where, "")
        life.title = words.title(subject, "finding", where)
        life.proposed = self._proposal(subject, where)
        return life, subject

    def _order(self, arrival: _Arrival) -> tuple[Life, Subject, Where, bool]:
        r = self.r
        channel = r.choices(self.channels, self.channel_weights)[0]
        if self.main is not None and self.mergers > 0:
            first, subject, where = self.main
            nature, channel = first.nature, "phone"
        else:
            nature = r.choices(self.natures, self.nature_weights)[0]
            like = "inquiry" if nature == "other" else nature
            subject = self.w.subjects.choose(r, like, arrival.at.date())
            where = self.w.near(r)
            first = None
        given = channel not in ("phone", "web") or (channel == "phone" and r.random() < 0.75)
        proposed = self._proposal(subject, where)
        life = self._life(arrival, ORDER, channel, nature, where, subject.code if given else proposed[0])
        life.proposed = proposed
        if first is not None:
            life.content = words.again(r, first.content)
        else:
            life.content = words.content(r, subject, nature, channel, where, self._praised(where))
        life.title = words.title(subject, nature, where) if channel != "web" else one_line(life.content, 40)
        self._requester(life)
        about_a_unit = subject.code in self.accused["matters"] and nature in ("complaint", "report")
        if about_a_unit and r.random() < self.accused["share"]:
            life.accused_unit = self.w.unit(r.choice(self.accused["units"]), life.place)
        return life, subject, where, given

    def _praised(self, where: Where) -> str:
        unit = self.w.unit(self.r.choice(["heat", "water-supply", "power", "urban-management"]), where.place)
        return self.w.unit_names[unit] if unit is not None else ""

    def _part(self, arrival: _Arrival, parent: Story) -> tuple[Life, Subject]:
        """A matter taken out of an order: its requester, channel and place, and a content of its own."""
        whole = parent.life
        subject = self.w.subjects.choose(self.r, whole.nature, arrival.at.date())
        where = Where(whole.place, None, None, whole.address, self.w.names[whole.place[:9]])
        proposed = self._proposal(subject, where)
        life = self._life(arrival, ORDER, whole.channel, whole.nature, where, proposed[0])
        life.proposed = (proposed[0], proposed[1], "", None)
        life.content = words.content(self.r, subject, whole.nature, "web", where, "")
        life.title = one_line(life.content, 40)
        life.name, life.phone, life.anonymous = whole.name, whole.phone, whole.anonymous
        life.confidential, life.reply_wanted, life.parent = whole.confidential, whole.reply_wanted, whole
        return life, subject

    def _requester(self, life: Life) -> None:
        r = self.r
        secret = life.nature == "report"
        life.anonymous = r.random() < (0.18 if secret else 0.04)
        life.confidential = r.random() < (0.35 if secret else 0.015)
        life.reply_wanted = r.random() < 0.97
        life.collective = r.random() < 0.03
        if not life.anonymous:
            life.phone = _PHONE.format(r.randrange(60_000) * 1009 % 100_000_000)
            life.name = f"{r.choice(self.surnames)}{r.choice(('先生', '女士'))}" if r.random() < 0.9 else ""
        if r.random() < 0.1:
            life.occurred_at = life.created_at - dt.timedelta(minutes=r.randint(20, 3000))

    def _proposal(self, subject: Subject, where: Where) -> tuple[str, float | None, str, float | None]:
        """Advice such as a model gives: mostly right, sometimes the class next to it, sometimes none."""
        r = self.r
        chance = r.random()
        matter, probability = subject.code, round(r.uniform(0.62, 0.98), 3)
        if chance < 0.10:
            matter, probability = "", round(r.uniform(0.1, 0.45), 3)
        elif chance < 0.18:
            matter = r.choice(self.w.subjects.beside[subject.code[:4]])
            probability = round(r.uniform(0.5, 0.75), 3)
        if where.lon is None or r.random() < 0.2:
            return matter, probability, "", None
        return matter, probability, where.place, round(r.uniform(0.8, 0.99), 3)
