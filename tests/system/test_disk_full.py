"""On a full disk requests are refused in words, nothing is half-written, and work goes on when there is room again."""

from __future__ import annotations

import http.client
import io
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.system.installation import PATIENCE, Installation, apart

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")

_SIZE = 300  # megabytes

_LEFT = """
import json
from lucheng.core.cases.models import Attachment, Case
from lucheng.core.ledger.models import Event
from lucheng.core.ledger.verify import Tally, verify
print(json.dumps({
    "contents": [c.content for c in Case.objects.all()],
    "events": sorted({Event.objects.filter(case=c).exclude(action="attached").count() for c in Case.objects.all()}),
    "photographs": Attachment.objects.count(),
    "findings": [str(f) for f in verify(Tally(), files=True)],
}))
"""


class Small(Installation):
    """An installation on a file system that can be filled."""

    worker: subprocess.Popen[bytes] | None = None

    def fill(self) -> None:
        """Leave no byte."""
        with (self.home / "ballast").open("wb", buffering=0) as f:
            for size in (1 << 20, 4096, 512, 1):
                try:
                    while f.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def empty(self) -> None:
        (self.home / "ballast").unlink()

    def photograph(self, number: str) -> tuple[int, dict[str, Any]]:
        picture = io.BytesIO()
        Image.effect_noise((900, 900), 90).convert("RGB").save(picture, "JPEG", quality=95)
        body = (
            b'--edge\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n'
            b"Content-Type: image/jpeg\r\n\r\n" + picture.getvalue() + b"\r\n--edge--\r\n"
        )
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "multipart/form-data; boundary=edge",
        }
        return self.send("POST", f"/api/v1/cases/{number}/attachments", body, headers)

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text
        except (OSError, http.client.HTTPException):
            return 0, {}
        finally:
            connection.close()

    def remove(self) -> None:
        if self.worker is not None:
            self.worker.kill()
            self.worker.wait()
        super().remove()
        subprocess.run(["umount", "--lazy", str(self.home)], check=True)


@pytest.fixture(scope="module")
def installation() -> Iterator[Small]:
    with apart(Small, "full") as made:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}m,mode=755", "tmpfs", str(made.home)], check=False
        )
        if mounted.returncode != 0:
            made.remove = lambda: None  # type: ignore[method-assign]
            pytest.skip("this machine mounts no file system")
        made.log = Path(f"{made.home.parent}/log")
        made.prepare(copied=False)
        made.start()
        made.worker = made.spawn("worker")
        yield made


def test_a_full_disk_refuses_in_words_keeps_what_it_acknowledged_and_goes_on_when_there_is_room(
    installation: Small,
) -> None:
    status, first = installation.create("before-it-is-full", "满盘之前")
    assert status == 201
    assert installation.photograph(first["number"])[0] == 201
    installation.fill()

    status, problem = installation.photograph(first["number"])
    assert (status, problem["type"]) == (507, "/problems/no-space")
    acknowledged = ["满盘之前"]
    refused: set[int] = set()
    deadline = time.monotonic() + PATIENCE
    content = "灯" * 15_000
    while not refused and time.monotonic() < deadline:
        text = f"{len(acknowledged):04} {content}"
        status, problem = installation.create(f"until-it-is-full-{len(acknowledged):04}", text)
        if status == 201:
            acknowledged.append(text)
        elif status:
            refused.add(status)
            assert problem["detail"]
    # The disk's own word where the server still runs, the database's absence where its log had no room.
    assert refused <= {503, 507} and refused
    code, words = installation.lucheng("status")
    assert code == 1, words
    assert "disk" in words

    installation.empty()
    last = f"{len(acknowledged):04} {content}"
    deadline = time.monotonic() + 2 * PATIENCE
    while True:  # nobody restarts anything by hand
        status, _made = installation.create(f"until-it-is-full-{len(acknowledged):04}", last)
        if status in (200, 201):
            break
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert installation.photograph(first["number"])[0] == 201
    left = json.loads(installation.python(_LEFT))
    assert sorted(left["contents"]) == sorted([*acknowledged, last])
    assert len(left["events"]) == 1 or left["events"] == [3, 4]
    assert left["photographs"] == 2
    assert not left["findings"]
    assert not list((installation.home / "attachments" / "waiting").glob("*"))
