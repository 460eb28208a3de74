from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from lucheng.core.triage import templates
from tests import factories
from tests.factories import CITY, NOW, City

#: Signs somebody of the city in.
Door = Callable[[str], Client]


@pytest.fixture
def city(db: None) -> City:
    made = factories.city()
    made.people["head"] = factories.person("head", "unit_head", CITY, made.units["utilities"])
    templates.load(NOW)
    return made


@pytest.fixture
def door(city: City) -> Door:
    return lambda name: factories.client(city, name)
