"""The outbox: a message is a row of the transaction that causes it, and leaves afterwards, at least once.

A delivery claims due rows by moving their ``next_at`` ahead and commits before anything is sent, so no transaction
is open while a gateway takes its time. Whoever dies between sending and marking leaves a row that is due again after
:data:`LEASE`: the message goes out once more, with the same id.
"""

from __future__ import annotations

import base64
import datetime as dt
import logging
import re
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from lucheng.core.cases import codes
from lucheng.core.cases.models import Case
from lucheng.core.ledger import acts, wording
from lucheng.core.ledger.adapters import NotSent, Outgoing, adapter
from lucheng.core.ledger.models import Message
from lucheng.core.privacy import contacts
from lucheng.core.privacy.models import Contact
from lucheng.core.privacy.sealing import unseal
from lucheng.postgresql.context import everything

#: The message with a one-time code, whose ``digits`` are sealed under this name (lucheng.core.privacy.one_time).
ONE_TIME = "one_time"
#: How long a one-time code is worth sending.
ONE_TIME_HOLDS = dt.timedelta(minutes=5)

log = logging.getLogger(__name__)

#: After so many attempts a message is given up, about an hour after the first.
MAX_ATTEMPTS = 8
FIRST_PAUSE = dt.timedelta(seconds=30)  # doubles with every attempt
#: How long a claim holds: longer than a whole batch of adapters that all time out.
LEASE = dt.timedelta(minutes=5)
#: No message waits longer for its next attempt: one that seems to was written before the clock was set back.
LONGEST_PAUSE = FIRST_PAUSE * 2 ** (MAX_ATTEMPTS - 1) + LEASE
#: A text message that leaves later than this after it was written says of when it is.
LATE = dt.timedelta(hours=1)
BATCH = 20
SHOWN_BATCH = 500


def enqueue(
    case: Case,
    template: str,
    params: dict[str, Any],
    now: dt.datetime,
    *,
    channel: str = Message.Channel.SMS,
    to_unit: int | None = None,
) -> Message | None:
    """Write a message into the caller's transaction: to the requester, or to the unit with the id ``to_unit``.

    ``params`` hold no personal data. None where a text message is meant for a requester who left no number: they
    follow the case by its code.

    Raises KeyError for an unknown template, ValueError where it lacks a parameter.
    """
    wording.check(template, params)
    numbered = Contact.objects.filter(case_id=case.pk).exclude(phone=None)
    if channel == Message.Channel.SMS and to_unit is None and not numbered.exists():
        return None
    return Message.objects.create(
        case=case,
        channel=channel,
        template=template,
        params=params,
        to_unit_id=to_unit,
        created_at=now,
        next_at=now,
    )


def text_of(message: Message) -> str:
    """The message as its receiver reads it. For lists, select ``case__contact``: no further query is made.

    Should a text ever hold the requester's own number, its mask stands there instead. A one-time code is for its
    receiver alone and stands as stars; in the demo city, where no message leaves, it is shown.
    """
    return _text(message, open_code=settings.DEMO)


def _text(message: Message, *, open_code: bool) -> str:
    words = wording.wording(message.template)
    values = {"number": message.case.number, **message.params}
    if message.template == ONE_TIME:
        sealed = base64.b64decode(message.params["digits"])
        values["digits"] = unseal(sealed, ONE_TIME) if open_code else "******"
    language = "zh"
    if message.to_unit_id is None:
        values["code"] = codes.written(message.case.code)
        language = message.case.language
    text = words.render(language, values)
    contact = _contact(message)
    if contact is not None and "****" in contact.phone_mask and len(contact.phone_mask) > 6:
        start, end = contact.phone_mask.split("****")
        text = re.sub(rf"(?<!\d){re.escape(start)}\d{{3,5}}{re.escape(end)}(?!\d)", contact.phone_mask, text)
    return text


def reaches_requesters() -> bool:
    """Whether a text message comes to its receiver in this installation."""
    return settings.DEMO or adapter(Message.Channel.SMS) is not None


def _contact(message: Message) -> Contact | None:
    return getattr(message.case, "contact", None)


