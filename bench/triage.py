"""Advice: microseconds for a proposal beside scikit-learn with the same model, milliseconds for look-alikes.

    python -m bench triage

Runs in a database of its own, which it makes and drops. Texts are made from the national classes of matter, so the
figures say how fast advice is, not how good: how good is what ``lucheng triage train`` prints. LUCHENG_BENCH_CASES
(100000 if not set) is the number of cases among which look-alikes are sought.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any

LENGTH = 300
TEXTS = 400
QUERIES = 100
NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))

_CASES = """
insert into cases_case (id, number, code, kind, state, version, channel, source_ref, language, anonymous, confidential,
    reply_wanted, nature, matter, title, content, urgency, collective, fields, place, address, lon, lat, units,
    named_after_study, supervision, reworks, returns, public_reply, created_at, chain_length, chain_head)
select n, 'N' || n, 'C' || n, 'command_centre.order', 'signed', 1, 'phone', '', 'zh', false, false,
    true, 'help', matters[1 + m], left(texts[1 + m], 30), texts[1 + m] || texts[1 + other], 'ordinary', false, '{}',
    '9901' || lpad((1 + n %% 10)::text, 2, '0') || lpad((1 + n / 10 %% 10)::text, 3, '0') || '001001', '',
    110 + random() / 100, 40 + random() / 100, '{}', false, '', 0, 0, '',
    %(now)s - random() * interval '365 days', 1, ''
from (select n, floor(random() * cardinality(texts))::int as m, floor(random() * cardinality(texts))::int as other,
    texts, matters from generate_series(1, %(count)s) n,
    (select %(texts)s::text[] as texts, %(matters)s::text[] as matters) pack) made
"""


def _microseconds(work: Callable[[str], Any], text: str) -> float:
    start = time.perf_counter()
    work(text)
    return (time.perf_counter() - start) * 1e6


def _line(name: str, times: list[float], unit: str) -> None:
    ordered = sorted(times)
    print(
        f"{name:<44} mean {sum(ordered) / len(ordered):9.1f} {unit}   p50 {median(ordered):9.1f}   "
        f"p99 {ordered[int(len(ordered) * 0.99)]:9.1f}"
    )


def _proposals(texts: list[str]) -> None:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from lucheng.core.triage import classify

    ours = classify.active()
    assert ours is not None
    # The peer says the same by the usual road: characters and pairs as text, a sparse matrix, predict_proba.
    names = [chr(c) if c <= 0xFFFF else chr(c >> 16) + chr(c & 0xFFFF) for c in ours.words.tolist()]
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), vocabulary=names, sublinear_tf=True)
    vectorizer.idf_ = ours.idf.astype(float)
    regression = LogisticRegression()
    regression.classes_ = np.array(ours.classes)
    table = np.zeros((len(ours.words), len(ours.classes)))
    at, row = ours.weights.entries(np.arange(len(ours.words)))
    table[row, ours.weights.columns[at]] = ours.weights.values[at]
    regression.coef_ = np.ascontiguousarray(table.T)
    regression.intercept_ = ours.intercept.astype(float)
    peer = make_pipeline(vectorizer, regression)

    for text in texts[:50]:
        likely = ours.probabilities(*ours.read(text))
        assert np.allclose(likely, peer.predict_proba([text])[0], atol=1e-3), text
    times: dict[str, list[float]] = {"a": [], "b": [], "c": []}
    for text in texts:
        times["a"].append(_microseconds(classify.propose_matter, text))
        times["b"].append(_microseconds(lambda t: peer.predict_proba([t]), text))
        times["c"].append(_microseconds(lambda t: classify.propose_matter(t).words, text))
    print(f"{len(texts)} texts of {LENGTH} characters, {len(ours.classes)} classes, {len(ours.words)} grams")
    _line("a proposal", times["a"], "µs")
    _line("scikit-learn predict_proba, same weights", times["b"], "µs")
    _line("a proposal with the words that moved it", times["c"], "µs")
    _line(
        "a text of 50,000 characters",
        [_microseconds(classify.propose_matter, t * 167) for t in texts[:50]],
        "µs",
    )


def _look_alikes(texts: list[str], count: int) -> None:
    from django.db import connection
    from django.db.models import Q
    from django.test.utils import CaptureQueriesContext

    from lucheng.core.dispatch.models import Matter
    from lucheng.core.triage import lookalikes

    said = [(text, m.code) for m in Matter.objects.order_by("code") for text in m.examples]
    with connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.execute(
            _CASES,
            {"now": NOW, "count": count, "texts": [t for t, _m in said], "matters": [m for _t, m in said]},
        )
        cursor.execute("analyze cases_case")
        print(f"{count} cases of a year in 100 townships made in {time.perf_counter() - start:.0f} s")
    chance = random.Random(0)
    everybody = Q(confidential=False)
    for name, digits in (("of a township, with a point", 15), ("of a county", 6), ("of the whole city", 4)):
        times = []
        found = 0
        for text in texts[:QUERIES]:
            place = f"9901{chance.randint(1, 10):02}{chance.randint(1, 10):03}001001"[:digits]
            point = (110.005, 40.005) if digits == 15 else (None, None)
            start = time.perf_counter()
            alike = lookalikes.find(text[:60], place, *point, scope_q=everybody, now=NOW)
            times.append((time.perf_counter() - start) * 1e3)
            found += len(alike)
        _line(f"look-alikes {name}", times, "ms")
    with CaptureQueriesContext(connection) as captured:
        lookalikes.find(texts[0], "990101001", None, None, scope_q=everybody, now=NOW)
    asked = [q for q in captured if "revisions_revision" not in q["sql"]]
    print(f"queries for look-alikes: {len(asked)}")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
    import django

    django.setup()
    from django.db import connection

    from lucheng.cli import ensure_database
    from lucheng.core.dispatch import matters
    from lucheng.core.dispatch.models import Matter
    from lucheng.core.revisions import snapshot
    from lucheng.core.triage import training

    ensure_database()
    plain_name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = "lucheng_bench_triage"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        matters.load()
        start = time.perf_counter()
        trained = training.train(NOW)
        print(f"trained on {trained.samples} texts in {time.perf_counter() - start:.1f} s")
        snapshot.forget()
        chance = random.Random(1)
        said = [text for m in Matter.objects.order_by("code") for text in m.examples]
        texts = ["".join(chance.choices(said, k=40))[:LENGTH] for _ in range(TEXTS)]
        _proposals(texts)
        _look_alikes(texts, int(os.environ.get("LUCHENG_BENCH_CASES", "100000")))
    finally:
        connection.creation.destroy_test_db(plain_name, verbosity=0)


if __name__ == "__main__":
    main()
