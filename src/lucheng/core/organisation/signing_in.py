"""Sign-in is locked for a while after too many wrong passwords (GB/T 22239-2019 8.1.4.1 b).

A try is counted before its password is looked at and taken back when it was right (lucheng.core.limits). Whether there
is such a person is never asked here, so a lock says nothing about it.
"""

from __future__ import annotations

import datetime as dt

from lucheng.core.limits import counting
from lucheng.core.limits.counting import Try


def begin(username: str, address: str, now: dt.datetime) -> dt.datetime | None:
    """Count a try to sign in. Where the name or the address is locked: until when, and nothing is counted."""
    return counting.count(now, Try("sign-in.name", username), counting.by_address("sign-in.address", address))


def succeeded(username: str, address: str) -> None:
    """The password was right: the tries under this name begin anew, and this one does not count for the address."""
    forget(username)
    counting.give_back(counting.by_address("sign-in.address", address))


def forget(username: str) -> None:
    """The tries under this name no longer count, since there is a new password."""
    counting.forget(Try("sign-in.name", username))
