"""A load generator: a fixed number of connections that each send the next request when the last is answered.

    python -m bench.peers.client PORT PATH CONNECTIONS SECONDS BODIES [HEADER…]

``BODIES`` is a file with one JSON body on each line, taken in turn. Prints one line of JSON: how many were answered by
which status, the seconds it took, and the latencies in microseconds.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any


class _Connection(asyncio.Protocol):
    """One keep-alive connection. The server's answers carry Content-Length."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.got = bytearray()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        if time.perf_counter() >= self.run.until:
            self.transport.close()
            return
        body = next(self.run.bodies)
        key = b"%d-%d" % (self.run.seed, next(self.run.sent))
        self.sent_at = time.perf_counter()
        self.transport.write(self.run.head + b"%s\r\nContent-Length: %d\r\n\r\n%s" % (key, len(body), body))

    def data_received(self, data: bytes) -> None:
        got = self.got
        got += data
        end = got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = got[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].partition(b"\r\n")[0])
        if len(got) < end + 4 + length:
            return
        self.run.latencies.append(round((time.perf_counter() - self.sent_at) * 1e6))
        self.run.statuses[int(got[9:12])] += 1
        got.clear()
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self.run.finished()


class _Run:
    def __init__(self, path: str, seconds: float, bodies: list[bytes], headers: list[str]) -> None:
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
        self.head = "\r\n".join([*lines, "Idempotency-Key: "]).encode()
        self.bodies = itertools.cycle(bodies)
        self.sent = itertools.count()
        self.seed = secrets.randbits(48)
        self.latencies: list[int] = []
        self.statuses: Counter[int] = Counter()
        self.until = time.perf_counter() + seconds
        self.done = asyncio.Event()
        self.open = 0

    def finished(self) -> None:
        self.open -= 1
        if self.open == 0:
            self.done.set()


async def _main(
    port: int, path: str, connections: int, seconds: float, file: str, headers: list[str]
) -> None:
    run = _Run(path, seconds, Path(file).read_bytes().splitlines(), headers)
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    run.open = connections
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port)
    await run.done.wait()
    taken = time.perf_counter() - start
    print(json.dumps({"statuses": run.statuses, "seconds": taken, "latencies": run.latencies}))


if __name__ == "__main__":
    asyncio.run(
        _main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5], sys.argv[6:])
    )
