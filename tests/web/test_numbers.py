"""Numbers in addresses and forms: whatever was written there, a page answers."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from lucheng.web import numbers
from tests import factories
from tests.factories import City


@pytest.mark.parametrize("text", ["", "abc", "-1", "1.5", "１２", "²", "9" * 19, "9" * 5000, None, 7])
def test_what_writes_no_number_is_none(text: object) -> None:
    assert numbers.whole(text) == 0
    assert numbers.whole(text, -1) == -1


def test_digits_are_a_number() -> None:
    assert [numbers.whole(t) for t in ("0", "12", "007", "9" * 18)] == [0, 12, 7, 10**18 - 1]


@pytest.mark.parametrize(
    ("asked", "page"), [("", 1), ("0", 1), ("3", 3), ("99", 20), ("9" * 5000, 1), ("x", 1)]
)
def test_a_page_lies_within_the_list(asked: str, page: int) -> None:
    assert numbers.page(RequestFactory().get("/", {"page": asked}), 20) == page


@pytest.mark.parametrize("number", [0, 12, 1000])
def test_a_count_is_told_as_it_is_up_to_where_counting_stops(number: int) -> None:
    assert numbers.counted(number) == f"{number:,}"
    assert numbers.counted(1001) == "1,000+"


@pytest.mark.parametrize("address", ["/board/", "/callbacks/", "/supervised/", "/messages/", "/knowledge/"])
def test_a_page_number_of_thousands_of_digits_opens_the_first_page(city: City, address: str) -> None:
    answer = factories.client(city, "duty_officer").get(address, {"page": "9" * 5000})
    assert answer.status_code == 200
