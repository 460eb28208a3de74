"""Who works here: units in a tree, people, roles, and the posts that join them to a place.

Who may see and do what follows from posts alone; :mod:`lucheng.core.organisation.access` turns them into one predicate.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.fields import PrefixField


class Unit(models.Model):
    """A body that handles matters: a bureau, a sub-district office, a community, a company with a public duty."""

    class Kind(models.TextChoices):
        GOVERNMENT = "government", _("government")
        DEPARTMENT = "department", _("department")
        STREET = "street", _("sub-district, town or sumu office")
        COMMUNITY = "community", _("community or village committee")
        COMPANY = "company", _("company with a public duty")
        HOTLINE = "hotline", _("hotline centre")
        POLICE = "police", _("police")
        COURT = "court", _("court or procuratorate")
        ORGANISATION = "organisation", _("social organisation")

    code = models.CharField(
        max_length=40, unique=True, help_text="stable short name, used by imports and the catalogue"
    )
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    place = PrefixField(help_text="the place it answers for")
    domains = ArrayField(
        PrefixField(), default=list, help_text="matter codes it answers for; empty means any"
    )
    phone = models.CharField(max_length=30, blank=True, help_text="office telephone, public")
    active = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["place"])]

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, username: str, password: str | None = None, *, name: str = "") -> Person:
        """A person who may sign in; without a password they cannot until one is set."""
        person = self.model(username=username, name=name)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(AbstractBaseUser):
    """A member of staff. Residents have no account: they follow a case by its code."""

    username = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=60)
    language = models.CharField(max_length=8, blank=True)
    is_active = models.BooleanField(default=True)
    password_given_at = models.DateTimeField(
        null=True, help_text="when somebody else gave the password; empty once it is the person's own"
    )
    password_given_by = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    factors_reset_by = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text="who took a lost second factor away, until the person has signed in since",
    )
    sessions_ended = models.PositiveIntegerField(
        default=0, db_default=0, help_text="how often all sessions were ended; a session knows its number"
    )
    for_show = models.BooleanField(
        default=False,
        db_default=False,
        help_text="an account of the demo city, whose password everybody there knows",
    )

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "username"

    def __str__(self) -> str:
        return self.name

    def get_session_auth_hash(self) -> str:
        """What a session must hold to be this person's: it changes with the password, and when all sessions end."""
        return salted_hmac(
            "lucheng.session", f"{self.sessions_ended} {super().get_session_auth_hash()}", algorithm="sha256"
        ).hexdigest()


class Role(models.Model):
    """One row of the role catalogue, which a city may edit: what a post lets its holder see and do, and how far."""

    class Reach(models.TextChoices):
        PLACE = "place", _("every case at its place")
        UNIT = "unit", _("cases of its unit, at its place")
        NONE = "none", _("no cases")

    code = models.CharField(max_length=40, primary_key=True)
    name = models.CharField(max_length=40)
    name_en = models.CharField(max_length=60)
    reach = models.CharField(max_length=6, choices=Reach.choices)
    capabilities = ArrayField(models.CharField(max_length=40), default=list)

    def __str__(self) -> str:
        return self.name


class Post(models.Model):
    """A person in a role at a place, for a unit, over a stretch of time."""

    class Basis(models.TextChoices):
        FULL = "full", _("full time")
        PART = "part", _("part time")

    person = models.ForeignKey(Person, models.PROTECT, related_name="posts")
    role = models.ForeignKey(Role, models.PROTECT)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="posts")
    place = PrefixField()
    building = models.ForeignKey("places.Building", models.SET_NULL, null=True)
    building_unit = models.ForeignKey("places.BuildingUnit", models.SET_NULL, null=True)
    domains = ArrayField(PrefixField(), default=list, help_text="matter codes; empty means any")
    basis = models.CharField(max_length=4, choices=Basis.choices, default=Basis.FULL)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["place", "role"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")), name="post_valid_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.role} · {self.place}"

    @staticmethod
    def in_force(day: dt.date) -> Q:
        """The condition that a post is held on ``day``."""
        return Q(valid_from__lte=day) & (Q(valid_to=None) | Q(valid_to__gt=day))


