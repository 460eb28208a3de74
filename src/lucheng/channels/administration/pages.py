"""The administration: what is kept by people, not by the engine. Every page asks for its capability."""

from __future__ import annotations

from django.urls import path
from django.utils.translation import gettext_lazy as _

from lucheng.channels.administration import catalogue, organisation, times
from lucheng.web.nav import Entry

NAV = [
    Entry(_("Dispatch catalogue"), "catalogue-editions", "catalogue.edit", order=70),
    Entry(_("Roles"), "roles", "organisation.edit", order=71),
    Entry(_("Units"), "units", "organisation.edit", order=72),
    Entry(_("People"), "people", "organisation.edit", order=73),
    Entry(_("Calendar"), "calendar-now", "calendar.edit", order=74),
    Entry(_("Time limits"), "time-limits", "calendar.edit", order=75),
]

urlpatterns = [
    path("admin/catalogue/", catalogue.editions_list, name="catalogue-editions"),
    path("admin/catalogue/draft/", catalogue.draft, name="catalogue-draft"),
    path("admin/catalogue/upload/", catalogue.upload, name="catalogue-upload"),
    path("admin/catalogue/<int:number>/", catalogue.edition, name="catalogue-edition"),
    path("admin/catalogue/<int:number>/sheet/", catalogue.sheet, name="catalogue-sheet"),
    path("admin/catalogue/<int:number>/row/", catalogue.row, name="catalogue-row"),
    path("admin/catalogue/<int:number>/discard/", catalogue.discard, name="catalogue-discard"),
    path("admin/catalogue/<int:number>/try/", catalogue.try_on, name="catalogue-try"),
    path("admin/catalogue/<int:number>/publish/", catalogue.publish, name="catalogue-publish"),
    path("admin/roles/", organisation.roles, name="roles"),
    path("admin/roles/<slug:code>/", organisation.role, name="role"),
    path("admin/units/", organisation.units, name="units"),
    path("admin/people/", organisation.people, name="people"),
    path("admin/people/add/", organisation.add_person, name="add-person"),
    path("admin/people/<int:pk>/", organisation.member, name="person"),
    path("admin/people/<int:pk>/posts/<int:post>/end/", organisation.end_post, name="end-post"),
    path("admin/people/<int:pk>/lock/", organisation.lock, name="lock-person"),
    path("admin/calendar/", times.this_year, name="calendar-now"),
    path("admin/calendar/<int:year>/", times.calendar, name="calendar"),
    path("admin/calendar/<int:year>/forget/", times.forget_day, name="forget-day"),
    path("admin/limits/", times.limits_table, name="time-limits"),
    path("admin/limits/sheet/", times.limits_sheet, name="time-limits-sheet"),
]
