"""What only this room keeps: key positions, video systems, their cameras, what is broken, and who looked at recordings.

The rules are those of the Regulation on Public-Security Video Systems (公共安全视频图像信息系统管理条例, State Council
Order 799, in force since 2025-04-01); article numbers below are its own.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Text
from lucheng.core.registers.models import About, Entry
from lucheng.projects.video_network import device_codes

#: The day on which the regulation came into force.
LAW_SINCE = dt.date(2025, 4, 1)
#: A system is filed with the police within so many days of its first use; one that was older, of the regulation (14).
FILED_WITHIN = dt.timedelta(days=30)
OLD_FILED_WITHIN = dt.timedelta(days=90)
#: Recordings are kept for at least so many days (17).
KEPT_DAYS = 30


class Area(models.TextChoices):
    """What a key position belongs to (the nine ministries' opinion of 2015 on networked public-security video)."""

    PUBLIC = "public", pgettext_lazy("video", "key public area")
    SECTOR_PUBLIC = "sector_public", pgettext_lazy("video", "key sector, towards public areas")
    SECTOR = "sector", pgettext_lazy("video", "key sector, inside")


class Setting(models.TextChoices):
    """What stands there, by the kinds of position of GB/T 28181."""

    CHECKPOINT = "checkpoint", pgettext_lazy("video", "inter-provincial checkpoint")
    OFFICE = "office", pgettext_lazy("video", "Party or government office")
    STATION = "station", pgettext_lazy("video", "station or port")
    SQUARE = "square", pgettext_lazy("video", "central square")
    STADIUM = "stadium", pgettext_lazy("video", "sports ground")
    COMMERCE = "commerce", pgettext_lazy("video", "commercial centre")
    WORSHIP = "worship", pgettext_lazy("video", "place of worship")
    CAMPUS = "campus", pgettext_lazy("video", "around a school")
    DISORDER = "disorder", pgettext_lazy("video", "area of frequent disorder")
    ROAD = "road", pgettext_lazy("video", "main road")
    OTHER = "other", pgettext_lazy("video", "other")


class KeyPosition(Entry):
    """A position on the approved list of those that must be covered. Coverage counts positions, not cameras."""

    area = models.CharField(_("area or sector"), max_length=14, choices=Area.choices)
    setting = models.CharField(_("kind of position"), max_length=10, choices=Setting.choices)
    approved_by = models.CharField(
        _("approved by"), max_length=200, help_text=_("The list or paper on which it stands.")
    )

    about: ClassVar[About] = About(
        slug="key-positions",
        name=_("Key positions"),
        one=_("key position"),
        edit="video_network.edit",
        view="video_network.view",
        columns=("area", "setting"),
        filters=("area", "setting"),
        prefix="ZB",
        order=60,
    )

    class Meta(Entry.Meta):
        abstract = False


class Ground(models.TextChoices):
    """The public places in which a system may be built (7). Elsewhere in public nobody may."""

    ROADS = (
        "roads",
        pgettext_lazy("video", "roads, boundaries, bridges, tunnels, squares, around guarded units"),
    )
    GATHERING = (
        "gathering",
        pgettext_lazy("video", "places where people gather: shops, schools, hospitals, parks"),
    )
    HUB = "hub", pgettext_lazy("video", "ports, airports and stations")
    VEHICLES = "vehicles", pgettext_lazy("video", "large and medium public vehicles and ships")
    SERVICE_AREA = "service_area", pgettext_lazy("video", "service areas of highways")


class VideoSystem(Entry):
    """A system of cameras under one managing unit. It holds from the day on which it is first used."""

    manager = models.CharField(_("managing unit"), max_length=80)
    phone = models.CharField(_("office telephone"), max_length=30, blank=True)
    ground = models.CharField(
        _("legal ground"),
        max_length=12,
        choices=Ground.choices,
        help_text=_("The public place for which Order 799, article 7 lets a system be built."),
    )
    storage_days = models.PositiveSmallIntegerField(
        _("recordings kept (days)"),
        validators=[MinValueValidator(KEPT_DAYS, _("At least 30 days (Order 799, article 17)."))],
        help_text=_("At least 30; deleted afterwards where they have served their purpose."),
    )
    filed_on = models.DateField(
        _("filed with the police on"),
        null=True,
        blank=True,
        help_text=_("Within 30 days of first use (Order 799, article 14)."),
    )
    filing = models.CharField(_("filing number"), max_length=40, blank=True)
    signs_since = models.DateField(
        _("signs stand since"), null=True, blank=True, help_text=_("Whoever comes there can see them.")
    )
    contractor = models.CharField(_("contractor"), max_length=80, blank=True)
    agreement_on = models.DateField(
        _("agreement on security of"),
        null=True,
        blank=True,
        help_text=_("With the contractor, if there is one."),
    )
    near_secret = models.BooleanField(_("near a unit that keeps secrets"), default=False)
    consent = models.CharField(
        _("consent of that unit"), max_length=120, blank=True, help_text=_("Number and day of the paper.")
    )

    about: ClassVar[About] = About(
        slug="video-systems",
        name=_("Video systems"),
        one=_("video system"),
        edit="video_network.edit",
        view="video_network.view",
        columns=("manager", "filed_on", "storage_days"),
        filters=("ground",),
        prefix="SX",
        order=61,
    )

    class Meta(Entry.Meta):
        abstract = False

    @property
    def file_by(self) -> dt.date:
        """The last day on which it is filed in time (14)."""
        return LAW_SINCE + OLD_FILED_WITHIN if self.valid_from < LAW_SINCE else self.valid_from + FILED_WITHIN

    def faults(self) -> dict[str, Text]:
        """A filing has a number, a contractor has signed for security (15), near secrets consent is given (10)."""
        wrong: dict[str, Text] = {}
        if self.filed_on is not None and not self.filing:
            wrong["filing"] = _("Give the number of the filing.")
        if self.filing and self.filed_on is None:
            wrong["filed_on"] = _("Say on which day it was filed.")
        if self.contractor and self.agreement_on is None:
            wrong["agreement_on"] = _("A contractor signs an agreement on security (Order 799, article 15).")
        if self.agreement_on is not None and not self.contractor:
            wrong["contractor"] = _("Say with whom the agreement was made.")
        if self.near_secret and not self.consent:
            wrong["consent"] = _(
                "Near a unit that keeps secrets its consent is needed (Order 799, article 10)."
            )
        return wrong


class View(models.TextChoices):
    """What a camera looks at. The last four are looked for and refused: nobody may have one there (8)."""

    STREET = "street", pgettext_lazy("video", "street or square")
    ENTRANCE = "entrance", pgettext_lazy("video", "entrance or exit")
    HALL = "hall", pgettext_lazy("video", "hall or corridor open to the public")
    VEHICLE = "vehicle", pgettext_lazy("video", "inside a public vehicle")
    PARKING = "parking", pgettext_lazy("video", "car park")
    BOUNDARY = "boundary", pgettext_lazy("video", "wall, fence or bank")
    GUEST_ROOM = "guest_room", pgettext_lazy("video", "inside a guest room or private dining room")
    DORMITORY = "dormitory", pgettext_lazy("video", "inside a room of a dormitory")
    UNDRESSED = (
        "undressed",
        pgettext_lazy("video", "inside a bath, toilet, changing, nursing or fitting room"),
    )
    PRIVATE = "private", pgettext_lazy("video", "any other place where it could spy on private life")


FORBIDDEN = frozenset({View.GUEST_ROOM, View.DORMITORY, View.UNDRESSED, View.PRIVATE})


class Form(models.TextChoices):
    """How a camera is built, by GB/T 28181."""

    DOME = "dome", pgettext_lazy("video", "dome")
    HALF_DOME = "half_dome", pgettext_lazy("video", "half dome")
    FIXED = "fixed", pgettext_lazy("video", "fixed")
    STEERED = "steered", pgettext_lazy("video", "steered")
    PANORAMIC = "panoramic", pgettext_lazy("video", "panoramic")


class Camera(Entry):
    """A camera, under its national code. What it records is not here."""

    system = models.ForeignKey(
        VideoSystem,
        models.PROTECT,
        verbose_name=_("video system"),
        related_name="+",
        help_text=_("Its code or whole name."),
    )
    position = models.ForeignKey(
        KeyPosition,
        models.PROTECT,
        verbose_name=_("key position"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The one that it covers, if any."),
    )
    view = models.CharField(_("looks at"), max_length=10, choices=View.choices)
    form = models.CharField(_("form of camera"), max_length=10, choices=Form.choices)
    accepted_on = models.DateField(_("accepted on"), null=True, blank=True)
    networked_since = models.DateField(
        _("networked since"),
        null=True,
        blank=True,
        help_text=_("The day since which the shared platform has it."),
    )

    about: ClassVar[About] = About(
        slug="cameras",
        name=_("Cameras"),
        one=_("camera"),
        edit="video_network.edit",
        view="video_network.view",
        columns=("system", "view", "networked_since"),
        filters=("view", "form"),
        order=62,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """A camera has a national code of its place, belongs to a system there, and looks at nothing forbidden (8)."""
        wrong: dict[str, Text] = {}
        if text := _wrong_code(self.code, self.place):
            wrong["code"] = text
        if self.view in FORBIDDEN:
            wrong["view"] = _("Forbidden (Order 799, article 8): it is to be taken down, not entered.")
        if not self.place.startswith(self.system.place):
            wrong["system"] = _("This system does not reach to this place.")
        elif self.valid_from < self.system.valid_from:
            wrong["valid_from"] = _("The system was not in use yet.")
        if self.position is not None and not _together(self.place, self.position.place):
            wrong["position"] = _("This key position lies elsewhere.")
        for name in ("accepted_on", "networked_since"):
            day = getattr(self, name)
            if day is not None and day < self.valid_from:
                wrong[name] = _("This lies before the camera's first day.")
        return wrong


def _together(one: str, other: str) -> bool:
    """Whether one place lies in the other."""
    return one.startswith(other) or other.startswith(one)


def _wrong_code(code: str, place: str) -> Text | None:
    device = device_codes.parse(code)
    if device is None:
        return _("Write the twenty digits of its national code (GB/T 28181).")
    if not device.is_camera:
        return format_lazy(
            _("Digits 11 to 13 say “{type}”, which is no camera: 131 or 132."), type=device.type
        )
    if not device.lies_in(place):
        return format_lazy(_("This code is of {area}, not of the place given."), area=device.area)
    return None


class Failing(models.TextChoices):
    """What may be wrong with a camera."""

    OFFLINE = "offline", pgettext_lazy("camera", "offline")
    BLIND = "blind", pgettext_lazy("camera", "shows nothing")
    UNCLEAR = "unclear", pgettext_lazy("camera", "dirty or blocked")
    TURNED = "turned", pgettext_lazy("camera", "turned or moved")
    RECORDING = "recording", pgettext_lazy("camera", "records too little")
    OTHER = "other", pgettext_lazy("camera", "other")


class CameraFault(Entry):
    """A camera that does not work, from the day on which that was found until the day on which it was repaired."""

    camera = models.ForeignKey(
        Camera,
        models.PROTECT,
        verbose_name=_("camera"),
        related_name="+",
        help_text=_("Its national code."),
    )
    failing = models.CharField(_("what is wrong"), max_length=10, choices=Failing.choices)
    due = models.DateField(_("repair by"), null=True, blank=True)
    repairer = models.CharField(_("repaired by"), max_length=80, blank=True)

    about: ClassVar[About] = About(
        slug="camera-faults",
        name=_("Faults of cameras"),
        one=_("fault of a camera"),
        edit="video_network.edit",
        view="video_network.view",
        columns=("camera", "failing", "due"),
        filters=("failing",),
        prefix="GZ",
        order=63,
    )

    class Meta(Entry.Meta):
        abstract = False
        indexes: ClassVar[list[models.Index]] = [
            *Entry.Meta.indexes,
            models.Index(fields=["due"], name="camerafault_due"),
        ]

    def faults(self) -> dict[str, Text]:
        """A fault is of a camera in service, at its place, and is to be repaired no earlier than it was found."""
        wrong: dict[str, Text] = {}
        if not self.camera.in_force(self.valid_from):
            wrong["valid_from"] = _("This camera is not in service on this day.")
        if self.place != self.camera.place:
            wrong["place"] = format_lazy(_("The camera stands at {place}."), place=self.camera.place)
        if self.due is not None and self.due < self.valid_from:
            wrong["due"] = _("This lies before the day on which it was found.")
        return wrong


class Asker(models.TextChoices):
    """Who looks at recordings: a state organ by its powers and procedure (20), whoever is concerned with the managing
    unit's consent (21), and the unit's own authorised staff or its contractor (16)."""

    ORGAN = "organ", pgettext_lazy("video", "state organ, by law")
    PERSON = "person", pgettext_lazy("video", "somebody concerned, with consent")
    OWN = "own", pgettext_lazy("video", "authorised staff")
    REPAIR = "repair", pgettext_lazy("video", "maintenance")


class RecordingsAccess(Entry):
    """One line of the register of access to recordings (16): reason, content, unit and name. Whoever is concerned
    themselves is not named: that register stays with the managing unit."""

    system = models.ForeignKey(
        VideoSystem,
        models.PROTECT,
        verbose_name=_("video system"),
        related_name="+",
        help_text=_("Its code or whole name."),
    )
    asker = models.CharField(_("who looked"), max_length=8, choices=Asker.choices)
    organ = models.CharField(_("unit of whoever looked"), max_length=80, blank=True)
    official = models.CharField(
        _("name of the official"), max_length=40, blank=True, help_text=_("Never of a resident.")
    )
    reason = models.CharField(_("reason"), max_length=200)
    basis = models.CharField(
        _("law and paper"), max_length=200, blank=True, help_text=_("Needed where a state organ looks.")
    )
    content = models.CharField(
        _("which recordings"), max_length=200, help_text=_("Cameras, and from when to when.")
    )
    copied = models.BooleanField(_("copied"), default=False)
    approved_by = models.CharField(_("approved by"), max_length=200, help_text=_("The post that decided."))

    about: ClassVar[About] = About(
        slug="recordings-access",
        name=_("Access to recordings"),
        one=_("access to recordings"),
        edit="video_network.edit",
        view="video_network.view",
        columns=("system", "asker", "organ"),
        filters=("asker",),
        prefix="CY",
        order=64,
    )

    class Meta(Entry.Meta):
        abstract = False

    def faults(self) -> dict[str, Text]:
        """An organ looks by a law and by an official with a name; of a resident no name is kept."""
        wrong: dict[str, Text] = {}
        if not self.system.in_force(self.valid_from):
            wrong["valid_from"] = _("This system is not in use on this day.")
        if not self.place.startswith(self.system.place):
            wrong["system"] = _("This system does not reach to this place.")
        if self.asker == Asker.PERSON:
            for name in ("organ", "official"):
                if getattr(self, name):
                    wrong[name] = _("Whoever is concerned themselves is not named here.")
            return wrong
        for name in ("organ", "official", *(["basis"] if self.asker == Asker.ORGAN else [])):
            if not getattr(self, name):
                wrong[name] = _("Needed for the register of access (Order 799, articles 16 and 20).")
        return wrong
