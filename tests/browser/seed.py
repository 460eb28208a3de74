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
    from lucheng.core.ledger import verifications
    from lucheng.core.ledger.models import Message
    from lucheng.core.ledger.verify import Finding, Kind, verify
    from lucheng.core.organisation import signing_in
    from lucheng.core.organisation.models import SignIn
    from lucheng.core.privacy import registers, retention
    from lucheng.core.privacy.models import Register
    from lucheng.core.triage import templates
    from tests import factories

    call_command("migrate", interactive=False, verbosity=0)
    city = factories.city()
    city.people["officer"] = factories.person("officer", "data_protection_officer", factories.CITY)
    for person in city.people.values():
        person.set_password(password)
        person.for_show = True  # the tests know everybody's password, and nobody's telephone
        person.save(update_fields=["password", "for_show"])
    keeper = factories.person("keeper", "administrator", factories.CITY)
    keeper.set_password(password)
    keeper.save(update_fields=["password"])
    now = timezone.now()
    templates.load(now)
    retention.load(now=now)
    registers.load(now=now)
    entry = registers.last(Register.PROCESSING, "case-content", now)
    registers.write(
        Register.PROCESSING,
        entry.code,
        entry.title,
        entry.fields | {"owner": "鹿原市12345热线受理中心"},
        by=city.people["officer"],
        note="登记本市的责任部门",
        after=entry.version,
        now=now,
    )
    head = factories.person("head", "unit_head", factories.CITY, city.units["utilities"])
    head.set_password(password)
    head.save(update_fields=["password"])
    factories.article(city, public=True)
    cases = {}
    for n in range(6):  # for the day of a handling unit
        case = factories.case_in(State.DISPATCHED, city, now)
        cases[f"unit{n}"] = {"number": case.number, "code": codes.written(case.code)}
    # First in the queue of callbacks, so that calling them leaves the other at the callback alone.
    for name in ("call", "call_in_vain"):
        case = factories.case_in(State.CALLBACK, city, now)
        cases[name] = {"number": case.number, "code": codes.written(case.code)}
    case = factories.received(now, content="小区门口的路灯不亮，请尽快维修。" * 3_000)
    cases["long"] = {"number": case.number, "code": codes.written(case.code)}
    for state in STATES:
        # The plan of a suspended case names a date of its own time.
        case = factories.case_in(State(state), city, factories.NOW if state == "suspended" else now)
        cases[state] = {"number": case.number, "code": codes.written(case.code)}
    # A message that no gateway took, for whoever keeps the system running.
    failed = Message.objects.filter(channel="sms").earliest("id")
    Message.objects.filter(pk=failed.pk).update(
        state="failed", next_at=None, attempts=1, error="the gateway answered 403"
    )
    # Something to read for whoever audits, with a finding.
    signing_in.note(SignIn.Outcome.REFUSED, None, now=now, address="192.0.2.1", by="password", reason="wrong")
    seen = verifications.Result()
    seen.take(verify(seen.tally))
    seen.add(Finding(Kind.MISSING, "event 2 is missing", "26030200000001", 2))
    seen.tally.findings += 1
    verifications.write(seen, files=False, began_at=now, ended_at=now)
    json.dump(cases, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
