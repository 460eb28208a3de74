from __future__ import annotations

import pytest

from tests import factories


@pytest.fixture
def city(db: None) -> factories.City:
    return factories.city()
