"""A city of a few units, matters and places, for stories about the dispatch catalogue."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from lucheng.core.cases.models import Case, Channel, Nature, State
from lucheng.core.dispatch import editions
from lucheng.core.dispatch.models import Matter, Version
from lucheng.core.dispatch.rules import Row
from lucheng.core.organisation.models import Person, Post, Role, Unit
from lucheng.core.places.models import Division, Kind
from lucheng.core.revisions.snapshot import bump, forget

NOW = dt.datetime(2026, 3, 4, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
LONG_AGO = dt.date(2020, 1, 1)

PLACES = {
    "1502": ("鹿城", Kind.CITY),
    "150203": ("钢铁区", Kind.DISTRICT),
    "150203001": ("钢花街道", Kind.SUBDISTRICT),
    "150203001001": ("第一社区", Kind.COMMUNITY),
    "150203001001001": ("001网格", Kind.BASIC_GRID),
    "150223": ("草原旗", Kind.BANNER),
}
#: Code → name, whether sub-districts have it on their list of duties.
MATTERS = {
    "01": ("市政公用", False),
    "0102": ("道路照明", False),
    "010201": ("路灯不亮", False),
    "02": ("邻里", True),
    "0201": ("楼道堆物", True),
}
UNITS = {
    "lighting": ("市照明管理中心", Unit.Kind.DEPARTMENT, "1502"),
    "urban": ("钢铁区城管局", Unit.Kind.DEPARTMENT, "150203"),
    "street": ("钢花街道办事处", Unit.Kind.STREET, "150203001"),
    "community": ("第一社区居委会", Unit.Kind.COMMUNITY, "150203001001"),
    "police": ("钢铁区公安分局", Unit.Kind.POLICE, "150203"),
}
LAMPS = Row("0102", "1502", "lighting", (), "市照明管理办法第五条")
CLUTTER = Row("0201", "150203001", "street", ("police", "urban"), "履职事项清单第12项", "先劝后清")


def lay_out() -> dict[str, Unit]:
    """Places, matters and units; the units by their codes."""
    for code, (name, kind) in PLACES.items():
        Division.objects.create(code=code, level=len(code), kind=kind, name=name, valid_from=LONG_AGO)
    for code, (name, grassroots) in MATTERS.items():
        Matter.objects.create(code=code, name=name, grassroots=grassroots)
    for name in ("places", "matters", "catalogue"):
        bump(name)
    forget()
    return {
        code: Unit.objects.create(code=code, name=name, kind=kind, place=place)
        for code, (name, kind, place) in UNITS.items()
    }


def draft(*rows: Row, note: str = "") -> Version:
    return editions.create(list(enumerate(rows, 2)), note, NOW)


def officer(username: str = "wang", *capabilities: str) -> Person:
    """Somebody whose one post, at the city, gives these capabilities (publishing, if none is named)."""
    held = list(capabilities) or ["catalogue.edit", "catalogue.publish"]
    role = Role.objects.create(
        code=f"role_{username}", name="值班长", reach=Role.Reach.PLACE, capabilities=held
    )
    person = Person.objects.create_user(username, None, name=username.title())
    Post.objects.create(person=person, role=role, place="1502", valid_from=LONG_AGO)
    return person


def in_force(*rows: Row) -> Version:
    """Publish an edition with these rows."""
    by = Person.objects.filter(username="publisher").first() or officer("publisher")
    version = editions.publish(draft(*rows), by, NOW)
    forget()
    return version


def case(number: int, matter: str, place: str, lead: Unit | None, created_at: dt.datetime = NOW) -> Case:
    return Case.objects.create(
        id=number,
        number=f"2603040{number:06d}",
        code=f"LC-{number}",
        kind="command_centre.order",
        state=State.SIGNED if lead else State.ACCEPTED,
        channel=Channel.PHONE,
        nature=Nature.HELP,
        matter=matter,
        title="路灯不亮",
        content="门口的路灯不亮",
        place=place,
        lead_unit=lead,
        units=[lead.pk] if lead else [],
        created_at=created_at,
        chain_length=1,
        chain_head=b"",
    )
