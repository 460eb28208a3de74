"""Taking over outlines from GeoJSON: converted to WGS 84, checked, repaired with the reason on record, or refused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from lucheng.core.errors import Text
from lucheng.core.faults import Fault, Faulty
from lucheng.core.ledger import acts
from lucheng.core.places.crs import Crs, to_wgs84
from lucheng.core.places.imports import lock
from lucheng.core.places.lists import decode, level_of, parent_of
from lucheng.core.places.models import Boundary, Division
from lucheng.core.revisions.snapshot import bump

#: Where a division of China can lie: west, south, east, north, in degrees.
CHINA = (73.0, 3.0, 136.0, 54.0)

#: Properties that may hold the code of a feature, the first that is there.
CODE_PROPERTIES = ("code", "adcode")

_LONGEST_REASON = Boundary._meta.get_field("repaired").max_length or 0

#: Wraps the features as they are read, to show progress.
Watch = Callable[[Sequence[Any]], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Outline:
    """One feature, in WGS 84. ``repaired`` says what was wrong with it as published."""

    row: int
    code: str
    name: str
    geometry: BaseGeometry
    repaired: str = ""


@dataclass
class BoundaryReport:
    """What became of each feature."""

    added: list[Outline] = field(default_factory=list)
    replaced: list[Outline] = field(default_factory=list)
    unchanged: list[Outline] = field(default_factory=list)
    not_in_force: list[Outline] = field(default_factory=list)
    """Read, but not taken over: no division is in force under the code on the day asked."""

    @property
    def repaired(self) -> list[Outline]:
        return [o for o in (*self.added, *self.replaced, *self.unchanged) if o.repaired]


def import_boundaries(
    file: Path,
    crs: Crs,
    *,
    day: dt.date,
    code_property: str = "",
    strict: bool = False,
    dry_run: bool = False,
    watch: Watch = iter,
) -> BoundaryReport:
    """Take the outlines in ``file`` over for the divisions and grids in force on ``day``, all or nothing.

    An invalid polygon is repaired and the reason kept with it. A code that is not in force is reported and left out.
    With ``strict`` either refuses the file. The same file twice changes nothing.

    Raises Faulty where the file is no GeoJSON of polygons, where a code is none or stands twice, or where a geometry
    lies outside China or wholly outside the division above it.
    """
    outlines = read(file, crs, code_property=code_property, strict=strict, watch=watch)
    with transaction.atomic():
        lock()
        report = _write(outlines, crs, day, strict)
        if dry_run:
            transaction.set_rollback(True)
    return report


def read(
    file: Path, crs: Crs, *, code_property: str = "", strict: bool = False, watch: Watch = iter
) -> list[Outline]:
    """The outlines in ``file``, in WGS 84 and valid.

    Raises Faulty with every fault of the file; with ``strict`` an invalid polygon is one.
    """
    features = _features(file)
    faults: list[Fault] = []
    outlines: list[Outline] = []
    rows: dict[str, int] = {}
    for row, feature in enumerate(watch(features), 1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict) or "geometry" not in feature:
            faults.append(Fault(row, "", _("This is not a feature with properties and a geometry.")))
            continue
        code = _code(properties, code_property)
        if code is None:
            names = code_property or " / ".join(CODE_PROPERTIES)
            faults.append(Fault(row, names, _("The code of a division or grid is missing or is none.")))
        elif code in rows:
            faults.append(Fault(row, code, format_lazy(_("The same code as feature {row}."), row=rows[code])))
        else:
            rows[code] = row
        try:
            geometry, reason = _geometry(feature["geometry"], crs)
        except _UnfitError as error:
            faults.append(Fault(row, code or "geometry", error.text))
            continue
        if reason and strict:
            faults.append(
                Fault(
                    row,
                    code or "geometry",
                    format_lazy(_("This outline is invalid: {reason}."), reason=reason),
                )
            )
        if code is not None:
            outlines.append(Outline(row, code, str(properties.get("name") or ""), geometry, reason))
    if faults:
        raise Faulty(faults)
    return outlines


def _features(file: Path) -> list[Any]:
    try:
        parsed = json.loads(decode(file.read_bytes()))
    except OSError as error:
        text = format_lazy(_("This file cannot be read: {error}"), error=error.strerror)
        raise Faulty([Fault(0, file.name, text)]) from error
    except (ValueError, RecursionError) as error:
        raise Faulty(
            [Fault(0, file.name, format_lazy(_("This is not JSON: {error}"), error=str(error)))]
        ) from error
    features = parsed.get("features") if isinstance(parsed, dict) else None
    if isinstance(parsed, dict) and parsed.get("type") == "Feature":
        features = [parsed]
    if not isinstance(features, list) or not features:
        raise Faulty([Fault(0, file.name, _("This is not a GeoJSON collection of features."))])
    return features


def _code(properties: dict[str, Any], code_property: str) -> str | None:
    """The code without trailing zeros; a grid's as it is."""
    names = (code_property,) if code_property else CODE_PROPERTIES
    value = next((properties[n] for n in names if n in properties), None)
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if len(text) == 15 and level_of(text[:12]) == 12 and text[12:].isdecimal() and text.isascii():
        return text
    level = level_of(text.ljust(12, "0"))
    return text[:level].ljust(level, "0") if level is not None else None


