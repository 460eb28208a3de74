"""The row that decides is the one with the longest matter prefix, then the longest place prefix."""

from __future__ import annotations

import time

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from lucheng.core.dispatch import catalogue
from lucheng.core.dispatch.catalogue import Decision, Edition
from lucheng.core.dispatch.models import Rule
from lucheng.core.dispatch.rules import Row
from lucheng.core.revisions.snapshot import bump, forget
from tests.core.dispatch import small_city as city

pytestmark = pytest.mark.django_db

GRID = "150203001001001"


def decision(rule_id: int, matter: str, place: str, *, active: bool = True) -> Decision:
    return Decision(rule_id, 1, rule_id, "单位", active, (), (), "依据", matter, place)


def table(rows: dict[tuple[str, str], bool]) -> tuple[Edition, list[Decision]]:
    made = [decision(n, m, p, active=active) for n, ((m, p), active) in enumerate(rows.items(), 1)]
    nested: dict[str, dict[str, Decision]] = {}
    for d in made:
        nested.setdefault(d.matter_prefix, {})[d.place_prefix] = d
    return Edition(1, nested), made


# Few digits, so that prefixes meet often.
matter_codes = st.sampled_from(["", "01", "02", "0101", "0102", "010101", "010102", "020101"])
place_codes = st.sampled_from(
    ["1502", "150202", "150203", "150203001", "150203002", "150203001001", "150203001001001"]
)


@given(
    rows=st.dictionaries(st.tuples(matter_codes, place_codes), st.booleans(), max_size=12),
    matter=matter_codes,
    place=place_codes,
)
@settings(max_examples=400, deadline=None)
def test_agrees_with_trying_every_row(rows: dict[tuple[str, str], bool], matter: str, place: str) -> None:
    edition, made = table(rows)
    fitting = [d for d in made if matter.startswith(d.matter_prefix) and place.startswith(d.place_prefix)]
    best = max(fitting, key=lambda d: (len(d.matter_prefix), len(d.place_prefix)), default=None)
    assert edition.row(matter, place) == best
    assert edition.match(matter, place) == (best if best is not None and best.lead_active else None)


def test_the_matter_weighs_more_than_the_place() -> None:
    city.lay_out()
    city.in_force(city.LAMPS, Row("", "150203001", "urban", (), "三定方案"))
    found = catalogue.decide("010201", GRID)
    assert found is not None
    assert (found.lead_unit_name, found.matter_prefix, found.place_prefix) == (
        "市照明管理中心",
        "0102",
        "1502",
    )
    other = catalogue.decide("0201", GRID)
    assert other is not None and other.lead_unit_name == "钢铁区城管局"


def test_a_decision_names_row_edition_helpers_and_basis() -> None:
    units = city.lay_out()
    version = city.in_force(city.CLUTTER)
    found = catalogue.decide("0201", GRID)
    assert found is not None
    assert found.rule_id == Rule.objects.get().pk
    assert found.version == version.number
    assert found.lead_unit_id == units["street"].pk
    assert found.assist_unit_ids == (units["police"].pk, units["urban"].pk)
    assert found.assist_unit_names == ("钢铁区公安分局", "钢铁区城管局")
    assert found.basis == "履职事项清单第12项"


def test_the_reason_is_one_sentence_in_the_readers_language() -> None:
    city.lay_out()
    city.in_force(city.CLUTTER)
    found = catalogue.decide("0201", GRID)
    assert found is not None
    reason = found.reason()
    with translation.override("en"):
        assert str(reason) == (
            "Edition 1 of the dispatch catalogue, row “楼道堆物” at “钢铁区 · 钢花街道”: 钢花街道办事处 leads. "
            "Basis: 履职事项清单第12项."
        )
    with translation.override("zh-hans"):
        assert str(reason).startswith("派单目录第1版")


def test_no_row_is_no_answer_and_says_so() -> None:
    city.lay_out()
    city.in_force(city.LAMPS)
    assert catalogue.decide("0201", GRID) is None
    with translation.override("en"):
        assert "fits this matter" in str(catalogue.why_none("0201", GRID))
        assert "not known yet" in str(catalogue.why_none("", GRID))


def test_without_an_edition_in_force_nothing_is_decided() -> None:
    city.lay_out()
    city.draft(city.LAMPS)
    assert catalogue.decide("0102", "1502") is None
    with translation.override("en"):
        assert str(catalogue.why_none("0102", "1502")) == "No edition of the dispatch catalogue is in force."


def test_a_closed_unit_is_never_chosen_and_no_broader_row_steps_in() -> None:
    units = city.lay_out()
    city.in_force(city.LAMPS, Row("", "1502", "police", (), "三定方案"))
    units["lighting"].active = False
    units["lighting"].save()
    bump("catalogue")
    forget()
    assert catalogue.decide("0102", GRID) is None
    with translation.override("en"):
        assert "市照明管理中心, which is closed" in str(catalogue.why_none("0102", GRID))


def test_a_closed_helper_is_left_out() -> None:
    units = city.lay_out()
    city.in_force(city.CLUTTER)
    units["police"].active = False
    units["police"].save()
    bump("catalogue")
    forget()
    found = catalogue.decide("0201", GRID)
    assert found is not None and found.assist_unit_ids == (units["urban"].pk,)


def test_a_stored_row_is_readable_after_its_edition_is_retired() -> None:
    city.lay_out()
    first = city.in_force(city.CLUTTER)
    rule = Rule.objects.get(version=first)
    city.in_force(city.LAMPS)
    recalled = catalogue.recall(Rule.objects.get(pk=rule.pk))
    assert recalled.version == first.number
    assert recalled.lead_unit_name == "钢花街道办事处"
    assert recalled.assist_unit_names == ("钢铁区公安分局", "钢铁区城管局")


def test_reading_an_edition_takes_three_queries_whatever_its_size(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    city.lay_out()
    version = city.in_force(city.LAMPS, city.CLUTTER)
    with django_assert_num_queries(3):
        catalogue.edition(version)


def test_deciding_asks_the_database_nothing(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    city.lay_out()
    city.in_force(city.LAMPS)
    catalogue.decide("010201", GRID)
    with django_assert_num_queries(0):
        for _n in range(100):
            catalogue.decide("010201", GRID)


def test_a_look_up_in_a_large_edition_takes_microseconds() -> None:
    rows = {
        (f"{m:02d}{s:02d}", f"150203{p:03d}"): True for m in range(20) for s in range(20) for p in range(50)
    }
    edition, made = table(rows)
    assert len(made) == 20_000
    start = time.perf_counter()
    for _n in range(2000):
        edition.match("010299", "150203001001001")
    assert (time.perf_counter() - start) / 2000 < 50e-6
