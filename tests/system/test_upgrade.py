"""A database made by each released version, with cases in it, comes to this version whole and is worked with."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from tools.release_database import RELEASES, address

from lucheng import embedded
from tests.system.installation import Installation, apart

# What a resident and a dispatcher do on the first morning after an upgrade; runs in a process of its own.
_WORK = """
import json
from django.test import Client
from django.urls import reverse
from lucheng.core.cases.models import Attachment, Case
from lucheng.core.ledger.models import Anchor, Event, Message
from lucheng.core.organisation.models import Person
from lucheng.core.privacy.models import Contact
holds = json.loads({holds!r})
rows = {{m.__name__: m.objects.count() for m in (Case, Event, Contact, Message, Anchor, Attachment)}}
resident, dispatcher = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
dispatcher.force_login(Person.objects.get(username=holds["dispatcher"]))
pages = {{}}
pages["tracking"] = resident.get(reverse("tracking", args=[holds["code"]]))
pages["case"] = dispatcher.get(reverse("case", args=[holds["newest"]]))
before = Event.objects.count()
pages["reveal"] = dispatcher.post(reverse("reveal", args=[holds["newest"]]), {{"reason": "升级后回电核实"}})
print(json.dumps({{
    "rows": rows,
    "traces": Event.objects.count() - before,
    "pages": {{name: [page.status_code, page.content.decode()] for name, page in pages.items()}},
}}))
"""


@pytest.fixture
def empty() -> Iterator[Installation]:
    with apart(Installation, "upgrade") as made:
        yield made


@pytest.mark.parametrize("release", sorted(p.name for p in RELEASES.iterdir()))
def test_a_database_of_an_earlier_release_migrates_verifies_and_opens(
    release: str, empty: Installation
) -> None:
    kept = RELEASES / release
    holds = json.loads((kept / "holds.json").read_text("utf-8"))
    assert all(holds["rows"].values()), "an empty table shows nothing"
    for folder in ("keys", "attachments"):
        shutil.copytree(kept / folder, empty.home / folder)
    empty.database(running=True)
    subprocess.run(
        [embedded.tool("psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", address(empty)],
        input=gzip.decompress((kept / "database.sql.gz").read_bytes()),
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=120,
    )

    # As docs/manual.md says under Upgrading.
    for command in (
        "migrate",
        "roles load",
        "triage templates load",
        "privacy register load",
        "ledger verify --files",
    ):
        assert empty.command(*command.split()) == 0, command

    found = json.loads(empty.python(_WORK.format(holds=json.dumps(holds))).splitlines()[-1])
    assert found["rows"] == holds["rows"]
    pages = found["pages"]
    assert [status for status, _body in pages.values()] == [200, 200, 200]
    assert holds["code"] in pages["tracking"][1]
    assert holds["newest"] in pages["case"][1]
    name, phone = holds["contact"]
    assert phone not in pages["case"][1]
    assert name in pages["reveal"][1]
    assert phone in pages["reveal"][1]
    assert found["traces"] == 1
    assert empty.command("ledger", "verify") == 0