def _due(channels: list[str], now: dt.datetime, limit: int) -> list[int]:
    moment = Q(next_at__lte=now) | Q(next_at__gt=now + LONGEST_PAUSE)
    due = Message.objects.filter(moment, state=Message.State.WAITING, channel__in=channels)
    claimed = due.select_for_update(skip_locked=True).order_by("next_at", "id")
    return list(claimed.values_list("pk", flat=True)[:limit])


def deliver(now: dt.datetime, limit: int = BATCH) -> int:
    """Send up to ``limit`` due messages, and mark as sent those that are only shown here; returns how many there were.

    Several workers share the work. A message that fails is tried again later and later, and given up after
    :data:`MAX_ATTEMPTS` or where its adapter says that trying again cannot help.
    """
    carriers = {channel: adapter(channel) for channel in Message.Channel.values}
    with transaction.atomic():
        shown = _due([c for c, carrier in carriers.items() if carrier is None], now, SHOWN_BATCH)
        Message.objects.filter(pk__in=shown).update(state=Message.State.SENT, sent_at=now, next_at=None)
    with transaction.atomic():
        ids = _due([c for c, carrier in carriers.items() if carrier is not None], now, limit)
        Message.objects.filter(pk__in=ids).update(attempts=F("attempts") + 1, next_at=now + LEASE)
    claimed = (
        Message.objects.filter(pk__in=ids)
        .select_related("case__contact", "to_unit")
        .order_by("created_at", "id")
    )
    for message in list(claimed) if ids else ():
        carrier = carriers[message.channel]
        assert carrier is not None
        try:
            if message.attempts > MAX_ATTEMPTS:
                raise NotSent("every attempt ended without an answer", final=True)
            carrier.send(_outgoing(message, now))
        except NotSent as error:
            _failed(message, str(error), error.final, now)
        except Exception as error:
            log.warning("message %s failed", message.pk, exc_info=True)
            _failed(message, type(error).__name__, False, now)
        else:
            _mark(message, state=Message.State.SENT, sent_at=now, next_at=None, error="")
    return len(shown) + len(ids)


def _outgoing(message: Message, now: dt.datetime) -> Outgoing:
    contact = _contact(message)
    if message.to_unit is not None:
        to = message.to_unit.phone
    else:
        to = contacts.open_phone(contact) if contact is not None else ""
    if not to:
        raise NotSent("there is no number to send it to", final=True)
    if message.template == ONE_TIME and now >= message.created_at + ONE_TIME_HOLDS:
        raise NotSent("the code in it is too old", final=True)
    # The moment of creation is part of the id: a database restored from a backup gives old numbers to new messages.
    stamp = int(message.created_at.timestamp() * 1000)
    text = _text(message, open_code=True)
    if now - message.created_at > LATE:
        with translation.override(
            "en" if message.to_unit_id is None and message.case.language == "en" else "zh-hans"
        ):
            at = timezone.localtime(message.created_at)
            text += _(" (This message is of %(at)s and was delayed.)") % {"at": f"{at:%Y-%m-%d %H:%M}"}
    return Outgoing(id=f"{message.pk}-{stamp}", to=to, text=text)


def _failed(message: Message, why: str, final: bool, now: dt.datetime) -> None:
    if final or message.attempts >= MAX_ATTEMPTS:
        log.error("message %s is given up: %s", message.pk, why)
        _mark(message, state=Message.State.FAILED, next_at=None, error=why[:200])
    else:
        _mark(message, next_at=now + FIRST_PAUSE * 2 ** (message.attempts - 1), error=why[:200])


def _mark(message: Message, **values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # A mark that a crash forgets sends the message again with the same id, which is what is promised anyway:
        # no need to wait for the disk.
        cursor.execute("set local synchronous_commit to off")
        Message.objects.filter(pk=message.pk, state=Message.State.WAITING, attempts=message.attempts).update(
            **values
        )


@everything("messages that were given up, whatever they are of")
def retry(now: dt.datetime, *, channel: str = "", error: str | None = None) -> int:
    """Try again what was given up, only of ``channel`` and for the reason ``error`` where they are given; returns how
    many there were."""
    rows = Message.objects.filter(state=Message.State.FAILED)
    if channel:
        rows = rows.filter(channel=channel)
    if error is not None:
        rows = rows.filter(error=error)
    with transaction.atomic():
        count = rows.update(state=Message.State.WAITING, attempts=0, next_at=now)
        if count:
            acts.wrote("messages_retried", details={"channel": channel, "count": count})
    return count
