"""A hot standby of the embedded database: a second server that holds every transaction a moment later, or at once.

The standby is an installation of its own (another ``LUCHENG_HOME``, on another machine) whose database begins as a base
backup and then follows the primary's log through a replication slot. It reaches the primary by its Unix socket; between
machines ssh carries that socket, so that nothing listens on the network.

When the primary *requires* its standby, every commit waits until the standby has it on its disk
(``synchronous_standby_names``). Only then is nothing that was acknowledged lost with the primary, and only then may the
standby take over by itself: a primary that lives on behind a broken line acknowledges nothing without it. See
docs/decisions/0321.
"""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from lucheng import backups, embedded
from lucheng.backups import Failed, Progress

log = logging.getLogger(__name__)

#: Seconds for a server to answer; one that is well answers in milliseconds.
_ANSWER = 3
#: Seconds for a server to come up, or to read the rest of its log.
_PATIENCE = 3600.0
_BETWEEN_LOOKS = 1.0  # seconds


def _connect(folder: Path, database: str = embedded.DATABASE) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(folder), user="postgres", dbname=database, connect_timeout=_ANSWER, autocommit=True
    )


def _ask(folder: Path, question: str, *values: object) -> tuple[object, ...] | None:
    """One row from the server in a folder. Raises psycopg.OperationalError where it does not answer."""
    with _connect(folder) as conn:
        conn.execute(f"set statement_timeout = '{_ANSWER}s'")
        return conn.execute(question, values).fetchone()


def follows() -> bool:
    """Whether the embedded database of this home follows another one. Its server need not run."""
    return (embedded.data_folder() / "standby.signal").exists()


def _source() -> Path:
    """Where the primary's socket is, as this standby knows it."""
    row = _ask(embedded.data_folder(), "show primary_conninfo")
    assert row is not None
    said = psycopg.conninfo.conninfo_to_dict(str(row[0]))
    return Path(str(said["host"]))


# --- becoming one ---------------------------------------------------------------------------------------------------


def follow(source: Path, now: dt.datetime, report: Progress = lambda done, total: None) -> Path | None:
    """Make the embedded database of this home a standby of the server whose socket lies in ``source``, and start it.

    ``source`` may also be the primary's home. What lay here is moved aside; returns where to. Raises Failed, and then
    nothing here has been changed.
    """
    folder = source / "postgres" if (source / "postgres").is_dir() else source
    data = embedded.data_folder()
    if folder.resolve() == data.resolve():
        raise Failed("A database cannot follow itself: set LUCHENG_HOME to the standby's own folder.")
    embedded.check_socket_path(data)
    draft = data.with_name("standby.partial")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    _take_slot(folder)
    try:
        backups.run_tool(
            "pg_basebackup",
            f"--pgdata={draft / 'postgres'}",
            f"--host={folder}",
            "--username=postgres",
            f"--slot={embedded.STANDBY}",
            "--wal-method=stream",
            "--checkpoint=fast",
            "--manifest-checksums=SHA256",
            "--progress",
            report=report,
        )
        backups.check(draft)
    except BaseException:
        # A slot that nobody reads would have the primary keep its log.
        with suppress(psycopg.Error):
            _ask(folder, "select pg_drop_replication_slot(%s)", embedded.STANDBY)
        raise
    copy = draft / "postgres"
    for left in ("log", embedded.SUPERSEDED, *(f.name for f in copy.glob(".s.PGSQL*"))):
        (copy / left).unlink(missing_ok=True)  # of a server that is not this one
    with (copy / "postgresql.auto.conf").open("a") as f:
        f.write(
            f"primary_conninfo = 'host=''{folder}'' user=postgres application_name={embedded.STANDBY}'\n"
            f"primary_slot_name = '{embedded.STANDBY}'\n"
            "synchronous_standby_names = ''\n"  # the primary's: a standby that takes over begins alone
        )
    (copy / "standby.signal").touch()
    embedded.stop()
    aside = backups.move_aside(data, now)
    copy.rename(data)
    shutil.rmtree(draft)
    data.chmod(0o700)
    embedded.prepare(data)
    embedded.give_to_server(data)
    start()
    return aside


