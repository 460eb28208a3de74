"""For whom the database is read: carried by each connection, and held by row-level security.

A walled process (web server, worker) reaches the database as a role that owns no table. What that role sees follows
from settings of the connection, named ``lucheng.…``; policies read them (:mod:`lucheng.core.cases.policies`). With none
set it sees no case. A command of the operator runs as the owner of the tables, for whom there are no walls.

A context is wanted for a stretch of code, and told to the database only when a statement follows, in one round trip.
The settings hold for the connection rather than for a transaction: most pages read outside one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

#: The role of walled processes. It is made by ``lucheng migrate`` and owns nothing.
ROLE = "lucheng_web"
#: What a policy may ask, each empty where the context does not say.
SETTINGS = (
    "everything",  # why every row is read
    "code",  # one tracking code
    "place_from",  # a range of places that holds all posts ...
    "place_to",
    "confidential",  # ... "on" where one of them sees confidential cases
    "exact",  # "on" where those two say all that the posts say
    "grants",  # else the posts, as JSON
    "recused",  # units whose accused cases are never seen, as an array
)


@dataclass(frozen=True)
class Context:
    """What the database is told of a reader. ``None`` in its place stands for the owner of the tables."""

    told: Mapping[str, str] = field(default_factory=dict)

    def parameters(self) -> tuple[str, ...]:
        return (ROLE, *(self.told.get(name, "") for name in SETTINGS))


#: Sees no case.
NOTHING = Context()

#: The statement that tells the database, with its parameters in the order of :meth:`Context.parameters`.
TELL = "select set_config('role', %s, {local}), " + ", ".join(
    f"set_config('lucheng.{name}', %s, {{local}})" for name in SETTINGS
)
_OWNER = ("none", *("" for _ in SETTINGS))

_process: Context | None = None
_wanted: ContextVar[Context | None] = ContextVar("lucheng_context")


def process() -> Context | None:
    """The context of everything in this process that asks for none."""
    return _process


def wall(context: Context) -> None:
    """Wall this process in for good, before its first connection. ``context`` holds where nothing else does."""
    global _process
    _process = context


def current() -> Context | None:
    """The context that the next statement will run in."""
    return _wanted.get(_process)


def parameters(context: Context | None) -> tuple[str, ...]:
    """The parameters of :data:`TELL`."""
    return _OWNER if context is None else context.parameters()


@contextmanager
def within(context: Context) -> Iterator[None]:
    """Run a stretch of code in a context."""
    before = _wanted.set(context)
    try:
        yield
    finally:
        _wanted.reset(before)


def become(context: Context) -> None:
    """Go on in another context, until the stretch that :func:`within` began ends."""
    _wanted.set(context)


@contextmanager
def everything(why: str) -> Iterator[None]:
    """Read and write every row, for a reason that is said here and stands in the list that a test holds.

    Only inside walls: the owner of the tables sees everything anyway.
    """
    if current() is None:
        yield
        return
    with within(Context({"everything": why})):
        yield
