"""The command centre's screens, each in a module of its own."""

from __future__ import annotations

from django.urls import path
from django.utils.translation import gettext_lazy as _

from lucheng.channels.command import board, bulk, case, letters, merge, overview, preview
from lucheng.web.nav import Entry

NAV = [
    Entry(_("Overview"), "overview", "case.view", order=25, reach="place"),
    Entry(_("Board"), "board", "case.view", order=30, home="case.arbitrate", first=10),
    Entry(_("Sent messages"), "messages", "messages.view", order=60),
]

urlpatterns = [
    path("board/", board.board, name="board"),
    path("board/live/", board.live, name="board-live"),
    path("board/confirm/", bulk.confirm, name="board-confirm"),
    path("board/dispatch/", bulk.dispatch, name="board-dispatch"),
    path("board/cases/<str:number>/", preview.preview, name="board-preview"),
    path("board/cases/<str:number>/<slug:action>/", preview.step, name="board-step"),
    path("cases/<str:number>/merge/", merge.merge, name="merge"),
    path("cases/<str:number>/", case.case_page, name="case"),
    path("cases/<str:number>/do/<slug:action>/", case.step, name="step"),
    path("cases/<str:number>/print/", case.sheet, name="sheet"),
    path("cases/<str:number>/verify/", case.verify_chain, name="verify-chain"),
    path("cases/<str:number>/reveal/", case.reveal, name="reveal"),
    path("cases/<str:number>/split/", case.split, name="split"),
    path("cases/<str:number>/photographs/<slug:sha256>/", case.attachment, name="attachment"),
    path("overview/", overview.overview, name="overview"),
    path("wall/", overview.wall, name="wall"),
    path("messages/", letters.sent, name="messages"),
]
