"""The board of the programme: each project with its figures and targets, its milestones, risks and promises."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from lucheng.core.errors import Forbidden
from lucheng.core.indicators.indicator import indicators
from lucheng.core.indicators.periods import one_day
from lucheng.core.organisation.middleware import scope
from lucheng.core.places import names
from lucheng.projects.programme.models import Milestone, Phase, Project, Promise, Risk, Work
from lucheng.web import figures
from lucheng.web.nav import Entry

NAV = [
    Entry(gettext_lazy("Programme"), "programme", "programme.edit", order=58, home="programme.edit", first=80)
]


@login_required
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """Works, projects and phases as they stand today in the whole city."""
    if not scope(request).grants:
        raise Forbidden(_("None of your posts opens this page."))
    day = timezone.localdate()
    known = indicators()
    shown = figures.at_once([i for i in known.values() if i.project], one_day(day), names.root())
    standing = {row.pk: row for row in Project.objects.as_of(day).order_by("number", "code")}
    rows: dict[int, dict[str, Any]] = {
        pk: {
            "project": project,
            "figures": [f for f in shown if f["indicator"].project == project.number],
            "due": [],
            "risks": [],
            "promises": [],
        }
        for pk, project in standing.items()
    }
    open_milestones = Milestone.objects.as_of(day).filter(reached=None, project__in=standing)
    for milestone in open_milestones.order_by("due", "code"):
        rows[milestone.project_id]["due"].append({"row": milestone, "late": milestone.due < day})
    for risk in Risk.objects.as_of(day).filter(project__in=standing).order_by("code"):
        rows[risk.project_id]["risks"].append(risk)
    for promise in (
        Promise.objects.as_of(day).filter(project__in=standing, state="open").order_by("due", "code")
    ):
        rows[promise.project_id]["promises"].append({"row": promise, "late": promise.due < day})
    works = [
        {"work": work, "projects": [r for r in rows.values() if r["project"].work_id == work.pk]}
        for work in Work.objects.as_of(day).order_by("code")
    ]
    context = {
        "works": works,
        "phases": [
            {
                "row": phase,
                "now": phase.in_force(day),
                "last": phase.valid_to - dt.timedelta(days=1) if phase.valid_to else None,
            }
            for phase in Phase.objects.order_by("valid_from")
        ],
        "registers": [
            {"name": m.about.name, "address": reverse("register", args=[m.about.slug])}
            for m in (Milestone, Risk, Promise, Project, Work, Phase)
        ],
        "day": day,
    }
    return render(request, "programme/board.html", context)


urlpatterns = [path("programme/", board, name="programme")]
