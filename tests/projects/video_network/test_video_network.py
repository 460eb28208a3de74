"""The video network as property: what the regulation refuses, what a code says, and what the rates are over."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.test import Client
from typer.testing import CliRunner

from lucheng.core.faults import Faulty
from lucheng.core.organisation.models import Unit
from lucheng.core.registers import book, exchange, imports
from lucheng.core.registers.register import named
from lucheng.projects.video_network import demo, device_codes, states
from lucheng.projects.video_network.models import Camera, CameraFault, RecordingsAccess, VideoSystem
from tests import factories
from tests.factories import CITY, COMMUNITY, EAST, GRID, NOW, SUMU, WEST, City, client
from tests.projects.entries import refused, value, write

DAY = dt.date(2026, 3, 2)
#: National codes of cameras in the west and in the east.
ONE, TWO, THREE, FAR = (f"99010{c}00001320{n:06}" for c, n in ((1, 1), (1, 2), (1, 3), (2, 9)))


def position(code: str = "P1", **changes: Any) -> Any:
    given = {
        "name": "花园社区广场",
        "place": COMMUNITY,
        "area": "public",
        "setting": "square",
        "approved_by": "2020年名录",
        "valid_from": "2020-01-01",
    }
    return write("key-positions", code, **{**given, **changes})


def system(code: str = "S1", **changes: Any) -> VideoSystem:
    given = {
        "name": "东原区公共区域视频系统",
        "place": WEST,
        "manager": "东原区公安分局",
        "ground": "roads",
        "storage_days": 30,
        "valid_from": "2020-01-01",
    }
    made = write("video-systems", code, **{**given, **changes})
    assert isinstance(made, VideoSystem)
    return made


def camera(code: str = ONE, **changes: Any) -> Camera:
    given = {
        "name": "广场1号",
        "place": GRID,
        "system": "S1",
        "view": "street",
        "form": "dome",
        "accepted_on": "2020-03-01",
        "networked_since": "2020-04-01",
        "valid_from": "2020-02-01",
    }
    made = write("cameras", code, **{**given, **changes})
    assert isinstance(made, Camera)
    return made


def fault(code: str = "F1", **changes: Any) -> CameraFault:
    given = {"name": "广场1号", "place": GRID, "camera": ONE, "failing": "blind", "valid_from": "2020-05-01"}
    made = write("camera-faults", code, **{**given, **changes})
    assert isinstance(made, CameraFault)
    return made


def look(code: str = "A1", **changes: Any) -> RecordingsAccess:
    given = {
        "name": "查阅1号",
        "place": WEST,
        "system": "S1",
        "asker": "organ",
        "organ": "东原区公安分局",
        "official": "测试民警",
        "reason": "办理案件",
        "basis": "条例第二十条",
        "content": "广场1号，2月28日8时至9时",
        "approved_by": "值班负责人",
        "valid_from": "2026-03-01",
    }
    made = write("recordings-access", code, **{**given, **changes})
    assert isinstance(made, RecordingsAccess)
    return made


# --- codes ----------------------------------------------------------------------------------------------------------


def test_a_national_code_is_taken_apart() -> None:
    found = device_codes.parse("15020301021320000012")
    assert found == device_codes.Device("150203", "01", "02", "132", "0", "000012")
    assert found.is_camera and found.lies_in("150203005") and not found.lies_in("150204")
    city = device_codes.parse("15020000001310000012")
    assert city is not None and city.lies_in("150203005") and not city.lies_in("1503")


@pytest.mark.parametrize("code", ["", "123", ONE + "0", ONE[:-1] + "x", ONE[:-1] + "１", " " + ONE[1:]])
def test_what_is_no_national_code_is_none(code: str) -> None:
    assert device_codes.parse(code) is None


# --- what the regulation refuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"storage_days": 29}, ["storage_days"]),
        ({"storage_days": ""}, ["storage_days"]),
        ({"ground": ""}, ["ground"]),
        ({"ground": "home"}, ["ground"]),
        ({"filed_on": "2020-02-01"}, ["filing"]),
        ({"filing": "15-1"}, ["filed_on"]),
        ({"contractor": "某公司"}, ["agreement_on"]),
        ({"agreement_on": "2020-02-01"}, ["contractor"]),
        ({"near_secret": True}, ["consent"]),
    ],
)
def test_a_system_keeps_to_the_regulation(city: City, wrong: dict[str, Any], at: list[str]) -> None:
    assert refused(system, **wrong) == at
    assert not VideoSystem.objects.exists()


def test_a_system_is_filed_within_thirty_days_and_an_older_one_within_ninety_of_the_regulation(
    city: City,
) -> None:
    assert system().file_by == dt.date(2025, 6, 30)
    assert system("S2", name="新", valid_from="2025-04-01").file_by == dt.date(2025, 5, 1)
    assert value("6.filed", "2020") is None and value("6.filed", "2025-06-29") == 0
    system(filed_on="2025-06-30", filing="备1")
    assert (value("6.filed", "2025-06-29"), value("6.filed", "2025-06-30")) == (0, 50)
    system("S2", name="新", valid_from="2025-04-01", filed_on="2025-07-09", filing="备2")
    assert (value("6.filed", "2025-07-08"), value("6.filed", "2025-07-09")) == (50, 100)


@pytest.mark.parametrize("view", ["guest_room", "dormitory", "undressed", "private"])
def test_no_camera_stands_where_it_could_spy(city: City, view: str) -> None:
    system()
    assert refused(camera, view=view) == ["view"]
    assert not Camera.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"code": ""}, ["code"]),
        ({"code": "9901010000132000001"}, ["code"]),
        ({"code": ONE.replace("132", "118")}, ["code"]),
        ({"code": FAR}, ["code"]),
        ({"place": SUMU, "code": FAR}, ["position", "system"]),
        ({"system": "S9"}, ["system"]),
        ({"valid_from": "2019-12-31"}, ["valid_from"]),
        ({"position": "P2"}, ["position"]),
        ({"accepted_on": "2020-01-31"}, ["accepted_on"]),
        ({"networked_since": "2020-01-31"}, ["networked_since"]),
    ],
)
def test_a_camera_has_a_code_of_its_place_and_a_system_there(
    city: City, wrong: dict[str, Any], at: list[str]
) -> None:
    system()
    position()
    position("P2", place=SUMU)
    given = {"code": ONE, "position": "P1", **wrong}
    assert refused(camera, **given) == at
    assert camera(position="P1").position is not None


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"valid_from": "2020-01-31"}, ["valid_from"]),
        ({"place": COMMUNITY}, ["place"]),
        ({"due": "2020-04-30"}, ["due"]),
        ({"camera": TWO}, ["camera"]),
        ({"failing": "face"}, ["failing"]),
    ],
)
def test_a_fault_is_of_a_camera_in_service(city: City, wrong: dict[str, Any], at: list[str]) -> None:
    system()
    camera()
    assert refused(fault, **wrong) == at


@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"basis": ""}, ["basis"]),
        ({"organ": "", "official": ""}, ["official", "organ"]),
        ({"asker": "own", "official": ""}, ["official"]),
        ({"asker": "person"}, ["official", "organ"]),
        ({"reason": ""}, ["reason"]),
        ({"approved_by": ""}, ["approved_by"]),
        ({"place": EAST}, ["system"]),
        ({"valid_from": "2019-01-01"}, ["valid_from"]),
    ],
)
def test_access_has_a_reason_and_a_decision_and_no_resident_is_named(
    city: City, wrong: dict[str, Any], at: list[str]
) -> None:
    system()
    assert refused(look, **wrong) == at
    assert look("A2", asker="person", organ="", official="", basis="").official == ""


def test_who_has_not_the_registers_capability_reads_neither_list_nor_rows_of_figures(city: City) -> None:
    system()
    camera(position=position().code)
    city.people["keeper"] = factories.person("keeper", "video_keeper", WEST)
    city.people["eastern"] = factories.person("eastern", "video_keeper", EAST)

    def sees(who: Client) -> tuple[bool, bool]:
        listed = who.get("/registers/cameras/")
        figure = who.get("/figures/6.online/?period=2020")
        assert figure.status_code == 200
        return "广场1号" in listed.content.decode(), "广场1号" in figure.content.decode()

    assert client(city, "operator").get("/registers/cameras/").status_code == 403
    assert [sees(client(city, who)) for who in ("keeper", "eastern", "operator")] == [
        (True, True),
        (False, False),
        (False, False),
    ]


# --- rates ----------------------------------------------------------------------------------------------------------


def test_coverage_counts_positions_with_an_accepted_camera(city: City) -> None:
    system()
    position()
    position("P2", area="sector", name="另一处")
    assert value("6.coverage_key_areas") == 0
    camera(position="P1", accepted_on="")
    assert value("6.coverage_key_areas") == 0, "one that nobody has accepted covers nothing"
    camera(TWO, name="2号", position="P1")
    camera(THREE, name="3号", position="P1")
    assert value("6.coverage_key_areas") == 50, "two cameras at one position cover one"
    assert value("6.coverage_key_areas", "2020-02") == 0
    assert value("6.coverage_key_areas", place=EAST) is None


def test_networking_is_counted_for_public_areas_and_for_sectors_towards_them(city: City) -> None:
    system()
    position()
    position("P2", area="sector_public", name="乙")
    position("P3", area="sector", name="丙")
    camera(position="P1")
    camera(TWO, name="2号", position="P1", networked_since="2021-02-01")
    camera(THREE, name="3号", position="P2")
    camera("99010100001320000004", name="4号", position="P3", networked_since="")
    assert (value("6.networked_key_areas"), value("6.networked_key_sectors")) == (50, 100)
    assert value("6.networked_key_areas", "2021") == 100


def test_a_fault_costs_its_days_and_no_others(city: City) -> None:
    system()
    camera()
    camera(TWO, name="2号", networked_since="")
    fault(valid_from="2020-05-01", valid_to="2020-05-04", due="2020-05-04")
    fault("F2", camera=TWO, failing="offline", valid_from="2020-05-02", due="2020-05-06")
    assert [value("6.intact", f"2020-05-0{d}") for d in (1, 2, 4)] == [50, 0, 50]
    assert value("6.online", "2020-05-02") == 100, "not networked, so not counted"
    assert (value("6.repaired_in_time", "2020-05"), value("6.repaired_in_time", "2020-06")) == (50, None)


# --- online, by a list of devices ------------------------------------------------------------------------------------


def listed(text: str) -> io.BytesIO:
    return io.BytesIO(("DeviceID,Status\n" + text).encode())


def test_a_list_of_devices_begins_and_ends_outages_and_can_be_taken_back(city: City) -> None:
    system()
    camera()
    camera(TWO, name="2号")
    camera(THREE, name="3号", networked_since="")
    given = states.read(listed(f"{ONE},OFF\n{TWO},on\n{THREE},OFF\n{FAR},ON\n"))
    taken = states.take(given, DAY, "设备.csv", NOW)
    assert (taken.online, taken.offline, taken.unknown, taken.silent, taken.begun) == (1, 1, 2, 0, 1)
    assert value("6.online", "2026-03-02") == 50 and value("6.online", "2026-03-01") == 100
    assert states.take(given, DAY, "设备.csv", NOW).number is None, "the same list again changes nothing"
    back = states.take({ONE: True}, DAY + dt.timedelta(days=1), "设备.csv", NOW)
    assert (back.ended, back.silent) == (1, 1)
    assert CameraFault.objects.get().valid_to == dt.date(2026, 3, 3)
    again = states.take({TWO: True}, DAY + dt.timedelta(days=1), "设备.csv", NOW, whole=True)
    assert (again.begun, again.offline) == (1, 1), (
        "a whole list that leaves a camera out says that it is offline"
    )
    assert again.number is not None
    imports.undo_now(named("camera-faults"), again.number, NOW)
    assert CameraFault.objects.count() == 1


def test_a_camera_that_is_back_has_no_outage_left_whoever_entered_it(city: City) -> None:
    system()
    camera()
    fault(failing="offline")
    fault("F2", failing="offline", name="又报")
    fault("F3", failing="unclear", name="脏污")
    assert states.take({ONE: True}, DAY, "", NOW).ended == 2
    assert (value("6.online", "2026-03-02"), value("6.intact", "2026-03-02")) == (100, 0)


def test_a_camera_that_comes_back_the_same_day_was_out_that_day(city: City) -> None:
    system()
    camera()

    def outage(online: bool) -> tuple[dt.date | None, int, int]:
        taken = states.take({ONE: online}, DAY, "", NOW)
        return CameraFault.objects.get().valid_to, taken.begun, taken.ended

    assert outage(False) == (None, 1, 0)
    assert outage(True) == (DAY + dt.timedelta(days=1), 0, 1)
    assert outage(True) == (DAY + dt.timedelta(days=1), 0, 0)
    assert outage(False) == (None, 1, 0), "out once more: the same outage goes on"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (f"{ONE},PERHAPS\n", (2, "Status")),
        (f"{ONE},\n", (2, "Status")),
        (f"{ONE},ON\n{ONE},ON\n", (3, "DeviceID")),
    ],
)
def test_a_list_that_makes_no_sense_is_refused_at_its_cell(text: str, at: tuple[int, str]) -> None:
    with pytest.raises(Faulty) as wrong:
        states.read(listed(text))
    assert [(f.row, f.column) for f in wrong.value.faults] == [at]


def test_the_command_says_what_a_list_came_to(city: City, tmp_path: Any) -> None:
    from lucheng.projects.video_network.cli import cameras_app

    system()
    camera()
    (tmp_path / "devices.csv").write_bytes(listed(f"{ONE},OFF\n").getvalue())
    said = CliRunner().invoke(cameras_app, ["states", str(tmp_path / "devices.csv"), "--day", "2026-03-02"])
    assert said.exit_code == 0, said.output
    assert CameraFault.objects.get().valid_from == DAY


# --- imports and the demo --------------------------------------------------------------------------------------------


def test_an_import_is_not_taken_back_while_an_entry_of_another_register_names_one_of_its_own(
    city: City,
) -> None:
    register = named("video-systems")
    system("S0")
    rows = exchange.sheet_of(
        register, [{**register.said(VideoSystem.objects.get()), "code": "S1", "name": "新"}]
    )
    _done, number = imports.take_over_now(register, rows, "系统.xlsx", NOW)
    camera()
    with pytest.raises(Faulty) as refused_:
        imports.undo_now(register, number, NOW)
    assert [f.column for f in refused_.value.faults] == ["S1"]
    assert VideoSystem.objects.filter(code="S1").exists()


def test_the_demo_covers_and_networks_what_the_city_said(city: City) -> None:
    factories.unit("police", "东原区公安分局", Unit.Kind.POLICE, WEST)
    demo.fill(dt.datetime(2026, 3, 18, 15, tzinfo=dt.UTC))
    assert value("6.coverage_key_areas") == value("6.networked_key_areas") == 100
    assert Camera.objects.count() == 2 * 4
    assert book.find(named("cameras"), None, book.Wanted(DAY)).count() == 8
    assert value("6.networked_key_areas", place=CITY) == 100
