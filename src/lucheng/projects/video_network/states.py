"""Which cameras are online, as the shared platform's list of devices says it: outages begin and end by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from lucheng.core import sheets
from lucheng.core.faults import Fault, Faulty
from lucheng.core.registers import imports
from lucheng.core.registers.register import named
from lucheng.projects.video_network.models import Camera, CameraFault, Failing

#: The two columns of a list of devices, by their names in GB/T 28181.
CODE, STATUS = "DeviceID", "Status"
_STATUS = {"ON": True, "OK": True, "ONLINE": True, "OFF": False, "OFFLINE": False}
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Taken:
    """What a list came to. ``silent`` networked cameras are not in it; ``unknown`` devices are no networked camera."""

    online: int
    offline: int
    unknown: int
    silent: int
    begun: int
    ended: int
    #: The number of the import by which it is taken back; None where nothing changed.
    number: int | None


def read(file: IO[bytes]) -> dict[str, bool]:
    """Whether each device of a list (xlsx or CSV) is online, by its code. Raises Faulty with every fault."""
    rows, faults = sheets.read(
        file, (sheets.Column(CODE, required=True), sheets.Column(STATUS, required=True))
    )
    found: dict[str, bool] = {}
    for row in rows:
        status = _STATUS.get(row.cells[STATUS].upper())
        if status is None:
            faults.append(Fault(row.row, STATUS, _("Write ON or OFF.")))
        elif row.cells[CODE] in found:
            faults.append(Fault(row.row, CODE, _("This code stands there twice.")))
        else:
            found[row.cells[CODE]] = status
    if faults:
        raise Faulty(sorted(faults, key=lambda f: f.row))
    return found


def take(
    states: Mapping[str, bool], day: dt.date, name: str, now: dt.datetime, *, whole: bool = False
) -> Taken:
    """Let outages begin and end on ``day`` as ``states`` say, in one import that can be taken back.

    ``whole`` says that the list names every device of the platform: a camera that it does not name is offline.
    """
    networked: QuerySet[Any] = Camera.objects.as_of(day).filter(networked_since__lte=day)
    cameras = {camera.code: camera for camera in networked}
    standing: QuerySet[Any] = CameraFault.objects.as_of(day).filter(failing=Failing.OFFLINE)
    outages = list(standing.select_related("camera"))
    out = {outage.camera.code for outage in outages}
    online = {code: states.get(code, not whole) for code in cameras if whole or code in states}
    register = named("camera-faults")
    begun = [_outage(cameras[code], day) for code, up in online.items() if not up and code not in out]
    # What ended this very day has stood until the next: a day is the least that a register knows. It may go on.
    begun += [
        {**register.said(outage), "valid_to": None}
        for outage in outages
        if online.get(outage.camera.code) is False and outage.valid_to is not None
    ]
    ended = [
        {**register.said(outage), "valid_to": max(day, outage.valid_from + _DAY)}
        for outage in outages
        if online.get(outage.camera.code) and outage.valid_to is None
    ]
    number = None
    if begun or ended:
        _done, number = imports.write(register.slug, [*begun, *ended], now, name)
    return Taken(
        online=sum(online.values()),
        offline=len(online) - sum(online.values()),
        unknown=len(states.keys() - cameras.keys()),
        silent=len(cameras.keys() - states.keys()),
        begun=len(begun),
        ended=len(ended),
        number=number,
    )


def _outage(camera: Camera, day: dt.date) -> dict[str, Any]:
    return {
        "code": f"{camera.code}-{day:%Y%m%d}",
        "name": camera.name,
        "place": camera.place,
        "camera": camera.code,
        "failing": Failing.OFFLINE.value,
        "valid_from": day.isoformat(),
    }
