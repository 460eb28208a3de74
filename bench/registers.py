"""Registers: lists at a million entries, and a sheet of 100,000 rows brought in.

    python -m bench registers

Runs in a database of its own with a small demo city, whose centres are copied until there are BENCH_ENTRIES
(1,000,000). Every figure of a list is the whole request through Django, template and all, without the network. The peer
in the same run is the list the plain way: pages by OFFSET, words by LIKE, an exact count, as Django's own admin asks.
The peer of the import checks and saves row by row with a form. BENCH_KEEP=0 drops the database at the end.
"""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Callable
from typing import Any

from bench import lists

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
DATABASE = "lucheng_bench_registers"
ROUNDS = 40
#: Rows that the peer of the import saves one by one; its rate is told, not its whole time.
SAMPLE = 2000


def _fill() -> None:
    from contextlib import contextmanager

    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from lucheng.demo import city
    from lucheng.projects.party_centres.models import Centre

    call_command("migrate", verbosity=0)

    @contextmanager
    def step(name: str) -> Any:
        yield lambda done, total: None

    if not Centre.objects.exists():
        city.make(lists.SEED, timezone.now(), step, scale=0.2, cases=50)
    names = [
        f.column for f in Centre._meta.concrete_fields if f.column not in ("id", "code", "name", "terms")
    ]
    shared = ", ".join(names)
    while (have := Centre.objects.count()) < ENTRIES:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                insert into party_centres_centre ({shared}, code, name, terms)
                select {shared}, 'X' || currval, left(name, 60) || currval, terms || array[mod(currval, 97) || '号']
                from (select *, nextval('party_centres_centre_id_seq') as currval from party_centres_centre limit %s) c
                """,
                [ENTRIES - have],
            )
        print(f"  {Centre.objects.count():,} entries", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze party_centres_centre")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client
    from django.utils import timezone

    from lucheng.core.organisation.models import Person
    from lucheng.core.registers import book
    from lucheng.core.registers.register import named
    from lucheng.projects.party_centres.models import Centre

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"  # signing in is not what is measured
    lists.use_database(DATABASE)
    _fill()
    register, day = named("centres"), timezone.localdate()
    chance = random.Random(lists.SEED)
    keeper = Client(headers={"accept-language": "zh-CN"})
    keeper.force_login(Person.objects.get(username="centres"))
    places_ = Centre.objects.values_list("place", flat=True).distinct()
    places = chance.sample(sorted({code[:9] for code in places_ if len(code) >= 9}), 8)
    last = book.page(register.rows(None), before="\U0010ffff~").rows[0]
    deep = f"{last.place}~{last.code}"

    def ask(query: str) -> Callable[[], Any]:
        def call() -> None:
            answer = keeper.get(f"/registers/centres/?{query}")
            assert answer.status_code == 200, answer.status_code

        return call

    def plain(at: int, **where: Any) -> Callable[[], Any]:
        def call() -> None:
            rows = Centre.objects.filter(**where)
            rows.count()
            list(rows.order_by("place", "code")[at : at + 51])

        return call

    many = Centre.objects.count()
    asked: dict[str, tuple[list[Callable[[], Any]], list[Callable[[], Any]]]] = {
        "first page, the city": ([ask("")], [plain(0)]),
        "a place": (
            [ask(f"place={p}") for p in places],
            [plain(0, place__startswith=p) for p in places],
        ),
        "the last page": ([ask(f"after={deep}")], [plain(many - 51)]),
        "a name": ([ask("q=街道 13号")], [plain(0, name__icontains="街道", terms__contains=["13号"])]),
        "a level": ([ask("level=village")], [plain(0, level="village")]),
        "newest first": ([ask("sort=-valid_from")], [plain(0)]),
    }
    print(f"  {many:,} entries; ms p50 / p95, whole page; plain: its queries alone")
    for name, (ours, theirs) in asked.items():
        mine = lists._timed(ours * (ROUNDS // len(ours)))
        peer = lists._timed(theirs * max(1, 8 // len(theirs)))
        print(f"  {name:<22} {mine[0]:7.1f} / {mine[1]:7.1f}    plain {peer[0]:8.1f}", flush=True)
    _import(register, day)
    if not lists.KEEP:
        lists.drop_database(DATABASE)


def _import(register: Any, day: Any) -> None:
    from django import forms
    from django.db import transaction
    from django.utils import timezone

    from lucheng.core import sheets
    from lucheng.core.registers import exchange, imports
    from lucheng.projects.party_centres.models import Centre

    places = list(Centre.objects.order_by("id").values_list("place", flat=True)[:200])
    headers = exchange.headers(register)

    def row(n: int) -> list[str]:
        given = {
            "name": f"测试中心{n}",
            "place": places[n % len(places)],
            "level": "社区",
            "valid_from": "2021-05-01",
        }
        given |= {"level": "城市社区", "services": "党务、文化", "code": f"B{n:06d}", "phone": "0472-2000000"}
        return [given.get(c.name, "") for c in register.columns]

    file = io.BytesIO()
    sheets.write(file, "x", headers, (row(n) for n in range(ROWS)))
    file.seek(0)
    started = time.perf_counter()
    rows, faults = exchange.read(register, file)
    read = time.perf_counter()
    assert not faults
    checked = exchange.check(register, rows, None)
    assert not checked.faults
    looked = time.perf_counter()
    with transaction.atomic():
        _done, number = imports.take_over_now(register, rows, "bench", timezone.now())
    written = time.perf_counter()
    imports.undo_now(register, number, timezone.now())
    undone = time.perf_counter()
    print(
        f"  a sheet of {ROWS:,} rows: read {read - started:.1f} s, checked {looked - read:.1f} s, checked again and "
        f"written {written - looked:.1f} s, taken back {undone - written:.1f} s"
    )
    plain = forms.modelform_factory(Centre, fields=[c.name for c in register.columns])
    given = [dict(zip((c.name for c in register.columns), row(n), strict=True)) for n in range(SAMPLE)]
    started = time.perf_counter()
    with transaction.atomic():
        for one in given:
            form = plain({**one, "level": "community"})
            assert form.is_valid(), form.errors
            form.save()
        took = time.perf_counter() - started
        transaction.set_rollback(True)
    print(
        f"  row by row with a form: {SAMPLE / took:,.0f} rows a second, {ROWS / SAMPLE * took:.0f} s for as many"
    )


if __name__ == "__main__":
    main()
