"""Every room's pages, found by name: a room that has a ``pages.py`` with ``urlpatterns`` is reachable."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.http import require_http_methods
from django.views.i18n import set_language

handler500 = "lucheng.web.refusals.broken"
urlpatterns: list[URLPattern | URLResolver] = [
    path("i18n/setlang/", require_http_methods(["GET", "HEAD", "POST"])(set_language), name="set_language")
]

for config in apps.get_app_configs():
    if config.name.startswith("lucheng.") and find_spec(f"{config.name}.pages"):
        urlpatterns += import_module(f"{config.name}.pages").urlpatterns
