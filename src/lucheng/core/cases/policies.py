"""Row-level security on cases and on everything that hangs on one.

A connection sees the rows that its context names (:mod:`lucheng.postgresql.context`), and none without. A policy never
widens what the application shows: it repeats the application's predicate underneath, so that a forgotten filter shows
nothing. Rows are written only where a piece of code has said that it reads everything, and why; whoever may see a case
may lock it.

Every model with a foreign key to a case is walled with it, without a list: a new room has its walls once it is
migrated. What administrators did and who signed in stands apart from cases, and has walls of its own.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import ProgrammingError, connections, transaction
from django.db.models import ForeignKey, Model
from psycopg import errors, sql

from lucheng.core.cases.models import Case
from lucheng.core.ledger.models import Act
from lucheng.core.organisation.models import SignIn
from lucheng.postgresql.context import ROLE

log = logging.getLogger(__name__)


def _told(name: str) -> str:
    """A setting of the context: null where it is not set."""
    return f"nullif(current_setting('lucheng.{name}', true), '')"


_EVERYTHING = f"{_told('everything')} is not null"
_BY_CODE = f"code = {_told('code')}"
# The range stands first and by itself: an index on the place serves it. Settings that must be taken apart are read in a
# select of their own, once for a statement rather than once for a row.
_BY_POST = f"""
    kept_by = '' and place >= {_told("place_from")} and place < {_told("place_to")}
    and (not confidential or {_told("confidential")} = 'on')
    and (accused_unit_id is null
        or accused_unit_id <> all (coalesce((select {_told("recused")}::bigint[]), '{{}}')))
    and ({_told("exact")} = 'on' or exists (
        select from jsonb_to_recordset({_told("grants")}::jsonb) as post(
            place_from text, place_to text, units bigint[], author bigint, domains text[], confidential boolean)
        where place >= post.place_from and place < post.place_to
        and (post.units is null or cases_case.units && post.units or intake_by_id = post.author)
        and (post.domains is null or matter ^@ any (post.domains))
        and (not cases_case.confidential or post.confidential)))
"""


_BY_KEEPER = f"""
    kept_by <> '' and exists (
        select from jsonb_to_recordset({_told("kept")}::jsonb) as keeper("by" text, place_from text, place_to text)
        where cases_case.kept_by = keeper."by" and place >= keeper.place_from and place < keeper.place_to)
"""


#: Shown only to a piece of code that says that it reads everything, and why.
APART: tuple[type[Model], ...] = (Act, SignIn)


def walled() -> dict[type[Model], ForeignKey[Any, Any] | None]:
    """Every model that has walls, with the key by which its rows hang on another walled one; None for the case itself.

    A key that may be empty walls the row only where it is set.
    """
    found: dict[type[Model], ForeignKey[Any, Any] | None] = {Case: None}
    todo = True
    while todo:
        todo = False
        for model in apps.get_models():
            if model in found or model._meta.proxy or not model._meta.managed:
                continue
            for field in model._meta.concrete_fields:
                if isinstance(field, ForeignKey) and field.related_model in found:
                    found[model] = field
                    todo = True
                    break
    return found


def _hangs_on(key: ForeignKey[Any, Any]) -> str:
    other = key.related_model._meta
    # "offset 0" keeps the planner from collecting the whole table of cases first, to look each row up in that.
    hangs = (
        f"exists (select from {other.db_table} above where above.{other.pk.column} = {key.column} offset 0)"
    )
    return f"{key.column} is null or {hangs}" if key.null else hangs


def _policies() -> Iterator[tuple[str, str, str]]:
    """(Table, name of the policy, the rest of its statement)."""
    for model, key in walled().items():
        table = model._meta.db_table
        rows = f"({_BY_POST}) or ({_BY_KEEPER}) or {_BY_CODE}" if key is None else _hangs_on(key)
        seen = f"{_EVERYTHING} or {rows}"
        yield table, "see", f"for select to {ROLE} using ({seen})"
        yield table, "add", f"for insert to {ROLE} with check ({_EVERYTHING})"
        # To lock a row is an update to PostgreSQL.
        yield table, "lock_or_change", f"for update to {ROLE} using ({seen}) with check ({_EVERYTHING})"
        yield table, "remove", f"for delete to {ROLE} using ({_EVERYTHING})"
    for model in APART:
        yield (
            model._meta.db_table,
            "everything",
            f"for all to {ROLE} using ({_EVERYTHING}) with check ({_EVERYTHING})",
        )


#: Tables of the ledger, of which nothing is ever changed: the database refuses it to the owner too.
_ADDED_ONLY = ("ledger_event", "ledger_anchor", "ledger_act")

#: What only a superuser may do: what is amiss until it is done, whether it is done, and how.
_BY_SUPERUSER = (
    # A unit's inbox finds its orders by "units && ...". PostgreSQL lets an index answer that under a policy only where
    # the operator is known to tell nothing of the rows it is shown, and comparing numbers tells nothing.
    (
        "Units' lists are slow.",
        "select proleakproof from pg_proc where proname = 'arrayoverlap'",
        "alter function arrayoverlap(anyarray, anyarray) leakproof",
    ),
    # Which other processes are autovacuum, and how far a standby has come.
    (
        "Anchors wait for autovacuum, and a standby's state is unknown.",
        f"select pg_has_role('{ROLE}', 'pg_read_all_stats', 'member')",
        f"grant pg_read_all_stats to {ROLE}",
    ),
)

_MAKE_ROLE = f"""
do $$ begin
    create role {ROLE} login;
