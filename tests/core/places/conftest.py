"""Faults and labels are asserted in English; that they have their Chinese is proved for all rooms at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

#: Real lists and outlines beside the repository, where there are any.
DATA = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield
