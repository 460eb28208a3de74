"""Backups of the embedded database, and the way back: to a backup, or to any moment after it.

A backup is a folder of its own: the database's files as ``pg_basebackup`` takes them while the server works, with the
log that makes them consistent, and the photographs. Between backups, the server keeps every stretch of its log in an
archive (``LUCHENG_ARCHIVE``), from which a restored database goes on to the moment asked for. Keys are never in a
backup: whoever holds a backup alone opens no contact.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lucheng import __version__, embedded

Progress = Callable[[int, int], None]

_ABOUT = "about.json"
_PARTIAL = ".partial"
#: Seconds that a restored server has to read its log; a city's day is read in minutes.
_PATIENCE = 3600.0


class Failed(Exception):  # noqa: N818 (reads as a sentence where it is raised)
    """A backup or a restore that did not come about; the message says why and what to do."""


@dataclass(frozen=True)
class Backup:
    """One backup: where it lies, when it was taken, and how large it is in bytes."""

    folder: Path
    taken_at: dt.datetime
    size: int


# --- taking ---------------------------------------------------------------------------------------------------------


def take(
    into: Path, now: dt.datetime, attachments: Path, report: Progress = lambda done, total: None
) -> Backup:
    """Take a backup of the running embedded server into a new folder under ``into``, and check it.

    ``report`` hears of kilobytes copied and in all. A backup that is cut short leaves a folder ``….partial`` and no
    backup. Raises Failed.
    """
    embedded.ensure_running()
    into.mkdir(parents=True, exist_ok=True)
    folder = into / now.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    draft = folder.with_name(folder.name + _PARTIAL)
    if folder.exists():
        raise Failed(f"{folder} is there already: a backup of this second has been taken.")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    server = embedded.data_folder()
    run_tool(
        "pg_basebackup",
        f"--pgdata={draft / 'postgres'}",
        f"--host={server}",
        "--username=postgres",
        "--wal-method=stream",
        "--checkpoint=fast",
        "--manifest-checksums=SHA256",
        "--progress",
        report=report,
    )
    check(draft)
    if attachments.exists():
        # Files named by their hash never change: what a create adds meanwhile is one more file.
        shutil.copytree(attachments, draft / "attachments", ignore=shutil.ignore_patterns("*.tmp"))
    about = {"taken_at": now.isoformat(), "lucheng": __version__}
    (draft / _ABOUT).write_text(json.dumps(about) + "\n")
    draft.rename(folder)
    return read(folder)


def read(folder: Path) -> Backup:
    """What a backup says of itself. Raises Failed where the folder is none."""
    try:
        about = json.loads((folder / _ABOUT).read_text())
        taken_at = dt.datetime.fromisoformat(about["taken_at"])
    except (OSError, ValueError, KeyError):
        raise Failed(f"{folder} is no backup: a whole one has a file {_ABOUT} in it.") from None
    return Backup(folder, taken_at, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()))


def check(backup: Path) -> None:
    """Compare every file of a backup with the manifest that the server wrote with it. Raises Failed.

    (The wheel's own ``pg_verifybackup`` crashes.)
    """
    files = backup / "postgres"
    try:
        text = (files / "backup_manifest").read_text()
        manifest = json.loads(text)
        sealed, _name, _rest = text.partition('"Manifest-Checksum"')
        if hashlib.sha256(sealed.encode()).hexdigest() != manifest["Manifest-Checksum"]:
            raise Failed(f"{backup} is damaged: its manifest has been changed.")
        listed = manifest["Files"]
    except (OSError, ValueError, KeyError):
        raise Failed(f"{backup} is damaged: its manifest cannot be read.") from None
    for entry in listed:
        name = (
            entry["Path"]
            if "Path" in entry
            else bytes.fromhex(entry["Encoded-Path"]).decode(errors="replace")
        )
        try:
            with (files / name).open("rb") as f:
                right = hashlib.file_digest(f, "sha256").hexdigest() == entry["Checksum"]
        except OSError:
            right = False
        if not right:
            raise Failed(f"{backup} is damaged at {name}: take another one.")


def known(under: Path) -> list[Backup]:
    """The whole backups under a folder, the oldest first."""
    return [read(f.parent) for f in sorted(under.glob(f"*/{_ABOUT}")) if f.parent.suffix != _PARTIAL]


def forget(under: Path, keep: int) -> list[Path]:
    """Delete all but the ``keep`` newest backups; the folders that are gone. Raises ValueError for fewer than one."""
    if keep < 1:
        raise ValueError("at least one backup stays")
    gone = [b.folder for b in known(under)[:-keep]]
    for folder in gone:
        shutil.rmtree(folder)
    return gone


# --- the way back ---------------------------------------------------------------------------------------------------


def restore(backup: Path, attachments: Path, now: dt.datetime, to: dt.datetime | None = None) -> Path | None:
    """Put a backup in the place of the embedded database and start it; with ``to``, as things stood at that moment.

    What lay there is moved aside, not deleted; returns where to. Raises Failed where the backup is damaged, lies after
    ``to``, or needs an archive that is not there; then nothing has been changed.
    """
    found = read(backup)
    archive = embedded.archive_folder()
    if to is not None:
        if to < found.taken_at:
            raise Failed(
                f"This backup was taken at {found.taken_at}, after the moment asked for: take an older one."
            )
        if archive is None or not any(archive.iterdir()):
            raise Failed(
                "A moment after the backup needs the server's archive: name its folder in LUCHENG_ARCHIVE."
            )
    check(backup)
    embedded.stop()
    data = embedded.data_folder()
    aside = move_aside(data, now)
    # The socket's lock and the old server's log are of a server that is not this one.
    shutil.copytree(backup / "postgres", data, ignore=shutil.ignore_patterns(".s.PGSQL*", "log"))
    data.chmod(0o700)
    # A backup may be one of a standby, or of a primary that waited for its standby: what comes back stands alone.
    (data / "standby.signal").unlink(missing_ok=True)
    with (data / "postgresql.auto.conf").open("a") as f:
        f.write("synchronous_standby_names = ''\n")
    if to is not None:
        _recover(data, archive, to)
    embedded.prepare(data)
    embedded.give_to_server(data)
    if (backup / "attachments").exists():
        # By their hash: a photograph that is here already is the same one.
        shutil.copytree(backup / "attachments", attachments, dirs_exist_ok=True)
    _start(data)
    embedded.ensure_running()
    return aside


def move_aside(data: Path, now: dt.datetime) -> Path | None:
    """Make room for another database where a stopped one lies; returns where it lies now."""
    data.parent.mkdir(parents=True, exist_ok=True)
    if not data.exists():
        return None
    aside = data.with_name(f"{data.name}.before-{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}")
    data.rename(aside)
    return aside


def _recover(data: Path, archive: Path | None, to: dt.datetime) -> None:
    """Have the server read its archive up to a moment, and open then."""
    assert archive is not None  # restore has asked for it
    embedded.give_to_server(archive)
    with (data / "postgresql.auto.conf").open("a") as f:
        f.write(
            f'restore_command = \'cp "{archive}/%f" "%p"\'\n'
            f"recovery_target_time = '{to.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.%f+00}'\n"
            "recovery_target_action = 'promote'\n"
        )
    (data / "recovery.signal").touch()


def _start(data: Path) -> None:
    """Start the restored server and wait until it takes writes: it reads its log first, for as long as that takes."""
    log = data / "log"
    options = f'-h "" -k {data}'
    try:
        run_tool(
            "pg_ctl",
            "-w",
            "-t",
            str(int(_PATIENCE)),
            "-o",
            options,
            "-l",
            str(log),
            "-D",
            str(data),
            "start",
            server=True,
        )
    except Failed as failed:
        lines = log.read_text().splitlines()[-5:] if log.exists() else []
        raise Failed("\n".join(["The restored server did not start.", str(failed), *lines])) from None
    import psycopg

    end = time.monotonic() + _PATIENCE
    with psycopg.connect(f"postgresql://postgres@/postgres?host={data}", autocommit=True) as conn:
        while True:
            row = conn.execute("select pg_is_in_recovery()").fetchone()
            if row is not None and not row[0]:
                break
            if time.monotonic() > end:
                raise Failed(f"The restored server still reads its log; look into {log}.")
            time.sleep(0.1)
        # A moment reached once is not looked for again at the next start.
        for name in ("restore_command", "recovery_target_time", "recovery_target_action"):
            conn.execute(f"alter system reset {name}")
        conn.execute(f"alter database {embedded.DATABASE} reset {embedded.REQUIRED}")


# --- the server's own tools -----------------------------------------------------------------------------------------


def run_tool(tool: str, *arguments: str, server: bool = False, report: Progress | None = None) -> None:
    """Run one of PostgreSQL's tools; with ``server``, as the server's system user. Raises Failed with what it said."""
    program = str(embedded.tool(tool))
    given: dict[str, Any] = {"user": embedded.server_user()} if server else {}
    if tool == "pg_ctl":
        # The server it starts keeps what it is given open: a pipe would never end.
        done = subprocess.run(
            [program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **given
        )
        if done.returncode != 0:
            raise Failed(f"{tool} ended with exit code {done.returncode}")
        return
    with subprocess.Popen(
        [program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **given
    ) as process:
        assert process.stderr is not None
        said: list[str] = []
        for line in process.stderr:  # progress ends in a carriage return, which text mode reads as a line
            progress = re.match(r"\s*(\d+)/(\d+) kB", line)
            if report is not None and progress is not None:
                report(int(progress[1]), int(progress[2]))
            elif line.strip():
                said.append(line.strip())
    if process.returncode != 0:
        raise Failed(f"{tool}: " + (" ".join(said[-3:]) or f"exit code {process.returncode}"))
