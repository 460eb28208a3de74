from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.cases.text import MAX_TEXT, clean, one_line
from lucheng.core.errors import Invalid


def test_spaces_only_becomes_nothing() -> None:
    assert clean(" \t\r\n　 ") == ""


def test_control_characters_go_and_line_breaks_stay() -> None:
    assert clean("路灯\x00不亮\x07\r\n三天\x1b[31m") == "路灯不亮\n三天[31m"


def test_markup_stays_as_written() -> None:
    assert clean("<script>alert(1)</script>") == "<script>alert(1)</script>"


def test_mongolian_joiners_and_emoji_stay() -> None:
    text = "ᠮᠣᠩᠭᠣᠯ\u180eᠠ 👨\u200d👩\u200d👧"
    assert clean(text) == text


def test_fifty_thousand_characters_are_kept_whole() -> None:
    assert len(clean("长" * 50_000)) == 50_000


def test_too_long_a_text_is_refused_at_its_field_with_both_numbers() -> None:
    with pytest.raises(Invalid) as e:
        clean("长" * (MAX_TEXT + 1), "handling")
    assert set(e.value.fields) == {"handling"}
    assert str(MAX_TEXT + 1) in str(e.value.fields["handling"])


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing_and_postgresql_can_hold_it(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert "\x00" not in once
    once.encode()


@given(st.text(max_size=300), st.integers(2, 120))
def test_a_title_fits_its_length(text: str, limit: int) -> None:
    assert len(one_line(text, limit)) <= limit
    assert "\n" not in one_line(text, limit)
