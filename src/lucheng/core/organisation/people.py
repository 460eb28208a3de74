"""People and the posts they hold. A post is ended, never deleted: who could see what, when, stays answerable."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound, Text
from lucheng.core.ledger import acts
from lucheng.core.organisation import capabilities, signing_in
from lucheng.core.organisation.models import Person, Post, Role, Unit
from lucheng.core.places import names

# Without letters and digits that look alike: it is read out and copied from paper.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"

_TAKEN = _("There is a person called {username} already.")


def add_person(username: str, name: str, password: str | None = None, *, by: Person | None = None) -> Person:
    """A member of staff. Without a password they cannot sign in until one is set; one that is given here is a first
    password, which they replace by their own when they sign in.

    Raises Invalid at ``username`` (empty, odd characters, taken), ``name`` or ``password`` (too weak).
    """
    username, name = username.strip(), name.strip()
    wrong: dict[str, Text] = {}
    if not username or len(username) > 60 or not username.isprintable() or any(c.isspace() for c in username):
        wrong["username"] = _("Write a name of at most 60 characters without spaces.")
    elif Person.objects.filter(username=username).exists():
        wrong["username"] = format_lazy(_TAKEN, username=username)
    if not name or len(name) > 60:
        wrong["name"] = _("Write a name of at most 60 characters.")
    if password is not None:
        try:
            validate_password(password, Person(username=username, name=name))
        except ValidationError as weak:
            wrong["password"] = " ".join(weak.messages)
    if wrong:
        raise Invalid(wrong)
    try:
        with transaction.atomic():
            person = Person.objects.create_user(username, password, name=name)
            if password is not None:
                person.password_given_at, person.password_given_by = timezone.now(), by
                person.save(update_fields=["password_given_at", "password_given_by"])
            acts.wrote("person_added", username)
            return person
    except IntegrityError:  # somebody else took the name between the look and the write
        raise Invalid({"username": format_lazy(_TAKEN, username=username)}) from None


def add_post(
    person: Person,
    role: Role,
    place: str,
    unit: Unit | None,
    since: dt.date,
    *,
    by: Person | None,
    until: dt.date | None = None,
    domains: tuple[str, ...] = (),
    basis: str = Post.Basis.FULL,
) -> Post:
    """Give ``person`` a post from ``since`` up to but not on ``until``. ``by`` is who does it, None on the console.

    Raises Forbidden where somebody gives a post to themselves; Invalid at ``place``, ``unit``, ``until`` or
    ``role``: the role needs a unit, or the person's posts together would hold rights that must be apart.
    """
    if by is not None and by.pk == person.pk:
        raise Forbidden(_("Nobody gives a post to themselves: ask another administrator."))
    wrong: dict[str, Text] = {}
    if not names.exists(place, since):
        wrong["place"] = format_lazy(_("There is no division or grid {code} in force."), code=place)
    if role.reach == Role.Reach.UNIT and unit is None:
        wrong["unit"] = _("This role sees the cases of its unit: name the unit.")
    elif unit is not None and not unit.active:
        wrong["unit"] = format_lazy(_("{unit} has been closed."), unit=unit.name)
    if until is not None and until <= since:
        wrong["until"] = _("The post must end after it begins.")
    with transaction.atomic():
        # Posts of one person are given one after another: two at once could each be allowed and together not.
        Person.objects.select_for_update().get(pk=person.pk)
        beside = Post.objects.filter(Q(valid_to=None) | Q(valid_to__gt=since), person=person).select_related(
            "role"
        )
        if until is not None:
            beside = beside.filter(valid_from__lt=until)
        held = set(role.capabilities).union(*(p.role.capabilities for p in beside))
        try:
            capabilities.check(held)
        except Invalid as apart:
            wrong["role"] = apart.detail
        if any((p.role_id, p.place, p.unit_id) == (role.pk, place, unit and unit.pk) for p in beside):
            wrong["role"] = _("They hold this post already at this time.")
        if wrong:
            raise Invalid(wrong)
        post = Post.objects.create(
            person=person,
            role=role,
            place=place,
            unit=unit,
            valid_from=since,
            valid_to=until,
            domains=list(domains),
            basis=basis,
        )
        days = {"from": since.isoformat(), "until": until.isoformat() if until is not None else ""}
        acts.wrote("post_given", person.username, _told(post) | days)
    return post


def _told(post: Post) -> dict[str, str]:
    """What an act says of a post."""
    return {
        "role": post.role_id,
        "place": post.place,
        "unit": post.unit.code if post.unit is not None else "",
    }


def handlers(units: Collection[int], day: dt.date) -> list[Person]:
    """Who handles the orders of these units on ``day``, by name: active people with a post in one of them."""
    posts = Post.objects.filter(
        Post.in_force(day), unit__in=sorted(units), role__capabilities__contains=["case.handle"]
    )
    return list(Person.objects.filter(is_active=True, pk__in=posts.values("person")).order_by("name", "pk"))


def units_of(person_id: int | None, capability: str, day: dt.date) -> list[Unit]:
    """The units in which a person holds a post with the capability on ``day``, those below them not among them."""
    posts = Post.objects.filter(
        Post.in_force(day), person=person_id, role__capabilities__contains=[capability]
    )
    return list(Unit.objects.filter(pk__in=posts.values("unit")).order_by("name", "pk"))


def end_post(post: Post, day: dt.date) -> Post:
    """End a post: ``day`` is the first on which it is no longer held. A post not yet begun is taken back.

    Raises Conflict where it has ended already.
    """
    with transaction.atomic():
        locked = Post.objects.select_for_update().filter(pk=post.pk).first()
        if locked is None:
            raise NotFound(_("There is no such post."))
        if locked.valid_to is not None and locked.valid_to <= day:
            raise Conflict(_("This post has ended already."))
        if locked.valid_from >= day:
            locked.delete()
        else:
            locked.valid_to = day
            locked.save(update_fields=["valid_to"])
        acts.wrote("post_ended", locked.person.username, _told(locked) | {"until": day.isoformat()})
    return locked


def set_active(person: Person, active: bool, *, by: Person | None) -> None:
    """Let somebody sign in, or no longer: their posts stay, their keys and sessions stop working at once.

    Raises Forbidden where somebody locks or unlocks themselves.
    """
    if by is not None and by.pk == person.pk:
        raise Forbidden(_("Nobody locks or unlocks themselves: ask another administrator."))
    with transaction.atomic():
        Person.objects.filter(pk=person.pk).update(is_active=active)
        acts.wrote("person_unlocked" if active else "person_locked", person.username)


def made_password() -> str:
    """A first password: twelve letters and digits in three groups, 59 random bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _n in range(4)) for _group in range(3))


