"""The real lists, outlines and addresses, with the defects they were published with."""

from __future__ import annotations

import csv
import datetime as dt
import time
import unittest
from collections import Counter
from typing import ClassVar

import pytest
import shapely
from django.test import TestCase

from lucheng.core.faults import Faulty
from lucheng.core.places import history, names
from lucheng.core.places.boundaries import import_boundaries
from lucheng.core.places.crs import Crs, gcj02_to_wgs84
from lucheng.core.places.imports import Report, import_lists
from lucheng.core.places.locate import locate_point, locate_points, locate_text
from lucheng.core.places.models import Boundary, Division, Kind, Succession
from tests.core.places.conftest import DATA

pytestmark = pytest.mark.real_data

LISTS = DATA / "divisions" / "baotou_2009_2022.csv"
COUNTIES = DATA / "boundaries" / "baotou_counties_gcj02.json"
DAY = dt.date(2022, 6, 1)


class RealBaotou(TestCase):
    """All lists and outlines, taken over once for all tests."""

    reports: ClassVar[list[Report]]

    @classmethod
    def setUpTestData(cls) -> None:
        if not DATA.is_dir():
            raise unittest.SkipTest("../shared/data is not there")
        cls.reports = import_lists([LISTS])
        for file in (DATA / "boundaries" / "baotou_city_gcj02.json", COUNTIES):
            import_boundaries(file, Crs.GCJ02, day=DAY)

    def test_all_fourteen_years_are_in_force_each_in_its_year(self) -> None:
        assert [r.day.year for r in self.reports] == list(range(2009, 2023))
        with LISTS.open(encoding="utf-8") as f:
            published = {
                (int(r["year"]), r["code"], r["name"]) for r in csv.DictReader(f) if r["name"] != "市辖区"
            }
        recorded = {
            (year, code.ljust(12, "0"), name)
            for year in range(2009, 2023)
            for code, name in Division.objects.as_of(dt.date(year, 6, 1)).values_list("code", "name")
        }
        assert recorded == published

    def test_what_changed_in_2012_is_told_apart(self) -> None:
        """2012 has 168 new codes and 239 dropped ones; most are the same communities under new codes."""
        report = next(r for r in self.reports if r.day.year == 2012)
        counts = Counter(s.how for s in report.changes.steps)
        assert len(report.changes.added) < 100 < 150 > len(report.changes.dropped)
        assert counts["recoded"] > 80
        assert counts["merged"] >= 11
        assert report.changes.questions
        merged = {s.before.name: s.after.name for s in report.steps(Succession.How.MERGED)}
        assert merged["双龙西村委会"] == merged["双龙东村委会"] == "双龙村委会"

    def test_every_division_that_ended_has_a_successor_or_is_reported_dropped(self) -> None:
        dropped = {(r.day, e.code) for r in self.reports for e in r.changes.dropped}
        ended = Division.objects.exclude(valid_to=None).prefetch_related("successors")
        for division in ended:
            known = any(s.at == division.valid_to for s in division.successors.all())
            assert known != ((division.valid_to, division.code) in dropped)

    def test_banners_sumu_and_gacha_are_all_there(self) -> None:
        now = Counter(Division.objects.as_of(DAY).values_list("kind", flat=True))
        assert now[Kind.BANNER] == 2
        assert now[Kind.SUMU] == 5
        assert now[Kind.GACHA] > 20
        assert now[Kind.ZONE] == 1
        assert names.get("150223", DAY).kind == Kind.BANNER  # type: ignore[union-attr]

    def test_a_town_that_moved_to_the_high_tech_zone_is_followed_there(self) -> None:
        town = history.row("150204102", dt.date(2013, 6, 1))
        assert town is not None
        assert [s.after.code for s in history.fate(town)] == ["150271102"]

    def test_the_second_import_changes_nothing(self) -> None:
        before = Division.objects.count(), Succession.objects.count()
        assert not any(r.changes for r in import_lists([LISTS]))
        assert (Division.objects.count(), Succession.objects.count()) == before

    def test_both_outline_files_are_taken_and_the_invalid_one_is_repaired_on_record(self) -> None:
        assert Boundary.objects.count() == 10
        assert Boundary.objects.exclude(repaired="").get().division.code == "150223"
        assert all(shapely.is_valid(shapely.from_wkb(bytes(b.shape))) for b in Boundary.objects.all())

    def test_strictly_the_invalid_outline_refuses_the_file(self) -> None:
        before = list(Boundary.objects.values_list("pk", "repaired"))
        with pytest.raises(Faulty, match="Self-intersection"):
            import_boundaries(COUNTIES, Crs.GCJ02, day=DAY, strict=True)
        assert list(Boundary.objects.values_list("pk", "repaired")) == before

    def test_the_published_points_of_2016_lie_in_their_counties(self) -> None:
        with (DATA / "divisions" / "baotou_points_2016_gcj02.csv").open(encoding="utf-8") as f:
            rows = [r for r in csv.DictReader(f) if r["level"] == "town"]
        lon, lat = gcj02_to_wgs84(
            [float(r["lon_gcj02"]) for r in rows], [float(r["lat_gcj02"]) for r in rows]
        )
        found = locate_points(lon, lat)
        right = sum(code == row["code"][:6] for code, row in zip(found, rows, strict=True))
        assert len(rows) > 50
        assert right / len(rows) > 0.9
        assert locate_point(116.4, 39.9) is None

    def test_every_division_is_found_by_its_own_name(self) -> None:
        """With the names above it before it, a name leads to its own place first."""
        rows = list(
            Division.objects.as_of(dt.date.today()).exclude(kind=Kind.PLACEHOLDER).filter(level__gte=9)
        )
        wrong = []
        for row in rows:
            text = "".join(names.place_name(row.code).split(" · "))
            found = locate_text(text)
            if not found or found[0].place != row.code:
                wrong.append((text, [c.place for c in found]))
        assert len(wrong) < 0.02 * len(rows), wrong[:20]

    def test_addresses_of_other_cities_harm_nothing_and_rarely_name_a_place_here(self) -> None:
        text = (DATA / "addresses" / "dev.txt").read_text(encoding="utf-8")
        addresses = [
            "".join(line.split(" ")[0] for line in block.splitlines())
            for block in text.split("\n\n")
            if block.strip()
        ]
        assert len(addresses) > 2_900
        locate_text(addresses[0])
        start = time.perf_counter()
        found = [locate_text(a) for a in addresses]
        per_address = (time.perf_counter() - start) / len(addresses)
        assert per_address < 0.001
        sure = [(a, f[0]) for a, f in zip(addresses, found, strict=True) if f and f[0].score > 0.8]
        assert len(sure) < 0.02 * len(addresses), sure[:20]
