"""Published figures against the records; the demo city's template and table name only figures that there are."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from lucheng.core.faults import Faulty
from lucheng.core.indicators import bulletin, demo
from lucheng.core.indicators.compare import compare
from lucheng.core.indicators.periods import window
from tests.core.registers.centres import centre
from tests.factories import CITY, City

AT = window("2020", dt.date(2026, 3, 2))


def test_a_published_figure_holds_or_differs_as_its_relation_says(city: City, tmp_path: Path) -> None:
    centre("C1", standard_since="2020-07-01")
    file = tmp_path / "figures.csv"
    file.write_text(
        "id,relation,value\n1.centres.community,=,1\n1.centres.community,>=,2\n1.centres.community,<=,2\n"
        "programme.milestones,=,100\n"
    )
    assert [one.holds for one in compare(file, AT, CITY)] == [True, False, True, False]
    file.write_text("id,relation,value\n9.x,=,1\n1.centres.city,about,1\n1.centres.city,=,many\n")
    with pytest.raises(Faulty) as refused:
        compare(file, AT, CITY)
    assert sorted((f.row, f.column) for f in refused.value.faults) == [
        (2, "id"),
        (3, "relation"),
        (4, "value"),
    ]


def test_the_demo_citys_bulletin_tells_every_published_figure(city: City) -> None:
    told = bulletin.compose(demo.PACK.read_text(), AT, CITY).as_json()
    published = compare(demo.PACK.with_name("figures.csv"), AT, CITY)
    left_out = {one.indicator.id for one in published} - told.keys()
    assert not left_out
