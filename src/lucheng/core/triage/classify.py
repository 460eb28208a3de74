"""Which matter a text is about: a proposal with its probability, its model and its words, or none when unsure.

The model is linear (see :mod:`lucheng.core.triage.training`): a word moves each class by a fixed weight, so every
proposal can be opened to the words that moved it. Codes nest, and so does the advice: where the small class is not sure
but its middle or large class is, that one is proposed. A person decides; nothing is classified by the model alone.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lucheng.core.revisions.snapshot import Snapshot
from lucheng.core.triage.models import Model
from lucheng.core.triage.words import Codes, cut, grams, parts, plain

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

#: Characters of a text that are read: a resident says what it is about in the first sentences.
LONGEST = 2000
#: Known characters and pairs below which a text says too little ("hello" is two, "no water", 停水, is three).
_FEWEST = 3
#: Alternatives less likely than this are no help.
_LEAST = 0.03
#: No advice is certain, whatever the arithmetic says.
MOST = 0.99


@dataclass(frozen=True)
class Level:
    """One level of the codes (large, middle, small class): how its probabilities are read.

    ``slope`` and ``shift`` bring the model's log-odds to what was found on held-out texts; ``threshold`` is the least
    probability at which this level may be proposed.
    """

    digits: int
    slope: float
    shift: float
    threshold: float


@dataclass(frozen=True)
class Weights:
    """What each word does for each class: a row for each word, a column for each class, nearly all of it zero.

    Row ``r`` holds ``values[starts[r]:starts[r + 1]]`` in ``columns[starts[r]:starts[r + 1]]``. Kept sparse it is some
    hundred kilobytes, which stay in the processor's cache; the full table is a hundred times as much and does not.
    """

    starts: NDArray[np.intp]
    columns: NDArray[np.intp]
    values: Floats

    @classmethod
    def of(cls, table: NDArray[Any]) -> Weights:
        rows, columns = np.nonzero(table)
        starts = np.searchsorted(rows, np.arange(len(table) + 1))
        return cls(starts.astype(np.intp), columns, table[rows, columns].astype(np.float32))

    def entries(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Where the entries of ``rows`` lie, and for each of them the index in ``rows`` that it belongs to."""
        first = self.starts.take(rows)
        many = self.starts.take(rows + 1) - first
        ends = np.cumsum(many)
        owner = np.repeat(np.arange(len(rows)), many)
        return np.arange(int(ends[-1]) if len(ends) else 0) + (first - ends + many).take(owner), owner


@dataclass(frozen=True)
class Classifier:
    """A trained model in memory. ``classes`` are sorted."""

    version: str
    words: Codes
    """The characters and pairs it knows, sorted; a row of ``idf`` and ``weights`` each."""
    idf: Floats
    weights: Weights
    intercept: Floats
    classes: tuple[str, ...]
    levels: tuple[Level, ...]
    """The most specific first."""
    groups: tuple[tuple[tuple[str, ...], NDArray[np.intp]], ...] = field(init=False)
    """For each level, its codes and where each begins among the classes."""

    def __post_init__(self) -> None:
        groups = []
        for level in self.levels:
            starts: dict[str, int] = {}
            for i, code in enumerate(self.classes):
                starts.setdefault(code[: level.digits], i)
            groups.append((tuple(starts), np.fromiter(starts.values(), np.intp)))
        object.__setattr__(self, "groups", tuple(groups))

    def read(self, text: str) -> tuple[NDArray[np.intp], Floats]:
        """What it knows of a text, as :meth:`weigh` says."""
        _owner, codes, counts = grams([plain(text, LONGEST)])
        return self.weigh(codes, counts)

    def weigh(self, codes: Codes, counts: NDArray[np.intp]) -> tuple[NDArray[np.intp], Floats]:
        """The known words of one text as (rows, values): tf-idf with logarithmic counts, length one."""
        rows = self.words.searchsorted(codes)
        known = self.words.take(rows, mode="clip") == codes
        rows = rows[known]
        values = (np.log(counts[known].astype(np.float32)) + 1) * self.idf.take(rows)
        if len(rows):
            values /= np.sqrt(values @ values)
        return rows, values

    def scores(self, rows: NDArray[np.intp], values: Floats) -> Doubles:
        """What the words speak for each class."""
        at, owner = self.weights.entries(rows)
        moved = self.weights.values.take(at) * values.take(owner)
        columns = self.weights.columns.take(at)
        return np.add(np.bincount(columns, moved, len(self.classes)), self.intercept, dtype=np.float64)

    def probabilities(self, rows: NDArray[np.intp], values: Floats) -> Doubles:
        """The probability of each class, before it is brought to what was found on held-out texts."""
        scores = self.scores(rows, values)
        likely: Doubles = np.exp(scores - scores.max())
        likely /= likely.sum()
        return likely

    def why(self, text: str, matter: str, limit: int = 5) -> tuple[tuple[str, float], ...]:
        """The words of the text that speak most for ``matter`` against the other classes, with their weight."""
        rows, values = self.read(text)
        mine = np.array([bool(matter) and code.startswith(matter) for code in self.classes])
        if not mine.any() or not len(rows):
            return ()
        share = self.probabilities(rows, values) * mine
        share /= share.sum()
        at, owner = self.weights.entries(rows)
        moved = self.weights.values.take(at) * share.take(self.weights.columns.take(at))
        moved = values * np.bincount(owner, moved, len(rows))
        weight = dict(zip(self.words.take(rows).tolist(), moved.tolist(), strict=True))
        whole = {
            word: sum(weight.get(part, 0.0) for part in parts(word))
            for word in set(cut(plain(text, LONGEST)))
            if len(word) > 1
        }
        best = sorted(whole.items(), key=lambda item: (-item[1], item[0]))[:limit]
        return tuple((word, round(w, 3)) for word, w in best if w > 0.05)

    def propose(self, text: str) -> MatterProposal:
        rows, values = self.read(text)
        if len(rows) < _FEWEST:
            return MatterProposal("", 0.0, (), self.version)
        likely = self.probabilities(rows, values)
        matter, probability = "", 0.0
        alternatives: tuple[tuple[str, float], ...] = ()
        for level, (codes, starts) in zip(self.levels, self.groups, strict=True):
            summed = np.add.reduceat(likely, starts)
            if level is self.levels[0]:
                best = summed.argpartition(-4)[-4:] if len(summed) > 4 else np.arange(len(summed))
                best = best[np.argsort(-summed[best], kind="stable")]
                alternatives = tuple((codes[i], _read(level, float(summed[i]))) for i in best)
            first = int(summed.argmax())
            probability = _read(level, float(summed[first]))
            if probability >= level.threshold:
                matter = codes[first]
                break
        others = tuple((code, p) for code, p in alternatives if code != matter and p >= _LEAST)[:3]
        return MatterProposal(matter, probability, others, self.version, self, text if matter else "")


