"""What is sealed opens only whole, only for its purpose and only under its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lucheng.core.privacy import wrapping
from lucheng.core.privacy.ciphers import SM4GCM
from lucheng.core.privacy.sealing import (
    NUMBERS,
    SealError,
    blind_index,
    blind_indexes,
    file,
    header,
    new,
    newest,
    seal,
    unseal,
)

#: The suite stays the same from example to example.
fixed = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["aes", "sm4"], autouse=True)
def suite(request: pytest.FixtureRequest, settings: Any) -> str:
    """Everything here holds for both suites."""
    settings.SEALING = request.param
    return str(request.param)


@fixed
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


@fixed
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
    with pytest.raises(SealError, match="no key 1"):
        unseal(sealed, "contact.name")
    seal("王秀英", "contact.name")  # makes a key of its own
    assert (tmp_path / "keys" / "sealing").stat().st_mode & 0o077 == 0
    with pytest.raises(SealError, match="another key"):
        unseal(sealed, "contact.name")


def test_a_value_opens_whichever_suite_is_chosen_now(suite: str, settings: Any) -> None:
    sealed = seal("王秀英", "contact.name")
    assert sealed[0] == NUMBERS[suite]
    for other in NUMBERS:
        settings.SEALING = other
        assert unseal(sealed, "contact.name") == "王秀英"


def test_a_value_of_one_suite_does_not_open_as_the_other(suite: str) -> None:
    sealed = bytearray(seal("王秀英", "contact.name"))
    sealed[0] = 3 - sealed[0]
    with pytest.raises(SealError):
        unseal(bytes(sealed), "contact.name")


def test_what_release_0_1_0_sealed_opens(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "sealing").write_bytes(bytes(range(32)))
    settings.HOME = tmp_path
    nonce, head = bytes(range(12)), b"\x01\x01"
    body = AESGCM(bytes(range(32))).encrypt(nonce, "王秀英".encode(), head + b"contact.name/7")
    new(tmp_path)
    assert unseal(head + nonce + body, "contact.name/7") == "王秀英"


def test_a_new_key_is_used_at_once_and_the_old_values_still_open(
    suite: str, tmp_path: Path, settings: Any
) -> None:
    settings.HOME = tmp_path
    old = seal("王秀英", "contact.name")
    assert new(tmp_path) == 2
    later = seal("王秀英", "contact.name")
    assert (old[1], later[1]) == (1, 2)
    assert unseal(old, "contact.name") == unseal(later, "contact.name") == "王秀英"
    assert (tmp_path / "keys" / "sealing-2").stat().st_mode & 0o777 == 0o600


def test_a_key_that_comes_later_is_found_without_a_restart(tmp_path: Path, settings: Any) -> None:
    settings.HOME, settings.WRAPPING_KEYS = tmp_path / "there", tmp_path / "wrapping"
    newest(settings.HOME)
    new(settings.HOME)
    sealed = seal("王秀英", "contact.name")
    settings.HOME = here = tmp_path / "here"
    assert seal("x", "y")[1] == 1
    with pytest.raises(SealError, match="no key 2"):
        unseal(sealed, "contact.name")
    (here / "keys" / "sealing-2").write_bytes((tmp_path / "there" / "keys" / "sealing-2").read_bytes())
    assert unseal(sealed, "contact.name") == "王秀英"


def test_nothing_is_sealed_under_half_a_key(tmp_path: Path, settings: Any) -> None:
    settings.HOME = tmp_path
    seal("x", "y")
    (tmp_path / "keys" / "sealing-2").write_bytes(bytes(16))
    with pytest.raises(SealError, match="not the whole key"):
        seal("x", "y")
    (tmp_path / "keys" / "sealing-2").write_bytes(bytes(32))
    assert unseal(seal("x", "y"), "y") == "x"


def test_a_key_taken_away_is_not_made_again_and_its_number_is_not_given_again(
    tmp_path: Path, settings: Any
) -> None:
    settings.HOME = tmp_path
    newest(tmp_path)
    assert [new(tmp_path), new(tmp_path)] == [2, 3]
    for gone in (1, 2):
        file(tmp_path, gone).unlink()
    (tmp_path / "keys" / "sealing-4.old").write_bytes(b"no key of ours")
    assert header()[1] == 3
    with pytest.raises(FileNotFoundError):
        wrapping.opened(tmp_path, "sealing")


def test_there_is_no_key_256(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    file(tmp_path, 255).write_bytes(bytes(32))
    with pytest.raises(OverflowError):
        new(tmp_path)


def test_sm4_is_the_cipher_of_the_standard() -> None:
    """The example of RFC 8998, appendix A.1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    cipher = SM4GCM.__new__(SM4GCM)
    cipher._sm4 = algorithms.SM4(key)  # the example gives the cipher's own key, not what it is derived from
    plain = bytes.fromhex(
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
        "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"
    )
    nonce, data = (
        bytes.fromhex("00001234567800000000abcd"),
        bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    )
    sealed = cipher.encrypt(nonce, plain, data)
    assert sealed.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert cipher.decrypt(nonce, sealed, data) == plain


def test_the_blind_index_goes_with_the_suite_and_is_found_under_either(suite: str) -> None:
    assert len(blind_index("13800132210")) == 32
    assert blind_index("13800132210") in blind_indexes("13800132210")
    assert len(set(blind_indexes("13800132210"))) == 2
    assert blind_index("13800132210") not in blind_indexes("13800132211")


def test_the_blind_index_outlives_a_new_key(tmp_path: Path, settings: Any) -> None:
    settings.HOME = tmp_path
    before = blind_index("13800132210")
    new(tmp_path)
    assert blind_index("13800132210") == before
