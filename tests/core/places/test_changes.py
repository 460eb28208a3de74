"""What became of what is inferred only where one answer is possible, and never without saying how."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.places.changes import Changes, compare
from lucheng.core.places.kinds import kind_of
from lucheng.core.places.lists import Entry, parent_of
from lucheng.core.places.models import Succession

BASE = {
    "9901": "鹿原市",
    "990102": "东原区",
    "990102001": "长青街道",
    "990102002": "和顺街道",
    "990103": "西原区",
    "990103100": "南河镇",
}


def entries(divisions: Mapping[str, str], urban_rural_type: str | None = None) -> dict[str, Entry]:
    return {c: Entry(c, n, kind_of(c, n), urban_rural_type) for c, n in (BASE | dict(divisions)).items()}


def steps(changes: Changes) -> list[tuple[str, str, str, str]]:
    return [(s.before.code, s.after.code, s.how.value, s.basis.value) for s in changes.steps]


def change(
    before: Mapping[str, str], after: Mapping[str, str], gone: Mapping[str, str] | None = None
) -> Changes:
    return compare(
        entries(before), entries(after), {c: Entry(c, n, kind_of(c, n)) for c, n in (gone or {}).items()}
    )


def test_the_same_list_changes_nothing() -> None:
    assert not change({"990102001001": "花园社区居委会"}, {"990102001001": "花园社区居委会"})


def test_a_committee_written_another_way_was_renamed_for_certain() -> None:
    found = change({"990102001001": "花园社区居委会"}, {"990102001001": "花园社区"})
    assert steps(found) == [("990102001001", "990102001001", "renamed", "code")]
    assert Succession.is_certain(found.steps[0].how, found.steps[0].basis)


def test_another_name_under_the_same_code_is_only_likely() -> None:
    found = change({"990102001001": "花园社区"}, {"990102001001": "金桥社区"})
    assert steps(found) == [("990102001001", "990102001001", "renamed", "code_alone")]
    assert not Succession.is_certain(found.steps[0].how, found.steps[0].basis)


def test_a_code_given_to_another_place_does_not_hide_where_the_first_went() -> None:
    found = change({"990102001001": "花园社区"}, {"990102001001": "金桥社区", "990102001009": "花园社区"})
    assert steps(found) == [("990102001001", "990102001009", "recoded", "parent")]
    assert [e.code for e in found.added] == ["990102001001"]


def test_two_codes_that_change_places_are_followed() -> None:
    before = {"990102001001": "花园社区", "990102001002": "金桥社区"}
    found = change(before, {"990102001001": "金桥社区", "990102001002": "花园社区"})
    assert [s[:3] for s in steps(found)] == [
        ("990102001001", "990102001002", "recoded"),
        ("990102001002", "990102001001", "recoded"),
    ]


def test_a_village_that_becomes_a_community_is_recoded() -> None:
    found = change({"990103100200": "杨柳村委会"}, {"990103100001": "杨柳社区居委会"})
    assert steps(found) == [("990103100200", "990103100001", "recoded", "parent")]


def test_the_only_one_of_its_name_in_the_county_is_followed_to_another_township() -> None:
    found = change({"990102001001": "花园社区"}, {"990102002001": "花园社区"})
    assert steps(found) == [("990102001001", "990102002001", "recoded", "county")]


def test_a_name_that_another_county_has_too_is_not_followed_there() -> None:
    before = {"990102001001": "建设社区", "990103100001": "建设社区"}
    found = change(before, {"990103100001": "建设社区", "990103100002": "金桥社区"})
    assert not found.steps
    assert [e.code for e in found.dropped] == ["990102001001"]
    [question] = found.questions
    assert [c.code for c in question.candidates] == ["990103100001"]


def test_two_possible_answers_are_a_question_and_nothing_is_recorded() -> None:
    before = {"990102001001": "花园社区"}
    found = change(before, {"990102001005": "花园社区", "990102001006": "花园居委会"})
    assert not found.steps
    assert [c.code for c in found.questions[0].candidates] == ["990102001005", "990102001006"]


def test_a_name_merely_alike_is_a_question() -> None:
    found = change({"990102001001": "杨圪塄居委会"}, {"990102001009": "杨圪楞社区居委会"})
    assert not found.steps
    assert [c.name for c in found.questions[0].candidates] == ["杨圪楞社区居委会"]


def test_villages_of_one_stem_are_merged_into_the_one_without() -> None:
    before = {"990103100200": "上杨柳村委会", "990103100201": "下杨柳村委会"}
    found = change(before, {"990103100209": "杨柳村委会"})
    assert steps(found) == [
        ("990103100200", "990103100209", "merged", "family"),
        ("990103100201", "990103100209", "merged", "family"),
    ]


def test_the_one_that_gave_its_code_counts_among_the_family() -> None:
    before = {"990103100200": "上杨柳村委会", "990103100201": "下杨柳村委会"}
    found = change(before, {"990103100200": "杨柳村委会"})
    assert steps(found) == [
        ("990103100200", "990103100200", "renamed", "code_alone"),
        ("990103100201", "990103100200", "merged", "family"),
    ]


def test_one_of_a_stem_alone_is_no_family() -> None:
    found = change({"990103100200": "上杨柳村委会"}, {"990103100209": "杨柳村委会"})
    assert not found.steps
    assert found.questions


def test_a_community_is_split_into_those_that_number_its_name() -> None:
    found = change(
        {"990102001001": "明珠社区"}, {"990102001002": "明珠第一社区", "990102001003": "明珠第二社区"}
    )
    assert [s[1:] for s in steps(found)] == [
        ("990102001002", "split", "family"),
        ("990102001003", "split", "family"),
    ]


def test_one_dropped_beside_its_namesake_was_merged_into_it() -> None:
    before = {"990103100200": "杨柳村委会", "990103100001": "杨柳社区居委会"}
    found = change(before, {"990103100001": "杨柳社区居委会"})
    assert steps(found) == [("990103100200", "990103100001", "merged", "parent")]
    assert not Succession.is_certain(found.steps[0].how, found.steps[0].basis)


def test_a_township_follows_most_of_its_villages() -> None:
    villages = ["红石", "青石", "白石"]
    before = {"990103101": "石门镇"} | {f"99010310120{i}": f"{n}村委会" for i, n in enumerate(villages)}
    found = change(before, {f"99010310020{i}": f"{n}村委会" for i, n in enumerate(villages[:2])})
    assert ("990103101", "990103100", "merged", "parts") in steps(found)
    assert [e.name for e in found.dropped] == ["白石村委会"]


def test_a_township_recoded_with_all_it_holds_carries_its_villages_along() -> None:
    before = {"990103101": "石门镇", "990103101200": "红石村委会", "990103101201": "青石村委会"}
    found = change(
        before, {"990103105": "石门镇", "990103105200": "红石村委会", "990103105201": "青石村委会"}
    )
    assert steps(found) == [
        ("990103101", "990103105", "recoded", "parent"),
        ("990103101200", "990103105200", "recoded", "parent"),
        ("990103101201", "990103105201", "recoded", "parent"),
    ]


def test_one_that_comes_back_after_years_is_tied_to_what_it_was() -> None:
    found = change({}, {"990103101": "石门镇"}, gone={"990103101": "石门镇"})
    assert steps(found) == [("990103101", "990103101", "returned", "code")]
    found = change({}, {"990102101": "石门镇"}, gone={"990103101": "石门镇"})
    assert steps(found) == [("990103101", "990102101", "returned", "city")]


def test_a_new_class_of_town_or_country_is_a_change_without_a_new_name() -> None:
    before, after = entries({"990102001001": "花园社区"}, "111"), entries({"990102001001": "花园社区"}, "121")
    assert [s.how for s in compare(before, after).steps] == [Succession.How.CHANGED] * len(before)
    silent = entries({"990102001001": "花园社区"})
    assert not compare(before, silent), "a list that does not say changes nothing"


names = st.sampled_from(
    [
        f"{first}{last}"
        for first in ("花园", "上杨柳", "下杨柳", "杨柳", "明珠第一", "明珠")
        for last in ("社区", "村委会")
    ]
)
codes = st.sampled_from(
    [f"{t}{n:03d}" for t in ("990102001", "990102002", "990103100") for n in (1, 2, 3, 201, 202)]
)
lists = st.dictionaries(codes, names, max_size=10)


@given(lists, lists, lists)
def test_every_division_is_accounted_for_exactly_once(
    before: dict[str, str], after: dict[str, str], gone: dict[str, str]
) -> None:
    gone = {c: n for c, n in gone.items() if c not in before}
    found = change(before, after, gone)
    old, new = entries(before), entries(after)
    came = {s.before.code for s in found.steps if s.before.code in old and s.how != "returned"}
    assert sorted([*found.unchanged, *came, *(e.code for e in found.dropped)]) == sorted(old)
    became = {s.after.code for s in found.steps if s.after.code not in found.unchanged}
    assert sorted([*found.unchanged, *became, *(e.code for e in found.added)]) == sorted(new)
    assert {q.before.code for q in found.questions} <= {e.code for e in found.dropped}


@given(lists)
def test_compared_with_itself_nothing_changes(divisions: dict[str, str]) -> None:
    assert not change(divisions, divisions)


@given(lists, lists)
def test_a_step_never_leaves_its_level_and_every_pair_stands_once(
    before: dict[str, str], after: dict[str, str]
) -> None:
    found = change(before, after)
    pairs = [(s.before.code, s.after.code) for s in found.steps]
    assert len(pairs) == len(set(pairs))
    assert all(len(a) == len(b) for a, b in pairs)
    for step in found.steps:
        if step.basis == Succession.Basis.SAME_PARENT:
            assert parent_of(step.before.code) == parent_of(step.after.code)
