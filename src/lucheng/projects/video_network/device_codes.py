"""The national code of a camera: twenty digits by rule A of GB/T 28181 (area 8, line of work 2, type 3, network 1,
number 6). Only the code is read here; no device is ever asked."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODE = re.compile(r"^(\d{6})(\d{2})(\d{2})(\d{3})(\d)(\d{6})$", re.ASCII)

#: Types of device that are cameras: analogue or digital, and those that speak IP.
CAMERAS = frozenset({"131", "132"})


@dataclass(frozen=True, slots=True)
class Device:
    """What a code says."""

    #: County, or the city with two noughts behind it (GB/T 2260).
    area: str
    #: The unit within the area; noughts where there is none.
    access_unit: str
    line: str
    type: str
    network: str
    number: str

    @property
    def is_camera(self) -> bool:
        return self.type in CAMERAS

    def lies_in(self, place: str) -> bool:
        """Whether the area of the code holds ``place``."""
        return place.startswith(self.area.removesuffix("00") if self.area.endswith("00") else self.area)


def parse(code: str) -> Device | None:
    """What ``code`` says; None where it is not made of twenty digits.

    >>> parse("15020300001320000012").area
    '150203'
    """
    match = _CODE.match(code)
    return Device(*match.groups()) if match else None
