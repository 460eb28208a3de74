"""Nothing inside the house can be called from it by writing an address somewhere (SSRF)."""

from __future__ import annotations

import ast
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lucheng.core.outgoing import NotAllowed, Unreachable, call

SOURCE = Path(__file__).parents[2] / "src" / "lucheng"
#: What opens connections, and may stand in core/outgoing.py alone.
WAYS_OUT = {
    *("aiohttp", "ftplib", "http.client", "httpx", "imaplib", "poplib", "requests", "smtplib", "socket"),
    *("socketserver", "telnetlib", "urllib.request", "urllib3", "xmlrpc"),
}
#: These call what runs on the same desk: the server that `lucheng demo` has just started, and the installation that
#: whoever runs `lucheng replay` names on its command line.
AT_HOME = {"demo/serving.py", "channels/hotline/replay.py"}
#: Its library's requests are carried by the one way out.
CARRIED = {"web/single_sign_on.py"}

INSIDE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://100.100.100.200/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
]
NO_ADDRESS = [
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "unix:///run/x.sock",
    "//example.com/",
    "http://",
    "http:///path",
    "http://example.com:0/",
    "http://example.com:99999/",
    "http://user:secret@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com/\r\nX: y",
    "http://exa mple.com/",
    "http://例子.example/",
    "",
]


@contextmanager
def serving(
    answer: Callable[[BaseHTTPRequestHandler], None], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """A real server on loopback; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def says(status: int, body: bytes = b"", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture(autouse=True)
def _nothing_named(settings: Any) -> None:
    settings.OUTGOING_HOSTS = frozenset()


def test_nothing_else_opens_connections() -> None:
    found = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            if any(name in WAYS_OUT or name.partition(".")[0] in WAYS_OUT for name in names):
                found.add(str(file.relative_to(SOURCE)))
    assert found == AT_HOME | CARRIED | {"core/outgoing.py"}


@pytest.mark.parametrize("address", INSIDE)
def test_what_lies_inside_is_not_called(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*args: Any) -> None:
        raise AssertionError(f"a connection was opened: {args}")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable) as refused:
        call("GET", address)
    # Where this machine has no IPv6, a name of it may not be found at all.
    assert isinstance(refused.value, NotAllowed) or "[" in address


@pytest.mark.parametrize("address", NO_ADDRESS)
def test_what_is_no_address_of_the_web_is_refused(address: str) -> None:
    with pytest.raises(NotAllowed):
        call("GET", address)


def test_a_host_that_the_operator_names_is_called_and_no_other_name_of_the_same_machine(
    settings: Any,
) -> None:
    settings.OUTGOING_HOSTS = frozenset({"127.0.0.1"})
    with serving(says(200, b"ok")) as port:
        assert call("GET", f"http://127.0.0.1:{port}/x?y=1").body == b"ok"
        with pytest.raises(NotAllowed):
            call("GET", f"http://localhost:{port}/")
        with pytest.raises(NotAllowed):
            call("GET", f"http://127.0.0.2:{port}/")


def test_a_name_is_looked_up_once_and_that_machine_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the second look would find a machine inside."""
    looks, called = [], []

    def look(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        looks.append(host)
        number = "93.184.215.14" if len(looks) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port))]

    def connect(address: tuple[str, int], *args: Any) -> socket.socket:
        called.append(address)
        raise OSError("not from here")

    monkeypatch.setattr(socket, "getaddrinfo", look)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Unreachable):
        call("GET", "http://rebinding.example/")
    assert (looks, called) == (["rebinding.example"], [("93.184.215.14", 80)])


def test_a_name_that_points_outside_and_inside_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (n, 80)) for n in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: both)
    with pytest.raises(NotAllowed):
        call("GET", "http://both.example/")


def test_a_redirect_is_an_answer_and_is_not_followed(settings: Any) -> None:
    settings.OUTGOING_HOSTS = frozenset({"127.0.0.1"})
    with serving(says(302, Location="http://169.254.169.254/")) as port:
        answer = call("GET", f"http://127.0.0.1:{port}/")
    assert (answer.status, answer.headers["Location"]) == (302, "http://169.254.169.254/")


def test_an_answer_without_end_is_left(settings: Any) -> None:
    settings.OUTGOING_HOSTS = frozenset({"127.0.0.1"})
    with (
        serving(says(200, b"x" * 5000)) as port,
        pytest.raises(Unreachable, match="more than 4096 bytes"),
    ):
        call("GET", f"http://127.0.0.1:{port}/", most=4096)


@pytest.mark.parametrize("within", ["headers", "body"])
def test_who_answers_a_byte_at_a_time_is_left(settings: Any, within: str) -> None:
    settings.OUTGOING_HOSTS = frozenset({"127.0.0.1"})
    done = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        start = b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 9999\r\n\r\n" if within == "body" else b"")
        try:
            handler.wfile.write(start)
            while not done.wait(0.02):
                handler.wfile.write(b"x")
        except OSError:
            pass

    with serving(drip) as port, pytest.raises(Unreachable):
        try:
            call("GET", f"http://127.0.0.1:{port}/", timeout=0.2)
        finally:
            done.set()


def test_no_proxy_of_the_environment_is_asked(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OUTGOING_HOSTS = frozenset({"127.0.0.1"})
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with serving(says(200, b"straight")) as port:
        assert call("GET", f"http://127.0.0.1:{port}/").body == b"straight"


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    (folder / "key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (folder / "certificate").write_bytes(made.public_bytes(pem))
    return folder / "certificate", folder / "key"


def test_a_certificate_is_checked_against_the_name_that_was_called(settings: Any, tmp_path: Path) -> None:
    settings.OUTGOING_HOSTS = frozenset({"127.0.0.1", "localhost"})
    certificate, key = _certificate(tmp_path, "127.0.0.1")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with serving(says(200, b"sealed"), server) as port:
        assert call("GET", f"https://127.0.0.1:{port}/", tls=trusting).body == b"sealed"
        with pytest.raises(Unreachable):  # another name than the certificate's
            call("GET", f"https://localhost:{port}/", tls=trusting)
        with pytest.raises(Unreachable):  # an authority that nobody trusts
            call("GET", f"https://127.0.0.1:{port}/")
