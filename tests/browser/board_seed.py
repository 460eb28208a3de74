"""Adds to the browser tests' database what a dispatcher finds in the morning: orders with sure advice, some that need a
person, look-alikes and replies to review. Prints their numbers as JSON."""

from __future__ import annotations

import itertools
import json
import sys

import django


def main() -> None:
    django.setup()
    from django.utils import timezone

    from lucheng.core.cases.models import State
    from lucheng.core.organisation.models import Person, Unit
    from lucheng.core.triage.models import Advice
    from tests import factories

    city = factories.City(
        {u.code: u for u in Unit.objects.all()}, {p.username: p for p in Person.objects.all()}
    )
    now = timezone.now()
    factories._count = itertools.count(100_000)  # its keys are not those of tests.browser.seed

    def received(content: str, matter: str, place: str) -> str:
        case = factories.received(now, content=content, place=place)
        Advice.objects.filter(case=case).update(matter=matter, matter_probability=0.93, model_version="test")
        return case.number

    west = factories.COMMUNITY
    lamps = [f"钢花大院{n}号楼前路灯不亮，夜里看不见路。" for n in range(1, 17)]
    heats = [f"白音苏木牧民新村{n}排暖气不热，室内十三度。" for n in range(1, 5)]
    found = {
        "sure": [received(text, factories.LAMP, west) for text in lamps]
        + [received(text, factories.HEATING, factories.SUMU + "001") for text in heats],
        "rival": [received("和平路公厕旁路灯闪烁不停。", factories.LAMP, west)],
        "leaving": [received(f"工业北路{n}号路灯杆倾斜。", factories.LAMP, west) for n in range(1, 3)],
        "touched": [received(f"民主路{n}号路灯罩掉落。", factories.LAMP, west) for n in range(1, 3)],
        "plain": [received(f"团结大街{n}号路灯没有电。", factories.LAMP, west) for n in range(1, 3)],
        "doubtful": [received("有一件事想反映一下，请回电话。", "", west)],
        "alike": [
            received(text, factories.LAMP, factories.STREET + "002")
            for text in ("钢花社区东门井边路灯一直不亮。", "钢花社区东门井边的路灯又不亮了。")
        ],
        "replied": [
            factories.case_in(State.REPLIED, city, now, content=f"青山巷{n}号门前路灯坏了。").number
            for n in (1, 2)
        ],
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
