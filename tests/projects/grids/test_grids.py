"""Grids: who serves down in them, as numbers, and figures over divisions, posts and services."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lucheng.core.organisation.models import Post
from lucheng.core.places.models import Division
from lucheng.core.registers import book
from lucheng.core.registers.register import named
from lucheng.projects.grids import demo
from lucheng.projects.grids.models import Organ, Service
from tests import factories
from tests.factories import CITY, COMMUNITY, EAST, GRID, NOW, STREET, SUMU, WEST, City
from tests.projects.entries import refused, value, write


def organ(code: str = "O1", **changes: Any) -> Organ:
    given = {
        "name": "第一小学",
        "place": WEST,
        "kind": "institution",
        "party_members": 20,
        "valid_from": "2020-03-01",
    }
    made = write("organs", code, **{**given, **changes})
    assert isinstance(made, Organ)
    return made


def service(code: str = "S1", **changes: Any) -> Service:
    given = {"name": "下沉", "place": GRID, "organ": "O1", "members": 5, "valid_from": "2020-05-01"}
    made = write("services", code, **{**given, **changes})
    assert isinstance(made, Service)
    return made


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"members": 21}, ["members"]),
        ({"members": 0}, ["members"]),
        ({"members": "许多"}, ["members"]),
        ({"place": STREET}, ["place"]),
        ({"organ": "O9"}, ["organ"]),
        ({"valid_from": "2020-02-29"}, ["valid_from"]),
    ],
)
def test_a_service_is_of_an_organ_in_a_grid_with_members_that_it_has(
    city: City, wrong: dict[str, Any], at: list[str]
) -> None:
    organ()
    assert refused(service, **wrong) == at
    assert service(place=COMMUNITY, members=20).members == 20


@pytest.mark.parametrize(
    ("wrong", "at"),
    [({"party_members": -1}, "party_members"), ({"kind": "family"}, "kind"), ({"unit": "x"}, "unit")],
)
def test_an_organ_is_one_of_three_kinds_with_a_number_of_members(
    city: City, wrong: dict[str, Any], at: str
) -> None:
    assert refused(organ, **wrong) == [at]


def test_organs_and_members_are_counted_where_and_while_they_serve(city: City) -> None:
    organ()
    organ("O2", name="第二小学")
    organ("O3", name="不下沉的")
    service()
    service("S2", place=SUMU + "001", members=3)
    service("S3", organ="O2", valid_from="2020-08-01", valid_to="2021-01-01")
    assert (value("2.organs"), value("2.members")) == (2, 13)
    assert (value("2.organs", place=EAST), value("2.members", place=EAST)) == (1, 3)
    assert (value("2.organs", "2020-06"), value("2.members", "2021")) == (1, 8)


def test_grids_and_their_scale_are_counted_over_divisions_in_force(city: City) -> None:
    assert value("2.grids") == 8 and value("2.grids", "2019") == 0
    assert value("2.grid_scale", place=EAST) is None, "rural grids have no band of households"
    Division.objects.filter(code=GRID).update(households=450)
    Division.objects.filter(code=COMMUNITY + "002").update(households=350)
    assert value("2.grid_scale", place=COMMUNITY) == 400
    Division.objects.filter(code=GRID).update(valid_to=dt.date(2020, 7, 1))
    assert (value("2.grids", "2020-06"), value("2.grids")) == (8, 7)


def test_grid_workers_are_people_in_post(city: City) -> None:
    assert (value("2.grid_workers"), value("2.staffed")) == (1, 12.5)
    worker = city.people["grid_worker"]
    factories.post(worker, "grid_worker", COMMUNITY + "002")
    factories.post(city.people["handler"], "grid_head", SUMU + "001001")
    assert (value("2.grid_workers"), value("2.staffed")) == (1, 25), "one person in two grids is one person"
    assert value("2.staffed", place=EAST) == 0
    Post.objects.filter(person=worker).update(valid_to=dt.date(2021, 1, 1))
    assert (value("2.grid_workers"), value("2.grid_workers", "2021")) == (1, 0)


def test_the_demo_serves_down_in_every_grid(city: City) -> None:
    demo.fill(dt.datetime(2026, 3, 18, 15, tzinfo=dt.UTC))
    assert value("2.organs") == 8
    assert value("2.members") == 15093 * 8 // 1246
    assert set(Service.objects.values_list("place", flat=True)) == set(
        Division.objects.filter(level=15).values_list("code", flat=True)
    )
    assert book.find(named("services"), None, book.Wanted(NOW.date(), place=CITY)).count() == 8
