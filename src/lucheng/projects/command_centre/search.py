"""Which article answers what is being said: found by the words of the call while they are typed.

All articles are held in memory with their characters and pairs (:mod:`lucheng.core.triage.words`), so that a search
over five thousand of them is a few array operations and no question to the database. An article's terms, the words by
which people ask for it, count most; then its title; then the answer itself.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import ahocorasick
import numpy as np
from numpy.typing import NDArray

from lucheng.core.revisions.snapshot import Snapshot
from lucheng.core.triage.words import Codes, cut, grams, plain
from lucheng.projects.command_centre.models import Article

#: The name of the knowledge base among the revisions: whoever changes an article bumps it.
REVISION = "knowledge"

#: Characters of a call that are read.
_READ = 2000
#: How much a word of the answer counts beside a word of the title or the terms.
_IN_ANSWER = 0.3
#: What a term that is spoken adds for each of its characters, and at most; what a class of matter that fits adds.
_PER_CHARACTER, _MOST_FOR_TERM, _FOR_MATTER = 0.09, 0.4, 0.1
#: Likeness from which an article is proposed beside a call, and from which a search shows it.
PROPOSED, SHOWN = 0.22, 0.06
_FOREVER = dt.date.max.toordinal()

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is shown of an article."""

    id: int
    code: str
    title: str
    terms: tuple[str, ...]
    answer: str
    note: str
    basis: str
    matters: tuple[str, ...]
    place: str
    owner: str
    valid_from: dt.date
    valid_until: dt.date | None
    public: bool


@dataclass(frozen=True, slots=True)
class Found:
    """An article that fits, how well (0 to 1), and the words that led to it."""

    entry: Entry
    likeness: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Index:
    entries: tuple[Entry, ...]
    words: Codes
    """The characters and pairs of all articles, sorted; for each its rarity and its stretch of ``owners``."""
    rarity: Floats
    starts: NDArray[np.intp]
    owners: NDArray[np.intp]
    weights: Floats
    terms: Any
    """An automaton: each term with the articles that have it."""
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    public: NDArray[np.bool_]


def _load() -> _Index:
    entries = tuple(
        Entry(
            id=a.pk,
            code=a.code,
            title=a.title,
            terms=tuple(a.terms),
            answer=a.answer,
            note=a.note,
            basis=a.basis,
            matters=tuple(a.matters),
            place=a.place,
            owner=a.owner.name,
            valid_from=a.valid_from,
            valid_until=a.valid_until,
            public=a.public,
        )
        for a in Article.objects.select_related("owner").order_by("id")
    )
    return _indexed(entries)


def _indexed(entries: tuple[Entry, ...]) -> _Index:
    many = len(entries)
    heads = grams([plain("。".join([e.title, *e.terms]), _READ) for e in entries])
    texts = grams([plain(e.answer.replace("\n", "。"), _READ) for e in entries])
    owners = np.concatenate((heads[0], texts[0])).astype(np.int64)
    codes = np.concatenate((heads[1], texts[1])).astype(np.int64)
    weights = np.concatenate((np.ones(len(heads[0])), np.full(len(texts[0]), _IN_ANSWER)))
    # One row for each word of each article, with the better of its two weights.
    keys, which = np.unique(codes << 32 | owners, return_inverse=True)
    best = np.zeros(len(keys))
    np.maximum.at(best, which, weights)
    words, starts = np.unique(keys >> 32, return_index=True)
    owners = keys & 0xFFFFFFFF
    ends = np.append(starts, len(keys)).astype(np.intp)
    rarity = np.log((many + 1) / (np.diff(ends) + 0.5))
    weighed = best * np.repeat(rarity, np.diff(ends))
    length = np.sqrt(np.bincount(owners, weighed * weighed, many)) if many else np.zeros(0)
    weighed = np.divide(weighed, length.take(owners), out=np.zeros(len(keys)), where=length.take(owners) > 0)
    terms = ahocorasick.Automaton()
    having: dict[str, list[int]] = {}
    for i, entry in enumerate(entries):
        for term in entry.terms:
            having.setdefault(plain(term, 40), []).append(i)
    for term, at in having.items():
        terms.add_word(term, (term, at))
    if having:
        terms.make_automaton()
    return _Index(
        entries=entries,
        words=words.astype(np.uint32),
        rarity=rarity,
        starts=ends,
        owners=owners.astype(np.intp),
        weights=weighed,
        terms=terms,
        first=np.array([e.valid_from.toordinal() for e in entries], np.intp),
        last=np.array([e.valid_until.toordinal() if e.valid_until else _FOREVER for e in entries], np.intp),
        public=np.array([e.public for e in entries], np.bool_),
    )


