"""How cases go their way: each story is a walk through the life cycle, ended where it comes to the present."""

from __future__ import annotations

import datetime as dt

from lucheng.demo.cases.handling import Handling
from lucheng.demo.cases.life import Life, Over


class Story(Handling):
    """How a case begins, what the hotline centre settles by itself, and what goes to a unit."""

    # --- the whole --------------------------------------------------------------------------------------------------

    def tell(self, *, given: bool, dispatch: bool) -> None:
        """Live the case. ``given``: whoever took it in has decided its matter; ``dispatch``: and dispatched it."""
        life = self.life
        try:
            self._begin(given, dispatch)
            if life.nature == "finding":
                self._finding()
            else:
                self._order()
        except Over:
            pass
        life.sweep(life.until)

    def _begin(self, given: bool, dispatch: bool) -> None:
        life = self.life
        matter = self.subject.code if given else ""
        if life.parent is not None:
            split = next(e for e in life.parent.events if e.action == "split")
            life.create(split.actor, split.role)
        elif life.nature == "finding":
            life.create(self.r.choice(self.w.workers[life.place]), "grid_worker", matter=matter)
        elif life.channel == "web":
            life.create(None, "requester")
        else:
            role = "operator" if life.channel == "phone" else "dispatcher"
            life.create(self.w.centre(self.r, role), role, matter=matter, dispatch=dispatch)
        if life.state == life.rest:
            raise Over

    def _finding(self) -> None:
        """What a grid worker found: settled on the spot, or assigned."""
        self._wait(25)
        if self.r.random() < 0.58:
            self._desk("answer", "dispatcher", answer=self._say("answer_spot"))
            self._wait(60)
            self._desk("close", "dispatcher")
        elif self.r.random() < 0.03:
            self._desk("reject", "dispatcher", ground="no_new_facts", reason=self._say("answer_known"))
            self._wait(30)
            self._desk("close", "dispatcher")
        else:
            self._accept()
            self._handle()
        self._archive()

    def _order(self) -> None:
        """What somebody asked the hotline for."""
        life = self.life
        at_desk = life.state == "received" and not self.plain and self._handled_at_desk()
        if not at_desk:
            self._go_to_unit()
        self._archive()

    def _handled_at_desk(self) -> bool:
        """Most inquiries are answered, some things refused, handed over or withdrawn: no unit hears of them."""
        nature = self.life.nature
        if self.parts:
            self._split()
        elif self._happens(0.02):
            self._wait(8)
            self._requester("supplement", note=self._say("supplement"))
        if nature == "inquiry" and self._happens(0.80, "answered"):
            self._answer("answer")
        elif nature in ("praise", "other"):
            self._answer("answer_other")
        elif self._happens(0.02):
            self._answer("answer_known", ground="no_new_facts")
        elif nature != "inquiry" and self._happens(0.03, "rejected"):
            self._reject()
        elif self._happens(0.025, "transferred"):
            self._transfer()
        elif self._happens(0.015, "withdrawn"):
            self._wait(90)
            self._requester("withdraw", reason=self._say("withdraw"))
        else:
            return False
        return True

    def _split(self) -> None:
        """Several matters in one message: each other one becomes an order of its own."""
        self.at = self.parts[0].created_at
        self.life.split(
            self.at, self.w.centre(self.r, "dispatcher"), "dispatcher", [part.number for part in self.parts]
        )

    def _go_to_unit(self) -> None:
        life = self.life
        if self.twin is not None and self._merge(self.twin):
            return
        if life.state == "received":
            self._wait(12 if life.channel == "phone" else 40)
            self._accept()
        elif life.state == "accepted":
            self._name_unit()
        self._handle()

    # --- ways out before a unit has it ------------------------------------------------------------------------------

    def _answer(self, words_for: str, **ground: str) -> None:
        self._wait(4)
        matter = self.subject.code if not self.life.matter else None
        self._desk("answer", "operator", answer=self._say(words_for), matter=matter, **ground)
        if self.r.random() < 0.06:
            self._wait(200)
            self._desk("callback_answered", "operator")
            self._office(10)
            self._close()
        else:
            self._wait(3)
            self._desk("close", "operator")

    def _reject(self) -> None:
        self._wait(30)
        ground = self.r.choice(["statutory_path", "outside_duty"])
        self._desk("reject", "operator", ground=ground, reason=self._say("reject"), path=self._say("path"))
        if self._happens(0.12):
            self._wait(1500)
            self._requester("appeal", note=self._say("appeal"))
            self._office(6)
            self._desk("answer_appeal", "duty_officer", answer=self._say("answer_appeal"))
        self._office(4)
        self._desk("close", "operator")

    def _transfer(self) -> None:
        self._wait(10)
        target = self.r.choice(["110", "119", "120", "122", "petition"])
        self._desk("transfer", "operator", target=target, reason=self._say("transfer"))
        self._wait(120)
        self._desk("close", "operator")

    def _merge(self, main: Life) -> bool:
        """Join the twin while it is in a unit's hands; its reply is this caller's too."""
        life = self.life
        joined = main.dispatched_at
        if joined is None:
            return False
        when = max(self.at, joined) + dt.timedelta(seconds=self.r.randint(300, 2400))
        replied = next((e.at for e in main.events if e.action == "reply"), None)
        approved = next((e.at for e in main.events if e.action == "approve"), None)
        if when >= (replied or main.until) or life.state not in ("received", "accepted", "dispatched"):
            return False
        self.at = when
        dispatcher = self.w.centre(self.r, "dispatcher")
        fields = self._fields(main=main.number, reason=self._say("merge"))
        life.step("merge", when, dispatcher, "dispatcher", fields, main=main)
        if self.r.random() < 0.03:
            self._wait(45)
            if approved is None or self.at < approved:
                self._unmerge()
                return True
        if approved is None:
            raise Over
        self.at = approved
        life.step("follow", approved, None, "system")
        self._office(8)
        self._close()
        return True

    def _unmerge(self) -> None:
        life = self.life
        self._desk("unmerge", "dispatcher", reason=self._say("unmerge"))
        if self.w.decide(life.matter, life.place) is None:
            self._name_unit()
        else:
            self._wait(5)
            self._desk("dispatch", "dispatcher")
        self._handle()
