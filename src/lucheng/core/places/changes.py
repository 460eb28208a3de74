"""What happened between two code lists: pure functions over codes and names.

A list says which codes hold and what they are called, never what became of what. Successors are therefore inferred,
in the order below, each only where exactly one answer is possible, and each with the basis on which it rests
(:class:`Succession.Basis`). Where several answers are possible, or a name is merely alike, a question is put to a
person and nothing is recorded.

1.  Same code, same stem (the name without generic endings): it stayed, perhaps renamed in its ending.
2.  Same stem under the same parent, under the same county, in the same city. Beyond the parent a name must be the only
    one of its stem both before and after, since every county has a 建设 and a 新建.
3.  Same code, another name, neither of which turned up elsewhere: renamed.
4.  The stem of one that stayed under the same parent: merged into it.
5.  Several names with a common stem (上小韩营 and 下小韩营) for one without (小韩营), or the reverse: merged, or split.
6.  More than half of its parts went to one other: merged into it where that one existed before, else recoded.
7.  A new one with the name and parent, or the only one of its name, of one dropped by an earlier list: it returned.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from lucheng.core.places.kinds import stem
from lucheng.core.places.lists import LISTED, Entry, parent_of
from lucheng.core.places.models import Succession

How = Succession.How
Basis = Succession.Basis
K = TypeVar("K")

#: Names at least so alike are put to a person as a question.
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Step:
    """``before`` became ``after``."""

    before: Entry
    after: Entry
    how: Succession.How
    basis: Succession.Basis


@dataclass(frozen=True, slots=True)
class Question:
    """``before`` is no longer in force; any of ``candidates`` may be what it became. Nothing is recorded."""

    before: Entry
    candidates: tuple[Entry, ...]


@dataclass
class Changes:
    """Every division before and after is in exactly one of: unchanged, a step, added, dropped."""

    unchanged: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    added: list[Entry] = field(default_factory=list)
    """New, with nothing before them."""
    dropped: list[Entry] = field(default_factory=list)
    """No longer in force, and nothing known to follow."""
    questions: list[Question] = field(default_factory=list)
    """About some of the dropped."""

    def __bool__(self) -> bool:
        return bool(self.steps or self.added or self.dropped)


def compare(
    before: Mapping[str, Entry], after: Mapping[str, Entry], gone: Mapping[str, Entry] | None = None
) -> Changes:
    """What became of the divisions ``before`` in the list ``after``, both complete and keyed by code.

    ``gone`` holds what earlier lists dropped with nothing known to follow.
    """
    return _Comparison(before, after, gone or {}).run()


class _Comparison:
    def __init__(
        self, before: Mapping[str, Entry], after: Mapping[str, Entry], gone: Mapping[str, Entry]
    ) -> None:
        self.before, self.after, self.gone = before, after, gone
        self.steps: list[Step] = []
        self.unchanged: list[str] = []
        self.became: dict[str, str] = {}
        """Code before (or gone) to code after, where it is one."""
        self.renamed_to: dict[str, Entry] = {}
        """Those that kept their code under another name."""
        self.left: dict[int, dict[str, Entry]] = {}
        """By level: those before of which it is not yet known what they became."""
        self.new: dict[int, dict[str, Entry]] = {}
        """By level: those after of which it is not yet known where they came from."""

    def run(self) -> Changes:
        for level in LISTED:
            self._level(level)
        for level, below in reversed(list(itertools.pairwise(LISTED))):
            self._by_parts(level)
            self._match(below, _by_parent, Basis.SAME_PARENT)
        for level in LISTED:
            self._returned(level)
        dropped = [e for level in LISTED for e in self.left[level].values()]
        return Changes(
            unchanged=self.unchanged,
            steps=sorted(self.steps, key=lambda s: (s.before.code, s.after.code)),
            added=sorted((e for level in LISTED for e in self.new[level].values()), key=lambda e: e.code),
            dropped=sorted(dropped, key=lambda e: e.code),
            questions=[q for e in sorted(dropped, key=lambda e: e.code) if (q := self._question(e))],
        )

    def _step(self, before: Entry, after: Entry, how: Succession.How, basis: Succession.Basis) -> None:
        self.steps.append(Step(before, after, how, basis))
        if how != How.SPLIT:
            self.became[before.code] = after.code
        self.left[len(before.code)].pop(before.code, None)
        self.new[len(after.code)].pop(after.code, None)

    def _level(self, level: int) -> None:
        left = self.left[level] = {c: e for c, e in self.before.items() if len(c) == level}
        new = self.new[level] = {c: e for c, e in self.after.items() if len(c) == level}

        for code in sorted(left.keys() & new.keys()):
            old, now = left[code], new[code]
            if _stem(old) != _stem(now):
                continue
            if old.name != now.name:
                self._step(old, now, How.RENAMED, Basis.SAME_CODE)
            elif now.urban_rural_type not in (None, old.urban_rural_type):
                self._step(old, now, How.CHANGED, Basis.SAME_CODE)
            else:
                self.unchanged.append(code)
                self.became[code] = code
                del left[code], new[code]

        self._match(level, _by_parent, Basis.SAME_PARENT)
        self._match(level, _by_parent_of_any_kind, Basis.SAME_PARENT)
        self._match(level, _by_county, Basis.SAME_COUNTY)
        self._match(level, _by_city, Basis.SAME_CITY)

        for code in sorted(left.keys() & new.keys()):
            self.renamed_to[code] = left[code]
            self._step(left[code], new[code], How.RENAMED, Basis.CODE_ALONE)
        self._merged_into_namesake(level)
        self._families(level)

    def _parent(self, entry: Entry) -> str:
        """The parent that holds now what ``entry``'s parent held before."""
        parent = parent_of(entry.code)
        return self.became.get(parent, parent)

    def _match(self, level: int, key: Key, basis: Succession.Basis) -> None:
        """Recode where one before and one after share a key; beyond the parent, where they do so in the whole lists."""
        if not self.left[level] or not self.new[level]:
            return
        whole = basis != Basis.SAME_PARENT
        befores = self.before.values() if whole else self.left[level].values()
        afters = self.after.values() if whole else self.new[level].values()
        for old, now in self._pairs(level, befores, afters, key):
            if old.code in self.left[level] and now.code in self.new[level]:
                self._step(old, now, How.RECODED, basis)

    def _pairs(
        self, level: int, befores: Iterable[Entry], afters: Iterable[Entry], key: Key
    ) -> Iterator[tuple[Entry, Entry]]:
        """One before and one after that share a key with no other."""
        old = _grouped((e for e in befores if len(e.code) == level), lambda e: key(e, self._parent(e)))
        now = _grouped((e for e in afters if len(e.code) == level), lambda e: key(e, parent_of(e.code)))
        for k, found in old.items():
            if len(found) == len(now.get(k, ())) == 1:
                yield found[0], now[k][0]

    def _merged_into_namesake(self, level: int) -> None:
        stayed = _grouped(
            (e for c, e in self.after.items() if len(c) == level and c not in self.new[level]),
            lambda e: (parent_of(e.code), _stem(e)),
        )
        for entry in list(self.left[level].values()):
            into = stayed.get((self._parent(entry), _stem(entry)), [])
            if len(into) == 1:
                self._step(entry, into[0], How.MERGED, Basis.SAME_PARENT)

    def _families(self, level: int) -> None:
        left, new = self.left[level], self.new[level]
        old = _grouped(left.values(), self._parent)
        now = _grouped((e for e in self.after.values() if len(e.code) == level), lambda e: parent_of(e.code))
        for parent, olds in old.items():
            for one in now.get(parent, []):
                family = [e for e in olds if e.code in left and _stem(one) in _kin(_stem(e))]
                kept = self.renamed_to.get(one.code)  # one of the family may have given its code
                if len(family) + (kept is not None and _stem(one) in _kin(_stem(kept))) > 1:
                    for member in family:
                        self._step(member, one, How.MERGED, Basis.FAMILY)
            for one in olds:
                family = [e for e in now.get(parent, []) if e.code in new and _stem(one) in _kin(_stem(e))]
                if one.code in left and len(family) > 1:
                    for member in family:
                        self._step(one, member, How.SPLIT, Basis.FAMILY)

    def _by_parts(self, level: int) -> None:
        for entry in list(self.left[level].values()):
            parts = [c for c in self.before if parent_of(c) == entry.code]
            went = Counter(parent_of(self.became[c]) for c in parts if c in self.became)
            into, count = went.most_common(1)[0] if went else ("", 0)
            if into in self.after and count * 2 > len(parts):
                how = How.RECODED if into in self.new[level] else How.MERGED
                self._step(entry, self.after[into], how, Basis.PARTS)

    def _returned(self, level: int) -> None:
        gone = [e for c, e in self.gone.items() if len(c) == level]
        for entry in gone:
            same = self.new[level].get(entry.code)
            if same is not None and _stem(same) == _stem(entry):
                self._step(entry, same, How.RETURNED, Basis.SAME_CODE)
        pools = ((self.new[level], _by_parent, Basis.SAME_PARENT), (self.after, _by_city, Basis.SAME_CITY))
        for pool, key, basis in pools:
            waiting = [e for e in gone if e.code not in self.became]
            for old, now in list(self._pairs(level, waiting, pool.values(), key)):
                if now.code in self.new[level]:
                    self._step(old, now, How.RETURNED, basis)

    def _question(self, entry: Entry) -> Question | None:
        """All of the same stem in the city, and names alike among what changed under the same parent."""
        parent, name, stayed = self._parent(entry), _stem(entry), set(self.unchanged)
        found = [
            other
            for code, other in self.after.items()
            if len(code) == len(entry.code)
            and (
                _stem(other) == name
                or (
                    code not in stayed
                    and parent_of(code) == parent
                    and difflib.SequenceMatcher(None, name, _stem(other)).ratio() >= _ALIKE
                )
            )
        ]
        return Question(entry, tuple(sorted(found, key=lambda e: e.code))) if found else None


