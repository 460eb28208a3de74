"""A key service for tests, in a process of its own: what of Vault's transit engine Lucheng speaks, and no more.

    python -m tests.core.privacy.transit FOLDER TOKEN PORT [CERTIFICATE KEY CLIENT_CA]

Its keys lie in FOLDER, so that it finds them again when it is started anew; every request is a line of FOLDER/asked.
PORT 0 takes a free one, which stands in FOLDER/port once it listens.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FOLDER, TOKEN = Path(sys.argv[1]), sys.argv[2]


def versions(key: str) -> list[bytes]:
    return [file.read_bytes() for file in sorted(FOLDER.glob(f"{key}.[0-9]*"))]


def rotate(key: str) -> None:
    (FOLDER / f"{key}.{len(versions(key)) + 1:03}").write_bytes(os.urandom(32))


class Refused(Exception):  # noqa: N818
    pass


def answer(what: str, key: str, body: dict[str, str]) -> dict[str, Any]:
    held, data = versions(key), base64.b64decode(body.get("associated_data", ""))
    if what == "encrypt":
        nonce = os.urandom(12)
        sealed = AESGCM(held[-1]).encrypt(nonce, base64.b64decode(body["plaintext"]), data)
        return {"ciphertext": f"vault:v{len(held)}:{base64.b64encode(nonce + sealed).decode()}"}
    try:
        _vault, version, wrapped = body["ciphertext"].split(":")
        sealed = base64.b64decode(wrapped)
        plain = AESGCM(held[int(version[1:]) - 1]).decrypt(sealed[:12], sealed[12:], data)
    except (InvalidTag, ValueError, IndexError):
        raise Refused from None
    return {"plaintext": base64.b64encode(plain).decode()}


class Transit(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        with (FOLDER / "asked").open("a") as f:
            f.write(self.path + "\n")
        parts = self.path.strip("/").split("/")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.say(403, {"errors": ["permission denied"]})
        if len(parts) != 4 or parts[:2] != ["v1", "transit"] or parts[2] not in ("encrypt", "decrypt"):
            return self.say(404, {"errors": []})
        if not versions(parts[3]):
            return self.say(404, {"errors": ["no such key"]})
        try:
            return self.say(200, {"data": answer(parts[2], parts[3], body)})
        except Refused:
            return self.say(400, {"errors": ["cipher: message authentication failed"]})

    def say(self, status: int, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


if __name__ == "__main__":
    if not versions("lucheng"):
        rotate("lucheng")
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Transit)
    if len(sys.argv) > 4:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=sys.argv[6])
        context.load_cert_chain(sys.argv[4], sys.argv[5])
        context.verify_mode = ssl.CERT_REQUIRED
        server.socket = context.wrap_socket(server.socket, server_side=True)
    draft = FOLDER / ".port"
    draft.write_text(str(server.server_port))
    draft.replace(FOLDER / "port")
    server.serve_forever()
