"""Public legal services: what keeps the registers true, what they come to, and the directory that programs read."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import jsonschema
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from lucheng.core.errors import Invalid
from lucheng.core.indicators.indicator import named as figure
from lucheng.core.indicators.periods import window
from lucheng.core.registers import book
from lucheng.core.registers.register import named
from lucheng.projects.legal_services import demo, hsds
from lucheng.projects.legal_services.models import DutyLawyer, LegalAdviser, LegalOutlet, MediationExpert
from tests.factories import CITY, COMMUNITY, NOW, STREET, SUMU, WEST, City

TODAY = dt.date(2026, 3, 2)


def write(slug: str, code: str, **given: Any) -> Any:
    return book.write(named(slug), code, given, by=None, scope=None, now=NOW)


def outlet(code: str = "FL-1", **changes: Any) -> Any:
    return write(
        "legal-outlets",
        code,
        **{
            "name": "长青街道公共法律服务工作站",
            "place": STREET,
            "level": "township",
            "services": "律师咨询、法律援助",
            "valid_from": "2020-06-01",
            **changes,
        },
    )


def turn(code: str = "ZB-1", **changes: Any) -> Any:
    return write(
        "legal-duty",
        code,
        **{
            "name": "王静",
            "place": STREET,
            "outlet": "FL-1",
            "firm": "鹿鸣律师事务所",
            "weekdays": "周一、周三",
            "begins": "09:00",
            "ends": "11:30",
            "valid_from": "2020-07-01",
            **changes,
        },
    )


def adviser(code: str = "GW-1", **changes: Any) -> Any:
    return write(
        "legal-advisers",
        code,
        **{
            "name": "李敏",
            "place": COMMUNITY,
            "standing": "律师",
            "firm": "鹿鸣律师事务所",
            "phone": "0472-0000001",
            "valid_from": "2020-01-01",
            "valid_to": "2028-01-01",
            **changes,
        },
    )


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"place": CITY}, "place"),
        ({"place": COMMUNITY}, "place"),
        ({"services": ""}, "services"),
        ({"postcode": "01400"}, "postcode"),
    ],
)
def test_an_outlet_stands_at_the_place_of_its_level(city: City, wrong: dict[str, Any], at: str) -> None:
    with pytest.raises(Invalid) as refused:
        outlet(**wrong)
    assert list(refused.value.fields) == [at]


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"place": SUMU}, "place"),
        ({"outlet": "FL-2"}, "outlet"),  # no lawyer advises there
        ({"outlet": "FL-9"}, "outlet"),
        ({"valid_from": "2020-05-31"}, "valid_from"),
        ({"begins": "9:00"}, "begins"),
        ({"ends": "24:00"}, "ends"),
        ({"ends": "09:00"}, "ends"),
        ({"weekdays": "周八"}, "weekdays"),
    ],
)
def test_a_lawyers_turn_is_at_an_outlet_that_stands_and_has_an_end(
    city: City, wrong: dict[str, Any], at: str
) -> None:
    outlet()
    outlet("FL-2", services="公证")
    turn()
    with pytest.raises(Invalid) as refused:
        turn("ZB-2", **wrong)
    assert list(refused.value.fields) == [at]


@pytest.mark.parametrize(("wrong", "at"), [({"place": STREET}, "place"), ({"valid_to": ""}, "valid_to")])
def test_an_adviser_is_of_one_village_by_a_contract_with_an_end(
    city: City, wrong: dict[str, Any], at: str
) -> None:
    with pytest.raises(Invalid) as refused:
        adviser(**wrong)
    assert list(refused.value.fields) == [at]


def test_a_mediator_of_the_pool_knows_some_field(city: City) -> None:
    given = {
        "name": "赵文",
        "place": WEST,
        "post": "律师",
        "phone": "0472-0000002",
        "valid_from": "2020-01-01",
    }
    with pytest.raises(Invalid) as refused:
        write("mediation-experts", "ZJ-1", **given)
    assert list(refused.value.fields) == ["fields"]
    write("mediation-experts", "ZJ-1", **given, fields="法律、土地和草牧场", grade="一级人民调解员")
    assert MediationExpert.objects.get().grade == "1"


def test_figures_count_outlets_by_level_and_villages_with_an_adviser(city: City) -> None:
    outlet()
    outlet("FL-2", place=SUMU, valid_from="2021-01-01")
    outlet("FL-3", place=COMMUNITY, level="village", services="人民调解")
    adviser()
    adviser("GW-2", name="乙", valid_from="2025-01-01")  # a second one of the same place
    adviser("GW-3", place=SUMU + "001", valid_to="2020-06-01")
    at = window("2020", TODAY)
    assert figure("8.legal.township").value(at, CITY).value == 1
    assert figure("8.legal.village").value(at, WEST).value == 1
    assert figure("8.legal.township").value(window("2021", TODAY), CITY).value == 2
    share = figure("8.advisers").value(window("2025", TODAY), CITY)
    assert (share.numerator, share.denominator, share.value) == (1, 4, 25)


# --- the directory --------------------------------------------------------------------------------------------------


def _object(required: str, **fields: Any) -> dict[str, Any]:
    """What HSDS 3.0 says of an object: which members it must have, and of what type those are that we use. A member
    that is not listed here is one that we do not use, and would be a slip."""
    return {
        "type": "object",
        "required": required.split(),
        "properties": fields,
        "additionalProperties": False,
    }


_ID = {"type": "string", "format": "uuid"}
_TEXT, _NUMBER = {"type": "string", "minLength": 1}, {"type": "number"}
_DAY = {"type": "string", "format": "date"}
_TIME = {"type": "string", "pattern": r"^\d\d:\d\d(Z|[+-]\d\d:\d\d)$"}
_ORGANISATION = _object("id name description", id=_ID, name=_TEXT, description=_TEXT)
_PHONES = {"type": "array", "items": _object("id number", id=_ID, number=_TEXT, type={"enum": ["voice"]})}
_ADDRESS = _object(
    "id address_1 city state_province postal_code country address_type",
    id=_ID,
    address_1=_TEXT,
    city=_TEXT,
    state_province=_TEXT,
    postal_code=_TEXT,
    country={"const": "CN"},
    address_type={"enum": ["physical", "postal", "virtual"]},
)
_LOCATION = _object(
    "id location_type",
    id=_ID,
    location_type={"enum": ["physical", "postal", "virtual"]},
    name=_TEXT,
    latitude=_NUMBER,
    longitude=_NUMBER,
    addresses={"type": "array", "items": _ADDRESS},
)
_SCHEDULE = _object(
    "id",
    id=_ID,
    freq={"enum": ["WEEKLY", "MONTHLY"]},
    interval=_NUMBER,
    dtstart=_DAY,
    valid_from=_DAY,
    valid_to=_DAY,
    byday={"type": "string", "pattern": "^(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU))*$"},
    timezone=_NUMBER,
    opens_at=_TIME,
    closes_at=_TIME,
    description=_TEXT,
)
_TERM = _object(
    "id name description",
    id=_ID,
    code=_TEXT,
    name=_TEXT,
    description=_TEXT,
    taxonomy=_TEXT,
    language=_TEXT,
)
_ONE_TO_ONE = {
    "id": _ID,
    "organization_id": _ID,
    "name": _TEXT,
    "description": _TEXT,
    "status": {"enum": ["active", "inactive", "defunct", "temporarily closed"]},
    "organization": _ORGANISATION,
}
LISTED = _object("id name status", **_ONE_TO_ONE)
SERVICE = _object(
    "id name status",
    **_ONE_TO_ONE,
    phones=_PHONES,
    schedules={"type": "array", "items": _SCHEDULE},
    service_areas={"type": "array", "items": _object("id", id=_ID, name=_TEXT)},
    service_at_locations={
        "type": "array",
        "items": _object("id", id=_ID, service_id=_ID, location_id=_ID, location=_LOCATION),
    },
    contacts={
        "type": "array",
        "items": _object("id", id=_ID, name=_TEXT, title=_TEXT, department=_TEXT, phones=_PHONES),
    },
    attributes={
        "type": "array",
        "items": _object(
            "id", id=_ID, link_id=_ID, link_entity=_TEXT, taxonomy_term_id=_ID, taxonomy_term=_TERM
        ),
    },
)
PAGE = {
    "type": "object",
    "required": ["empty"],
    "properties": {
        **{key: {"type": "integer"} for key in ("total_items", "total_pages", "page_number", "size")},
        **{key: {"type": "boolean"} for key in ("first_page", "last_page", "empty")},
        "contents": {"type": "array"},
    },
    "additionalProperties": False,
}


def fits(found: Any, schema: dict[str, Any]) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(found)


def got(client: Client, path: str, **asked: Any) -> Any:
    answer = client.get(path, asked)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json" and answer["Access-Control-Allow-Origin"] == "*"
    return json.loads(answer.content)


@pytest.fixture
def directory(city: City) -> None:
    outlet(
        unit="street",
        address="平安街1号",
        hours="周一至周五 08:30-17:30",
        phone="0472-0000003",
        lon=110.005,
        lat=40.005,
    )
    turn(valid_to="2030-01-01")
    outlet("FL-2", name="白音苏木公共法律服务工作站", place=SUMU, services="公证、人民调解")
    outlet("FL-3", name="花园社区公共法律服务工作室", place=COMMUNITY, level="village", services="人民调解")
    adviser()
    outlet("FL-4", name="旧工作站", valid_to="2021-01-01")


def test_everything_that_the_directory_says_is_what_hsds_asks_for(directory: None, client: Client) -> None:
    assert got(client, "/hsds/")["version"] == "3.0"
    listed = got(client, "/hsds/services")
    fits(listed, PAGE)
    for service in listed["contents"]:
        fits(service, LISTED)
        one = got(client, f"/hsds/services/{service['id']}")
        fits(one, SERVICE)
        assert {k: one[k] for k in service} == service
    assert [s["name"] for s in listed["contents"]] == [
        "长青街道公共法律服务工作站",
        "花园社区公共法律服务工作室",
        "白音苏木公共法律服务工作站",
    ]
    full = got(client, "/hsds/services", full="true")["contents"]
    fits(full, {"type": "array", "items": SERVICE})
    station, room = full[0], full[1]
    assert station["organization"]["name"] == "长青街道办事处"
    assert station["schedules"][1]["byday"] == "MO,WE" and station["schedules"][1]["valid_to"] == "2029-12-31"
    assert room["contacts"][0]["name"] == "李敏"
    # Nobody needs to know who comes to which outlet when.
    assert "王静" not in json.dumps(full, ensure_ascii=False)


def test_an_address_is_whole_or_left_out(directory: None) -> None:
    place = LegalOutlet.objects.create(
        code="X", name="中心", place="1502", address="平安街1号", valid_from=TODAY, services=[]
    )
    assert "addresses" not in hsds.full([place], TODAY)[0]["service_at_locations"][0]["location"]
    place.postcode = "014000"
    (address,) = hsds.full([place], TODAY)[0]["service_at_locations"][0]["location"]["addresses"]
    fits(address, _ADDRESS)
    assert address["state_province"] == "内蒙古自治区"


def test_the_directory_is_narrowed_and_paged(directory: None, client: Client) -> None:
    def names(**asked: Any) -> list[str]:
        return [s["name"][:2] for s in got(client, "/hsds/services", **asked)["contents"]]

    assert names(search="工作站 白音") == ["白音"]
    assert names(search="没有的") == []
    assert names(taxonomy_term_id=hsds.ident("term", "notary")) == ["白音"]
    assert names(taxonomy_term_id="notary") == []
    assert names(per_page=2, page=2) == ["白音"]
    assert names(per_page="-1", page="x") == ["长青", "花园", "白音"]
    empty = got(client, "/hsds/services", search="没有的")
    fits(empty, PAGE)
    assert empty["empty"] and empty["last_page"] and empty["total_items"] == 0
    one = hsds.ident("service", "FL-4")  # no longer in force
    assert client.get(f"/hsds/services/{one}").status_code == 404
    assert client.get("/hsds/services/1").status_code == 404
    assert client.post("/hsds/services").status_code == 405


def test_a_page_of_the_directory_costs_the_same_however_many_stand_on_it(
    directory: None, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    got(client, "/hsds/services", full="true")
    with django_assert_max_num_queries(6):
        got(client, "/hsds/services", full="true")


# --- the demo city --------------------------------------------------------------------------------------------------


def test_the_demos_share_fills_what_places_there_are(city: City) -> None:
    demo.fill(NOW)
    at = window("2020", TODAY)
    levels = ("city", "county", "township", "village")
    assert [figure(f"8.legal.{level}").value(at, CITY).value for level in levels] == [1, 2, 2, 4]
    assert figure("8.advisers").value(at, CITY).value == 100
    assert DutyLawyer.objects.count() == 3 * 5 + 2
    assert LegalAdviser.objects.as_of(TODAY).count() == 4
    phones = [*LegalOutlet.objects.values_list("phone", flat=True)]
    assert all(phone.startswith("0472-0") for phone in phones)
