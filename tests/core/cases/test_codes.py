from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.cases import codes


@given(st.integers(0, 2**32))
def test_a_written_code_reads_back_in_any_spelling(_seed: int) -> None:
    code = codes.new_code()
    written = codes.written(code)
    assert codes.read(written) == code
    assert codes.read(written.lower()) == code
    assert codes.read(code) == code
    assert codes.read(f"  {written.replace('-', ' ')} ") == code


@given(st.integers(0, 11), st.sampled_from(codes._ALPHABET))
def test_one_mistyped_symbol_is_told_from_an_unknown_code(at: int, symbol: str) -> None:
    code = codes.new_code()
    wrong = code[:at] + symbol + code[at + 1 :]
    if wrong == code or {symbol, code[at]} == {"0", "Z"}:
        return
    assert codes.read(wrong) is None


@given(st.text())
def test_any_text_is_read_without_failing(text: str) -> None:
    read = codes.read(text)
    assert read is None or len(read) == 12


def test_letters_that_look_like_digits_are_understood() -> None:
    while "0" not in (code := codes.new_code()) or "1" not in code:
        pass
    assert codes.read(code.replace("0", "O").replace("1", "l")) == code


def test_two_codes_differ() -> None:
    assert len({codes.new_code() for _ in range(1000)}) == 1000
