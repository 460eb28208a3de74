"""The visitor's way: it stands where the demo city does, and every stop can be made by the person it names."""

from __future__ import annotations

import tomllib

from django.test import Client
from django.urls import resolve

from lucheng.core import packs
from lucheng.core.indicators.indicator import indicators
from lucheng.core.revisions import snapshot
from lucheng.demo import city as demo_city
from tests.factories import City


def test_there_is_no_way_without_a_demo_city(city: City) -> None:
    assert Client().get("/demo/").status_code == 404


def test_ten_projects_each_have_a_person_a_page_and_a_figure(city: City) -> None:
    snapshot.bump(demo_city._MARK)
    accounts = {a["username"] for a in packs.of_demo_city("staff.toml")["account"]}
    stops = tomllib.loads((packs.DEMO_CITY / "tour.toml").read_text())["stop"]
    assert [s["number"] for s in stops] == list(range(1, 11))
    for stop in stops:
        assert stop["account"] in accounts and stop["figure"] in indicators()
        assert resolve(stop["page"])
    for language, words in (("zh-CN", "十分钟看十个项目"), ("en", "Ten projects in ten minutes")):
        shown = Client(headers={"accept-language": language}).get("/demo/").content.decode()
        assert words in shown and "/figures/9.pay_after/?period=2020" in shown
