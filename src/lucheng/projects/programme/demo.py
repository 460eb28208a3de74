"""The programme's share of the demo city: works, projects, phases and milestones of its first year."""

from __future__ import annotations

import datetime as dt

from lucheng.core import packs
from lucheng.core.places import names
from lucheng.core.registers import imports

_BEGUN = dt.date(2020, 1, 1)


def fill(until: dt.datetime) -> None:
    """Write the registers of the programme."""
    pack = packs.of_demo_city("programme.toml")
    city = names.root()
    shared = {"place": city, "valid_from": _BEGUN}
    works = [{**shared, "code": f"GC{n}", "name": w["name"]} for n, w in enumerate(pack["work"], 1)]
    listed = [(n, name) for n, w in enumerate(pack["work"], 1) for name in w["projects"]]
    projects = [
        {**shared, "code": f"XM{number}", "name": name, "number": number, "work": f"GC{work}"}
        for number, (work, name) in enumerate(listed, 1)
    ]
    phases = [
        {"place": city, "code": f"JD{n}", "name": p["name"], "valid_from": p["since"], "valid_to": p["until"]}
        for n, p in enumerate(pack["phase"], 1)
    ]
    milestones = [
        {
            **shared,
            "code": f"LC{n}",
            "name": m["name"],
            "project": f"XM{m['project']}",
            "due": m["due"],
            "reached": m["reached"],
            "evidence": "验收材料",
        }
        for n, m in enumerate(pack["milestone"], 1)
    ]
    for slug, rows in (
        ("works", works),
        ("projects", projects),
        ("phases", phases),
        ("milestones", milestones),
    ):
        imports.write(slug, rows, until)
