"""The pages of figures: what stands on them, for whom, and how they open down to the rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lucheng.core.indicators import bulletin, documents, history
from lucheng.core.organisation.models import Post
from lucheng.core.registers import book
from lucheng.core.registers.register import named
from tests.core.registers.centres import centre
from tests.factories import CITY, NOW, STREET, City, client

FIGURE = "/figures/1.centres.community/"


@pytest.fixture
def reader(city: City) -> Client:
    centre("C1", standard_since="2020-07-01")
    return client(city, "operator")


def test_figures_are_for_staff(reader: Client, city: City) -> None:
    for address in ("/figures/", FIGURE):
        assert reader.get(address).status_code == 200
        assert Client().get(address).status_code == 302
    assert reader.get("/figures/9.x/").status_code == 404
    Post.objects.filter(person=city.people["operator"]).delete()
    assert reader.get("/figures/").status_code == 403


def test_a_figure_opens_to_the_places_below_and_to_its_rows(reader: Client) -> None:
    shown = reader.get(f"{FIGURE}?period=2020").content.decode()
    assert "不作排名" in shown and "?place=990101" in shown
    assert "/registers/centres/entry/C1/" in shown and "由记录统计" in shown
    assert "没有计入的记录" in reader.get(f"{FIGURE}?place=北甸旗").content.decode()
    assert "没有计入的记录" in reader.get(f"{FIGURE}?period=2019").content.decode()


@pytest.mark.parametrize("query", ["period=2099", "period=x", "place=nowhere", "place=%00", "page=999999999"])
def test_an_address_that_makes_no_sense_says_so_and_shows_today(reader: Client, query: str) -> None:
    for address in ("/figures/", FIGURE):
        assert reader.get(f"{address}?{query}").status_code == 200
    if query.startswith("period"):
        assert 'role="alert"' in reader.get(f"/figures/?{query}").content.decode()


def test_a_target_and_whether_it_is_reached_stand_beside_the_figure(reader: Client) -> None:
    given = {"name": "目标", "place": CITY, "valid_from": "2020-01-01", "indicator": "1.centres.community"}
    book.write(named("targets"), "T1", {**given, "at_least": 2}, by=None, scope=None, now=NOW)
    assert "未达到" in reader.get("/figures/?period=2020").content.decode()
    assert "未达到" in reader.get(f"{FIGURE}?period=2020").content.decode()
    centre("C2", place=STREET + "002", standard_since="2020-08-01")
    shown = reader.get(f"{FIGURE}?period=2020").content.decode()
    assert "已达到" in shown and "/registers/targets/entry/T1/" in shown


def test_how_a_figure_went_is_drawn_from_its_history(reader: Client) -> None:
    for month in (6, 7, 8):
        history.keep(dt.date(2020, month, 28))
    shown = reader.get(f"{FIGURE}?period=2020").content.decode()
    assert "变化情况" in shown and "2020-07-28" in shown


def test_the_list_of_figures_costs_two_queries_a_figure_at_most(reader: Client) -> None:
    from lucheng.core.indicators.indicator import indicators

    reader.get("/figures/")
    with CaptureQueriesContext(connection) as queries:
        reader.get("/figures/")
    assert len(queries) <= 2 * len(indicators()) + 12


def test_the_bulletin_is_read_kept_and_leads_to_its_rows(reader: Client, tmp_path: Path) -> None:
    assert "lucheng bulletin load" in reader.get("/bulletin/").content.decode()
    assert reader.get("/bulletin/json/").status_code == 404
    file = tmp_path / "b.toml"
    file.write_text('title = "{year}"\n[[part]]\ntext = ["{1.centres.community}个"]')
    bulletin.load(file, NOW)
    shown = reader.get("/bulletin/?period=2020").content.decode()
    assert "/figures/1.centres.community/?place=9901&amp;period=2020" in shown
    for form in documents.FORMATS:
        kept = reader.get(f"/bulletin/{form}/?period=2020")
        assert kept.status_code == 200 and f"bulletin-9901-2020.{form}" in kept["Content-Disposition"]
    assert reader.get("/bulletin/exe/").status_code == 404
    assert Client().get("/bulletin/").status_code == 302
