"""Training the category model, from the city's classes of matter and from what people decided on its own cases.

Names, terms and examples of the classes are enough to begin with; each case whose matter a person has decided adds a
sentence. Accuracy, calibration and thresholds come from texts the model has not seen: examples and cases are held out
in turn, a fold at a time. Only here is scikit-learn imported.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from lucheng.core.dispatch.models import Matter
from lucheng.core.errors import Conflict
from lucheng.core.revisions.snapshot import bump
from lucheng.core.sheets import Progress
from lucheng.core.triage.classify import LONGEST, MOST, Classifier, Level, Weights, pack
from lucheng.core.triage.models import Advice, Model
from lucheng.core.triage.words import features, plain

#: The newest decided cases that are read.
CASES = 20_000
#: A word that only cases use counts from so many of them: a rare one may be somebody's name.
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
        .order_by("-case_id")
        .values_list("case__title", "case__content", "decided_matter")[:CASES]
    )
    texts = {f"{title} {content}": matter for title, content, matter in rows.iterator() if matter in codes}
    return sorted(texts.items())


def _counted(texts: Iterable[tuple[str, str]]) -> list[Counter[str]]:
    return [features(plain(text, LONGEST)) for text, _code in texts]


def _vocabulary(pack_counts: list[Counter[str]], case_counts: list[Counter[str]]) -> dict[str, int]:
    in_cases: Counter[str] = Counter()
    for counts in case_counts:
        in_cases.update(counts.keys())
    words = set().union(*pack_counts)
    often = sorted((w for w, n in in_cases.items() if n >= _CASES_PER_WORD), key=lambda w: (-in_cases[w], w))
    words |= set(often[: max(0, _WORDS - len(words))])
    return {word: i for i, word in enumerate(sorted(words))}


def _fit(
    base: list[Counter[str]],
    heard: list[Counter[str]],
    seen: list[Counter[str]],
    codes: list[str],
    classes: tuple[str, ...],
) -> Classifier:
    """Fit names and terms (``base``), examples and cases, with their ``codes`` in that order.

    A ridge regression of every class against all others over tf-idf; probabilities are not yet calibrated."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge

    words = _vocabulary(base + heard, seen)
    vectorizer = TfidfVectorizer(analyzer=Counter.elements, vocabulary=words, sublinear_tf=True)
    known = vectorizer.fit_transform(base + heard + seen)
    column = {code: i for i, code in enumerate(classes)}
    targets = np.full((len(codes), len(classes)), -1.0)
    targets[np.arange(len(codes)), [column[c] for c in codes]] = 1.0
    ridge = Ridge(alpha=_RIDGE, solver="sparse_cg").fit(known, targets)
    weights = ridge.coef_.T
    # What moves all classes alike moves no proposal: without it most weights are nearly nothing.
    weights = weights - weights.mean(axis=1, keepdims=True)
    weights[np.abs(weights) < _NOTHING * np.abs(weights).max()] = 0
    return Classifier(
        version="",
        words=words,
        idf=vectorizer.idf_.astype(np.float32),
        weights=Weights.of(weights),
        intercept=(ridge.intercept_ - ridge.intercept_.mean()).astype(np.float32),
        classes=classes,
        levels=(),
    )


def _scores(classifier: Classifier, counts: list[Counter[str]]) -> NDArray[np.float64]:
    out = np.empty((len(counts), len(classifier.classes)))
    for i, text in enumerate(counts):
        rows, values = classifier.weigh(text)
        out[i] = classifier.scores(rows, values)
    return out


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
    cases = _decided({code for _text, code in named})
    base_codes, codes = [c for _t, c in named], [c for _t, c in spoken + cases]
    base, heard, seen = _counted(named), _counted(spoken), _counted(cases)
    samples = heard + seen
    classes = tuple(sorted(set(base_codes)))

    # Folds: in each class its texts are dealt out in turn, in an order drawn from the seed.
    fold = np.empty(len(samples), np.intp)
    dealt: Counter[str] = Counter()
    for i in np.random.default_rng(seed).permutation(len(samples)):
        fold[i] = dealt[codes[i]] % _FOLDS
        dealt[codes[i]] += 1

    column = {code: i for i, code in enumerate(classes)}
    truth = np.array([column[c] for c in codes])
    scores = np.empty((len(samples), len(classes)))
    for f in range(_FOLDS):
        progress(f, _FOLDS + 1)
        kept = np.flatnonzero(fold != f)
        fitted = _fit(
            base,
            [samples[i] for i in kept if i < len(heard)],
            [samples[i] for i in kept if i >= len(heard)],
            base_codes + [codes[i] for i in kept],
            classes,
        )
        out = np.flatnonzero(fold == f)
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
    whole = _fit(base, heard, seen, base_codes + codes, classes)
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
    progress(_FOLDS + 1, _FOLDS + 1)
    return trained


def _digest(classifier: Classifier) -> str:
    """A name for the model that follows from what it says, so that the same model has the same name."""
    digest = hashlib.sha256("\n".join([*classifier.words, *classifier.classes]).encode())
    weights = classifier.weights
    for part in (classifier.idf, weights.starts, weights.columns, weights.values, classifier.intercept):
        digest.update(np.ascontiguousarray(part).tobytes())
    digest.update(repr(classifier.levels).encode())
    return digest.hexdigest()[:12]
