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
    "kept",  # what the reader keeps, as JSON: cases that nobody else sees
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
#: For whom is read ...
_reader: ContextVar[Context | None] = ContextVar("lucheng_reader")
#: ... and what stands in its place for a stretch of code that reads everything.
_opened: ContextVar[Context | None] = ContextVar("lucheng_opened", default=None)


def process() -> Context | None:
    """The context of everything in this process that asks for none."""
    return _process


def wall(context: Context) -> None:
    """Wall this process in for good, before its first connection. ``context`` holds where nothing else does."""
    global _process
    _process = context


def reader() -> Context | None:
    """For whom is read here, whether or not the walls stand open for the moment."""
    return _reader.get(_process)


def current() -> Context | None:
    """The context that the next statement will run in."""
    opened = _opened.get()
    return reader() if opened is None else opened


def parameters(context: Context | None) -> tuple[str, ...]:
    """The parameters of :data:`TELL`."""
    return _OWNER if context is None else context.parameters()


@contextmanager
def within(context: Context) -> Iterator[None]:
    """Run a stretch of code in a context."""
    before, shut = _reader.set(context), _opened.set(None)
    try:
        yield
    finally:
        _opened.reset(shut)
        _reader.reset(before)


def become(context: Context) -> None:
    """Read for somebody else from here on, until the stretch that :func:`within` began ends. Walls that stand open stay
    open for as long as they were to."""
    _reader.set(context)


@contextmanager
def everything(why: str) -> Iterator[None]:
    """Read and write every row, for a reason that is said here and stands in the list that a test holds.

    Only inside walls: the owner of the tables sees everything anyway.
    """
    if reader() is None:
        yield
        return
    before = _opened.set(Context({"everything": why}))
    try:
        yield
    finally:
        _opened.reset(before)
