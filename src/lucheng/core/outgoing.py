"""The one way out: every call to another machine goes through :func:`call`.

An address may be written by somebody, and a name may be made to point anywhere. So the name is looked up once, what it
points to is judged, and the connection goes to that very machine. An address inside the house (loopback, an intranet,
the metadata service of a cloud) is called only where the operator has named its host in ``LUCHENG_OUTGOING_HOSTS``.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

#: Seconds for connecting, and again for all that comes after.
TIMEOUT = 10.0
#: Bytes of an answer; none that we ask for is near it.
MOST = 1024 * 1024
_VISIBLE = re.compile(r"[!-~]+")


class Unreachable(Exception):  # noqa: N818 (an answer, not a fault)
    """No answer came, or none was asked for since the address may not be called. The text holds no path or query."""


class NotAllowed(Unreachable):
    """The address is one that this installation does not call. Trying again cannot help."""


@dataclass(frozen=True)
class Answer:
    """What came back. A redirect is an answer as any other: nothing follows it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def _split(address: str) -> SplitResult:
    """The parts of an address. Raises NotAllowed where it is none of http or https to a host."""
    try:
        if not _VISIBLE.fullmatch(address):
            raise ValueError
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError
    except ValueError:
        raise NotAllowed("the address must be http:// or https:// with a host") from None
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("the address may not hold a user name or password")
    return parts


def _public(number: str) -> bool:
    """Whether an IP address is one of the open internet's: nothing of this machine, its network or its cloud."""
    ip = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv4 address may travel inside one of IPv6: mapped, 6to4, Teredo, NAT64.
        nat64 = ip in ipaddress.ip_network("64:ff9b::/96")
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        inner = inner or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if nat64 else None)
        if inner:
            return _public(str(inner))
    return ip.is_global and not ip.is_multicast


def _resolve(host: str, port: int) -> list[str]:
    """The machines that a name points to. Raises NotAllowed where one of them lies inside and the operator has not
    named the host; Unreachable where there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(f"the name {host} cannot be found") from None
    numbers = [str(address[0]) for _family, _type, _protocol, _name, address in found]
    if host not in settings.OUTGOING_HOSTS and not all(map(_public, numbers)):
        raise NotAllowed(
            f"{host} lies inside this network: if it is meant, name it in LUCHENG_OUTGOING_HOSTS"
        )
    return numbers


class _Pinned(http.client.HTTPConnection):
    """A connection to machines that were looked up and judged before; no name is looked up again."""

    def __init__(
        self, host: str, port: int, numbers: list[str], timeout: float, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        self.late = False
        self._numbers = numbers
        self._tls = tls
        self.default_port = (
            443 if tls is not None else 80
        )  # named in the Host header unless it goes without saying

    def connect(self) -> None:
        for left, number in enumerate(self._numbers):
            try:
                self.sock = socket.create_connection((number, self.port), self.timeout)
                break
            except OSError:
                if left == len(self._numbers) - 1:
                    raise
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """End it from another thread: whoever waits for a byte waits no longer."""
        self.late = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


def call(
    method: str,
    address: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    timeout: float = TIMEOUT,
    most: int = MOST,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Ask another machine, whatever its answer's status. No proxy of the environment is used, no redirect followed.

    ``timeout`` is in seconds, for connecting and then for all the rest; ``most`` in bytes of the answer's body;
    ``tls`` is for a peer with a certificate of its own authority, or that wants one of ours.

    Raises NotAllowed where the address may not be called, Unreachable where no whole answer came.
    """
    parts = _split(address)
    host = parts.hostname
    assert host is not None
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    context = (tls or ssl.create_default_context()) if secure else None
    connection = _Pinned(host, port, _resolve(host, port), timeout, context)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    late = threading.Timer(2 * timeout, connection.cut)  # also where each single wait is short
    late.daemon = True
    late.start()
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        read = answer.read(most + 1)
        if len(read) > most:
            raise Unreachable(f"{host} answers with more than {most} bytes")
        if connection.late or answer.length:  # cut within the headers or the body
            raise Unreachable(f"the answer of {host} is not whole")
        return Answer(answer.status, dict(answer.getheaders()), read)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"no answer from {host}: {type(error).__name__}") from None
    finally:
        late.cancel()
        connection.close()
