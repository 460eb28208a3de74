"""The model of the national pack, trained once for all tests of a process."""

from __future__ import annotations

from typing import Any

from lucheng.core.dispatch import matters
from lucheng.core.revisions import snapshot
from lucheng.core.triage import training
from lucheng.core.triage.classify import Classifier, unpack
from lucheng.core.triage.models import Model
from tests.factories import NOW

_row: dict[str, Any] = {}
_trained: list[training.Trained] = []


def in_force() -> training.Trained:
    """Load the national classes of matter and put their model in force, in this test's database."""
    matters.load()
    if _trained:
        Model.objects.create(**_row)
    else:
        _trained.append(training.train(NOW))
        _row.update(Model.objects.values().get(active=True))
        del _row["id"]
        _row["weights"] = bytes(_row["weights"])
    snapshot.forget()
    return _trained[0]


def classifier() -> Classifier:
    """The same model without a database, once some test has put it in force."""
    return unpack(_row["version"], _row["weights"])
