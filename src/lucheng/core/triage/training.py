"""Training the category model, from the city's classes of matter and from what people decided on its own cases.

Names, terms and examples of the classes are enough to begin with; each case whose matter a person has decided adds a
sentence. Accuracy, calibration and thresholds come from texts the model has not seen: examples and cases are held out
in turn, a fold at a time. Only here is scikit-learn imported.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from lucheng.core.dispatch.models import Matter
from lucheng.core.errors import Conflict
from lucheng.core.ledger import acts
from lucheng.core.revisions.snapshot import bump
from lucheng.core.sheets import Progress
from lucheng.core.triage.classify import LONGEST, MOST, Classifier, Level, Weights, pack
from lucheng.core.triage.models import Advice, Model
from lucheng.core.triage.words import Codes, grams, plain

#: The newest decided cases that are read.
CASES = 20_000
#: A character or pair that only cases use counts from so many of them: a rare one may be of somebody's name.
_CASES_PER_WORD = 5
_WORDS = 30_000
_FOLDS = 3
_RIDGE = 2.0
#: Share of proposals that must be right on held-out texts, at each level.
RIGHT = 0.8
#: Below even odds nothing is proposed, however the held-out texts fell.
_LEAST = 0.5
_NEVER = 2.0
#: Weights this much smaller than the largest change no proposal (docs/decisions/0140): left out, four in a row remain.
_NOTHING = 0.02

Texts = list[tuple[str, str]]


@dataclass(frozen=True)
class Figures:
    """How the model did, on held-out texts, at one level of the codes."""

    digits: int
    accuracy: float
    """Share of all texts of which the best guess at this level was right."""
    proposed: int
    """Texts for which this level was sure enough and none more specific was."""
    right: int
    """How many of those were right."""
    threshold: float
    """Probability from which it is sure enough; 2 where it never is."""


@dataclass(frozen=True)
class Trained:
    """The outcome of a training. ``samples`` were learned from, ``cases`` of them decided cases."""

    version: str
    classes: int
    words: int
    samples: int
    cases: int
    held_out: int
    """Texts that were each held out once: examples and cases."""
    levels: tuple[Figures, ...]

    @property
    def coverage(self) -> float:
        """Share of held-out texts that got a proposal, at whatever level."""
        return sum(level.proposed for level in self.levels) / self.held_out

    @property
    def right(self) -> float:
        """Share of those proposals that were right."""
        proposed = sum(level.proposed for level in self.levels)
        return sum(level.right for level in self.levels) / proposed if proposed else 0.0


def _classes() -> tuple[Texts, Texts]:
    """(Names and terms, examples) of the most specific classes, each text with its code."""
    matters = list(Matter.objects.order_by("code"))
    above = {m.code[:-2] for m in matters}
    named: Texts = []
    spoken: Texts = []
    for m in matters:
        if m.code in above:
            continue
        named += [(m.name, m.code), (" ".join(m.terms), m.code), *((term, m.code) for term in m.terms)]
        spoken += [(example, m.code) for example in m.examples]
    return named, spoken


def _decided(codes: set[str]) -> Texts:
    """Cases whose matter a person has decided, each text once; never those of a requester who asked for secrecy."""
    rows = (
        Advice.objects.filter(decided_at__isnull=False, case__confidential=False)
        .exclude(decided_matter="")
        .exclude(case__content="")  # destroyed by rule
        .order_by("-case_id")
        .values_list("case__title", "case__content", "decided_matter")[:CASES]
    )
    texts = {f"{title} {content}": matter for title, content, matter in rows.iterator() if matter in codes}
    return sorted(texts.items())


@dataclass(frozen=True)
class _Text:
    """One text to learn from: its distinct characters and pairs, how often each, its class, whether it is a case."""

    codes: Codes
    counts: NDArray[np.intp]
    column: int
    case: bool


def _counted(texts: Texts, columns: dict[str, int], case: bool = False) -> list[_Text]:
    found = []
    for text, code in texts:
        _owner, codes, counts = grams([plain(text, LONGEST)])
        found.append(_Text(codes, counts, columns[code], case))
    return found


def _vocabulary(texts: list[_Text]) -> Codes:
    """What occurs in the pack, and in enough cases; sorted."""
    pack = np.unique(np.concatenate([t.codes for t in texts if not t.case]))
    cases = [t.codes for t in texts if t.case]
    if not cases:
        return pack
    codes, often = np.unique(np.concatenate(cases), return_counts=True)
    codes, often = codes[often >= _CASES_PER_WORD], often[often >= _CASES_PER_WORD]
    codes = codes[np.argsort(-often, kind="stable")]
    return np.union1d(pack, codes[: max(0, _WORDS - len(pack))])


def _fit(texts: list[_Text], classes: tuple[str, ...]) -> Classifier:
    """A ridge regression of every class against all others over tf-idf; probabilities are not yet calibrated."""
    from scipy.sparse import csr_array  # type: ignore[import-untyped]
    from sklearn.linear_model import Ridge

    words = _vocabulary(texts)
    present = np.concatenate([t.codes for t in texts])
    present = present[np.isin(present, words)]
    in_texts = np.bincount(words.searchsorted(present), minlength=len(words))
    blank = Classifier(
        version="",
        words=words,
        idf=(np.log((1 + len(texts)) / (1 + in_texts)) + 1).astype(np.float32),
        weights=Weights.of(np.zeros((len(words), len(classes)))),
        intercept=np.zeros(len(classes), np.float32),
        classes=classes,
        levels=(),
    )
    read = [blank.weigh(t.codes, t.counts) for t in texts]
    known = csr_array(
        (
            np.concatenate([values for _rows, values in read]).astype(np.float64),
            np.concatenate([rows for rows, _values in read]),
            np.cumsum([0, *(len(rows) for rows, _values in read)]),
        ),
        shape=(len(texts), len(words)),
    )
    targets = np.full((len(texts), len(classes)), -1.0)
    targets[np.arange(len(texts)), [t.column for t in texts]] = 1.0
    ridge = Ridge(alpha=_RIDGE, solver="sparse_cg").fit(known, targets)
    weights = ridge.coef_.T
    # What moves all classes alike moves no proposal: without it most weights are nearly nothing.
    weights = weights - weights.mean(axis=1, keepdims=True)
    weights[np.abs(weights) < _NOTHING * np.abs(weights).max()] = 0
    return replace(
        blank,
        weights=Weights.of(weights),
        intercept=(ridge.intercept_ - ridge.intercept_.mean()).astype(np.float32),
    )


def _scores(classifier: Classifier, texts: list[_Text]) -> NDArray[np.float64]:
    return np.array([classifier.scores(*classifier.weigh(t.codes, t.counts)) for t in texts])


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    softmax: NDArray[np.float64] = likely / likely.sum(axis=1, keepdims=True)
    return softmax


def _temperature(scores: NDArray[np.float64], truth: NDArray[np.intp]) -> float:
    """The factor on the scores under which held-out classes were likeliest."""
    at = np.arange(len(truth))
    factors = np.geomspace(1, 64, 61)
    surprise = [-np.log(_softmax(f * scores)[at, truth] + 1e-12).mean() for f in factors]
    return float(factors[int(np.argmin(surprise))])


def _level(
    digits: int,
    likely: NDArray[np.float64],
    classes: tuple[str, ...],
    truth: NDArray[np.intp],
    left: NDArray[np.bool_],
) -> tuple[Level, Figures]:
    """Calibration, threshold and figures of one level. Texts proposed at this level are taken out of ``left``."""
    from sklearn.linear_model import LogisticRegression

    group = {code: i for i, code in enumerate(sorted({c[:digits] for c in classes}))}
    of = np.array([group[c[:digits]] for c in classes])
    summed = np.zeros((len(likely), len(group)))
    np.add.at(summed.T, of, likely.T)
    right = summed.argmax(axis=1) == of[truth]
    top = summed.max(axis=1).clip(1e-7, 1 - 1e-7)
    odds = np.log(top / (1 - top))
    slope, shift = 1.0, 0.0
    if right.any() and not right.all():
        fitted = LogisticRegression(C=10.0).fit(odds[:, None], right)
        slope, shift = max(float(fitted.coef_[0, 0]), 0.0), float(fitted.intercept_[0])
    probability = np.minimum(np.round(1 / (1 + np.exp(-(slope * odds + shift))), 4), MOST)

    # The lowest threshold above which proposals are right often enough; where there is none, never sure.
    order = np.flatnonzero(left)
    order = order[np.argsort(-probability[order], kind="stable")]
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero((share >= RIGHT) & (probability[order] >= _LEAST))
    threshold = float(probability[order[enough[-1]]]) if len(enough) else _NEVER
    sure = left & (probability >= threshold)
    left &= ~sure
    figures = Figures(
        digits=digits,
        accuracy=float(right.mean()),
        proposed=int(sure.sum()),
        right=int(right[sure].sum()),
        threshold=threshold,
    )
    return Level(digits, slope, shift, threshold), figures


def train(now: dt.datetime, *, seed: int = 0, progress: Progress = lambda done, total: None) -> Trained:
    """Train on all there is, store the model and put it in force. The same records and seed give the same model.

    ``progress`` is told (fits done, fits in all). Raises Conflict where fewer than two classes have examples.
    """
    named, spoken = _classes()
    if len({code for _text, code in spoken}) < 2:
        raise Conflict(
            _("There are no classes of matter with examples yet: load them with `lucheng matters load`.")
        )
    classes = tuple(sorted({code for _text, code in named}))
    columns = {code: i for i, code in enumerate(classes)}
    cases = _decided(set(classes))
    base = _counted(named, columns)
    samples = _counted(spoken, columns) + _counted(cases, columns, case=True)
    truth = np.array([t.column for t in samples])

    # Folds: in each class its texts are dealt out in turn, in an order drawn from the seed.
    fold = np.empty(len(samples), np.intp)
    dealt: Counter[int] = Counter()
    for i in np.random.default_rng(seed).permutation(len(samples)):
        fold[i] = dealt[samples[i].column] % _FOLDS
        dealt[samples[i].column] += 1

    scores = np.empty((len(samples), len(classes)))
    for f in range(_FOLDS):
        progress(f, _FOLDS + 1)
        fitted = _fit(base + [t for t, of in zip(samples, fold, strict=True) if of != f], classes)
        out = np.flatnonzero(fold == f)
        if len(out):
            scores[out] = _scores(fitted, [samples[i] for i in out])
    factor = _temperature(scores, truth)
    likely = _softmax(factor * scores)
    levels, figures = [], []
    left = np.ones(len(samples), bool)
    for digits in range(max(map(len, classes)), 0, -2):
        level, figure = _level(digits, likely, classes, truth, left)
        levels.append(level)
        figures.append(figure)

    progress(_FOLDS, _FOLDS + 1)
    whole = _fit(base + samples, classes)
    whole = replace(
        whole,
        weights=replace(whole.weights, values=whole.weights.values * np.float32(factor)),
        intercept=whole.intercept * np.float32(factor),
        levels=tuple(levels),
    )
    version = _digest(whole)
    trained = Trained(
        version=version,
        classes=len(classes),
        words=len(whole.words),
        samples=len(named) + len(samples),
        cases=len(cases),
        held_out=len(samples),
        levels=tuple(figures),
    )
    with transaction.atomic():
        Model.objects.filter(active=True).exclude(version=version).update(active=False)
        Model.objects.update_or_create(
            version=version,
            defaults={
                "weights": pack(whole),
                "trained_at": now,
                "samples": trained.samples,
                "accuracy": figures[0].accuracy,
                "active": True,
            },
        )
        bump("triage")
        acts.wrote("model_trained", version, {"count": trained.samples})
    progress(_FOLDS + 1, _FOLDS + 1)
    return trained


def _digest(classifier: Classifier) -> str:
    """A name for the model that follows from what it says, so that the same model has the same name."""
    digest = hashlib.sha256("\n".join(classifier.classes).encode())
    weights = classifier.weights
    for part in (
        classifier.words,
        classifier.idf,
        weights.starts,
        weights.columns,
        weights.values,
        classifier.intercept,
    ):
        digest.update(np.ascontiguousarray(part).tobytes())
    digest.update(repr(classifier.levels).encode())
    return digest.hexdigest()[:12]
