"""How messages leave. An adapter hands one message over or says why it could not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings

from lucheng.core.ledger.models import Message
from lucheng.core.outgoing import Unreachable, call


@dataclass(frozen=True)
class Outgoing:
    """One message ready to leave. ``id`` is the same at every attempt, so that a gateway can drop a repetition."""

    id: str
    to: str
    text: str

    def __repr__(self) -> str:  # a log or a traceback must not hold whom it is for
        return f"Outgoing({self.id})"


class NotSent(Exception):  # noqa: N818 - an answer, not a fault
    """The message did not leave. ``final`` where trying again cannot help. The text holds no personal data."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


class Adapter(Protocol):
    def send(self, outgoing: Outgoing) -> None:
        """Hand over. Raises NotSent; any other exception counts as a reason to try again."""
        ...


class HttpGateway:
    """A text message gateway that takes ``POST {"id", "to", "text"}`` as JSON, also with ``Idempotency-Key``.

    Any 2xx means taken over, as does 409 (it has this id already). 408, 425, 429 and 5xx, and no answer in time, are
    tried again; every other answer is final, a redirect too: a number is never sent to an address that was not set up.
    """

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url
        self._token = token

    def send(self, outgoing: Outgoing) -> None:
        body = json.dumps({"id": outgoing.id, "to": outgoing.to, "text": outgoing.text}, ensure_ascii=False)
        headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": outgoing.id}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            answer = call("POST", self._url, body.encode(), headers)
        except Unreachable as error:
            # Not final: an operator who names the host sets it right, and what waited leaves.
            raise NotSent(f"no answer from the gateway: {error}") from None
        if answer.status == 409 or 200 <= answer.status < 300:
            return
        again = answer.status in (408, 425, 429) or answer.status >= 500
        raise NotSent(f"the gateway answered {answer.status}", final=not again)


def adapter(channel: str) -> Adapter | None:
    """What carries a channel in this installation. None where nothing does: such messages are shown on the pages only,
    as in-app messages always are, and text messages until a gateway is set up."""
    if channel == Message.Channel.SMS and settings.SMS_GATEWAY_URL:
        return HttpGateway(settings.SMS_GATEWAY_URL, settings.SMS_GATEWAY_TOKEN)
    return None
