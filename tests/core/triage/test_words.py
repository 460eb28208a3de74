"""Characters and pairs as numbers: counted as one would by hand, for any text."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.triage.words import code, grams, parts, plain


def by_hand(text: str) -> Counter[int]:
    letters = [c if "㐀" <= c <= "鿿" or "a" <= c <= "z" else " " for c in text]
    found = Counter(code(c) for c in letters if c != " ")
    found.update(code(a + b) for a, b in itertools.pairwise(letters) if " " not in (a, b))
    return found


def counted(texts: list[str]) -> list[Counter[int]]:
    found: list[Counter[int]] = [Counter() for _ in texts]
    for owner, gram, count in zip(*(column.tolist() for column in grams(texts)), strict=True):
        found[owner][gram] = count
    return found


TEXT = st.one_of(st.text(max_size=60), st.text("路灯不亮，123 app。", max_size=60))


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_characters_and_pairs_are_counted_as_by_hand_for_each_text(texts: list[str]) -> None:
    assert counted(texts) == [by_hand(text) for text in texts]


def test_no_pair_reaches_over_a_sign_a_digit_or_into_the_next_text() -> None:
    (first, second) = counted(["路，灯3亮", "不"])
    assert first == Counter(map(code, "路灯亮"))
    assert second == Counter([code("不")])


@given(st.text(st.characters(exclude_categories=()), max_size=100))
def test_any_text_can_be_made_plain_and_counted(text: str) -> None:
    cleaned = plain(text, 50)
    assert cleaned == plain(cleaned, 1000)
    assert counted([cleaned]) == [by_hand(cleaned)]


@pytest.mark.parametrize(
    ("text", "cleaned"), [("ＡＰＰ１２", "app12"), ("5G网络", "5g网络"), ("路\ud800灯", "路灯")]
)
def test_letters_and_digits_have_one_width_and_case(text: str, cleaned: str) -> None:
    assert plain(text, 100) == cleaned


def test_a_word_is_made_of_its_characters_and_pairs() -> None:
    assert parts("路灯亮") == {code(g) for g in ("路", "灯", "亮", "路灯", "灯亮")}
