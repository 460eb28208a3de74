"""The handling unit's screens: inbox, handling of one order, reply templates, and work in hand."""

from __future__ import annotations

from django.urls import path
from django.utils.translation import gettext_lazy as _

from lucheng.channels.unit import handling, inbox, load, phrases
from lucheng.web.nav import Entry

NAV = [
    Entry(_("Inbox"), "inbox", "case.handle", order=10, home="case.handle", first=30),
    Entry(_("Work in hand"), "unit-load", "case.lead", order=12),
    Entry(_("Reply templates"), "reply-templates", "case.handle", order=14),
]

urlpatterns = [
    path("unit/", inbox.inbox, name="inbox"),
    path("unit/together/<slug:action>/", inbox.together, name="unit-together"),
    path("unit/next/<slug:number>/", inbox.following, name="unit-next"),
    path("unit/load/", load.load, name="unit-load"),
    path("unit/templates/", phrases.phrases, name="reply-templates"),
    path("unit/templates/<int:pk>/", phrases.phrase, name="reply-template"),
    path("unit/cases/<str:number>/", handling.handling, name="unit-case"),
    path("unit/cases/<str:number>/preview/", handling.preview, name="unit-preview"),
    path("unit/cases/<str:number>/reveal/", handling.reveal, name="unit-reveal"),
    path("unit/cases/<str:number>/check/", handling.check, name="unit-check"),
    path("unit/cases/<str:number>/<slug:action>/", handling.step, name="unit-step"),
]
