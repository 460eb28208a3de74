"""A text is searched for every place we know; what it finds is ranked, scored and shown with the words that matched."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.places import gazetteer
from lucheng.core.places.day import today
from lucheng.core.places.locate import Candidate, WordKind, locate, locate_text
from lucheng.core.places.models import Division, Estate, Kind, Road
from lucheng.core.revisions.snapshot import bump, forget
from tests.core.places import luyuan
from tests.core.places.luyuan import COMMUNITY, EAST, EAST_GRID, GRID, RURAL_GRID, SINCE, STREET, TOWN, WEST

pytestmark = pytest.mark.django_db

DIVISION, ESTATE, ROAD, BUILDING = WordKind.DIVISION, WordKind.ESTATE, WordKind.ROAD, WordKind.BUILDING


@pytest.fixture(autouse=True)
def _luyuan() -> None:
    luyuan.lay_out()


def words(candidate: Candidate) -> list[tuple[str, WordKind, int]]:
    return [(w.text, w.kind, w.start) for w in candidate.words]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "\x00\x07",
        "路灯坏了三天没人修",
        "<b>停水</b>",
        "建设得很好",
        "小区里很吵",
        "3号楼二单元",
        "15号",
    ],
)
def test_a_text_without_a_known_place_gives_nothing(text: str) -> None:
    assert locate_text(text) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("青川区的路灯坏了", WEST),
        ("东原旗停水", EAST),
        ("友谊大街街道办事处不接电话", STREET),
        ("友谊大街街道不接电话", STREET),
        ("花园里社区居委会", COMMUNITY),
        ("花园里社区", COMMUNITY),
        ("住在花园里", COMMUNITY),
        ("乌兰哈达嘎查", TOWN + "001"),
        ("乌兰哈达没有信号", TOWN + "001"),
        ("花园里第一网格", GRID),
        ("青区垃圾没人清", WEST),
        ("钢城大街堵车", WEST),
        ("锦绣华庭漏水", EAST_GRID),
    ],
)
def test_a_place_is_found_by_any_of_its_names(text: str, place: str) -> None:
    assert [c.place for c in locate_text(text)] == [place]


def test_every_word_that_matched_is_shown_with_its_kind_and_where_it_stands() -> None:
    text = "鹿原市青川区钢城大街阳光小区3号楼二单元漏水"
    [first, *_] = locate_text(text)
    assert first.place == GRID
    assert words(first) == [
        ("鹿原市", DIVISION, 0),
        ("青川区", DIVISION, 3),
        ("钢城大街", ROAD, 6),
        ("阳光小区", ESTATE, 10),
        ("3号楼", BUILDING, 14),
    ]
    assert all(text[w.start :].startswith(w.text) for w in first.words)
    assert first.name == "友谊大街街道 · 花园里社区居委会 · 花园里第一网格 · 阳光小区 · 3号楼"
    assert (first.lon, first.lat) == (110.011, 40.011)
    assert 0.99 < first.score <= 1


def test_two_estates_of_one_name_both_appear_and_neither_is_preferred() -> None:
    first, second = locate_text("阳光小区漏水")
    assert {first.place, second.place} == {COMMUNITY, RURAL_GRID}
    assert first.score == second.score < 0.5
    assert {(first.lon, first.lat), (second.lon, second.lat)} == {(110.015, 40.012), (110.05, 40.03)}


@pytest.mark.parametrize(
    ("county", "place"), [("青川区", COMMUNITY), ("东原旗", RURAL_GRID), ("青区", COMMUNITY)]
)
def test_the_county_tells_two_estates_of_one_name_apart(county: str, place: str) -> None:
    for text in (f"{county}阳光小区漏水", f"阳光小区漏水，在{county}"):
        first, second, *_ = locate_text(text)
        assert first.place == place
        assert first.score > 0.9 > 10 * second.score


def test_the_building_that_only_one_of_them_has_tells_them_apart_too() -> None:
    [first, *_] = locate_text("阳光小区12号楼")
    assert first.place == EAST_GRID
    assert first.score > 0.8


@pytest.mark.parametrize(
    ("written", "grid"),
    [
        ("阳光小区3号楼", GRID),
        ("阳光小区三号楼", GRID),
        ("阳光小区 3 号楼", GRID),
        ("阳光小区(北院)3栋", GRID),
        ("阳光小区3#", GRID),
        ("阳光小区３号楼", GRID),
        ("阳光小区03号楼", GRID),
        ("阳光小区3-2-501", GRID),
        ("阳光小区a座", GRID),
        ("阳光小区十二号楼", EAST_GRID),
        ("阳光小区12幢", EAST_GRID),
    ],
)
def test_a_building_is_found_however_its_number_is_written(written: str, grid: str) -> None:
    assert locate_text(f"青川区{written}楼道灯不亮")[0].place == grid


@pytest.mark.parametrize(
    "written", ["阳光小区99号楼", "阳光小区物业不管，我投诉过三次了，3号楼", "阳光小区113号楼"]
)
def test_a_building_the_estate_has_not_or_that_stands_elsewhere_is_not_taken(written: str) -> None:
    first = locate_text(f"青川区{written}")[0]
    assert first.place == COMMUNITY
    assert BUILDING not in {w.kind for w in first.words}


def test_an_address_of_road_and_number_finds_the_estate() -> None:
    [first, *_] = locate_text("钢城大街18号院")
    assert first.place == COMMUNITY
    assert words(first) == [("钢城大街18号", ROAD, 0)]
    assert first.lon == 110.015
    assert [c.place for c in locate_text("钢城大街118号")] == [WEST]


def test_a_short_name_inside_a_long_one_does_not_count() -> None:
    [only] = locate_text("友谊大街街道")
    assert words(only) == [("友谊大街街道", DIVISION, 0)]


def test_a_short_name_does_not_win_over_a_long_one_elsewhere() -> None:
    [first, *rest] = locate_text("青川那边，乌兰哈达嘎查的井坏了")
    assert first.place == TOWN + "001"
    assert first.score > 0.8
    assert all(c.score < 0.1 for c in rest)


def test_a_road_that_gave_a_sub_district_its_name_stays_a_road() -> None:
    [only] = locate_text("友谊大街的树倒了")
    assert (only.place, words(only)) == ("9901", [("友谊大街", ROAD, 0)])


def test_a_number_is_not_cut_out_of_a_longer_one() -> None:
    Estate.objects.create(name="八号街坊", place=COMMUNITY)
    bump("places")
    forget()
    assert locate_text("八号街坊")
    assert locate_text("十八号街坊") == []


def test_places_that_contradict_each_other_share_the_score() -> None:
    first, second = locate_text("从花园里社区到乌兰哈达嘎查的班车")
    assert {first.place, second.place} == {COMMUNITY, TOWN + "001"}
    assert first.score + second.score < 1
    assert first.score < 0.8


def test_a_county_that_is_named_does_not_stand_beside_the_estate_inside_it() -> None:
    assert WEST not in {c.place for c in locate_text("青川区锦绣华庭")}


def test_one_name_at_a_place_and_at_one_inside_it_means_the_one_inside() -> None:
    for place in (TOWN, TOWN + "001"):
        Estate.objects.create(name="幸福家园", place=place)
    bump("places")
    forget()
    assert [c.place for c in locate_text("幸福家园")] == [TOWN + "001"]


def test_what_is_no_longer_in_force_is_no_longer_found() -> None:
    Division.objects.filter(code=TOWN + "001").update(valid_to=SINCE.replace(year=2024))
    bump("places")
    forget()
    assert locate_text("乌兰哈达嘎查") == []


def test_an_estate_that_still_carries_a_code_that_ended_is_placed_in_what_holds_it_now() -> None:
    Division.objects.filter(code__startswith=COMMUNITY).update(valid_to=SINCE.replace(year=2024))
    bump("places")
    forget()
    assert locate_text("锦绣华庭")[0].place == STREET
    assert locate_text("青川区阳光小区3号楼")[0].place == STREET


def test_a_new_name_is_found_once_its_revision_is_seen() -> None:
    assert locate_text("翠湖天地") == []
    Estate.objects.create(name="翠湖天地", place=STREET + "002")
    bump("places")
    forget()
    assert locate_text("翠湖天地")[0].place == STREET + "002"


def test_a_placeholder_is_not_a_place_to_be_found() -> None:
    Division.objects.create(
        code="990102198", level=9, kind=Kind.PLACEHOLDER, name="县直辖村级区划", valid_from=SINCE
    )
    bump("places")
    forget()
    assert locate_text("县直辖村级区划") == []


def test_with_nothing_recorded_every_text_gives_nothing() -> None:
    for model in (Estate, Road):
        model.objects.all().delete()
    Division.objects.all().delete()
    bump("places")
    forget()
    assert locate_text("青川区阳光小区3号楼") == []


def test_the_limit_is_kept_and_the_best_come_first() -> None:
    for i in range(20):
        code = f"{TOWN}1{i:02d}"
        Division.objects.create(code=code, level=12, kind=Kind.VILLAGE, name=f"第{i}村", valid_from=SINCE)
        Estate.objects.create(name="幸福家园", place=code)
    bump("places")
    forget()
    found = locate_text("幸福家园", limit=3)
    assert len(found) == 3
    assert len(locate_text("幸福家园")) == 5
    assert locate_text("幸福家园", limit=0) == []


def test_one_door_takes_text_and_points() -> None:
    assert locate("青川区")[0].place == WEST
    assert locate((110.015, 40.015)) == GRID


def test_a_name_that_every_community_has_counts_only_inside_one_that_is_named() -> None:
    codes = [f"{TOWN}{i:03d}" for i in range(100, 160)]
    Division.objects.bulk_create(
        Division(code=c, level=12, kind=Kind.VILLAGE, name=f"河湾{c[-3:]}村", valid_from=SINCE) for c in codes
    )
    Division.objects.bulk_create(
        Division(code=c + "001", level=15, kind=Kind.RURAL_GRID, name="001网格", valid_from=SINCE)
        for c in [*codes, STREET + "002"]
    )
    bump("places")
    forget()
    assert locate_text("001网格的井盖丢了") == []
    assert locate_text("河湾117村001网格的井盖丢了")[0].place == f"{TOWN}117001"
    assert locate_text("友谊大街街道001网格")[0].place == STREET + "002001"
    assert [c.place for c in locate_text("南河镇001网格")] == [TOWN], "sixty of one name tell nothing"


def test_names_that_many_places_have_hold_nobody_up() -> None:
    codes = [f"{TOWN}{i:03d}" for i in range(100, 140)]
    Division.objects.bulk_create(
        Division(code=c, level=12, kind=Kind.VILLAGE, name=f"河湾{c[-3:]}村", valid_from=SINCE) for c in codes
    )
    names = [f"幸福{chr(0x4E00 + i)}苑" for i in range(60)]
    Estate.objects.bulk_create(Estate(name=name, place=code) for name in names for code in codes)
    bump("places")
    forget()
    text = "".join(f"{name}3号楼" for name in names)
    assert locate_text(text)
    start = time.perf_counter()
    locate_text(text)
    assert time.perf_counter() - start < 0.5


def test_beyond_the_cap_a_text_is_not_read() -> None:
    padding = "路灯坏了。" * (gazetteer.MAX_TEXT // 5)
    assert locate_text("青川区" + padding)
    assert locate_text(padding + "青川区") == []


@pytest.mark.parametrize(
    "text",
    [
        "建设" * 25_000,
        "阳光小区3号楼" * 7_000,
        "阳光小区友谊大街街道青川区东原旗乌兰哈达嘎查" * 2_000,
        "\x00\U0010ffff\ud7ff" * 16_000,
        "一二三四五六七八九十" * 5_000,
        "1-1-" * 12_500,
    ],
)
def test_a_text_of_fifty_thousand_characters_holds_nobody_up(text: str) -> None:
    locate_text("青川区")
    start = time.perf_counter()
    locate_text(text)
    assert time.perf_counter() - start < 0.5


def test_an_order_costs_no_query_but_the_first(django_assert_num_queries: Any) -> None:
    locate_text("青川区阳光小区3号楼")
    with django_assert_num_queries(0):
        for _ in range(100):
            locate_text("青川区阳光小区3号楼")


@given(st.text(st.sampled_from("青川区东原旗友谊大街道花园里阳光小3三号楼钢城18-<>\x00 ａ"), max_size=60))
def test_scores_are_shares_and_words_are_where_they_say(text: str) -> None:
    found = gazetteer._ranked(_found(text), 50)
    assert all(0 < c.score < 1.0 + 1e-9 for c in found)
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    apart = [c for c in found if not any(o is not c and (o.place.startswith(c.place)) for o in found)]
    assert sum(c.score for c in apart) <= 1.0 + 1e-6
    assert all(text[w.start : w.start + len(w.text)] == w.text for c in found for w in c.words)
    assert len({c.place for c in found}) == len(found)


def _found(text: str) -> list[gazetteer._Found]:
    known = gazetteer._gazetteer(today()).get()
    return [gazetteer._as_written(f, text) for f in gazetteer._names_in(gazetteer._plain(text), known)]
