"""What a log line may hold: what went wrong, and never with whose words or number."""

from __future__ import annotations

import logging
import re
import traceback
from types import TracebackType

#: What can stand in an address that somebody typed: telephone and identity numbers, and the code that opens a case.
_NUMBER = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|\d{17}[\dXx])(?!\d)")
_CODE = re.compile(r"(/t/|/track/)[^/\s]+")


def covered(text: str) -> str:
    """``text`` without numbers of people and tracking codes.

    >>> covered("Not Found: /t/13900420001/"), covered("call 13900420001")
    ('Not Found: /t/…/', 'call …')
    """
    return _NUMBER.sub("…", _CODE.sub(r"\1…", text))


class Line(logging.Formatter):
    """One log line. Of an exception it says where and of what kind: its own words may quote what was entered, as a
    database quotes the row that it refuses."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler may have kept the words of the exception
        return covered(super().format(record))

    def formatException(  # noqa: N802 (the name that logging calls)
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        lines: list[str] = []
        error = ei[1]
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            kind = type(error)
            frames = "".join(traceback.format_tb(error.__traceback__))
            lines.insert(0, f"{frames}{kind.__module__}.{kind.__qualname__}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nwhile this was handled:\n".join(lines)
