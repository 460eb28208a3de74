"""Words that bring "call now" to the top."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.triage import urgent
from lucheng.core.triage.urgent import Urgent, words_in


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("楼道里有很大的煤气味", [("煤气味", "119")]),
        ("对面楼着火了，有人被困", [("着火", "119"), ("被困", "119")]),
        ("老人晕倒在路边叫不醒", [("晕倒", "120"), ("叫不醒", "120")]),
        ("楼下有人打架，还拿刀", [("打架", "110"), ("拿刀", "110")]),
        ("路口撞车了，司机肇事逃逸", [("撞车", "122"), ("肇事逃逸", "122")]),
        ("孩子 溺 水 了", [("溺水", "120")]),
        ("我不想活了", [("不想活", "110")]),
        ("着火了着火了", [("着火", "119")]),
    ],
)
def test_each_word_has_the_number_that_helps(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(words_in(text)) == [Urgent(*e) for e in expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "路灯不亮",
        "建议小区组织消防演练",
        "防溺水宣传做得好",
        "自助餐厅着火锅味太大",
        "家里的火灾报警器误响",
        "被困扰好几年",
    ],
)
def test_ordinary_words_and_turns_of_phrase_are_passed_over(text: str) -> None:
    assert words_in(text) == ()


def test_a_harmless_phrase_does_not_hide_a_real_fire_in_the_same_text() -> None:
    assert words_in("昨天刚搞了消防演练，今天真着火了") == (Urgent("着火", "119"),)


def test_a_denied_fire_still_counts() -> None:
    assert words_in("好像没有着火") == (Urgent("着火", "119"),)


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_is_safe(text: str) -> None:
    assert all(u.number in ("110", "119", "120", "122") for u in words_in(text))


@given(st.sampled_from(["燃气泄漏", "起火", "持刀", "昏迷", "车祸"]), st.text("的了是在我，。 ", max_size=30))
def test_an_urgent_word_is_found_wherever_it_stands(word: str, around: str) -> None:
    assert word in [u.word for u in words_in(around + word + around)]


def test_the_pack_names_a_word_once_and_no_harmless_phrase_hides_a_whole_word() -> None:
    pack = tomllib.loads(urgent.NATIONAL.read_text(encoding="utf-8"))
    words = [w for group in pack["group"] for w in group["words"]]
    assert len(words) == len(set(words))
    assert not set(words) & set(pack["harmless"])
    assert all(len(w) >= 2 for w in words)
