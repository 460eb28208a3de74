"""Files that are made for whoever asks, and kept by nobody here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import IO, cast

from django.http import FileResponse, HttpResponse

#: Bytes; larger files wait on the disk while they are sent.
_IN_MEMORY = 8 * 1024 * 1024

#: The kinds of file that there are.
_TYPES = {
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}


def kept(name: str, kind: str, write: Callable[[IO[bytes]], object]) -> HttpResponse:
    """A file to keep of one of the kinds above, called ``name``; what ``write`` raises leaves nothing behind."""
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (the response closes it)
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    answer = FileResponse(file, as_attachment=True, filename=f"{name}.{kind}", content_type=_TYPES[kind])
    return cast(HttpResponse, answer)