def _read(level: Level, likely: float) -> float:
    likely = min(max(likely, 1e-7), 1 - 1e-7)
    odds = level.slope * log(likely / (1 - likely)) + level.shift
    return min(MOST, round(1 / (1 + exp(-max(odds, -50.0))), 4))


@dataclass(frozen=True, slots=True)
class MatterProposal:
    """What the model proposes for a text.

    ``matter`` is a small, middle or large class, or ``""`` where it abstains; ``probability`` is that of the proposal
    (of the best large class where it abstains). ``alternatives`` are further small classes, the likeliest first.
    ``model_version`` is empty where no model has been trained.
    """

    matter: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]
    model_version: str
    _classifier: Classifier | None = field(default=None, repr=False, compare=False)
    _text: str = field(default="", repr=False, compare=False)

    @property
    def words(self) -> tuple[tuple[str, float], ...]:
        """The words that moved it, with their weight, the strongest first. Worked out only when asked for."""
        return self._classifier.why(self._text, self.matter) if self._classifier is not None else ()


def pack(classifier: Classifier) -> bytes:
    """The model as a numpy ``.npz``, some hundred kilobytes."""
    out = io.BytesIO()
    np.savez_compressed(
        out,
        words=classifier.words,
        idf=classifier.idf,
        starts=classifier.weights.starts.astype(np.uint32),
        columns=classifier.weights.columns.astype(np.uint16),
        values=classifier.weights.values,
        intercept=classifier.intercept,
        classes=np.array(classifier.classes),
        levels=np.array([(x.digits, x.slope, x.shift, x.threshold) for x in classifier.levels]),
    )
    return out.getvalue()


def unpack(version: str, packed: bytes) -> Classifier:
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        arrays: dict[str, Any] = dict(stored)
    return Classifier(
        version=version,
        words=arrays["words"],
        idf=arrays["idf"],
        weights=Weights(
            arrays["starts"].astype(np.intp), arrays["columns"].astype(np.intp), arrays["values"]
        ),
        intercept=arrays["intercept"],
        classes=tuple(str(c) for c in arrays["classes"]),
        levels=tuple(Level(int(d), float(s), float(h), float(t)) for d, s, h, t in arrays["levels"]),
    )


def _load() -> Classifier | None:
    model = Model.objects.filter(active=True).first()
    return unpack(model.version, bytes(model.weights)) if model is not None else None


_active = Snapshot("triage", _load)


def active() -> Classifier | None:
    """The model in force, or None where none has been trained."""
    return _active.get()


def propose_matter(text: str) -> MatterProposal:
    """What ``text`` is about, as advice. Any text is safe; of a long one the first 2,000 characters count."""
    classifier = active()
    return classifier.propose(text) if classifier is not None else MatterProposal("", 0.0, (), "")
