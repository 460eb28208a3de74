"""What is sealed opens only whole, only for its purpose and only under its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucheng.core.privacy.sealing import SealError, seal, unseal


@given(st.text(max_size=200), st.text(min_size=1, max_size=20))
def test_what_is_sealed_opens_to_the_same_text(plain: str, purpose: str) -> None:
    assert unseal(seal(plain, purpose), purpose) == plain


def test_two_seals_of_one_text_differ_and_show_nothing_of_it() -> None:
    first, second = seal("13800132210", "contact.phone"), seal("13800132210", "contact.phone")
    assert first != second
    assert b"138" not in first[14:]


def test_a_sealed_value_does_not_open_for_another_purpose() -> None:
    with pytest.raises(SealError, match="another purpose"):
        unseal(seal("王秀英", "contact.name/7"), "contact.name/8")


@given(st.data())
def test_one_changed_bit_anywhere_is_noticed(data: Any) -> None:
    sealed = bytearray(seal("王秀英", "contact.name"))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        unseal(bytes(sealed), "contact.name")


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x01\x01short", bytes(40)])
def test_what_was_never_sealed_is_refused(value: bytes) -> None:
    with pytest.raises(SealError):
        unseal(value, "contact.name")


def test_another_installation_cannot_open_it(tmp_path: Path, settings: Any) -> None:
    sealed = seal("王秀英", "contact.name")
    settings.HOME = tmp_path
    with pytest.raises(SealError):
        unseal(sealed, "contact.name")
    assert (tmp_path / "keys" / "sealing").stat().st_mode & 0o077 == 0