def _take_slot(folder: Path) -> None:
    """Have the primary keep its log from now on. Raises Failed where it does not answer or has its standby."""
    try:
        with _connect(folder) as conn:
            if conn.execute("select pg_is_in_recovery()").fetchone() == (True,):
                raise Failed(f"The database in {folder} is a standby itself: follow the primary.")
            row = conn.execute(
                "select active from pg_replication_slots where slot_name = %s", [embedded.STANDBY]
            ).fetchone()
            if row == (True,):
                raise Failed("Another standby follows this primary: stop it first. There is one at a time.")
            if row is not None:
                conn.execute("select pg_drop_replication_slot(%s)", [embedded.STANDBY])
            conn.execute("select pg_create_physical_replication_slot(%s, true)", [embedded.STANDBY])
    except psycopg.Error as error:
        raise Failed(f"No primary answers in {folder}: {str(error).strip()}") from None


def start() -> None:
    """Start the embedded server of this home, however much log it has to read first. Raises Failed."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            embedded.ensure_running()
            return
        except (psycopg.OperationalError, subprocess.SubprocessError) as error:
            if not embedded.is_running() or time.monotonic() > end:
                raise Failed(
                    f"The server does not start; look into {embedded.data_folder() / 'log'}."
                ) from error
            time.sleep(0.5)


# --- the primary's side ---------------------------------------------------------------------------------------------


def require() -> None:
    """Have every commit wait for the standby from now on. Raises Failed where none follows."""
    with _connect(embedded.data_folder()) as conn:
        if conn.execute("select pg_is_in_recovery()").fetchone() == (True,):
            raise Failed("This database is the standby: give the command on the primary.")
        if not _streams(conn):
            raise Failed("No standby follows: nothing could be created. Start it first.")
        conn.execute(f"alter system set synchronous_standby_names = '{embedded.STANDBY}'")
        conn.execute("select pg_reload_conf()")
        end = time.monotonic() + 30
        while conn.execute(
            "select 1 from pg_stat_replication where application_name = %s and sync_state = 'sync'",
            [embedded.STANDBY],
        ).fetchone() != (1,):
            if time.monotonic() > end:
                raise Failed("The standby went away in this moment. Look at `lucheng status`.")
            time.sleep(0.1)
    # A connection that knows of it: this commit is the first that waits, so the standby has the mark.
    with _connect(embedded.data_folder()) as conn:
        conn.execute(f"alter database {embedded.DATABASE} set {embedded.REQUIRED} = 'yes'")


def release() -> bool:
    """Have commits wait for no standby any more, those that wait now included; True where the standby knows of it.

    Where it is away, it may still believe that it is required, and take over: see to it that it does not.
    """
    forget_mark = f"alter database {embedded.DATABASE} reset {embedded.REQUIRED}"
    with _connect(embedded.data_folder()) as conn:
        told = _streams(conn)
        if told:
            conn.execute(forget_mark)  # first, and on the standby's disk
        stand_alone(conn)
        if not told:
            conn.execute(forget_mark)
    return told


def stand_alone(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """Have a server's commits wait for nobody."""
    conn.execute("alter system reset synchronous_standby_names")
    conn.execute("select pg_reload_conf()")
    end = time.monotonic() + 30
    while _requires(conn) and time.monotonic() < end:
        time.sleep(0.05)


def _requires(conn: psycopg.Connection[tuple[object, ...]]) -> bool:
    return conn.execute("show synchronous_standby_names").fetchone() != ("",)


def _streams(conn: psycopg.Connection[tuple[object, ...]]) -> bool:
    return (
        conn.execute(
            "select 1 from pg_stat_replication where application_name = %s and state = 'streaming'",
            [embedded.STANDBY],
        ).fetchone()
        is not None
    )


def ready_for_work(patience: float = 30.0) -> None:
    """Return where this home's database may take writes. Raises Failed where it is a standby, or requires one and
    finds none within ``patience`` seconds: its standby may have taken over meanwhile."""
    end = time.monotonic() + patience
    with _connect(embedded.data_folder()) as conn:
        if conn.execute("select pg_is_in_recovery()").fetchone() == (True,):
            raise Failed(
                "This database follows another one and takes no writes. "
                "Only where the primary is gone: lucheng standby promote"
            )
        while _requires(conn) and not _streams(conn):
            if time.monotonic() > end:
                raise Failed(
                    "This database acknowledges nothing without its standby, and none follows. If the standby has "
                    "taken over, make this one its standby: lucheng standby follow. If it is only away, and will not "
                    "take over: lucheng standby release"
                )
            time.sleep(0.2)


