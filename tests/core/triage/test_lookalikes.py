"""Look-alikes: found by place and words, never beyond what the reader may see, and for residents without a word."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import itertools
import re
import sys
import tomllib
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from lucheng.core.cases import public
from lucheng.core.cases.models import Case, Nature, State
from lucheng.core.dispatch import matters
from lucheng.core.revisions import snapshot
from lucheng.core.triage import lookalikes
from lucheng.core.triage.lookalikes import LookAlike, find, find_public
from tests import factories
from tests.core.triage.cases import case, unsaved
from tests.factories import GRID, HEATING, LAMP, NOW, STREET, SUMU

pytestmark = pytest.mark.django_db

REAL = Path(__file__).parents[4] / "shared" / "data"
EVERYTHING = Q()
POINT = (110.005, 40.005)
TEXT = "门口路灯坏了，黑漆漆的看不见路"


def found(
    text: str = TEXT, place: str = GRID, lon: float | None = None, lat: float | None = None
) -> list[LookAlike]:
    return find(text, place, lon, lat, scope_q=EVERYTHING, now=NOW)


def test_the_same_lamp_told_in_other_words_is_found_with_what_both_say() -> None:
    lamp = case(content="小区门口的路灯不亮，晚上看不见路", matter=LAMP, lon=110.0055, lat=40.005)
    case(content="家里暖气冰凉，老人冻得受不了", matter=HEATING, lon=110.005, lat=40.005)
    (one,) = find(TEXT, GRID, *POINT, scope_q=EVERYTHING, now=NOW, matter=LAMP)
    assert (one.id, one.number, one.state) == (lamp.pk, lamp.number, "received")
    assert lookalikes.LEAST <= one.similarity <= 1
    assert one.distance_m == pytest.approx(42.6, abs=0.5)
    assert "路灯" in one.words
    assert all(word in TEXT and word in lamp.content for word in one.words)


def test_the_same_text_at_the_same_spot_is_as_similar_as_can_be() -> None:
    case(content=TEXT, matter=LAMP, lon=POINT[0], lat=POINT[1])
    (one,) = find(TEXT, GRID, *POINT, scope_q=EVERYTHING, now=NOW, matter=LAMP)
    assert one.similarity == 1


def test_nearer_comes_first_and_far_away_counts_half() -> None:
    far = case(content=TEXT, lon=110.025, lat=40.005)
    near = case(content=TEXT, lon=110.0051, lat=40.005)
    between = case(content=TEXT)
    result = found(lon=POINT[0], lat=POINT[1])
    assert [r.id for r in result][-1] == far.pk
    assert {near.pk, between.pk} == {r.id for r in result[:2]}
    assert result[-1].similarity == pytest.approx(0.5, abs=0.01)


def test_another_township_is_another_matter() -> None:
    case(content=TEXT, place=SUMU + "001001")
    assert found() == []


def test_just_across_the_border_of_the_township_is_near() -> None:
    factories.city()
    snapshot.forget()
    across = case(content=TEXT, place=SUMU + "001001", lon=110.0402, lat=40.005)
    case(content=TEXT, place=SUMU + "002001", lon=110.0402, lat=40.035)
    (one, other) = found(place=STREET + "001002", lon=110.0398, lat=40.005)
    assert one.id == across.pk
    assert other.similarity < one.similarity


def test_no_look_alike_that_the_reader_may_not_see() -> None:
    city = factories.city()
    street = {"lead_unit": city.units["street"], "units": [city.units["street"].pk]}
    of_street = case(content=TEXT, **street)
    secret = case(content=TEXT, confidential=True, **street)
    elsewhere = case(content=TEXT)
    complaint = case(content=TEXT, accused_unit=city.units["hotline"])

    def seen_by(name: str) -> set[int]:
        q = city.scope(name).q("case.view")
        return {r.id for r in find(TEXT, GRID, None, None, scope_q=q, now=NOW)}

    assert seen_by("west_dispatcher") == {of_street.pk, secret.pk, elsewhere.pk, complaint.pk}
    assert seen_by("dispatcher") == {of_street.pk, secret.pk, elsewhere.pk}  # the hotline is complained of
    assert seen_by("grid_worker") == {of_street.pk}
    assert seen_by("east_dispatcher") == set()


@pytest.mark.parametrize("state", [State.DRAFT, State.REJECTED, State.WITHDRAWN, State.MERGED])
def test_what_leads_nowhere_is_not_shown(state: State) -> None:
    case(content=TEXT, state=state)
    assert found() == []


def test_a_merged_case_stands_behind_its_main_case() -> None:
    main = case(content=TEXT)
    case(content=TEXT, main=main, state=State.SIGNED)
    assert [r.id for r in found()] == [main.pk]


def test_only_the_last_days_count_and_nothing_from_the_future() -> None:
    case(content=TEXT, created_at=NOW - dt.timedelta(days=31))
    case(content=TEXT, created_at=NOW + dt.timedelta(seconds=1))
    assert found() == []
    assert len(find(TEXT, GRID, None, None, scope_q=EVERYTHING, now=NOW, days=40)) == 1


def test_at_most_as_many_as_asked_for() -> None:
    Case.objects.bulk_create(unsaved(content=TEXT) for _ in range(9))
    assert len(found()) == 5
    assert len(find(TEXT, GRID, None, None, scope_q=EVERYTHING, now=NOW, limit=2)) == 2


def test_a_city_wide_place_looks_at_the_newest_of_the_city() -> None:
    one = case(content=TEXT)
    assert [r.id for r in found(place="9901")] == [one.pk]
    assert [r.id for r in found(place="")] == [one.pk]


@pytest.mark.parametrize("text", ["", "   ", "123 456", "\x00\x1f", "<3>!", "😀"])
def test_a_text_without_words_is_like_nothing(text: str) -> None:
    case(content=text.replace("\x00", "") or "。")
    assert found(text) == []


@pytest.mark.parametrize("text", ["路" * 50_000, "\ud800路灯", "%_\\'路灯\";--"])
def test_no_text_breaks_it(text: str) -> None:
    case(content=TEXT)
    found(text)


def test_the_same_number_of_queries_at_one_and_at_a_hundred_cases() -> None:
    factories.city()
    case(content=TEXT)
    found(lon=POINT[0], lat=POINT[1])  # what is held in memory is loaded

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert found(lon=POINT[0], lat=POINT[1])
        return len([q for q in captured if "revisions_revision" not in q["sql"]])

    one = queries()
    Case.objects.bulk_create(unsaved(content=TEXT) for _ in range(99))
    assert (one, queries()) == (1, 1)


def test_residents_are_told_class_community_day_and_state_and_nothing_else() -> None:
    lamp = case(title="张三家门口", content=TEXT, matter=LAMP, lon=POINT[0], lat=POINT[1])
    (one,) = find_public(TEXT, GRID, *POINT, now=NOW)
    assert dataclasses.asdict(one) == {
        "id": lamp.pk,
        "matter": LAMP,
        "place": GRID[:12],
        "created_at": NOW,
        "state": "received",
        "similarity": one.similarity,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"nature": Nature.COMPLAINT},
        {"nature": Nature.REPORT},
        {"confidential": True},
        {"matter": ""},
        {"matter": "150601"},  # violence at home
        {"matter": "150101"},  # relief
        {"lon": 110.025, "lat": 40.005},  # two kilometres away
    ],
)
def test_residents_are_not_told_of(changes: dict[str, object]) -> None:
    case(**{"content": TEXT, "matter": LAMP, **changes})
    assert find_public(TEXT, GRID, *POINT, now=NOW) == []


def test_residents_are_not_told_of_cases_that_complain_of_a_unit() -> None:
    city = factories.city()
    case(content=TEXT, matter=LAMP, accused_unit=city.units["lighting"])
    assert find_public(TEXT, GRID, *POINT, now=NOW) == []


def test_the_public_list_names_classes_that_exist() -> None:
    factories.city()
    listed = tomllib.loads(public.NATIONAL.read_text(encoding="utf-8"))["public_matters"]
    assert listed
    assert all(matters.exists(code) for code in listed)


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.is_dir(), reason="needs the folder shared/data beside the repository")
def test_matters_that_recur_in_real_messages_are_found_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Messages about one place and matter, named by two words: an earlier one is among the first five look-alikes."""
    csv.field_size_limit(10**7)
    with (REAL / "messages/hot_topics.csv").open(encoding="utf-8-sig", newline="") as f:
        rows = list(csv.DictReader(f))

    def time(text: str) -> dt.datetime:
        day, _space, clock = text.replace("-", "/").partition(" ")
        year, month, date = map(int, day.split("/"))
        hour, minute = map(int, clock.split(":")[:2])
        return dt.datetime(year, month, date, hour, minute, tzinfo=NOW.tzinfo)

    cases = [
        unsaved(title=r["留言主题"][:120], content=r["留言详情"], created_at=time(r["留言时间"]))
        for r in rows
    ]
    Case.objects.bulk_create(cases)
    topics = [
        ("丽发新城", "搅拌"),
        ("伊景", "车位"),
        ("魅力之城", "油烟|噪|烧烤"),
        ("58车贷", "."),
        ("泉星公园", "."),
    ]
    asked = hit = 0
    for one, two in topics:
        same = [
            c for c in cases if re.search(one, c.title + c.content) and re.search(two, c.title + c.content)
        ]
        same.sort(key=lambda c: c.created_at)
        for before, now in itertools.pairwise(same):
            if now.created_at - before.created_at > dt.timedelta(days=10):
                continue
            moment = now.created_at - dt.timedelta(seconds=1)
            result = find(f"{now.title} {now.content}", GRID, None, None, scope_q=EVERYTHING, now=moment)
            asked += 1
            hit += bool({r.id for r in result} & {c.pk for c in same})
    with capsys.disabled():
        sys.stdout.write(f"\n{hit} of {asked} recurring messages found an earlier one of their matter\n")
    assert asked > 40
    assert hit / asked > 0.85
