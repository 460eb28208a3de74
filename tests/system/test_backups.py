"""Backups and the way back, with the real server: what was there is there again, up to the moment asked for."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.system.installation import ROOT, Installation, apart

_CONTENTS = """
import json
from lucheng.core.cases.models import Case
print(json.dumps(sorted(Case.objects.values_list("content", flat=True))))
"""
_NOW = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("select now()::text")
    print(cursor.fetchone()[0])
"""


class Backed(Installation):
    """An installation whose server keeps its log."""

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, "LUCHENG_ARCHIVE": str(self.home.parent / "archive")}

    def contents(self) -> list[str]:
        found: list[str] = json.loads(self.python(_CONTENTS))
        return found


@pytest.fixture(scope="module")
def installation() -> Iterator[Backed]:
    with apart(Backed, "backup") as made:
        made.prepare()
        made.start()
        yield made


def test_a_city_comes_back_as_it_was_when_backed_up_or_at_any_moment_after(installation: Backed) -> None:
    folder = installation.home.parent / "backups"
    assert installation.create("in-the-backup", "备份之前")[0] == 201
    code, words = installation.lucheng("backup", str(folder))
    assert code == 0, words
    (backup,) = folder.iterdir()
    assert installation.create("after-the-backup", "备份之后")[0] == 201
    moment = dt.datetime.fromisoformat(installation.python(_NOW)).astimezone(
        dt.timezone(dt.timedelta(hours=8))
    )
    time.sleep(1.1)  # the command takes whole seconds
    assert installation.create("after-the-moment", "误操作")[0] == 201
    installation.python(
        "from django.db import connection; connection.cursor().execute('select pg_switch_wal()')"
    )
    installation.kill()

    code, words = installation.lucheng(
        "restore",
        str(backup),
        "--yes",
        "--to",
        (moment + dt.timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S"),
    )
    assert code == 0, words
    assert installation.contents() == ["备份之前", "备份之后"]
    assert installation.command("ledger", "verify") == 0
    # It goes on from there, and what lay there before is kept.
    installation.start()
    assert installation.create("life-goes-on", "恢复之后")[0] == 201
    assert len(list(installation.home.glob("postgres.before-*"))) == 1
    installation.kill()

    code, words = installation.lucheng("restore", str(backup), "--yes")
    assert code == 0, words
    assert installation.contents() == ["备份之前"]
    assert installation.command("ledger", "verify") == 0


def test_what_is_no_whole_backup_is_refused_and_nothing_is_touched(installation: Backed) -> None:
    before = installation.contents()
    folder = installation.home.parent / "more-backups"
    assert installation.lucheng("backup", str(folder))[0] == 0
    (backup,) = folder.iterdir()

    code, words = installation.lucheng("restore", str(folder), "--yes")
    assert code == 1
    assert "is no backup" in words
    code, words = installation.lucheng("restore", str(backup), "--yes", "--to", "2020-01-01 00:00:00")
    assert code == 1
    assert "take an older one" in words
    victim = next(
        f for f in (backup / "postgres" / "base").rglob("*") if f.is_file() and f.stat().st_size > 8192
    )
    victim.write_bytes(b"x" + victim.read_bytes()[1:])
    code, words = installation.lucheng("restore", str(backup), "--yes")
    assert code == 1
    assert "is damaged at" in words
    assert installation.contents() == before


def test_so_many_backups_are_kept(installation: Backed) -> None:
    folder = installation.home.parent / "kept"
    names = []
    for _backup in range(3):
        code, words = installation.lucheng("backup", str(folder), "--keep", "2")
        assert code == 0, words
        names.append(max(f.name for f in folder.iterdir()))
        time.sleep(1)  # a backup is named by its second
    assert sorted(f.name for f in folder.iterdir()) == names[-2:]


def test_a_server_of_the_citys_own_is_backed_up_by_its_own_tools(installation: Backed) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lucheng", "backup", "/tmp/nowhere"],
        env={**installation.env, "DATABASE_URL": "postgresql://postgres@localhost/elsewhere"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "its own tools" in done.stderr
