"""Fills the database of the browser tests: the small city of ``tests.factories``, its people with a password, and a
case in each state that a page shows. Prints the cases as JSON."""

from __future__ import annotations

import json
import sys

import django

STATES = (
    "received",
    "accepted",
    "dispatched",
    "signed",
    "suspended",
    "replied",
    "callback",
    "closed",
    "rejected",
    "merged",
)


def main(password: str) -> None:
    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    from lucheng.core.cases import codes
    from lucheng.core.cases.models import State
    from tests import factories

    call_command("migrate", interactive=False, verbosity=0)
    city = factories.city()
    for person in city.people.values():
        person.set_password(password)
        person.save(update_fields=["password"])
    now = timezone.now()
    factories.article(city, public=True)
    cases = {}
    for state in STATES:
        # The plan of a suspended case names a date of its own time.
        case = factories.case_in(State(state), city, factories.NOW if state == "suspended" else now)
        cases[state] = {"number": case.number, "code": codes.written(case.code)}
    json.dump(cases, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
