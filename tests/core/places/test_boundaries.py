"""Outlines come in any of three systems; what is wrong with them is repaired on record, reported or refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import mapping

from lucheng.core.faults import Faulty
from lucheng.core.places.boundaries import BoundaryReport, import_boundaries
from lucheng.core.places.crs import Crs, wgs84_to_gcj02
from lucheng.core.places.imports import import_lists
from lucheng.core.places.models import Boundary, Division, Kind
from lucheng.core.revisions.models import Revision
from tests.core.places.lists import LUYUAN, write

pytestmark = pytest.mark.django_db

DAY = dt.date(2020, 6, 1)
SQUARE = shapely.box(110.0, 40.0, 110.1, 40.1)
BOW_TIE = {
    "type": "Polygon",
    "coordinates": [[[110.0, 40.0], [110.1, 40.1], [110.1, 40.0], [110.0, 40.1], [110.0, 40.0]]],
}


@pytest.fixture(autouse=True)
def _luyuan(tmp_path: Path) -> None:
    import_lists([write(tmp_path, {2020: LUYUAN})])


def feature(code: Any, geometry: Any, **properties: Any) -> dict[str, Any]:
    shape = mapping(geometry) if isinstance(geometry, shapely.Geometry) else geometry
    return {
        "type": "Feature",
        "properties": {"code": code, "name": "东原区", **properties},
        "geometry": shape,
    }


def take(folder: Path, *features: Any, crs: Crs = Crs.WGS84, **options: Any) -> BoundaryReport:
    file = folder / "outlines.json"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return import_boundaries(file, crs, day=DAY, **options)


def faults(folder: Path, *features: Any, **options: Any) -> list[str]:
    with pytest.raises(Faulty) as refused:
        take(folder, *features, **options)
    assert not Boundary.objects.exists(), "a refused file leaves nothing behind"
    return [str(f) for f in refused.value.faults]


def held(code: str = "990102") -> shapely.Geometry:
    return shapely.from_wkb(bytes(Boundary.objects.get(division__code=code).shape))


def test_an_outline_in_gcj02_is_kept_in_wgs84(tmp_path: Path) -> None:
    lon, lat = wgs84_to_gcj02(*np.array(SQUARE.exterior.coords).T)
    take(tmp_path, feature("990102", shapely.Polygon(np.column_stack([lon, lat]))), crs=Crs.GCJ02)
    assert shapely.hausdorff_distance(held(), SQUARE) < 1e-8
    assert Boundary.objects.get().source_crs == "gcj02"


@pytest.mark.parametrize("crs", [Crs.WGS84, Crs.CGCS2000])
def test_an_outline_in_wgs84_or_cgcs2000_stays_as_it_is(tmp_path: Path, crs: Crs) -> None:
    take(tmp_path, feature("990102", SQUARE), crs=crs)
    assert shapely.equals(held(), SQUARE)


@pytest.mark.parametrize("code", ["990102000000", "990102", 990102, 990102000000])
@pytest.mark.parametrize("name", ["code", "adcode"])
def test_codes_are_read_with_and_without_zeros_as_text_or_number(
    tmp_path: Path, code: Any, name: str
) -> None:
    take(tmp_path, {"type": "Feature", "properties": {name: code}, "geometry": mapping(SQUARE)})
    assert Boundary.objects.get().division.code == "990102"


def test_the_property_of_the_code_can_be_named(tmp_path: Path) -> None:
    take(tmp_path, feature("1", SQUARE, 代码="990102"), code_property="代码")
    assert Boundary.objects.get().division.code == "990102"


def test_a_grid_is_known_by_its_fifteen_digits(tmp_path: Path) -> None:
    grid = "990102001001001"
    Division.objects.create(code=grid, level=15, kind=Kind.BASIC_GRID, name="001网格", valid_from=DAY)
    take(tmp_path, feature(grid, SQUARE))
    assert Boundary.objects.get().division.code == grid


def test_an_outline_that_crosses_itself_is_repaired_and_the_reason_kept(tmp_path: Path) -> None:
    report = take(tmp_path, feature("990102", BOW_TIE))
    assert [o.code for o in report.repaired] == ["990102"]
    boundary = Boundary.objects.get()
    assert boundary.repaired.startswith("Self-intersection[110.05 40.05")
    assert shapely.is_valid(held())
    assert held().area == pytest.approx(0.005)


def test_strictly_an_outline_that_crosses_itself_refuses_the_file(tmp_path: Path) -> None:
    found = faults(tmp_path, feature("990102", BOW_TIE), feature("990121", SQUARE), strict=True)
    assert found == ["row 1, 990102: This outline is invalid: Self-intersection[110.05 40.05]."]


def test_a_code_that_is_not_in_force_is_reported_and_the_rest_taken(tmp_path: Path) -> None:
    report = take(tmp_path, feature("990102", SQUARE), feature("990109", SQUARE))
    assert [o.code for o in report.added] == ["990102"]
    assert [o.code for o in report.not_in_force] == ["990109"]
    assert Boundary.objects.count() == 1


def test_strictly_a_code_that_is_not_in_force_refuses_the_file(tmp_path: Path) -> None:
    found = faults(tmp_path, feature("990102", SQUARE), feature("990109", SQUARE), strict=True)
    assert found == ["row 2, 990109: No division is in force under this code on 2020-06-01."]


def test_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    first = take(tmp_path, feature("990102", BOW_TIE))
    number = Revision.objects.get(name="places").number
    second = take(tmp_path, feature("990102", BOW_TIE))
    assert (len(first.added), len(second.added), len(second.unchanged)) == (1, 0, 1)
    assert [o.code for o in second.repaired] == ["990102"]
    assert Revision.objects.get(name="places").number == number


def test_a_new_outline_replaces_the_old_one(tmp_path: Path) -> None:
    take(tmp_path, feature("990102", SQUARE))
    wider = shapely.box(110.0, 40.0, 110.2, 40.1)
    report = take(tmp_path, feature("990102", wider))
    assert [o.code for o in report.replaced] == ["990102"]
    assert shapely.equals(held(), wider)


def test_a_trial_writes_nothing(tmp_path: Path) -> None:
    assert take(tmp_path, feature("990102", SQUARE), dry_run=True).added
    assert not Boundary.objects.exists()


@pytest.mark.parametrize(
    ("geometry", "fault"),
    [
        (
            shapely.box(40.0, 110.0, 40.1, 110.1),
            "lies outside China: longitude 40.0000 to 40.1000, latitude 110.0000",
        ),
        (shapely.box(-73.0, 40.0, -72.0, 41.0), "lies outside China"),
        (shapely.box(110.0, 40.0, 200.0, 41.0), "lies outside China"),
        (shapely.Point(110, 40), "is a Polygon or MultiPolygon, not Point"),
        (None, "is a Polygon or MultiPolygon, not None"),
        ({"type": "Polygon", "coordinates": []}, "is empty or has coordinates that are no numbers"),
        ({"type": "Polygon", "coordinates": [[[110, 40], [111, 41]]]}, "The coordinates cannot be read"),
        (
            {"type": "Polygon", "coordinates": [[["a", "b"], [1, 2], [3, 4], [5, 6]]]},
            "The coordinates cannot be read",
        ),
        ({"type": "Polygon"}, "The coordinates cannot be read"),
        (
            {"type": "Polygon", "coordinates": [[[110, 40], [float("nan"), 40], [111, 41], [110, 40]]]},
            "has coordinates that are no numbers",
        ),
        (
            {"type": "Polygon", "coordinates": [[[110, 40], [111, 41], [110, 40], [110, 40]]]},
            "The outline encloses nothing",
        ),
    ],
)
def test_what_cannot_be_an_outline_refuses_the_file(tmp_path: Path, geometry: Any, fault: str) -> None:
    [found] = faults(tmp_path, feature("990121", SQUARE), feature("990102", geometry))
    assert found.startswith("row 2, 990102: ")
    assert fault in found


def test_an_outline_wholly_outside_the_one_above_is_refused(tmp_path: Path) -> None:
    away = shapely.box(120.0, 30.0, 120.1, 30.1)
    assert faults(tmp_path, feature("9901", SQUARE), feature("990102", away)) == [
        "row 2, 990102: The outline lies wholly outside that of 9901."
    ]


@pytest.mark.parametrize("code", ["", None, "12", "东原区", "990102000001", True, 3.5])
def test_a_feature_without_a_code_is_refused(tmp_path: Path, code: Any) -> None:
    [found] = faults(tmp_path, feature(code, SQUARE))
    assert found == "row 1, code / adcode: The code of a division or grid is missing or is none."


def test_a_code_that_stands_twice_is_refused(tmp_path: Path) -> None:
    found = faults(tmp_path, feature("990102", SQUARE), feature("990102000000", SQUARE))
    assert found == ["row 2, 990102: The same code as feature 1."]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "This is not JSON"),
        ("{", "This is not JSON"),
        ("[" * 100_000, "This is not JSON"),
        ("[]", "This is not a GeoJSON collection"),
        ('{"features": []}', "This is not a GeoJSON collection"),
        ('{"type": "Topology", "objects": {}}', "This is not a GeoJSON collection"),
        ('{"features": [1]}', "row 1: This is not a feature"),
        ('{"features": [{"properties": null, "geometry": null}]}', "row 1: This is not a feature"),
    ],
)
def test_what_is_no_geojson_is_refused(tmp_path: Path, content: str, fault: str) -> None:
    file = tmp_path / "outlines.json"
    file.write_text(content)
    with pytest.raises(Faulty) as refused:
        import_boundaries(file, Crs.WGS84, day=DAY)
    assert fault in str(refused.value.faults[0])


def test_a_single_feature_is_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "outline.json"
    file.write_text(json.dumps(feature("990102", SQUARE)))
    assert import_boundaries(file, Crs.WGS84, day=DAY).added


def test_heights_are_left_out(tmp_path: Path) -> None:
    take(tmp_path, feature("990102", shapely.force_3d(SQUARE, 1065.0)))
    assert not shapely.has_z(held())


def test_a_thousand_outlines_cost_as_many_queries_as_one(
    tmp_path: Path, django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    grids = [f"990102001001{n:03d}" for n in range(1, 301)]
    Division.objects.bulk_create(
        Division(code=c, level=15, kind=Kind.BASIC_GRID, name=c[-3:], valid_from=DAY) for c in grids
    )
    with CaptureQueriesContext(connection) as queries:
        take(tmp_path, feature(grids[0], SQUARE))
    with django_assert_num_queries(len(queries)):
        take(tmp_path, *(feature(c, SQUARE) for c in grids[1:]))
