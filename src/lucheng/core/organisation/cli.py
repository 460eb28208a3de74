"""``lucheng roles | units | people | posts | tokens …``."""

from __future__ import annotations

import datetime as dt
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from lucheng.core.console import console, reporting

if TYPE_CHECKING:
    from lucheng.core.organisation.models import Person

roles = typer.Typer(help="The role catalogue: what a post lets its holder see and do.", no_args_is_help=True)
units = typer.Typer(help="The units of the city.", no_args_is_help=True)
people = typer.Typer(help="Members of staff.", no_args_is_help=True)
posts = typer.Typer(help="Posts: a person in a role at a place, for a unit.", no_args_is_help=True)
tokens = typer.Typer(help="Keys by which programs act as a person.", no_args_is_help=True)

Username = Annotated[str, typer.Argument(help="The name the person signs in with.")]


def _person(username: str) -> Person:
    from lucheng.core.errors import NotFound
    from lucheng.core.organisation.models import Person

    person = Person.objects.filter(username=username).first()
    if person is None:
        raise NotFound(f"there is no person called {username}")
    return person


@roles.command("load")
def load_roles(
    file: Annotated[Path | None, typer.Argument(help="A TOML pack; the national one if not given.")] = None,
) -> None:
    """Add and change the roles of a pack. Posts stay; what they allow follows the new role at once."""
    from lucheng.core.organisation import roles as room

    with reporting("loading"):
        loaded = room.load(file or room.NATIONAL)
    for what in ("added", "changed", "unchanged"):
        codes = getattr(loaded, what)
        console.print(f"{what} {len(codes)}: {' '.join(codes)}")


@roles.command("list")
def list_roles() -> None:
    """All roles, and every capability that a role may be given."""
    from lucheng.core.organisation.capabilities import CAPABILITIES
    from lucheng.core.organisation.models import Role

    table = Table("role", "name", "in English", "reach", "capabilities")
    with reporting("reading"):
        for role in Role.objects.order_by("code"):
            table.add_row(role.code, role.name, role.name_en, role.reach, " ".join(role.capabilities))
    console.print(table)
    capabilities = Table("capability", "allows to")
    for code, text in CAPABILITIES.items():
        capabilities.add_row(code, str(text))
    console.print(capabilities)


@units.command("import")
def import_units(
    file: Annotated[Path, typer.Argument(help="An xlsx or CSV sheet.", exists=True, dir_okay=False)],
) -> None:
    """Add and change units by a sheet with a header row. Units that it does not name stay as they are."""
    from lucheng.core.organisation import units as room

    with reporting("checking") as report, file.open("rb") as sheet:
        imported = room.import_units(sheet, progress=report)
    console.print(f"{imported.added} added, {imported.changed} changed, {imported.unchanged} as before")


@people.command("add")
def add_person(
    username: Username,
    name: Annotated[str, typer.Option(help="The name that others see.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the first password from standard input.")
    ] = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="For a program, which never signs in: it has a key.")
    ] = False,
) -> None:
    """Add a member of staff. They see nothing until they hold a post, and set their own password when they sign in."""
    from lucheng.core.organisation.people import add_person as add

    password = None
    if not no_password:
        password = (
            sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass("First password: ")
        )
    with reporting("adding"):
        person = add(username, name, password)
    console.print(f"{person.username}: {person.name}")


@people.command("reset-factor")
def reset_factor(username: Username) -> None:
    """Take a lost second factor away; its owner signs in by password and sets up another."""
    from lucheng.core.organisation.factors import reset

    with reporting("resetting"):
        reset(_person(username), by=None)
    console.print(f"{username} has no second factor any more")


@people.command("sign-ins")
def list_sign_ins(
    person: Annotated[str, typer.Option(help="Name or user name, in full.")] = "",
    outcome: Annotated[str, typer.Option(help="in, half, refused, out or ended.")] = "",
    address: Annotated[str, typer.Option(help="Network address.")] = "",
    since: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day; 30 days back.")
    ] = None,
    until: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most, the newest.")] = 50,
) -> None:
    """List who signed in and who was refused, of half a year at most."""
    from django.utils import timezone

    from lucheng.core.organisation import signing_in

    table = Table("when", "account", "outcome", "reason", "by", "address")
    with reporting("reading"):
        asked = signing_in.Asked(
            person=person,
            outcome=outcome,
            address=address,
            since=timezone.make_aware(since)
            if since is not None
            else timezone.now() - signing_in.USUAL_PERIOD,
            until=timezone.make_aware(until + dt.timedelta(days=1)) if until is not None else None,
        )
        for row in signing_in.find(asked)[:limit]:
            table.add_row(
                timezone.localtime(row.at).strftime("%Y-%m-%d %H:%M:%S"),
                row.person.username if row.person is not None else "",
                row.outcome,
                row.reason,
                row.by,
                row.address,
            )
    console.print(table)


@posts.command("add")
def add_post(
    username: Username,
    role: Annotated[str, typer.Argument(help="Code of the role, as `lucheng roles list` shows it.")],
    place: Annotated[str, typer.Option(help="Code of the division or grid.")],
    unit: Annotated[str, typer.Option(help="Code of the unit, where the role serves in one.")] = "",
    since: Annotated[
        dt.datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day; today if not given."),
    ] = None,
    until: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day on which it is over.")
    ] = None,
    part_time: Annotated[bool, typer.Option("--part-time", help="Not a full-time post.")] = False,
) -> None:
    """Give a person a post."""
    from django.utils import timezone

    from lucheng.core.errors import NotFound
    from lucheng.core.organisation.models import Post, Role, Unit
    from lucheng.core.organisation.people import add_post as add

    with reporting("adding"):
        found = Role.objects.filter(code=role).first()
        if found is None:
            raise NotFound(f"there is no role {role}: see `lucheng roles list`")
        serves = Unit.objects.filter(code=unit).first()
        if unit and serves is None:
            raise NotFound(f"there is no unit {unit}")
        post = add(
            _person(username),
            found,
            place,
            serves,
            since.date() if since else timezone.localdate(),
            by=None,
            until=until.date() if until else None,
            basis=Post.Basis.PART if part_time else Post.Basis.FULL,
        )
    console.print(str(post))


@tokens.command("add")
def add_token(
    username: Username,
    label: Annotated[str, typer.Option(help="What uses the key.")],
    days: Annotated[int, typer.Option(min=1, help="Days for which it works.")] = 365,
) -> None:
    """Make a key and print it once: only its fingerprint is kept."""
    from django.utils import timezone

    from lucheng.core.organisation.tokens import issue

    now = timezone.now()
    with reporting("making"):
        token = issue(_person(username), label, now, now + dt.timedelta(days=days))
    typer.echo(token)


@tokens.command("revoke")
def revoke_token(username: Username, label: Annotated[str, typer.Option(help="Label of the key.")]) -> None:
    """Make a key useless from now on."""
    from lucheng.core.organisation.tokens import revoke

    with reporting("revoking"):
        revoke(_person(username), label)
    console.print(f"revoked: {label}")


def register(app: typer.Typer) -> None:
    for name, group in (
        ("roles", roles),
        ("units", units),
        ("people", people),
        ("posts", posts),
        ("tokens", tokens),
    ):
        app.add_typer(group, name=name)
