from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils import timezone


class OrganisationConfig(AppConfig):
    name = "lucheng.core.organisation"
    label = "organisation"

    def ready(self) -> None:
        from lucheng.core.organisation import capabilities, sessions

        capabilities.join_rooms()

        def begin(request: Any, **_more: Any) -> None:
            sessions.begin(request.session, timezone.now())

        user_logged_in.connect(begin, weak=False, dispatch_uid="lucheng.sessions")
