"""What was proposed for a case stays beside what a person decided: the model learns from it, and anyone can compare."""

from __future__ import annotations

import datetime as dt

from lucheng.core.cases.models import Case
from lucheng.core.triage.models import Advice


def proposed_matter(case: Case) -> str:
    """The matter that was proposed when the case came in; empty where the model abstained."""
    return Advice.objects.filter(case=case).values_list("matter", flat=True).first() or ""


def decided(case: Case, matter: str, place: str, now: dt.datetime) -> None:
    """Note that a person has decided matter and place of ``case``. A later decision takes the place of an earlier one.

    The row with the proposal is written when the case is made; a case that came without one gets a row that says so
    by an empty model version.
    """
    Advice.objects.update_or_create(
        case=case,
        defaults={"decided_matter": matter, "decided_place": place, "decided_at": now},
        create_defaults={
            "model_version": "",
            "decided_matter": matter,
            "decided_place": place,
            "decided_at": now,
        },
    )
