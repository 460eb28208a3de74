"""A small database made by this version, kept for the tests of later ones: ``python -m tools.release_database``.

Run it once for each release, on the commit that is released. It makes the tests' small city in a folder that is thrown
away, with a case in every state, and writes into ``tests/releases/VERSION``:

- ``database.sql.gz``: the database, as ``pg_dump`` writes it;
- ``keys``, ``attachments``: as they lie in the home. The keys are test keys: they have never sealed anything real;
- ``holds.json``: what a later version must find again.

``tests/system/test_upgrade.py`` brings each of them to the version under test.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.system.installation import ROOT, Installation, apart

from lucheng import __version__, embedded

RELEASES = ROOT / "tests" / "releases"
_MOST_BYTES = 300_000

# Runs in a process of its own, bound to the new database. Every time is the tests' own: nothing tells of today.
_FILL = """
import io, json
from django.core.management import call_command
from django.db import connection
from PIL import Image
call_command("migrate", verbosity=0)
from lucheng.core.cases import attachments, codes
from lucheng.core.cases.models import Attachment, Case, State
from lucheng.core.ledger import anchors, outbox
from lucheng.core.ledger.append import REQUESTER
from lucheng.core.ledger.models import Anchor, Event, Message
from lucheng.core.privacy import contacts
from lucheng.core.privacy.models import Contact
from tests import factories
from tests.factories import NOW
city = factories.city()
factories.article(city)
for state in State:
    if state is not State.DRAFT:  # an order is never one
        factories.case_in(state, city)
picture = io.BytesIO()
Image.new("RGB", (8, 8), "grey").save(picture, "JPEG")
case = factories.received(content="单元门口的路灯不亮。")
photograph = attachments.receive(picture.getvalue())
attachments.attach(case.pk, photograph, person=None, role=REQUESTER, now=NOW)
contacts.reveal_to(
    city.scope("dispatcher"), case, person=city.people["dispatcher"], reason="回电核实地点", now=NOW
)
assert outbox.deliver(NOW)
assert anchors.anchor(NOW) or anchors.anchor(NOW)  # the first may only leave its mark
factories.case_in(State.DISPATCHED, city, content="新来的一件：路灯不亮。")  # not anchored, its messages not sent
with connection.cursor() as cursor:
    cursor.execute("update django_migrations set applied = %s", [NOW])
print(json.dumps({
    "rows": {m.__name__: m.objects.count() for m in (Case, Event, Contact, Message, Anchor, Attachment)},
    "code": codes.written(case.code),
    "newest": Case.objects.latest("id").number,
    "contact": [factories.call().name, factories.call().phone],
    "dispatcher": "dispatcher",
}))
"""


def address(installation: Installation) -> str:
    """Where the installation's database is reached."""
    return f"postgresql://postgres@/lucheng?host={installation.home / 'postgres'}"


def main(target: Path) -> None:
    """Write ``target``. Ends with a message where it is there already, or where the dump tells of this machine."""
    if target.exists():
        sys.exit(f"{target} is there already: what was released does not change.")
    with apart(Installation, "release") as made:
        made.database(running=True)
        holds = json.loads(made.python(_FILL).splitlines()[-1])
        sql = subprocess.run(
            [embedded.tool("pg_dump"), "--no-owner", "--no-privileges", address(made)],
            check=True,
            capture_output=True,
        ).stdout
        today = f"{datetime.now(UTC).date()} "  # of a time: the calendar has days that are today
        for telling in (today, str(made.home.parent), f"{Path.home()}/", f"{ROOT}/"):
            if telling.encode() in sql:
                sys.exit(f"The dump tells of this machine: it holds “{telling}”.")
        packed = gzip.compress(sql, mtime=0)
        if len(packed) > _MOST_BYTES:
            sys.exit(f"The dump has {len(packed):,} bytes; it may have {_MOST_BYTES:,}.")
        target.mkdir(parents=True)
        (target / "database.sql.gz").write_bytes(packed)
        (target / "holds.json").write_text(json.dumps(holds, ensure_ascii=False, indent=2) + "\n", "utf-8")
        for folder in ("keys", "attachments"):
            shutil.copytree(made.home / folder, target / folder)


if __name__ == "__main__":
    main(RELEASES / __version__)