# --- taking over ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Promotion:
    """What became the primary: ``whole`` where nothing acknowledged is lost, ``upto`` the last commit it has."""

    whole: bool
    upto: dt.datetime | None


def required() -> bool:
    """Whether all that this standby has received says that the primary acknowledges nothing without it."""
    row = _ask(embedded.data_folder(), f"select current_setting('{embedded.REQUIRED}', true)")
    return row == ("yes",)


def _primary_lives(source: Path) -> bool:
    """Whether the primary takes connections, or still sends its log: one with too many connections does."""
    try:
        return _ask(source, "select pg_is_in_recovery()") == (False,)
    except psycopg.Error:
        sent = _ask(embedded.data_folder(), "select 1 from pg_stat_wal_receiver where status = 'streaming'")
        return sent is not None


def promote() -> Promotion:
    """Make this standby the primary.

    Raises Failed where it is none, or the primary still lives: two that take writes would each hold what the other
    has not, and nothing puts them together again.
    """
    start()
    if not follows():
        raise Failed("This database follows no other: it is a primary already.")
    source = _source()
    if _primary_lives(source):
        raise Failed(
            f"The primary behind {source} still lives. Stop web server, worker and database there first (lucheng stop)."
        )
    with _connect(embedded.data_folder()) as conn:
        row = conn.execute("select pg_last_xact_replay_timestamp()").fetchone()
        conn.execute("select pg_promote(true, %s)", [int(_PATIENCE)])
        if conn.execute("select pg_is_in_recovery()").fetchone() == (True,):
            raise Failed(f"It still reads its log; look into {embedded.data_folder() / 'log'}.")
        stand_alone(conn)
    # All that was received is read now, the last word on what the primary promised included.
    whole = required()
    with _connect(embedded.data_folder()) as conn:
        conn.execute(f"alter database {embedded.DATABASE} reset {embedded.REQUIRED}")
    if (source / "PG_VERSION").exists():
        # The old primary's own folder, on this machine: it shall not start as one again.
        with suppress(OSError):
            (source / embedded.SUPERSEDED).write_text(f"{embedded.data_folder()}\n")
    upto = row[0] if row is not None and isinstance(row[0], dt.datetime) else None
    return Promotion(whole, upto)


def _up_to_date(source: Path) -> bool:
    """Whether the primary answers, requires us, and sends to us: what a take-over later may rest on."""
    try:
        with _connect(source) as conn:
            conn.execute(f"set statement_timeout = '{_ANSWER}s'")
            return _requires(conn) and _streams(conn)
    except psycopg.Error:
        return False


def _all_read() -> bool:
    """Whether the standby has read all that it has received."""
    return _ask(
        embedded.data_folder(),
        "select coalesce(pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn(), true)",
    ) == (True,)


def watch(
    stop: threading.Event, *, take_over: dt.timedelta | None, say: Callable[[str], None] = log.info
) -> Promotion | None:
    """Keep this home's standby running; with ``take_over``, promote it once the primary has not answered for so long.

    It takes over only where this watch itself has seen the primary alive, requiring and sending to this standby, and
    where all that was received since says the same. Returns the promotion, or None where ``stop`` was set or the
    standby was promoted by somebody else. Raises Failed.
    """
    source: Path | None = None
    sure = False
    silent_since: float | None = None
    told = ""

    def tell(words: str) -> None:
        nonlocal told
        if words != told:
            say(words)
            told = words

    while not stop.is_set():
        if not follows():
            return None
        try:
            if not embedded.is_running():
                start()
            source = source or _source()
            if _primary_lives(source):
                silent_since, sure = None, _up_to_date(source)
                tell("follows" + (", required" if sure else ", not required or not caught up"))
            else:
                at = time.monotonic()
                silent_since = silent_since if silent_since is not None else at
                if take_over is None:
                    tell("the primary does not answer")
                elif not (sure and required()):
                    tell(
                        "the primary does not answer, and may have acknowledged what is not here: "
                        "`lucheng standby promote` by hand, if it is gone for good"
                    )
                elif at - silent_since < take_over.total_seconds():
                    tell("the primary does not answer; taking over soon")
                elif _all_read():
                    return promote()
        except (psycopg.Error, Failed) as error:
            tell(str(error).strip())
        stop.wait(_BETWEEN_LOOKS)
    return None
