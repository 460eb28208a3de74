from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

NOW = dt.datetime(2026, 3, 4, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[dt.datetime]:
    """What the time is for the pages; the tests move it on."""
    time = [NOW]
    monkeypatch.setattr(timezone, "now", lambda: time[0])
    return time