exception when duplicate_object or unique_violation then null;
end $$
"""


def _statements(known: dict[tuple[str, str], str]) -> Iterator[sql.Composable]:
    """What must be said where ``known`` policies, by table and name with the digest of each, stand already."""
    wanted = {
        (table, name): (rest, hashlib.sha256(rest.encode()).hexdigest()) for table, name, rest in _policies()
    }
    for table, name in known.keys() - wanted.keys():
        yield sql.SQL("drop policy {} on {}").format(sql.Identifier(name), sql.Identifier(table))
    for (table, name), (rest, digest) in wanted.items():
        if known.get((table, name)) == digest:
            continue
        named = {"name": sql.Identifier(name), "table": sql.Identifier(table)}
        if (table, name) in known:
            yield sql.SQL("drop policy {name} on {table}").format(**named)
        yield sql.SQL("alter table {table} enable row level security").format(**named)
        yield sql.SQL("create policy {name} on {table} " + rest.replace("{", "{{").replace("}", "}}")).format(
            **named
        )
        yield sql.SQL("comment on policy {name} on {table} is {digest}").format(
            **named, digest=sql.Literal(digest)
        )


def raise_walls(using: str = "default", **_signal: Any) -> None:
    """Make the role that owns nothing, give it what it needs, and put the policies up. After every migration; what
    stands already is left alone.

    Raises RuntimeError where the owner of the tables may not make a role: it says what to run instead.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute("select current_user, exists (select from pg_roles where rolname = %s)", [ROLE])
        owner, stands = cursor.fetchone()
        try:
            if not stands:
                cursor.execute(_MAKE_ROLE)
            # Up to version 15 a member may always take the role on.
            to_take = "set" if connection.connection.info.server_version >= 160000 else "member"
            cursor.execute("select pg_has_role(%s, %s, %s)", [owner, ROLE, to_take])
            if not cursor.fetchone()[0]:
                cursor.execute(sql.SQL("grant {} to {}").format(sql.Identifier(ROLE), sql.Identifier(owner)))
        except ProgrammingError as error:
            if not isinstance(error.__cause__, errors.InsufficientPrivilege):
                raise
            raise RuntimeError(
                f"The database user {owner} may not make roles. Run as a superuser: "
                f'create role {ROLE} login; grant {ROLE} to "{owner}"; and then `lucheng migrate` again.'
            ) from error
        cursor.execute(
            f"""
            grant usage on schema public to {ROLE};
            grant select, insert, update, delete on all tables in schema public to {ROLE};
            grant usage, select on all sequences in schema public to {ROLE};
            revoke update, delete on {", ".join(_ADDED_ONLY)} from {ROLE};
            """
        )
        cursor.execute(
            """
            select c.relname, p.polname, coalesce(obj_description(p.oid, 'pg_policy'), '')
            from pg_policy p join pg_class c on c.oid = p.polrelid
            where c.relnamespace = 'public'::regnamespace
            """
        )
        known = {(table, name): digest for table, name, digest in cursor.fetchall()}
        for statement in _statements(known):
            cursor.execute(statement)
        for why, done, needed in _BY_SUPERUSER:
            cursor.execute(done)
            if cursor.fetchone()[0]:
                continue
            try:
                with transaction.atomic(using=using):
                    cursor.execute(needed)
            except ProgrammingError as error:
                if not isinstance(error.__cause__, errors.InsufficientPrivilege):
                    raise
                log.warning("%s Run as a superuser in this database: %s", why, needed)
