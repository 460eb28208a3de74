"""A point is placed as finely as the outlines at hand allow."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.places import outlines
from lucheng.core.places.locate import locate, locate_point, locate_points
from lucheng.core.places.models import Boundary, Division
from lucheng.core.revisions.snapshot import bump, forget
from tests.core.places import luyuan
from tests.core.places.luyuan import COMMUNITY, EAST_GRID, GRID, SCHOOL, STREET, TOWN

pytestmark = pytest.mark.django_db

POINTS = [
    ((110.015, 40.015), GRID),
    ((110.030, 40.010), EAST_GRID),
    ((110.007, 40.007), SCHOOL),
    ((110.030, 40.030), STREET + "002"),
    ((110.050, 40.010), TOWN + "001"),
    ((110.050, 40.045), "9901"),
    ((116.400, 39.900), ""),
    ((40.010, 110.010), ""),
    ((float("nan"), 40.01), ""),
    ((float("inf"), 40.01), ""),
]


@pytest.fixture(autouse=True)
def _luyuan() -> None:
    luyuan.lay_out()


@pytest.mark.parametrize(("point", "code"), POINTS)
def test_a_point_lies_in_the_smallest_outline_around_it(point: tuple[float, float], code: str) -> None:
    assert locate_point(*point) == (code or None)
    assert locate(point) == (code or None)


def test_many_points_are_located_at_once_and_in_order() -> None:
    lon, lat = np.array([p for p, _ in POINTS]).T
    assert locate_points(lon, lat).tolist() == [code for _, code in POINTS]


def test_no_points_have_no_codes() -> None:
    assert locate_points([], []).tolist() == []


def test_longitudes_and_latitudes_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        locate_points([110.0, 110.1], [40.0])


def test_without_grids_a_point_falls_back_to_community_township_county_and_city() -> None:
    point = (110.015, 40.015)
    for level, code in ((15, COMMUNITY), (12, STREET), (9, STREET[:6]), (6, "9901"), (4, None)):
        Boundary.objects.filter(division__level=level).delete()
        bump("places")
        forget()
        assert locate_point(*point) == code
        assert locate_points([point[0]], [point[1]])[0] == (code or "")


def test_a_point_on_a_border_lies_in_one_place_and_always_the_same() -> None:
    border = (110.02, 40.01)
    assert locate_point(*border) == locate_points(*([v] * 3 for v in border))[1] == GRID


def test_an_outline_is_used_only_while_its_division_is_in_force() -> None:
    Division.objects.filter(code__in=[GRID, SCHOOL]).update(valid_to=dt.date(2024, 1, 1))
    bump("places")
    forget()
    assert locate_point(110.015, 40.015) == COMMUNITY
    assert locate_point(110.015, 40.015, dt.date(2023, 12, 31)) == GRID
    assert locate_points([110.015], [40.015], dt.date(2023, 12, 31)).tolist() == [GRID]
    assert locate_point(110.015, 40.015, dt.date(2019, 1, 1)) is None


def test_a_changed_outline_is_used_once_its_revision_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate_point(110.015, 40.015) == GRID
    Boundary.objects.filter(division__code=GRID).update(
        shape=shapely.to_wkb(shapely.box(110.0, 40.0, 110.01, 40.02))
    )
    assert locate_point(110.015, 40.015) == GRID, "an outline is not read anew for every point"
    bump("places")
    monkeypatch.setattr("lucheng.core.revisions.snapshot.MAX_AGE", -1.0)
    assert locate_point(110.015, 40.015) == COMMUNITY


def test_with_no_outline_at_all_every_point_lies_nowhere() -> None:
    Boundary.objects.all().delete()
    bump("places")
    forget()
    assert locate_point(110.015, 40.015) is None
    assert locate_points([110.015, 110.016], [40.015, 40.016]).tolist() == ["", ""]


def test_a_hundred_points_cost_no_query_once_outlines_are_read(django_assert_num_queries: Any) -> None:
    locate_point(110.015, 40.015)
    with django_assert_num_queries(0):
        for _ in range(100):
            locate_point(110.015, 40.015)
        locate_points(np.full(100, 110.015), np.full(100, 40.015))


def test_batch_and_single_agree_across_the_seams_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlines, "_CHUNK", 7)
    rng = np.random.default_rng(1502)
    lon, lat = rng.uniform(109.99, 110.09, 300), rng.uniform(39.99, 40.06, 300)
    assert locate_points(lon, lat).tolist() == [
        locate_point(x, y) or "" for x, y in zip(lon, lat, strict=True)
    ]


def test_threads_may_ask_at_the_same_time() -> None:
    rng = np.random.default_rng(1502)
    lon, lat = rng.uniform(109.99, 110.09, 5_000), rng.uniform(39.99, 40.06, 5_000)
    expected = locate_points(lon, lat).tolist()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: locate_points(lon, lat).tolist(), range(16)))
    assert all(a == expected for a in answers)


@given(st.lists(st.tuples(st.floats(109.9, 110.2), st.floats(39.9, 40.2)), max_size=30))
def test_a_point_is_never_placed_outside_the_outline_of_its_code(points: list[tuple[float, float]]) -> None:
    shapes = {code: shape for code, (_, _, shape) in luyuan.PLACES.items()}
    levels = [
        outlines._level(np.array([c]), np.array([s]))
        for c, s in sorted(shapes.items(), key=lambda x: -len(x[0]))
    ]
    lon, lat = np.array(points).reshape(-1, 2).T
    for x, y, code in zip(lon, lat, outlines._locate(tuple(levels), lon, lat), strict=True):
        inside = [c for c, s in shapes.items() if shapely.intersects_xy(s, x, y)]
        assert code in inside if inside else code == ""
        assert not inside or len(code) == max(map(len, inside))
