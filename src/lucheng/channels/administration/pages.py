"""The administration: what is kept by people, not by the engine. Every page asks for its capability."""

from __future__ import annotations

from django.urls import path
from django.utils.translation import gettext_lazy as _

from lucheng.channels.administration import (
    catalogue,
    copies,
    jobs,
    looks,
    organisation,
    overview,
    retention,
    texts,
    times,
)
from lucheng.channels.administration.doors import ANY
from lucheng.web.nav import Entry

NAV = [Entry(_("Administration"), "administration", ANY, order=70)]

urlpatterns = [
    path("admin/", overview.overview, name="administration"),
    path("admin/find/<slug:what>/", overview.find, name="find-name"),
    path("admin/catalogue/", catalogue.editions_list, name="catalogue-editions"),
    path("admin/catalogue/draft/", catalogue.draft, name="catalogue-draft"),
    path("admin/catalogue/upload/", catalogue.upload, name="catalogue-upload"),
    path("admin/catalogue/<int:number>/", catalogue.edition, name="catalogue-edition"),
    path("admin/catalogue/<int:number>/sheet/", catalogue.sheet, name="catalogue-sheet"),
    path("admin/catalogue/<int:number>/row/", catalogue.row, name="catalogue-row"),
    path("admin/catalogue/<int:number>/discard/", catalogue.discard, name="catalogue-discard"),
    path("admin/catalogue/<int:number>/try/", catalogue.try_on, name="catalogue-try"),
    path("admin/catalogue/<int:number>/try/cases/", catalogue.moved, name="catalogue-moved"),
    path("admin/catalogue/<int:number>/compare/", catalogue.compare, name="catalogue-compare"),
    path("admin/catalogue/<int:number>/publish/", catalogue.publish, name="catalogue-publish"),
    path("admin/roles/", organisation.roles, name="roles"),
    path("admin/roles/<slug:code>/", organisation.role, name="role"),
    path("admin/units/", organisation.units, name="units"),
    path("admin/units/add/", organisation.add_unit, name="add-unit"),
    path("admin/units/<int:pk>/", organisation.unit, name="unit-record"),
    path("admin/units/<int:pk>/close/", organisation.close_unit, name="close-unit"),
    path("admin/people/", organisation.people, name="people"),
    path("admin/people/add/", organisation.add_person, name="add-person"),
    path("admin/people/<int:pk>/", organisation.member, name="person"),
    path("admin/people/<int:pk>/posts/<int:post>/end/", organisation.end_post, name="end-post"),
    path("admin/people/<int:pk>/lock/", organisation.lock, name="lock-person"),
    path("admin/people/<int:pk>/password/", organisation.new_password, name="new-password"),
    path("admin/people/<int:pk>/factor/", organisation.reset_factor, name="reset-factor"),
    path("admin/calendar/", times.this_year, name="calendar-now"),
    path("admin/calendar/<int:year>/", times.calendar, name="calendar"),
    path("admin/calendar/<int:year>/forget/", times.forget_day, name="forget-day"),
    path("admin/calendar/<int:year>/sheet/", times.calendar_sheet, name="calendar-sheet"),
    path("admin/calendar/<int:year>/upload/", times.upload_year, name="calendar-upload"),
    path("admin/limits/", times.limits_table, name="time-limits"),
    path("admin/limits/due/", times.limits_due, name="time-limits-due"),
    path("admin/limits/sheet/", times.limits_sheet, name="time-limits-sheet"),
    path("admin/messages/", texts.texts, name="message-texts"),
    path("admin/messages/<slug:name>/", texts.text, name="message-text"),
    path("admin/messages/<slug:name>/read/", texts.read, name="message-text-read"),
    path("admin/messages/<slug:name>/reset/", texts.reset, name="message-text-reset"),
    path("admin/retention/", retention.batches, name="retention"),
    path("admin/retention/holds/", retention.holds, name="retention-holds"),
    path("admin/retention/holds/<int:pk>/lift/", retention.lift, name="lift-retention"),
    path("admin/retention/<int:pk>/", retention.batch, name="retention-batch"),
    path("admin/retention/<int:pk>/approve/", retention.approve, name="approve-retention"),
    path("admin/retention/<int:pk>/hold/", retention.hold_items, name="hold-retention"),
    path("admin/copies/", copies.copy, name="copies"),
    path("admin/looks/", looks.looks, name="looks"),
    path("admin/looks/sheet/", looks.sheet, name="looks-sheet"),
    path("admin/jobs/", jobs.jobs, name="jobs"),
    path("admin/jobs/failed/", jobs.failed, name="failed-messages"),
    path("admin/jobs/messages/retry/", jobs.retry_messages, name="retry-messages"),
    path("admin/jobs/clocks/retry/", jobs.retry_clocks, name="retry-clocks"),
]
