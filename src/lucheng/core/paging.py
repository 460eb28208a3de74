"""A page of a list that is read from its newest row on."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def between(rows: QuerySet[Row], since: dt.datetime | None, until: dt.datetime | None) -> QuerySet[Row]:
    """Those of ``rows`` whose ``at`` lies in ``since <= at < until``; None leaves an end open."""
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    return rows


def older(rows: QuerySet[Row], before: int | None, size: int) -> tuple[list[Row], int | None]:
    """At most ``size`` of ``rows``, the largest key first, behind the key ``before``; and what the next page is behind,
    None on the last. However deep it lies, it costs the same: it begins in the index."""
    if before is not None:
        rows = rows.filter(pk__lt=before)
    shown = list(rows.order_by("-pk")[: size + 1])
    return shown[:size], shown[size - 1].pk if len(shown) > size else None
