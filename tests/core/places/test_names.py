"""Places have names for people, on any day, without asking the database each time."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from lucheng.core.places import names
from lucheng.core.places.imports import import_lists
from lucheng.core.places.models import Division, Kind
from lucheng.core.revisions.snapshot import bump, forget
from tests.core.places.lists import LUYUAN, write

pytestmark = pytest.mark.django_db

COMMUNITY = "990102001001"
GRID = COMMUNITY + "012"
Y2020, Y2021 = dt.date(2020, 1, 1), dt.date(2021, 1, 1)


@pytest.fixture(autouse=True)
def _luyuan(tmp_path: Path) -> None:
    renamed = dict(LUYUAN)
    renamed["990102001001"] = "花园社区"
    del renamed["990102001002"]
    import_lists([write(tmp_path, {2020: LUYUAN, 2021: renamed})])
    Division.objects.create(code=GRID, level=15, kind=Kind.BASIC_GRID, name="012网格", valid_from=Y2020)


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("9901", "鹿原市"),
        ("990102", "东原区"),
        ("990102001", "东原区 · 长青街道办事处"),
        (COMMUNITY, "东原区 · 长青街道办事处 · 花园社区"),
        (GRID, "长青街道办事处 · 花园社区 · 012网格"),
        ("990121200200", "北甸旗 · 白音苏木 · 乌兰嘎查"),
    ],
)
def test_a_label_has_the_last_three_names(code: str, label: str) -> None:
    assert names.place_name(code) == label


def test_a_label_as_of_a_day_has_the_names_of_that_day() -> None:
    assert names.place_name(COMMUNITY, dt.date(2020, 5, 1)) == "东原区 · 长青街道办事处 · 花园社区居委会"


def test_a_place_that_ended_keeps_its_name_but_exists_no_more() -> None:
    assert names.place_name("990102001002") == "东原区 · 长青街道办事处 · 钢花社区居委会"
    assert names.exists("990102001002", Y2020)
    assert not names.exists("990102001002", Y2021)
    assert not names.exists("990102001002")


def test_an_unknown_code_is_shown_after_the_names_above_it() -> None:
    assert names.place_name("990102001999") == "东原区 · 长青街道办事处 · 990102001999"
    assert names.place_name("8888") == "8888"
    assert names.place_name("") == ""
    assert not names.exists("8888")
    assert names.get("8888") is None


def test_a_placeholder_is_not_named() -> None:
    Division.objects.create(
        code="990102198", level=9, kind=Kind.PLACEHOLDER, name="县直辖村级区划", valid_from=Y2020
    )
    Division.objects.create(
        code="990102198101", level=12, kind=Kind.COMMUNITY, name="北一社区", valid_from=Y2020
    )
    assert names.place_name("990102198101") == "东原区 · 北一社区"


def test_the_level_of_a_division_is_the_length_of_its_code() -> None:
    for code, level in (("99010", 5), ("990109", 9)):
        with pytest.raises(IntegrityError, match="division_level_of_code"), transaction.atomic():
            Division.objects.create(
                code=code, level=level, kind=Kind.DISTRICT, name="北原区", valid_from=Y2020
            )


def test_children_are_those_in_force_directly_below() -> None:
    assert [p.name for p in names.children("990102")] == ["长青街道办事处", "和顺街道办事处", "南河镇"]
    assert [p.code for p in names.children("990102001", Y2020)] == [COMMUNITY, "990102001002"]
    assert [p.code for p in names.children("990102001", Y2021)] == [COMMUNITY]
    assert [p.code for p in names.children(COMMUNITY)] == [GRID]
    assert names.children(GRID) == []


def test_the_root_holds_everything() -> None:
    assert names.root() == "9901"
    assert [p.code for p in names.children("")] == ["9901"]
    assert names.root(dt.date(1999, 1, 1)) == ""


def test_several_divisions_at_the_top_have_no_root() -> None:
    Division.objects.create(code="9902", level=4, kind=Kind.CITY, name="邻市", valid_from=Y2020)
    with pytest.raises(ValueError, match="9901, 9902"):
        names.root()


def test_a_hundred_labels_cost_no_query_once_read(django_assert_num_queries: Any) -> None:
    names.place_name(GRID)
    with django_assert_num_queries(0):
        for _ in range(100):
            names.place_name(GRID)
            names.exists(GRID)
            names.children(COMMUNITY)


def test_a_change_is_seen_once_its_revision_is() -> None:
    assert names.place_name(GRID).endswith("012网格")
    Division.objects.filter(code=GRID).update(name="十二网格")
    bump("places")
    forget()
    assert names.place_name(GRID).endswith("十二网格")
