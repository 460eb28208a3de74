"""How long a member of staff stays signed in (GB/T 22239-2019 8.1.4.1 b): until nothing has been asked for a while, and
no longer than a working day in any case. A resident's session has its own rule and is left alone here.

The moment of the last request is kept in the session to the minute, so that a busy person costs one write a minute and
not one a request. It is never kept too late: a session may end up to a minute early, never late.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

_BEGUN, _SEEN, _PROVEN = "begun", "seen", "second_factor"
#: The last request is written down again after so long.
COARSE = dt.timedelta(minutes=1)


def begin(session: SessionBase, now: dt.datetime) -> None:
    """Somebody has signed in with this session."""
    session[_BEGUN] = session[_SEEN] = int(now.timestamp())
    session.pop(_PROVEN, None)
    session.set_expiry(settings.SESSION_LONGEST)


def over(session: SessionBase, now: dt.datetime) -> bool:
    """Whether the session of somebody who signed in has come to its end; also where nothing says when it began."""
    begun, seen = session.get(_BEGUN), session.get(_SEEN)
    if not isinstance(begun, int) or not isinstance(seen, int):
        return True
    at = now.timestamp()
    return (
        at - begun >= settings.SESSION_LONGEST.total_seconds()
        or at - seen >= settings.SESSION_IDLE.total_seconds()
    )


def touch(session: SessionBase, now: dt.datetime) -> None:
    """Its holder has asked for something."""
    if now.timestamp() - session[_SEEN] >= COARSE.total_seconds():
        session[_SEEN] = int(now.timestamp())


def prove(session: SessionBase) -> None:
    """Its holder has shown a second factor."""
    session[_PROVEN] = True


def proven(session: SessionBase) -> bool:
    """Whether its holder has shown a second factor."""
    return session.get(_PROVEN) is True