class _UnfitError(Exception):
    """The geometry cannot be an outline."""

    def __init__(self, text: Text) -> None:
        super().__init__(text)
        self.text = text


def _geometry(value: Any, crs: Crs) -> tuple[BaseGeometry, str]:
    """The polygons in WGS 84, and what was wrong with them as published (empty where nothing was)."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise _UnfitError(
            format_lazy(_("An outline is a Polygon or MultiPolygon, not {kind}."), kind=str(kind))
        )
    try:
        with np.errstate(invalid="ignore"):  # coordinates that are no numbers are named below
            published = shapely.force_2d(shape(value))
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, shapely.GEOSException) as error:
        raise _UnfitError(
            format_lazy(_("The coordinates cannot be read: {error}"), error=str(error))
        ) from error
    points = shapely.get_coordinates(published)
    if not len(points) or not np.isfinite(points).all():
        raise _UnfitError(_("The outline is empty or has coordinates that are no numbers."))
    west, south, east, north = shapely.bounds(published)
    if west < CHINA[0] or south < CHINA[1] or east > CHINA[2] or north > CHINA[3]:
        raise _UnfitError(
            format_lazy(
                _("The outline lies outside China: longitude {west} to {east}, latitude {south} to {north}."),
                west=f"{west:.4f}",
                east=f"{east:.4f}",
                south=f"{south:.4f}",
                north=f"{north:.4f}",
            )
        )
    reason = "" if shapely.is_valid(published) else shapely.is_valid_reason(published)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(to_wgs84(points[:, 0], points[:, 1], crs))

    geometry = shapely.transform(published, moved)
    if not shapely.is_valid(geometry):
        # Two vertices that almost touch may cross when they are moved; that too goes on record.
        reason = reason or shapely.is_valid_reason(geometry)
        geometry = _areas(shapely.make_valid(geometry))
    if shapely.area(geometry) == 0:
        raise _UnfitError(_("The outline encloses nothing."))
    return geometry, reason[:_LONGEST_REASON]


def _areas(geometry: BaseGeometry) -> BaseGeometry:
    """What of a repaired geometry encloses something: a repair may leave lines and points beside the polygons."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    polygons = [p for p in parts if isinstance(p, shapely.Polygon) and p.area > 0]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _write(outlines: list[Outline], crs: Crs, day: dt.date, strict: bool) -> BoundaryReport:
    report = BoundaryReport()
    wanted = {parent_of(o.code) for o in outlines} | {o.code for o in outlines}
    in_force = {d.code: d for d in Division.objects.as_of(day).filter(code__in=wanted)}
    held = {
        b.division.code: b
        for b in Boundary.objects.filter(division__in=in_force.values()).select_related("division")
    }
    above: dict[str, BaseGeometry] = {c: shapely.from_wkb(bytes(b.shape)) for c, b in held.items()}
    above.update({o.code: o.geometry for o in outlines})
    faults: list[Fault] = []
    opened: list[Boundary] = []
    changed: list[Boundary] = []
    for o in outlines:
        parent = above.get(parent_of(o.code))
        if parent is not None and shapely.disjoint(parent, o.geometry):
            faults.append(
                Fault(
                    o.row,
                    o.code,
                    format_lazy(
                        _("The outline lies wholly outside that of {parent}."), parent=parent_of(o.code)
                    ),
                )
            )
        division = in_force.get(o.code)
        if division is None:
            report.not_in_force.append(o)
            if strict:
                faults.append(
                    Fault(
                        o.row,
                        o.code,
                        format_lazy(_("No division is in force under this code on {day}."), day=day),
                    )
                )
            continue
        wkb = shapely.to_wkb(o.geometry)
        old = held.get(o.code)
        new = Boundary(division=division, shape=wkb, source_crs=crs.value, repaired=o.repaired)
        if old is None:
            report.added.append(o)
            opened.append(new)
        elif (bytes(old.shape), old.source_crs, old.repaired) == (wkb, new.source_crs, new.repaired):
            report.unchanged.append(o)
        else:
            report.replaced.append(o)
            new.pk = old.pk
            changed.append(new)
    if faults:
        raise Faulty(faults)
    Boundary.objects.bulk_create(opened, batch_size=1000)
    Boundary.objects.bulk_update(changed, ["shape", "source_crs", "repaired"], batch_size=1000)
    if opened or changed:
        bump("places")
        acts.wrote("outlines_imported", details={"added": len(opened), "changed": len(changed)})
    return report
