"""Where things are: divisions down to the grid, estates, buildings and their units.

A place is a prefix. Codes nest (city 4 digits, county 6, township 9, community 12, grid 15) and are stored without
trailing zeros, so that everything under a place is one range of its code. Geometry is needed once, at the door, to
turn a point into a code (see :mod:`lucheng.core.places.locate`).
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.fields import PrefixField, within

#: Length of the code at each level (statistical division codes; grids add three digits).
LEVELS = {"city": 4, "county": 6, "township": 9, "community": 12, "grid": 15}


class Kind(models.TextChoices):
    """What a division is. Banner, sumu and gacha are kinds of their own, never mapped to county, town or village."""

    CITY = "city", _("city")
    LEAGUE = "league", _("league")
    PREFECTURE = "prefecture", _("prefecture")
    DISTRICT = "district", _("district")
    COUNTY = "county", _("county")
    BANNER = "banner", _("banner")
    ZONE = "zone", _("development zone")
    SUBDISTRICT = "subdistrict", _("sub-district")
    TOWN = "town", _("town")
    TOWNSHIP = "township", _("township")
    SUMU = "sumu", _("sumu")
    PARK = "park", _("park, works or farm run as a division")
    COMMUNITY = "community", _("residential community")
    VILLAGE = "village", _("village")
    GACHA = "gacha", _("gacha")
    BASIC_GRID = "basic_grid", _("basic grid")
    RURAL_GRID = "rural_grid", _("rural grid")
    DEDICATED_GRID = "dedicated_grid", _("dedicated grid")
    MICRO_GRID = "micro_grid", _("micro grid")
    PLACEHOLDER = "placeholder", _("placeholder of the code list, no place of its own")


class DivisionQuerySet(models.QuerySet["Division"]):
    def as_of(self, day: dt.date) -> DivisionQuerySet:
        """The divisions in force on ``day``: from valid_from, up to but not on valid_to."""
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day), valid_from__lte=day)

    def under(self, prefix: str) -> DivisionQuerySet:
        """The divisions whose code lies under ``prefix``, itself included."""
        return self.filter(within("code", prefix))

    def at_level(self, level: str) -> DivisionQuerySet:
        return self.filter(level=LEVELS[level])


DivisionManager = models.Manager.from_queryset(DivisionQuerySet)


class Division(models.Model):
    """One division, or one grid, over one stretch of time. A change closes the row and opens its successor."""

    code = PrefixField()
    level = models.PositiveSmallIntegerField(help_text="digits in the code: 4, 6, 9, 12 or 15")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=80)
    aliases = ArrayField(
        models.CharField(max_length=40), default=list, db_default=[], help_text="what people call it: 昆区"
    )
    name_mn = models.CharField(max_length=160, blank=True, help_text="name in Mongolian script")
    urban_rural_type = models.CharField(
        max_length=3, blank=True, help_text="城乡分类代码 of the yearly code list"
    )
    households = models.PositiveIntegerField(null=True)
    residents = models.PositiveIntegerField(null=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    objects: ClassVar[DivisionManager[Division]] = DivisionManager()

    class Meta:
        ordering = ["code", "valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="division_once_per_date"),
            models.UniqueConstraint(
                fields=["code"], condition=Q(valid_to=None), name="division_in_force_once"
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="division_valid_in_order"
            ),
            models.CheckConstraint(
                condition=Q(level=Length("code"), level__in=list(LEVELS.values())),
                name="division_level_of_code",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Succession(models.Model):
    """What became of a division, and how that is known: code lists give codes and names, never what followed what."""

    class How(models.TextChoices):
        RENAMED = "renamed", pgettext_lazy("division", "renamed")
        RECODED = "recoded", pgettext_lazy("division", "recoded")
        MERGED = "merged", pgettext_lazy("division", "merged")
        SPLIT = "split", pgettext_lazy("division", "split")
        RETURNED = "returned", pgettext_lazy("division", "returned")
        CHANGED = "changed", pgettext_lazy("division", "reclassified")

    class Basis(models.TextChoices):
        SAME_CODE = "code", _("same code, the name differs in its ending only")
        CODE_ALONE = "code_alone", _("same code, another name")
        SAME_PARENT = "parent", _("same name under the same parent")
        SAME_COUNTY = "county", _("same name in the same county, the only one there")
        SAME_CITY = "city", _("same name in the same city, the only one there")
        FAMILY = "family", _("names that share a stem (上…, 下… and the name without)")
        PARTS = "parts", _("most of its parts went there")
        DECLARED = "declared", _("declared by a person")

    #: What is certain beside what a person declared; everything else is likely, and is reported so.
    CERTAIN = frozenset(
        {(How.RENAMED, Basis.SAME_CODE), (How.CHANGED, Basis.SAME_CODE), (How.RECODED, Basis.SAME_PARENT)}
    )

    before = models.ForeignKey(Division, models.CASCADE, related_name="successors")
    after = models.ForeignKey(Division, models.CASCADE, related_name="predecessors")
    at = models.DateField()
    how = models.CharField(max_length=8, choices=How.choices)
    basis = models.CharField(max_length=10, choices=Basis.choices, default=Basis.DECLARED)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["before", "after"], name="succession_once")]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"

    @classmethod
    def is_certain(cls, how: str, basis: str) -> bool:
        return basis == cls.Basis.DECLARED or (how, basis) in cls.CERTAIN


class Boundary(models.Model):
    """The outline of one division in WGS 84, as well-known binary; CGCS2000 agrees with it within centimetres."""

    division = models.OneToOneField(Division, models.CASCADE, related_name="boundary")
    shape = models.BinaryField(help_text="WKB, longitude and latitude in degrees")
    source_crs = models.CharField(max_length=12, help_text="the reference system it came in")
    repaired = models.CharField(max_length=200, blank=True, help_text="what was wrong with it as published")

    def __str__(self) -> str:
        return f"outline of {self.division}"


class Road(models.Model):
    """A named road, for addresses. ``place`` is the smallest division that holds all of it."""

    name = models.CharField(max_length=60)
    place = PrefixField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "place"], name="road_once_per_place")]

    def __str__(self) -> str:
        return self.name


class Estate(models.Model):
    """A residential estate (小区), or a village settlement. ``place`` is its community."""

    name = models.CharField(max_length=60)
    place = PrefixField()
    address = models.CharField(max_length=120, blank=True, help_text="road and number")
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)

    class Meta:
        indexes = [models.Index(fields=["place"])]

    def __str__(self) -> str:
        return self.name


class Building(models.Model):
    """A residential building; people are counted, never listed. ``grid`` is the code of the grid it lies in."""

    estate = models.ForeignKey(Estate, models.CASCADE, null=True, related_name="buildings")
    name = models.CharField(max_length=40, help_text="as people say it: 3号楼")
    grid = PrefixField()
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    floors = models.PositiveSmallIntegerField(null=True)
    households = models.PositiveIntegerField(default=0)
    residents = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["grid"])]

    def __str__(self) -> str:
        return self.name


class BuildingUnit(models.Model):
    """A stairwell (单元) of a building. Lucheng stops here: floors and rooms are not recorded."""

    building = models.ForeignKey(Building, models.CASCADE, related_name="units")
    number = models.PositiveSmallIntegerField()
    households = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["building", "number"], name="building_unit_once")]

    def __str__(self) -> str:
        return f"{self.building} {self.number}"
