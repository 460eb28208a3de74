"""Units come from a sheet, in any order, all or none; they are changed and closed, never deleted."""

from __future__ import annotations

import io

import pytest
from django.utils import translation

from lucheng.core.dispatch import catalogue
from lucheng.core.faults import Faulty
from lucheng.core.organisation.models import Unit
from lucheng.core.organisation.units import COLUMNS, import_units
from lucheng.core.revisions.snapshot import forget
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db

HEAD = ",".join(c.header for c in COLUMNS)
GOVERNMENT = "gov,鹿城市人民政府,政府,,1502,,,"
LAMPS = "lamps,照明科,部门,bureau,1502,0102、0201,0472-5550000,在用"
BUREAU = "bureau,市城管局,部门,gov,1502,,,"


@pytest.fixture(autouse=True)
def places() -> None:
    city.lay_out()
    Unit.objects.all().delete()


def sheet(*rows: str) -> io.BytesIO:
    return io.BytesIO("\n".join([HEAD, *rows]).encode())


def faults(*rows: str) -> list[str]:
    before = Unit.objects.count()
    with pytest.raises(Faulty) as refused, translation.override("en"):
        import_units(sheet(*rows))
    assert Unit.objects.count() == before
    with translation.override("en"):
        return [str(f) for f in refused.value.faults]


def test_a_tree_is_read_in_any_order() -> None:
    imported = import_units(sheet(LAMPS, BUREAU, GOVERNMENT))
    assert (imported.added, imported.changed, imported.unchanged) == (3, 0, 0)
    lamps = Unit.objects.get(code="lamps")
    assert lamps.parent is not None and lamps.parent.parent is not None
    assert (lamps.parent.code, lamps.parent.parent.code) == ("bureau", "gov")
    assert (lamps.kind, lamps.domains, lamps.phone) == ("department", ["0102", "0201"], "0472-5550000")


def test_the_same_sheet_twice_changes_nothing_and_a_parent_may_be_known_already() -> None:
    import_units(sheet(LAMPS, BUREAU, GOVERNMENT))
    again = import_units(sheet(LAMPS, BUREAU, GOVERNMENT))
    assert (again.added, again.changed, again.unchanged) == (0, 0, 3)
    more = import_units(sheet("roads,道路科,部门,bureau,150203,,,"))
    assert (more.added, Unit.objects.count()) == (1, 4)


def test_a_changed_row_changes_its_unit_and_one_left_out_stays() -> None:
    import_units(sheet(LAMPS, BUREAU, GOVERNMENT))
    before = Unit.objects.get(code="lamps").pk
    changed = import_units(sheet(LAMPS.replace("照明科", "照明管理科").replace("bureau", "gov")))
    assert (changed.added, changed.changed) == (0, 1)
    lamps = Unit.objects.get(pk=before)
    assert lamps.name == "照明管理科" and lamps.parent is not None and lamps.parent.code == "gov"
    assert Unit.objects.count() == 3


def test_a_unit_closed_by_a_sheet_is_chosen_no_more() -> None:
    city_units = {
        code: Unit.objects.create(code=code, name=n, kind=k, place=p)
        for code, (n, k, p) in city.UNITS.items()
    }
    city.in_force(city.LAMPS)
    assert catalogue.decide("0102", "1502") is not None
    import_units(sheet("lighting,市照明管理中心,部门,,1502,,,停用"))
    forget()
    assert catalogue.decide("0102", "1502") is None
    assert Unit.objects.filter(pk=city_units["lighting"].pk, active=False).exists()


def test_every_fault_is_named_at_its_row_and_column() -> None:
    kinds = "政府、部门、街道苏木乡镇、社区嘎查村、公用企业、热线中心、公安、法院检察院、社会组织"
    assert faults(
        "a,甲,衙门,,1502,,,",
        "b,乙,部门,nobody,1502,,,",
        "c,丙,部门,,9999,,,",
        "d,丁,部门,,1502,,,坏了",
        "a,甲,政府,,1502,,,",
        ",戊,政府,,1502,,,",
    ) == [
        f"row 2, 单位类型: Write one of: {kinds}.",
        "row 3, 上级单位编码: There is no unit with the code nobody.",
        "row 4, 区划编码: There is no division or grid 9999 in force.",
        "row 5, 状态: Write one of: 在用、停用.",
        "row 6, 单位编码: The same code as in row 2.",
        "row 7, 单位编码: This cell may not be empty.",
    ]


def test_units_above_each_other_in_a_circle_are_refused() -> None:
    circle = "These units stand above each other in a circle."
    assert faults("a,甲,部门,b,1502,,,", "b,乙,部门,a,1502,,,") == [
        f"row 2, 上级单位编码: {circle}",
        f"row 3, 上级单位编码: {circle}",
    ]
    assert faults("a,甲,部门,a,1502,,,") == [f"row 2, 上级单位编码: {circle}"]


def test_a_circle_through_a_unit_known_already_is_refused() -> None:
    import_units(sheet(LAMPS, BUREAU, GOVERNMENT))
    assert len(faults("gov,鹿城市人民政府,政府,lamps,1502,,,")) == 1


def test_a_deep_chain_of_units_is_read() -> None:
    rows = [f"u{n},第{n}层,部门,{f'u{n - 1}' if n else ''},1502,,," for n in range(300)]
    assert import_units(sheet(*reversed(rows))).added == 300
