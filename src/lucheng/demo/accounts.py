"""The accounts with which one looks around the demo city, and their one password, made fresh for each installation."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from lucheng.core import packs
from lucheng.core.organisation.models import Person, Post
from lucheng.core.places.names import place_name

# Without letters and digits that look alike.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Account:
    username: str
    name: str
    role: str
    unit: str
    place: str


def _file() -> Path:
    return Path(settings.HOME) / "demo-password"


def usernames() -> list[str]:
    return [a["username"] for a in packs.of_demo_city("staff.toml")["account"]]


def password() -> str:
    """The password of all demo accounts, kept in a file that only its owner may read. Where this installation has none
    yet, one is made; where the accounts do not have it, in a city made anew, they get it."""
    try:
        word = _file().read_text().strip()
    except FileNotFoundError:
        word = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
        fd = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w") as f:
            f.write(word + "\n")
    people = list(Person.objects.filter(username__in=usernames()).order_by("id"))
    if not all(p.has_usable_password() for p in people) or not people[0].check_password(word):
        with transaction.atomic():
            for person in people:
                person.set_password(word)
                person.save(update_fields=["password"])
    # Nobody has to replace a password that is meant to be known; only the accounts of the demo city are so marked.
    Person.objects.filter(username__in=usernames(), for_show=False).update(for_show=True)
    return word


def forget() -> None:
    """Have a new password made at the next start, for a city made anew."""
    _file().unlink(missing_ok=True)


def listed() -> list[Account]:
    """The accounts in the order of the pack."""
    order = {name: i for i, name in enumerate(usernames())}
    posts = Post.objects.filter(person__username__in=order).select_related("person", "role", "unit")
    return sorted(
        (
            Account(
                username=p.person.username,
                name=p.person.name,
                role=p.role.name,
                unit=p.unit.name if p.unit is not None else "",
                place=place_name(p.place),
            )
            for p in posts
        ),
        key=lambda a: order[a.username],
    )
