"""What a person decided is kept beside what was proposed."""

from __future__ import annotations

import datetime as dt

import pytest

from lucheng.core.cases.models import State
from lucheng.core.triage import advice
from lucheng.core.triage.models import Advice
from tests import factories
from tests.core.triage import model
from tests.core.triage.cases import case
from tests.factories import GRID, LAMP, NOW, STREET

pytestmark = pytest.mark.django_db


def test_the_decision_stands_beside_the_proposal() -> None:
    city = factories.city()
    model.in_force()
    accepted = factories.case_in(State.ACCEPTED, city, content="家里暖气冰凉，两天没热了")
    kept = Advice.objects.get(case=accepted)
    assert (kept.matter, kept.decided_matter, kept.decided_place) == ("030101", LAMP, GRID)
    assert kept.decided_at == NOW
    assert kept.model_version
    assert kept.matter_probability is not None and kept.matter_probability > 0.5


def test_a_later_decision_takes_the_place_of_an_earlier_one() -> None:
    made = case()
    advice.decided(made, LAMP, GRID, NOW)
    advice.decided(made, "010203", STREET, NOW + dt.timedelta(hours=1))
    kept = Advice.objects.get(case=made)
    assert (kept.decided_matter, kept.decided_place) == ("010203", STREET)
    assert kept.decided_at == NOW + dt.timedelta(hours=1)


def test_a_case_that_came_without_a_proposal_says_so() -> None:
    made = case()
    advice.decided(made, LAMP, GRID, NOW)
    kept = Advice.objects.get(case=made)
    assert (kept.matter, kept.model_version, kept.decided_matter) == ("", "", LAMP)
