"""The greater part of a case's way: dispatched, in the hands of a unit, called back, closed, archived."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

from lucheng.core.clocks.calendar import WORKING_DAYS, WORKING_HOURS
from lucheng.core.organisation.models import Unit
from lucheng.demo.cases import words
from lucheng.demo.cases.life import Life, Over
from lucheng.demo.cases.subjects import Subject
from lucheng.demo.cases.world import World

Moment = dt.datetime


class Handling:
    """One case, its subject, and chance; every method is a stretch of its way, and moves its time on."""

    def __init__(self, world: World, life: Life, subject: Subject, random: Random) -> None:
        self.w, self.life, self.subject, self.r = world, life, subject, random
        self.at = life.created_at
        #: Another order about the same thing, into which this one may be merged.
        self.twin: Life | None = None
        #: Other orders will be merged into this one: it goes a plain way.
        self.plain = False
        #: Orders that are split off this one.
        self.parts: list[Life] = []
        #: Units that whoever dispatches asks to help.
        self.helpers: list[int] = []

    def _happens(self, probability: float, state: str = "") -> bool:
        """Whether something happens: by chance, or, where the case shall come to rest in a state, what leads there."""
        return self.life.rest == state if self.life.rest else self.r.random() < probability

    # --- small things -----------------------------------------------------------------------------------------------

    def _wait(self, minutes: float) -> None:
        """Let time pass by the clock on the wall, with a spread."""
        self.at += dt.timedelta(seconds=int(minutes * 60 * self.r.lognormvariate(0, 0.6)) + 20)

    def _office(self, hours: float) -> None:
        """Let hours of business pass, with a spread; something urgent waits for nobody."""
        spread = self.r.lognormvariate(0, 0.6) * hours
        if self.life.urgency != "ordinary":
            self.at += dt.timedelta(seconds=int(spread * 600) + 30)
        else:
            self.at = self.w.calendar.add(self.at, spread, WORKING_HOURS).replace(microsecond=0)

    def _say(self, step: str) -> str:
        return words.phrase(self.r, step, self.subject)

    def _fields(self, **fields: Any) -> dict[str, Any]:
        """Fields as entered: empty texts are no entry."""
        return {k: v for k, v in fields.items() if v != "" and v is not None}

    def _desk(self, action: str, role: str, **fields: Any) -> None:
        """A step at the hotline centre."""
        self.life.step(action, self.at, self.w.centre(self.r, role), role, self._fields(**fields))

    def _unit(self, action: str, **fields: Any) -> None:
        """A step of the lead unit: by whoever signed for the case, or anybody who handles there."""
        assert self.life.lead_unit is not None  # it has been dispatched
        actor = self.life.handler or self.w.handler(self.r, self.life.lead_unit)
        self.life.step(action, self.at, actor, "handler", self._fields(**fields))

    def _requester(self, action: str, **fields: Any) -> None:
        """A step of the requester: online by the code, or by telephone through the desk."""
        if self.r.random() < 0.6:
            self.life.step(action, self.at, None, "requester", self._fields(**fields))
        else:
            self._desk(action, "operator", **fields)

    # --- dispatch ---------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        life = self.life
        role = "dispatcher" if life.nature == "finding" or self.r.random() < 0.7 else "operator"
        self._desk("accept", role, matter=self.subject.code)
        decision = self.w.decide(life.matter, life.place)
        if self.helpers and decision is not None:
            self._wait(6)
            lead, opinion = decision.lead_unit_id, self._say("with_helper")
            self._desk("dispatch", "dispatcher", lead_unit=lead, assist_units=self.helpers, opinion=opinion)
        elif decision is None or life.accused_unit is not None:
            self._name_unit()
        else:
            self._wait(6)
            self._desk("dispatch", "dispatcher")

    def _name_unit(self) -> None:
        """The catalogue has no unit, or the one it has is complained of: somebody names one and says why."""
        life = self.life
        self._wait(240 if self.r.random() < 0.6 else 3000)
        key = "discipline" if life.accused_unit is not None else "service"
        unit = self.w.unit(key, self.w.root if life.accused_unit is not None else life.place)
        if unit is None:
            raise Over  # a city without such a unit leaves it in the queue
        self._desk("dispatch", "duty_officer", lead_unit=unit, opinion=self._say("opinion"))

    def _return(self) -> None:
        """The unit objects; the centre decides."""
        life = self.life
        self._office(3)
        limit = life.live.get("return")
        if limit is None or self.at > limit.due_at:
            return
        self._unit("return", reason=self._say("return"), basis=self._say("return_basis"))
        self._office(3)
        other = next((u for u in life.units if u != life.lead_unit and self._may_lead(u)), None)
        if other is None or self.r.random() < 0.5:
            self._desk("uphold", "dispatcher", reason=self._say("uphold"))
        else:
            self._desk("redispatch", "dispatcher", lead_unit=other, reason=self._say("redispatch"))

    def _may_lead(self, unit: int) -> bool:
        return self.w.units[unit][1] not in (Unit.Kind.STREET, Unit.Kind.COMMUNITY) or self.subject.grassroots

    # --- in the unit's hands ----------------------------------------------------------------------------------------

    def _handle(self) -> None:
        life, r = self.life, self.r
        if not self.plain and life.accused_unit is None and self._happens(0.045, "return_req"):
            self._return()
        self._office(0.6 if r.random() < 0.96 else 5)
        self._unit("sign")
        if not self.plain and life.nature != "finding" and self._happens(0.012):
            self._office(3)
            self._requester("withdraw", reason=self._say("withdraw"))
        else:
            self._work(first=True)
            self._after_reply()

    def _work(self, *, first: bool) -> None:
        """From signing to the reply, by the clock that runs for it."""
        life, r = self.life, self.r
        started = self.at
        wanted = life.nature != "finding" and not life.anonymous and life.reply_wanted
        if wanted:
            self._office(2.2 if r.random() < 0.96 else 8)
            how = r.choices(["phone", "visit", "message"], [80, 14, 6])[0]
            self._unit("contact", how=how, note=self._say("contact"))
        if first and not self.plain:
            self._detours()
        self._helpers_report()
        clock = life.live.get("reply")
        if clock is not None:
            share = r.betavariate(2.2, 2.0) if r.random() > 0.04 * self._pace() else r.uniform(1.02, 2.4)
            self._until_share(clock.started_at, clock.due_at, share, started)
        waiting = any(h.replied_at is None for h in life.helpers.values())
        self._unit(
            "reply",
            handling=self._say("handling"),
            public_reply=self._say("reply"),
            facts_true=r.random() < 0.9,
            solved=r.random() < 0.86,
            note=self._say("note") if waiting else "",
        )

    def _pace(self) -> float:
        """Units differ: some are late half as often as others."""
        return 0.5 + (((self.life.lead_unit or 0) * 2654435761) % 1000) / 1000

    def _until_share(self, start: Moment, due: Moment, share: float, not_before: Moment) -> None:
        """Let time pass until so much of a limit is used up."""
        ordinary = self.life.urgency == "ordinary"
        if ordinary and share <= 1:
            at = self.w.calendar.part(start, due, share, WORKING_HOURS)
        elif ordinary:
            late = max(1.0, self.w.calendar.elapsed(start, due, WORKING_HOURS) * (share - 1))
            at = self.w.calendar.add(due, late, WORKING_HOURS)
        else:
            at = start + (due - start) * share
        self.at = max(at.replace(microsecond=0), self.at + dt.timedelta(minutes=2), not_before)

    def _detours(self) -> None:
        life, r = self.life, self.r
        if r.random() < 0.02:
            self._office(2)
            helper = self.w.unit(r.choice(["housing", "urban-management", "market", "police"]), life.place)
            if helper is not None and helper not in life.units and helper not in self._barred():
                reason = self._say("ask_assist")
                self._desk("ask_assist", "dispatcher", assist_unit=helper, reason=reason)
        if life.urgency == "ordinary" and "reply" in life.live and self._happens(0.05, "extend_req"):
            self._office(6)
            told = not life.anonymous and life.reply_wanted
            self._unit("extend", days=r.choice([3, 5, 5, 10]), reason=self._say("extend"), person_told=told)
            self._office(2)
            if r.random() < 0.85:
                days = r.choice([3, 5])
                self._desk("grant_extension", "dispatcher", days=days, reason=self._say("grant"))
            else:
                self._desk("refuse_extension", "dispatcher", reason=self._say("refuse"))
        if life.urgency == "ordinary" and self._happens(0.012, "suspended"):
            self._office(8)
            days = r.choice([20, 40, 90])
            until = self.w.calendar.add(self.at, days, WORKING_DAYS)
            self._desk("suspend", "duty_officer", reason=self._say("suspend"), until=until.date())
            self.at = until - dt.timedelta(hours=r.randint(2, 30))
            self._unit("resume", note=self._say("resume"))
        overdue = any(c.stage >= 2 for c in life.live.values())
        if self._happens(0.25 if overdue else 0.004):
            self._wait(60)
            ground = "overdue" if overdue else "effect"
            level = r.choices(["daily", "listed", "talk"], [70, 25, 5])[0]
            self._desk(
                "supervise",
                "supervisor",
                level=level,
                supervision_ground=ground,
                opinion=self._say("supervise"),
            )

    def _barred(self) -> set[int]:
        return set() if self.life.accused_unit is None else self.w.above(self.life.accused_unit)

    def _helpers_report(self) -> None:
        for unit, helper in list(self.life.helpers.items()):
            if helper.replied_at is None and self.r.random() < 0.75:
                self._office(1.5)
                actor = self.w.handler(self.r, unit)
                fields = {"assist_reply": self._say("assist")}
                self.life.step("assist", self.at, actor, "handler", fields, helper=unit)

    # --- after the reply --------------------------------------------------------------------------------------------

    def _after_reply(self) -> None:
        life, r = self.life, self.r
        self._office(1.5)
        if self._happens(0.035, "rework"):
            self._desk("send_back", "dispatcher", reason=self._say("send_back"))
            self._again()
        self._desk("approve", "dispatcher")
        if life.supervision and r.random() < 0.7:
            self._wait(30)
            self._desk("end_supervision", "supervisor", reason=self._say("end_supervision"))
        self._office(7)
        if life.nature != "finding" and r.random() < 0.2:
            rating = str(r.choices([5, 4, 3, 2, 1], [55, 24, 12, 6, 3])[0])
            solved = rating not in ("1", "2")
            self._requester("rate", satisfaction=rating, contacted=True, solved=solved)
            self._office(2)
        if life.nature != "finding" and not self.plain and self._happens(0.03):
            if r.random() < 0.2:
                self._desk(
                    "supervise",
                    "supervisor",
                    level="listed",
                    supervision_ground="unsolved",
                    opinion=self._say("supervise"),
                )
                self._work(first=False)
            else:
                self._desk("send_back", "supervisor", reason=self._say("send_back"))
                self._again()
            self._desk("approve", "dispatcher")
            self._office(7)
        self._close()
        if life.nature != "finding" and not self.plain and self._happens(0.006, "reopened"):
            self._office(40)
            self._reopen()

    def _again(self) -> None:
        self._office(2)
        self._unit("redo")
        self._work(first=False)
        self._office(1.5)

    def _close(self) -> None:
        """The callback's three questions (回访): contacted, solved, satisfied; on site for a finding."""
        life, r = self.life, self.r
        if life.nature == "finding":
            self._desk("verify", "operator", solved=True)
        elif life.anonymous or not life.reply_wanted or r.random() < 0.12:
            bad = life.satisfaction in (1, 2) or life.solved is False
            self._desk("close", "operator", satisfaction="0", note=self._say("bad_note") if bad else "")
        else:
            rating = r.choices([5, 4, 3, 2, 1], [52, 27, 13, 5, 3])[0]
            solved = rating >= 3 and r.random() < 0.97
            note = self._say("callback_note" if solved else "bad_note")
            contacted = r.random() < 0.95
            self._desk(
                "close", "operator", satisfaction=str(rating), contacted=contacted, solved=solved, note=note
            )

    def _reopen(self) -> None:
        self._desk("reopen", "duty_officer", reason=self._say("reopen"))
        self._wait(30)
        life = self.life
        if self.w.decide(life.matter, life.place) is None or life.accused_unit is not None:
            self._name_unit()
        else:
            self._desk("dispatch", "dispatcher")
        self._office(1)
        self._unit("sign")
        self._work(first=False)
        self._office(2)
        self._desk("approve", "dispatcher")
        self._office(7)
        self._close()

    def _archive(self) -> None:
        """Closed cases are archived at month's end, the one after next."""
        life = self.life
        if life.state not in ("closed", "withdrawn"):
            return
        self.at = self.w.calendar.add(self.at, self.r.randint(12, 30), WORKING_DAYS)
        self.at += dt.timedelta(seconds=self.r.randint(0, 3000))
        self._desk("archive", "duty_officer")
