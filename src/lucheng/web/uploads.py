"""Stops a file that is too large while it arrives, so that it fills no disk and the rest of the form is kept."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest


class LimitHandler(FileUploadHandler):
    """First of the upload handlers: a file longer than ``settings.ATTACHMENT_MAX_BYTES`` is dropped and remembered."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.received += len(raw_data)
        if self.received > settings.ATTACHMENT_MAX_BYTES:
            assert self.request is not None and self.field_name is not None
            too_large(self.request).add(self.field_name)
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        return None


def too_large(request: HttpRequest) -> set[str]:
    """The names of the fields whose file was dropped for its size."""
    names: set[str] = request.META.setdefault("lucheng.too_large", set())
    return names
