"""Demonstration sites and upgrades of premises, their figures, and the room's share of a small demo city."""

from __future__ import annotations

from typing import Any

import pytest

from lucheng.core.errors import Invalid
from lucheng.core.indicators.indicator import named as figure
from lucheng.core.indicators.periods import window
from lucheng.core.registers import book
from lucheng.core.registers.register import named
from lucheng.projects.party_centres import demo
from tests.core.registers.centres import DAY, centre
from tests.factories import CITY, COMMUNITY, NOW, City


def upgrade(**given: Any) -> Any:
    values = {
        "name": "花园社区提升",
        "place": COMMUNITY,
        "valid_from": "2020-02-01",
        "need": "用房不足",
        **given,
    }
    return book.write(named("premises-upgrades"), "", values, by=None, scope=None, now=NOW)


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ({"accepted": "2020-10-01", "evidence": "验收单"}, "begun"),
        ({"begun": "2020-10-02", "accepted": "2020-10-01", "evidence": "验收单"}, "begun"),
        ({"begun": "2020-05-01", "accepted": "2020-10-01"}, "evidence"),
        ({"centre": "C9"}, "centre"),
    ],
)
def test_what_is_accepted_was_begun_and_is_on_record(city: City, given: dict[str, Any], at: str) -> None:
    with pytest.raises(Invalid) as refused:
        upgrade(**given)
    assert list(refused.value.fields) == [at]


def test_an_upgrade_counts_from_its_acceptance_on(city: City) -> None:
    centre("C1")
    upgrade(centre="C1")
    upgrade(centre="C1", begun="2020-05-01", accepted="2020-10-01", evidence="验收单")
    of = figure("1.centres.upgraded")
    assert of.value(window("2020-09", DAY), CITY).value == 0
    assert of.value(window("2020", DAY), CITY).value == 1


def test_a_small_demo_city_has_a_centre_for_every_place_that_asks_for_one(city: City) -> None:
    demo.fill(NOW)
    at = window("2020", DAY)
    found = {
        name: figure(f"1.centres.{name}").value(at, CITY).value
        for name in (
            "city",
            "county",
            "subdistrict",
            "township",
            "community",
            "village",
            "demonstration",
            "upgraded",
        )
    }
    assert found == {
        "city": 1,
        "county": 2,
        "subdistrict": 1,
        "township": 1,
        "community": 2,
        "village": 2,
        "demonstration": 2,
        "upgraded": 2,
    }
