"""Named studios: who works where, which lines there are, and turns in rooms that stand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lucheng.core.errors import Invalid
from lucheng.core.indicators.indicator import named as figure
from lucheng.core.indicators.periods import window
from lucheng.core.registers import book
from lucheng.core.registers.register import named
from lucheng.projects.studios import demo
from lucheng.projects.studios.models import MediationTurn, Studio, StudioMember
from tests.factories import CITY, EAST, NOW, STREET, SUMU, WEST, City

TODAY = dt.date(2026, 3, 2)


def write(slug: str, code: str, **given: Any) -> Any:
    return book.write(
        named(slug), code, {"place": WEST, "valid_from": "2020-05-06", **given}, by=None, scope=None, now=NOW
    )


def studio(code: str = "GZ-1", **changes: Any) -> Any:
    return write(
        "studios",
        code,
        **{
            "name": "云静工作室",
            "organ": "法院",
            "specialities": "婚姻家庭、草牧场",
            "phone": "0472-0000001",
            **changes,
        },
    )


def centre() -> None:
    write("mediation-centres", "TJ-1", name="联合调解中心", phone="0472-0000002")
    write("mediation-rooms", "TS-1", name="第一调解室", centre="TJ-1", seats=8, valid_from="2020-06-01")


def refused(slug: str, **given: Any) -> list[str]:
    with pytest.raises(Invalid) as found:
        write(slug, "", **given)
    return sorted(found.value.fields)


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"office": "检察官"}, "office"),
        ({"office": "民警"}, "office"),
        ({"place": EAST}, "place"),
        ({"valid_from": "2020-05-05"}, "valid_from"),
        ({"studio": "GZ-2"}, "studio"),
    ],
)
def test_a_member_holds_an_office_of_the_studios_organ(city: City, wrong: dict[str, Any], at: str) -> None:
    studio()
    given = {"name": "云静", "studio": "云静工作室", "office": "法官"}
    assert refused("studio-members", **{**given, **wrong}) == [at]
    write("studio-members", "GR-1", **given, leads="是")
    write("studio-members", "GR-2", **{**given, "name": "任桂兰", "office": "人民调解员"})
    assert [m.office for m in StudioMember.objects.filter(leads=True)] == ["judge"]


def test_a_studio_says_what_it_knows_and_how_it_is_called(city: City) -> None:
    assert refused("studios", name="空", organ="法院") == ["phone", "specialities"]


def test_a_line_ends_with_its_studio(city: City) -> None:
    studio(valid_to="2024-01-01")
    line = {"name": "在线", "studio": "GZ-1", "line": "入驻式一线", "how": "窗口值守", "place": SUMU}
    assert refused("service-lines", **line) == ["valid_to"]
    assert write("service-lines", "XL-1", **line, valid_to="2024-01-01").line == "stationed"


def test_a_room_is_its_centres_and_a_turn_has_a_room_and_a_studio(city: City) -> None:
    studio()
    studio("GZ-2", name="吉雅工作室", organ="检察院", place=EAST, valid_from="2021-01-01")
    centre()
    room = {"name": "第二调解室", "centre": "TJ-1", "seats": 8}
    assert refused("mediation-rooms", **room, place=EAST) == ["place"]
    assert refused("mediation-rooms", **{**room, "seats": 1}) == ["seats"]
    turn = {
        "name": "上午",
        "room": "TS-1",
        "studio": "GZ-1",
        "weekdays": "周一",
        "begins": "08:30",
        "ends": "12:00",
        "valid_from": "2022-01-01",
    }
    assert refused("mediation-roster", **{**turn, "ends": "08:00"}) == ["ends"]
    assert refused("mediation-roster", **turn, place=EAST) == ["place"]
    assert refused("mediation-roster", **{**turn, "valid_from": "2020-05-31"}) == ["valid_from"]
    assert refused("mediation-roster", **{**turn, "studio": "GZ-2", "valid_from": "2020-12-31"}) == [
        "valid_from"
    ]
    # A studio may mediate away from home.
    write("mediation-roster", "TB-1", **{**turn, "studio": "GZ-2"}, place=STREET)


def test_people_and_rooms_have_no_point_of_their_own(city: City) -> None:
    for slug in ("studio-members", "mediation-rooms", "mediation-roster"):
        assert {"lon", "lat", "address"}.isdisjoint(named(slug).by_name)


def test_figures_count_studios_and_different_lines(city: City) -> None:
    studio()
    studio("GZ-2", name="小梁工作室", organ="司法局", place=EAST, valid_from="2021-01-01")
    for code, of, line in [
        ("XL-1", "GZ-1", "remote"),
        ("XL-2", "GZ-1", "on_site"),
        ("XL-3", "GZ-2", "on_site"),
    ]:
        write("service-lines", code, name="线", studio=of, line=line, how="窗口", valid_from="2021-02-01")
    at = window("2021", TODAY)
    assert figure("7.studios").value(window("2020", TODAY), CITY).value == 1
    assert figure("7.studios").value(at, CITY).value == 2
    assert figure("7.lines").value(at, CITY).value == 2
    assert {p: v.value for p, v in figure("7.studios").by_place(at, CITY, 6).items()} == {WEST: 1, EAST: 1}


def test_the_demos_share_is_what_the_city_published(city: City) -> None:
    demo.fill(NOW)
    at = window("2020", TODAY)
    assert [figure(id).value(at, CITY).value for id in ("7.studios", "7.lines")] == [5, 5]
    assert Studio.objects.values("organ").distinct().count() == 4
    assert MediationTurn.objects.count() == 7
    # Nobody whom the city named stands here.
    real = ("巴斯琴", "张章宝", "小崔", "海日", "张建春")
    shown = [
        *Studio.objects.values_list("name", flat=True),
        *StudioMember.objects.values_list("name", flat=True),
    ]
    assert not [name for name in shown if any(r in name for r in real)]
