"""The drawing under every map: outlines of counties and townships and the points of estates, from our own records."""

from __future__ import annotations

import gzip
import json
from typing import Any

import shapely
from django.utils import timezone

from lucheng.core.places.models import LEVELS, Boundary, Estate
from lucheng.core.revisions.snapshot import Snapshot

_TOLERANCE = 0.001  # degrees, about 100 m: invisible at the zoom at which whole counties are seen


def _feature(level: int, name: str, geometry: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"level": level, "name": name, **more}, "geometry": geometry}


def _load() -> bytes:
    today = timezone.localdate()
    features = []
    drawn = Boundary.objects.filter(division__level__in=(LEVELS["county"], LEVELS["township"])).exclude(
        division__valid_to__lte=today
    )
    for level, code, name, shape in drawn.order_by("division__code").values_list(
        "division__level", "division__code", "division__name", "shape"
    ):
        simple = shapely.set_precision(shapely.simplify(shapely.from_wkb(bytes(shape)), _TOLERANCE), 1e-5)
        features.append(_feature(level, name, json.loads(shapely.to_geojson(simple)), code=code))
    for estate in Estate.objects.order_by("id"):
        if estate.lon is not None and estate.lat is not None:
            point = {"type": "Point", "coordinates": [round(estate.lon, 5), round(estate.lat, 5)]}
            features.append(_feature(0, estate.name, point))
    drawing = {"type": "FeatureCollection", "features": features}
    return gzip.compress(json.dumps(drawing, ensure_ascii=False, separators=(",", ":")).encode(), 6)


#: GeoJSON, gzipped: features with ``level`` (6 county, 9 township, 0 estate) and ``name``; divisions also have
#: their ``code``.
drawing = Snapshot("places", _load)
