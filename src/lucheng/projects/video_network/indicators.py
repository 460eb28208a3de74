"""The figures of this room. Shares are of all that should be so, and each names what it is over."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.indicators.indicator import Indicator, Rows, stands
from lucheng.core.indicators.periods import Window
from lucheng.projects.video_network.models import (
    FILED_WITHIN,
    LAW_SINCE,
    OLD_FILED_WITHIN,
    Area,
    Camera,
    CameraFault,
    Failing,
    KeyPosition,
    VideoSystem,
)


def _cameras(window: Window, **where: Any) -> QuerySet[Any]:
    rows: QuerySet[Any] = stands(Camera, **where)(window)
    return rows


def _covered(window: Window) -> QuerySet[Any]:
    accepted = _cameras(window, accepted_on__lte=window.day, position=OuterRef("pk"))
    rows: QuerySet[Any] = stands(KeyPosition)(window)
    return rows.filter(Exists(accepted))


def _networked(window: Window, **where: Any) -> QuerySet[Any]:
    return _cameras(window, networked_since__lte=window.day, **where)


def _without(cameras: QuerySet[Any], window: Window, **where: Any) -> QuerySet[Any]:
    """The cameras of which no such fault stands on the day."""
    return cameras.exclude(Exists(stands(CameraFault, camera=OuterRef("pk"), **where)(window)))


def _to_be_filed(window: Window) -> QuerySet[Any]:
    """The systems in use whose time for filing is over."""
    old = Q(valid_from__lt=LAW_SINCE) if window.day >= LAW_SINCE + OLD_FILED_WITHIN else Q(pk__in=[])
    new = Q(valid_from__gte=LAW_SINCE, valid_from__lte=window.day - FILED_WITHIN)
    rows: QuerySet[Any] = stands(VideoSystem)(window)
    return rows.filter(old | new)


def _due(window: Window) -> QuerySet[Any]:
    return CameraFault.objects.filter(due__gte=window.since, due__lt=window.day + dt.timedelta(days=1))


def _share(id: str, name: Promise, formula: Promise, of: Any, over: Any, **more: Any) -> Indicator:
    return Indicator(
        id=id,
        name=name,
        unit=pgettext_lazy("unit", "%"),
        formula=formula,
        numerator=Rows(of),
        denominator=Rows(over),
        times=100,
        digits=1,
        **more,
    )


INDICATORS = [
    _share(
        "6.coverage_key_areas",
        _("Key positions that are covered"),
        _("Key positions on the list with at least one accepted camera, over all key positions on the list."),
        _covered,
        stands(KeyPosition),
    ),
    _share(
        "6.networked_key_areas",
        _("Cameras of key public areas that are networked"),
        _("Cameras at key positions of public areas that the shared platform has, over all cameras there."),
        lambda window: _networked(window, position__area=Area.PUBLIC),
        stands(Camera, position__area=Area.PUBLIC),
    ),
    _share(
        "6.networked_key_sectors",
        _("Cameras of key sectors towards public areas that are networked"),
        _(
            "Cameras at key positions of sectors towards public areas that the shared platform has, "
            "over all cameras there."
        ),
        lambda window: _networked(window, position__area=Area.SECTOR_PUBLIC),
        stands(Camera, position__area=Area.SECTOR_PUBLIC),
    ),
    _share(
        "6.online",
        _("Cameras online"),
        _("Networked cameras of which no outage stands on the day, over all networked cameras."),
        lambda window: _without(_networked(window), window, failing=Failing.OFFLINE),
        _networked,
    ),
    _share(
        "6.intact",
        _("Cameras intact"),
        _("Cameras in service of which no fault stands on the day, over all cameras in service."),
        lambda window: _without(_cameras(window), window),
        _cameras,
    ),
    _share(
        "6.repaired_in_time",
        _("Repairs in time"),
        _("Faults to be repaired by a day of the period that were by then, over all that were to be."),
        lambda window: _due(window).filter(valid_to__lte=F("due")),
        _due,
        kind="flow",
    ),
    _share(
        "6.filed",
        _("Video systems filed with the police"),
        _(
            "Systems in use whose time for filing is over (30 days; for older ones 90 days of Order 799) "
            "that were filed, over all of these."
        ),
        lambda window: _to_be_filed(window).filter(filed_on__lte=window.day),
        _to_be_filed,
    ),
    _share(
        "6.signed",
        _("Video systems with signs"),
        _("Systems in use where signs stand, over all systems in use."),
        lambda window: stands(VideoSystem)(window).filter(signs_since__lte=window.day),
        stands(VideoSystem),
    ),
]
