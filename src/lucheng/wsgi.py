"""The WSGI application, for granian or any other server.

Almost every request goes to Django. A room whose address takes so much traffic that the framework's own share of the
time counts may answer before it: a ``hot.py`` with ``HOT = {(method, path): application}``, found by name, whose
applications return None where Django is to answer after all.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lucheng.settings")
_django = get_wsgi_application()

from django.apps import apps  # noqa: E402 (Django is set up now)

from lucheng.core.privacy.sealing import SealError, open_all  # noqa: E402
from lucheng.core.privacy.wrapping import KeysAway  # noqa: E402
from lucheng.postgresql.context import NOTHING, wall, within  # noqa: E402

if os.environ.get("LUCHENG_WALLED") == "1":  # as `lucheng serve` sets it
    wall(NOTHING)
try:
    open_all()
except (KeysAway, SealError) as _error:
    # A process that is started anew meanwhile: it serves what needs no key, and asks again at every other request.
    logging.getLogger("lucheng.keys").error("the keys that seal personal data cannot be opened: %s", _error)

_hot: dict[tuple[str, str], Callable[[dict[str, Any], Any], Iterable[bytes] | None]] = {}
for _config in apps.get_app_configs():
    if _config.name.startswith("lucheng.") and find_spec(f"{_config.name}.hot"):
        _hot |= import_module(f"{_config.name}.hot").HOT


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    door = _hot.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
    if door is not None:
        with within(NOTHING):
            answer = door(environ, start_response)
        if answer is not None:
            return answer
    return _django(environ, start_response)