class ApiToken(models.Model):
    """A key by which a program acts as a person. Only its SHA-256 is kept."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="tokens")
    label = models.CharField(max_length=60)
    digest = models.BinaryField(unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.label


class Interest(models.Model):
    """A person's declared interest in a unit: recused from cases against it (回避, Jinan regulation art. 32)."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="interests")
    unit = models.ForeignKey(Unit, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "unit"], name="interest_once")]

    def __str__(self) -> str:
        return f"{self.person} · {self.unit}"


class AuthenticatorApp(models.Model):
    """The secret that a person's telephone shares with us (RFC 6238), sealed, and the last step that was used."""

    person = models.OneToOneField(Person, models.CASCADE, primary_key=True, related_name="app")
    secret = models.BinaryField()
    last_step = models.BigIntegerField()
    added_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person_id}"


class Passkey(models.Model):
    """A key in a person's device (Web Authentication, W3C): the public half of it."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="passkeys")
    label = models.CharField(max_length=40)
    credential_id = models.BinaryField(unique=True)
    credential = models.BinaryField(help_text="attested credential data, 6.5.2 of the recommendation")
    uses = models.BigIntegerField(help_text="the device's own count; it must grow, unless it stays 0")
    added_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.label

    @property
    def slug(self) -> str:
        """Its name in an address."""
        return f"passkey-{self.pk}"


class RecoveryCode(models.Model):
    """A code for the day on which the second factor is lost. A keyed digest is kept; it is deleted by its use."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="recovery_codes")
    digest = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"{self.person_id}"


class SignIn(models.Model):
    """One try to sign in and what came of it, or the end of a session; destroyed after half a year.

    Whatever was typed as a name and is none of an account is not kept: people type passwords there.
    """

    class By(models.TextChoices):
        PASSWORD = "password", pgettext_lazy("sign-in", "password")
        PASSKEY = "passkey", pgettext_lazy("sign-in", "passkey")
        APP = "app", pgettext_lazy("sign-in", "code of an app")
        RECOVERY = "recovery", pgettext_lazy("sign-in", "recovery code")
        CITY = "city", pgettext_lazy("sign-in", "single sign-on")

    class Outcome(models.TextChoices):
        IN = "in", pgettext_lazy("sign-in", "signed in")
        HALF = "half", pgettext_lazy("sign-in", "asked for the second factor")
        REFUSED = "refused", pgettext_lazy("sign-in", "refused")
        OUT = "out", pgettext_lazy("sign-in", "signed out")
        ENDED = "ended", pgettext_lazy("sign-in", "session ended by itself")

    class Reason(models.TextChoices):
        WRONG = "wrong", pgettext_lazy("sign-in", "wrong, or no such account")
        LOCKED = "locked", pgettext_lazy("sign-in", "locked after too many tries")
        CLOSED = "closed", pgettext_lazy("sign-in", "the account is locked")
        OLD = "old", pgettext_lazy("sign-in", "the first password was too old")
        FAILED = "failed", pgettext_lazy("sign-in", "single sign-on did not succeed")

    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField(db_index=True)
    by = models.CharField(max_length=8, choices=By.choices, blank=True, help_text="what was shown last")
    outcome = models.CharField(max_length=7, choices=Outcome.choices)
    reason = models.CharField(max_length=6, choices=Reason.choices, blank=True, help_text="of a refusal")
    address = models.CharField(
        max_length=45, blank=True, help_text="network address; empty where a session ended by itself"
    )

    class Meta:
        indexes = [models.Index(fields=["person", "at"])]

    def __str__(self) -> str:
        return f"{self.at} {self.outcome}"
