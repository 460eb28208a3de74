"""What a division is follows from its name: banner, sumu and gacha stay what they are."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.places.kinds import forms, is_placeholder, kind_of, stem
from lucheng.core.places.models import LEVELS, Kind


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        ("9901", "鹿原市", Kind.CITY),
        ("1522", "某某盟", Kind.LEAGUE),
        ("990102", "东原区", Kind.DISTRICT),
        ("990106", "白石矿区", Kind.DISTRICT),
        ("990121", "右旗", Kind.BANNER),
        ("990122", "某某联合旗", Kind.BANNER),
        ("990123", "某某自治旗", Kind.BANNER),
        ("990124", "新安县", Kind.COUNTY),
        ("990171", "某某高新技术产业开发区", Kind.ZONE),
        ("990181", "永宁市", Kind.CITY),
        ("990102001", "长青街道办事处", Kind.SUBDISTRICT),
        ("990102006", "大德办事处", Kind.SUBDISTRICT),
        ("990102100", "南河镇", Kind.TOWN),
        ("990102200", "海子乡", Kind.TOWNSHIP),
        ("990121200", "白音苏木", Kind.SUMU),
        ("990121201", "白音苏木乡", Kind.SUMU),
        ("990102400", "装备产业园区", Kind.PARK),
        ("990102401", "钢厂厂区办事处", Kind.PARK),
        ("990102500", "九峰生态管理委员会", Kind.PARK),
        ("990102198", "县级单位直辖村级单位（特殊镇）", Kind.PLACEHOLDER),
        ("990102001001", "花园社区居委会", Kind.COMMUNITY),
        ("990102001002", "花园社区居民委员会", Kind.COMMUNITY),
        ("990102100200", "杨柳村委会", Kind.VILLAGE),
        ("990102100201", "杨柳村村委会", Kind.VILLAGE),
        ("990102100202", "杨柳村委", Kind.VILLAGE),
        ("990121200200", "乌兰嘎查", Kind.GACHA),
        ("990121200201", "乌兰嘎查村", Kind.GACHA),
        ("990121200202", "乌兰嘎查村委会", Kind.GACHA),
        ("990102400498", "金属园区", Kind.PARK),
    ],
)
def test_the_ending_names_the_kind(code: str, name: str, kind: Kind) -> None:
    assert kind_of(code, name) == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("990102007", Kind.SUBDISTRICT),
        ("990102150", Kind.TOWN),
        ("990102250", Kind.TOWNSHIP),
        ("990102450", Kind.PARK),
        ("990102001088", Kind.COMMUNITY),
        ("990102001288", Kind.VILLAGE),
        ("990102001588", Kind.PARK),
    ],
)
def test_where_the_ending_is_silent_the_codes_own_digits_tell(code: str, kind: Kind) -> None:
    assert kind_of(code, "无名处") == kind


@pytest.mark.parametrize("code", ["9901", "990102", "990102700", "990102001700", "990102001001001"])
def test_where_neither_tells_it_is_not_guessed(code: str) -> None:
    with pytest.raises(ValueError, match=code):
        kind_of(code, "无名处")


def test_placeholders_of_the_list_are_known_with_what_is_in_brackets() -> None:
    assert is_placeholder("市辖区")
    assert is_placeholder("县级单位直辖村级单位（特殊镇）")
    assert not is_placeholder("东原区")


def test_a_committee_written_another_way_has_the_same_stem() -> None:
    names = ["杨柳村委会", "杨柳村村委会", "杨柳村民委员会", "杨柳村委", "杨柳村"]
    assert {stem(12, n) for n in names} == {"杨柳"}
    assert stem(9, "长青街道办事处") == stem(9, "长青街道") == "长青"


def test_every_form_that_people_write_is_there() -> None:
    assert forms(12, "花园社区居委会") == ("花园社区居委会", "花园社区", "花园")
    assert forms(9, "白音苏木乡") == ("白音苏木乡", "白音苏木", "白音")


@given(
    st.sampled_from([4, 6, 9, 12, 15]),
    st.text("杨柳社区村委会居街道办事处镇乡苏木嘎查旗", min_size=1, max_size=12),
)
def test_forms_only_grow_shorter_and_keep_two_characters(level: int, name: str) -> None:
    found = forms(level, name)
    assert found[0] == name
    assert all(len(a) > len(b) >= 2 and a.startswith(b) for a, b in itertools.pairwise(found))


def test_every_level_of_a_list_has_endings() -> None:
    assert all(
        len(forms(LEVELS[level], name)) > 1
        for level, name in [
            ("city", "鹿原市"),
            ("county", "北甸旗"),
            ("township", "白音苏木"),
            ("community", "乌兰嘎查"),
        ]
    )
