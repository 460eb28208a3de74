"""A bare ASGI handler with asyncpg: reads the body, sends the statement, answers. No framework, none of the work."""

from __future__ import annotations

import json
import os
from typing import Any

import asyncpg

from bench.peers.rows import GIVEN, fresh

_pool: asyncpg.Pool


async def _life(receive: Any, send: Any) -> None:
    global _pool
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8)
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _life(receive, send)
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    values = fresh(json.loads(body)["content"])
    async with _pool.acquire() as conn:
        await conn.fetchval(GIVEN.statement, *[values[name] for name in GIVEN.parameters])
    answer = json.dumps({"number": values["number"], "code": values["code"]}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