def set_password(person: Person, password: str, *, by: Person | None) -> None:
    """Give somebody a new first password; every session of theirs ends, and so does a lock after wrong passwords.

    Raises Forbidden where somebody does it to themselves, or has taken the person's second factor away: with both they
    could sign in as that person. Raises Invalid at ``password`` where it is too weak.
    """
    if by is not None and by.pk == person.pk:
        raise Forbidden(_("Nobody gives a new first password to themselves: ask another administrator."))
    try:
        validate_password(password, person)
    except ValidationError as weak:
        raise Invalid({"password": " ".join(weak.messages)}) from None
    with transaction.atomic():
        locked = Person.objects.select_for_update().get(pk=person.pk)
        if by is not None and locked.factors_reset_by_id == by.pk:
            raise Forbidden(
                _(
                    "You have reset the second factor of this person. Another administrator gives a new password."
                )
            )
        person.set_password(password)
        person.password_given_at, person.password_given_by = timezone.now(), by
        person.save(update_fields=["password", "password_given_at", "password_given_by"])
        acts.wrote("password_given", person.username)
    signing_in.forget(person.username)


def first_password_over(person: Person, now: dt.datetime) -> bool:
    """Whether the password that somebody else gave is too old to sign in with."""
    given = person.password_given_at
    return given is not None and now - given >= settings.FIRST_PASSWORD_LASTS


def own_password(person: Person, password: str) -> None:
    """Take a password that the person has chosen; every other session of theirs ends.

    Raises Invalid at ``password`` where it is too weak, or the one that they have already.
    """
    try:
        validate_password(password, person)
    except ValidationError as weak:
        raise Invalid({"password": " ".join(weak.messages)}) from None
    if person.check_password(password):
        raise Invalid({"password": _("This is the password that you have. Choose another one.")})
    person.set_password(password)
    person.password_given_at = person.password_given_by = None
    person.save(update_fields=["password", "password_given_at", "password_given_by"])