#: What must agree, from an entry and the code of the parent that holds it now.
Key = Callable[[Entry, str], tuple[str, ...]]


def _by_parent(entry: Entry, parent: str) -> tuple[str, ...]:
    return parent, _stem(entry), entry.kind


def _by_parent_of_any_kind(entry: Entry, parent: str) -> tuple[str, ...]:
    return parent, _stem(entry)


def _by_county(entry: Entry, parent: str) -> tuple[str, ...]:
    return parent[:6], _stem(entry), entry.kind


def _by_city(entry: Entry, parent: str) -> tuple[str, ...]:
    return parent[:4], _stem(entry), entry.kind


def _stem(entry: Entry) -> str:
    return stem(len(entry.code), entry.name)


def _grouped(entries: Iterable[Entry], key: Callable[[Entry], K]) -> dict[K, list[Entry]]:
    groups: defaultdict[K, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[key(entry)].append(entry)
    return dict(groups)


_QUALIFIED = (
    re.compile("^(?:[上下东西南北中前后里外新老旧大小])(..+)$"),
    re.compile("^(..+?)(?:第?[一二三四五六七八九十0-9]+|[上下东西南北中])$"),
)


def _kin(name: str) -> set[str]:
    """The stems that a name has without a word of place, size or number before or after it.

    >>> sorted(_kin("上小韩营"))
    ['小韩营']
    """
    return {m[1] for pattern in _QUALIFIED if (m := pattern.match(name))}
