"""What every answer tells the browser to keep shut, and what may be kept of it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

#: A resident may show where they stand, and staff sign in with a passkey.
_OURS = ("geolocation", "publickey-credentials-get")
#: What no page of ours uses; a script that got in could not use it either.
_SHUT = (
    *("accelerometer", "camera", "display-capture", "gyroscope", "hid", "magnetometer", "microphone", "midi"),
    *("payment", "serial", "usb", "xr-spatial-tracking"),
)
#: On every answer, also on files and on those that never reach Django's own layers.
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        ["geolocation=(self)", "publickey-credentials-get=(self)", *(f"{name}=()" for name in _SHUT)]
    ),
}


class HeadersMiddleware:
    """Outermost of all. An answer that says nothing about keeping it is not kept where there is a session: at the
    counter of an office or in a library, the next person presses "back"."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        for name, value in ALWAYS.items():
            answer.headers.setdefault(name, value)
        if "Cache-Control" not in answer:
            name = settings.SESSION_COOKIE_NAME
            held = name in request.COOKIES or name in answer.cookies
            answer["Cache-Control"] = "no-store" if held else "private, no-cache"
        return answer
