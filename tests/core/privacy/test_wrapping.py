"""The keys that seal lie wrapped, by a key file or by a key service; what they seal outlives every change of that."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from lucheng import keys
from lucheng.core.privacy import cli, sealing, wrapping
from lucheng.core.privacy.sealing import SealError, blind_index, seal, unseal
from lucheng.core.privacy.wrapping import KeysAway
from tests.core.privacy.keeper import TOKEN, KeyService

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    settings.HOME = tmp_path / "home"
    monkeypatch.setattr(wrapping.VaultWrapping, "PAUSE", 0.0)
    yield settings.HOME
    sealing.forget()


@pytest.fixture
def service(tmp_path: Path, settings: Any) -> Iterator[KeyService]:
    made = KeyService(tmp_path / "service")
    made.start()
    settings.WRAPPING, settings.VAULT_URL, settings.VAULT_TOKEN = "vault", made.url, TOKEN
    settings.OUTGOING_HOSTS = {"127.0.0.1", "localhost"}
    yield made
    made.stop()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    app = typer.Typer()
    cli.register(app)
    return lambda *words: CliRunner().invoke(app, ["privacy", *words], catch_exceptions=False)


def held(home: Path, name: str = "sealing") -> dict[str, str]:
    content: dict[str, str] = json.loads((home / "keys" / name).read_bytes())
    return content


def bare(home: Path) -> bytes:
    """An installation as release 0.1.0 left it."""
    (home / "keys").mkdir(parents=True)
    (home / "keys" / "sealing").write_bytes(bytes(range(32)))
    (home / "keys" / "index").write_bytes(bytes(range(32, 64)))
    return seal("王秀英", "contact.name/7")


def opens(value: bytes) -> bool:
    """Whether a process that starts now opens it."""
    sealing.forget()
    return unseal(value, "contact.name/7") == "王秀英"


@pytest.mark.parametrize("suite", ["aes", "sm4"])
def test_a_key_lies_wrapped_and_the_key_over_it_where_it_was_told(
    suite: str, home: Path, tmp_path: Path, settings: Any
) -> None:
    settings.SEALING, settings.WRAPPING_KEYS = suite, tmp_path / "apart"
    value, index = seal("王秀英", "contact.name/7"), blind_index("13800132210")
    assert [held(home, name)["wrapping"] for name in ("sealing", "index")] == ["file", "file"]
    assert wrapping.opened(home, "sealing") not in (home / "keys" / "sealing").read_bytes()
    assert {f.name for f in (home / "keys").iterdir()} == {"sealing", "index"}
    assert (tmp_path / "apart" / "wrapping").stat().st_mode & 0o077 == 0
    assert opens(value) and blind_index("13800132210") == index


def test_keys_of_release_0_1_0_open_as_they_are_and_are_wrapped_when_told(home: Path, run: Run) -> None:
    value, index = bare(home), blind_index("13800132210")
    assert opens(value)
    assert "it lies bare" in run("rewrap").output or held(home)["key"] == "1"
    assert held(home)["wrapping"] == held(home, "index")["wrapping"] == "file"
    assert opens(value) and blind_index("13800132210") == index


def test_a_new_wrapping_key_changes_no_value_and_the_old_one_is_needed_no_more(home: Path, run: Run) -> None:
    value = bare(home)
    sealing.new(home)
    run("rewrap")
    result = run("rewrap", "--new")
    assert result.exit_code == 0 and "wrapping key 2 is made" in result.output
    assert {held(home, name)["key"] for name in ("sealing", "sealing-2", "index")} == {"2"}
    (home / "keys" / "wrapping").unlink()
    assert opens(value) and sealing.header()[1] == 2


def test_a_lost_wrapping_key_is_named_and_never_made_again(home: Path, run: Run) -> None:
    value = seal("王秀英", "contact.name/7")
    wrapped = (home / "keys" / "wrapping").read_bytes()
    (home / "keys" / "wrapping").unlink()
    sealing.forget()
    with pytest.raises(KeysAway, match="put it back"):
        unseal(value, "contact.name/7")
    with pytest.raises(KeysAway, match="put it back"):
        sealing.new(home)
    assert run("rewrap").exit_code == 1
    assert not (home / "keys" / "wrapping").exists() and not (home / "keys" / "sealing-2").exists()
    (home / "keys" / "wrapping").write_bytes(wrapped)
    assert opens(value)


def test_a_wrapped_key_in_the_place_of_another_or_changed_by_a_bit_does_not_open(home: Path) -> None:
    seal("x", "y")
    sealing.new(home)
    folder = home / "keys"
    second = (folder / "sealing-2").read_bytes()
    (folder / "sealing-2").write_bytes((folder / "sealing").read_bytes())
    sealing.forget()
    with pytest.raises(SealError, match="was changed"):
        seal("x", "y")
    at = second.index(b'"wrapped":"') + 20
    (folder / "sealing-2").write_bytes(
        second[:at] + (b"A" if second[at : at + 1] != b"A" else b"B") + second[at + 1 :]
    )
    with pytest.raises(SealError):
        seal("x", "y")
    (folder / "sealing-2").write_bytes(second[:60])
    with pytest.raises(SealError, match="not the whole key"):
        seal("x", "y")


def test_stopped_between_two_keys_everything_opens_and_the_rest_is_done_later(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = bare(home)
    replaced = keys.replace

    def crash(where: Path, name: str, content: bytes) -> None:
        if name == "index":
            raise KeyboardInterrupt
        replaced(where, name, content)

    monkeypatch.setattr(keys, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        wrapping.rewrap(home)
    assert [e is None for _name, e in wrapping.envelopes(home)] == [False, True]
    assert opens(value)
    monkeypatch.setattr(keys, "replace", replaced)
    assert wrapping.rewrap(home) == []
    assert all(e is not None for _name, e in wrapping.envelopes(home))
    assert not list((home / "keys").glob(".*"))


def test_a_key_service_is_asked_once_for_each_key_and_never_for_a_value(
    home: Path, service: KeyService
) -> None:
    value = seal("王秀英", "contact.name/7")
    blind_index("13800132210")
    assert held(home)["wrapped"].startswith("vault:v1:")
    sealing.forget()
    before = service.asked
    sealing.open_all()
    assert service.asked == before + 2
    for n in range(50):
        assert unseal(seal(str(n), "p"), "p") == str(n)
    assert unseal(value, "contact.name/7") == "王秀英"
    service.stop()
    assert unseal(seal("x", "p"), "p") == "x"
    assert not (home / "keys" / "wrapping").exists()


def test_a_service_that_does_not_answer_is_named_and_nothing_is_made(home: Path, service: KeyService) -> None:
    service.stop()
    with pytest.raises(KeysAway, match=rf"key service at {service.url}.* does not answer"):
        sealing.open_all()
    with pytest.raises(KeysAway):
        seal("x", "p")
    assert not (home / "keys" / "sealing").exists()
    service.start()
    assert unseal(seal("x", "p"), "p") == "x"


def test_a_silent_service_is_not_asked_again_at_once(
    home: Path, service: KeyService, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(wrapping.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(wrapping.VaultWrapping, "PAUSE", 3.0)
    monkeypatch.setattr(wrapping.VaultWrapping, "_silent", (0.0, ""))
    service.stop()
    for _ in range(2):
        with pytest.raises(KeysAway, match="does not answer"):
            seal("x", "p")
    service.start()
    with pytest.raises(KeysAway, match="does not answer"):
        seal("x", "p")
    assert service.asked == 0
    now[0] += 3.0
    assert unseal(seal("x", "p"), "p") == "x"


def test_what_the_service_refuses_is_said(
    home: Path, service: KeyService, settings: Any, tmp_path: Path
) -> None:
    settings.VAULT_TOKEN = "another"
    with pytest.raises(KeysAway, match="does not take our token"):
        seal("x", "p")
    settings.VAULT_TOKEN_FILE = str(tmp_path / "token")
    with pytest.raises(KeysAway, match="cannot be read"):
        seal("x", "p")
    (tmp_path / "token").write_text(TOKEN + "\n")
    settings.VAULT_KEY = "nobody"
    with pytest.raises(KeysAway, match="no such key"):
        seal("x", "p")
    settings.VAULT_KEY = "lucheng"
    assert unseal(seal("x", "p"), "p") == "x"


def test_a_key_rotated_in_the_service_is_taken_up_by_rewrapping(
    home: Path, service: KeyService, run: Run
) -> None:
    value = seal("王秀英", "contact.name/7")
    service.rotate()
    assert opens(value)
    assert run("rewrap", "--new").exit_code == 1
    result = run("rewrap")
    assert result.exit_code == 0 and "v2" in result.output
    assert held(home)["wrapped"].startswith("vault:v2:")
    assert opens(value)


def test_keys_move_from_a_file_to_a_service_and_back(
    home: Path, service: KeyService, settings: Any, run: Run
) -> None:
    settings.WRAPPING = "file"
    value = bare(home)
    for kind in ("file", "vault", "file"):
        settings.WRAPPING = kind
        assert opens(value)  # whatever it is wrapped by now
        assert run("rewrap").exit_code == 0
        assert held(home)["wrapping"] == kind
    service.stop()
    assert opens(value)


def test_keys_wrapped_by_a_service_that_is_not_set_up_are_shut_in_words(
    home: Path, service: KeyService, settings: Any
) -> None:
    seal("x", "p")
    sealing.forget()
    settings.WRAPPING, settings.VAULT_URL = "file", ""
    with pytest.raises(KeysAway, match="LUCHENG_VAULT_URL"):
        sealing.open_all()


def test_rewrapping_replaces_nothing_while_the_service_is_away(
    home: Path, service: KeyService, run: Run
) -> None:
    value = seal("王秀英", "contact.name/7")
    before = (home / "keys" / "sealing").read_bytes()
    service.stop()
    result = run("rewrap")
    assert result.exit_code == 1 and "does not answer" in " ".join(result.output.split())
    assert (home / "keys" / "sealing").read_bytes() == before
    service.start()
    assert opens(value)


def test_a_new_key_that_cannot_be_opened_yet_holds_nobody_up(home: Path, service: KeyService) -> None:
    seal("x", "p")
    in_hand = sealing._key(home, 1)
    assert sealing.new(home) == 2
    service.stop()
    value = seal("王秀英", "contact.name/7")
    assert value[1] == 1 and sealing._key(home, 1) is in_hand
    service.start()
    assert seal("x", "p")[1] == 2
    assert opens(value)


def test_a_ciphertext_of_another_key_does_not_open(home: Path, service: KeyService) -> None:
    seal("x", "p")
    sealing.new(home)
    folder = home / "keys"
    (folder / "sealing").write_bytes((folder / "sealing-2").read_bytes())
    sealing.forget()
    with pytest.raises(SealError, match="refused by the key service"):
        sealing.open_all()


# --- TLS on both sides ------------------------------------------------------------------------------------------------


def certificate(
    folder: Path, name: str, signer: tuple[x509.Certificate, Any] | None
) -> tuple[x509.Certificate, Any]:
    """A certificate for 127.0.0.1 in ``folder/name.pem`` and its key in ``name.key``, signed by itself or a signer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer[0].subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), True)
        .sign(signer[1] if signer else key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made, key


def test_both_sides_show_their_certificates(tmp_path: Path, settings: Any) -> None:
    ca = certificate(tmp_path, "ca", None)
    for name in ("server", "client"):
        certificate(tmp_path, name, ca)
    certificate(tmp_path, "stranger", None)
    pem = {name: str(tmp_path / f"{name}.pem") for name in ("ca", "server", "client", "stranger")}
    service = KeyService(tmp_path / "service", (pem["server"], str(tmp_path / "server.key"), pem["ca"]))
    service.start()
    try:
        settings.WRAPPING, settings.VAULT_URL, settings.VAULT_TOKEN = "vault", service.url, TOKEN
        settings.OUTGOING_HOSTS = {"127.0.0.1", "localhost"}
        settings.VAULT_CERT, settings.VAULT_CERT_KEY = pem["client"], str(tmp_path / "client.key")
        settings.VAULT_CA = pem["stranger"]
        with pytest.raises(KeysAway, match=r"does not answer.*Cert"):
            seal("x", "p")
        settings.VAULT_CA, settings.VAULT_CERT = pem["ca"], ""
        with pytest.raises(KeysAway):
            seal("x", "p")
        settings.VAULT_CERT = str(tmp_path / "none.pem")
        with pytest.raises(KeysAway, match="cannot be read"):
            seal("x", "p")
        assert service.asked == 0
        settings.VAULT_CERT = pem["client"]
        assert unseal(seal("x", "p"), "p") == "x"
    finally:
        service.stop()
