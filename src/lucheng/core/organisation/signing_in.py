"""Sign-in is locked for a while after too many wrong passwords (GB/T 22239-2019 8.1.4.1 b).

A try is counted before its password is looked at and taken back when it was right: of many at the same moment no more
than the limit get as far as the password, and a process that dies in between leaves a try too many, never one too few.
Whether there is such a person is never asked here, so a lock says nothing about it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from lucheng.core.organisation.models import SignInTry


def _digest(kind: str, value: str) -> bytes:
    return salted_hmac(f"lucheng.sign-in.{kind}", value, algorithm="sha256").digest()


def _network(address: str) -> str:
    """An address, or of version 6 the /64 it lies in: one line has as many of those addresses as it likes."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(found if found.version == 4 else ipaddress.ip_network((found, 64), strict=False))


def _opens(tries: QuerySet[SignInTry], limit: int) -> dt.datetime | None:
    """When one more try is allowed, None for now: once the last but ``limit`` is old enough."""
    latest = list(tries.order_by("-at").values_list("at", flat=True)[:limit])
    return latest[-1] + settings.SIGN_IN_LOCK if len(latest) == limit else None


def begin(username: str, address: str, now: dt.datetime) -> dt.datetime | None:
    """Count a try to sign in. Where the name or the address is locked: until when, and nothing is counted."""
    name, line = _digest("name", username), _digest("address", _network(address))
    with transaction.atomic():
        with connection.cursor() as cursor:
            # In one order for everybody, so that two tries never wait for each other.
            for key in sorted(int.from_bytes(d[:8], "big", signed=True) for d in (name, line)):
                cursor.execute("select pg_advisory_xact_lock(%s)", [key])
        recent = SignInTry.objects.filter(at__gt=now - settings.SIGN_IN_LOCK)
        closed = [
            until
            for until in (
                _opens(recent.filter(name=name), settings.SIGN_IN_TRIES),
                _opens(recent.filter(address=line), settings.SIGN_IN_ADDRESS_TRIES),
            )
            if until is not None
        ]
        if closed:
            return max(closed)
        SignInTry.objects.create(name=name, address=line, at=now)
    return None


def forget(username: str) -> None:
    """The password was right, or a new one was given: the tries under this name no longer count."""
    SignInTry.objects.filter(name=_digest("name", username)).delete()


def forget_old(now: dt.datetime) -> int:
    """Delete the tries that no longer lock anything."""
    deleted, _by_model = SignInTry.objects.filter(at__lte=now - settings.SIGN_IN_LOCK).delete()
    return deleted
