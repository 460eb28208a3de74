"""Every room's pages, found by name: a room that has a ``pages.py`` with ``urlpatterns`` is reachable."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.urls import URLPattern, URLResolver, include, path

handler500 = "lucheng.web.refusals.broken"
urlpatterns: list[URLPattern | URLResolver] = [path("i18n/", include("django.conf.urls.i18n"))]

for config in apps.get_app_configs():
    if config.name.startswith("lucheng.") and find_spec(f"{config.name}.pages"):
        urlpatterns += import_module(f"{config.name}.pages").urlpatterns