_articles = Snapshot(REVISION, _load)


def _near(entry: Entry, place: str) -> bool:
    """Whether an article holds at ``place``, or at a part of it where only the larger place is known."""
    return place.startswith(entry.place) or entry.place.startswith(place)


def find(
    text: str,
    *,
    day: dt.date,
    matter: str = "",
    place: str = "",
    public: bool = False,
    least: float = PROPOSED,
    limit: int = 4,
) -> list[Found]:
    """Up to ``limit`` articles that answer ``text``, the likeliest first; with ``public`` those for residents only.

    ``day`` is the day on which they must hold: an expired one, and one that does not hold yet, is never found.
    ``matter`` and ``place`` are what is known of the call, empty where nothing is.
    """
    index = _articles.get()
    said = plain(text, _READ)
    _owner, codes, _counts = grams([said])
    if not len(codes) or not index.entries:
        return []
    rows = index.words.searchsorted(codes)
    rows = rows[index.words.take(rows, mode="clip") == codes]
    many = len(index.entries)
    score = np.zeros(many)
    if len(rows):
        rarity = index.rarity.take(rows)
        # What nobody has written about still makes the call longer; as rare as a word of one article.
        strange = (len(codes) - len(rows)) * 0.25 * float(np.log(many + 1)) ** 2
        rarity_length = float(np.sqrt(rarity @ rarity + strange))
        first = index.starts.take(rows)
        lengths = index.starts.take(rows + 1) - first
        ends = np.cumsum(lengths)
        at = np.arange(int(ends[-1])) + np.repeat(first - ends + lengths, lengths)
        moved = index.weights.take(at) * np.repeat(rarity, lengths)
        if rarity_length > 0:
            score = np.bincount(index.owners.take(at), moved, many) / rarity_length
    spoken: dict[int, set[str]] = {}
    if len(index.terms):
        for _end, (term, having) in index.terms.iter(said):
            for i in having:
                spoken.setdefault(i, set()).add(term)
        for i, words in spoken.items():
            score[i] += min(_MOST_FOR_TERM, _PER_CHARACTER * max(len(w) for w in words))
    held = (index.first <= day.toordinal()) & (day.toordinal() <= index.last)
    if public:
        held &= index.public
    found = []
    for i in np.flatnonzero(held & (score >= least - _FOR_MATTER)).tolist():
        entry, likeness = index.entries[i], float(score[i])
        if place and not _near(entry, place):
            continue
        if matter and any(matter.startswith(m) for m in entry.matters):
            likeness += _FOR_MATTER
        if likeness >= least:
            found.append((likeness, entry, spoken.get(i, set())))
    found.sort(key=lambda f: (-f[0], f[1].id))
    return [
        Found(entry, round(min(likeness, 0.99), 2), _words(said, entry, terms))
        for likeness, entry, terms in found[:limit]
    ]


def _words(said: str, entry: Entry, terms: set[str]) -> tuple[str, ...]:
    """The words of the call that stand in the article's head, terms first."""
    head = plain(f"{entry.title} {' '.join(entry.terms)}", _READ)
    shared = dict.fromkeys(w for w in cut(said) if len(w) > 1 and w in head and not w.isdigit())
    return tuple(dict.fromkeys([*sorted(terms, key=lambda t: (-len(t), t)), *shared]))[:5]


def get(code: str, day: dt.date) -> Entry | None:
    """The article ``code`` where it holds on ``day``."""
    for entry in _articles.get().entries:
        if (
            entry.code == code
            and entry.valid_from <= day
            and (not entry.valid_until or day <= entry.valid_until)
        ):
            return entry
    return None
