"""Coordinates go from any of the three systems to any other and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.places.crs import Crs, from_wgs84, gcj02_to_wgs84, to_wgs84, wgs84_to_gcj02

METRES_PER_DEGREE = 111_320.0

in_china = st.tuples(st.floats(73.5, 135.0), st.floats(3.9, 53.5))


def metres(lon: np.ndarray, lat: np.ndarray, other_lon: np.ndarray, other_lat: np.ndarray) -> np.ndarray:
    east = (lon - other_lon) * METRES_PER_DEGREE * np.cos(np.radians(lat))
    return np.hypot(east, (lat - other_lat) * METRES_PER_DEGREE)


@given(st.lists(in_china, min_size=1, max_size=20), st.sampled_from(list(Crs)))
def test_there_and_back_is_less_than_a_millimetre(points: list[tuple[float, float]], crs: Crs) -> None:
    lon, lat = np.array(points).T
    there = from_wgs84(lon, lat, crs)
    assert (metres(*to_wgs84(*there, crs), lon, lat) < 0.001).all()
    other = to_wgs84(lon, lat, crs)
    assert (metres(*from_wgs84(*other, crs), lon, lat) < 0.001).all()


@given(in_china)
def test_gcj02_lies_between_forty_metres_and_one_kilometre_away(point: tuple[float, float]) -> None:
    lon, lat = np.array([point[0]]), np.array([point[1]])
    distance = metres(*wgs84_to_gcj02(lon, lat), lon, lat)
    assert ((distance > 40) & (distance < 1000)).all()


def test_a_point_whose_shift_is_widely_published_comes_out_to_the_centimetre() -> None:
    lon, lat = wgs84_to_gcj02([116.404], [39.915])
    assert metres(lon, lat, np.array([116.41024449916938]), np.array([39.91640428150164])) < 0.01


def test_outside_china_nothing_moves() -> None:
    lon, lat = np.array([2.35, -122.4, 151.2]), np.array([48.85, 37.8, -33.9])
    for convert in (wgs84_to_gcj02, gcj02_to_wgs84):
        moved = convert(lon, lat)
        assert (moved[0] == lon).all()
        assert (moved[1] == lat).all()


def test_cgcs2000_is_taken_as_wgs84() -> None:
    assert to_wgs84([109.8], [40.6], Crs.CGCS2000) == (np.array([109.8]), np.array([40.6]))


def test_any_shape_is_kept() -> None:
    lon, lat = np.full((2, 3), 109.8), np.full((2, 3), 40.6)
    assert wgs84_to_gcj02(lon, lat)[0].shape == (2, 3)
    assert wgs84_to_gcj02(109.8, 40.6)[0].shape == ()


def test_what_is_no_number_stays_no_number() -> None:
    lon, lat = gcj02_to_wgs84([float("nan"), 109.8], [40.6, 40.6])
    assert np.isnan(lon[0])
    assert np.isfinite([lon[1], lat[1]]).all()


def test_longitudes_and_latitudes_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        wgs84_to_gcj02([109.8, 109.9], [40.6])
