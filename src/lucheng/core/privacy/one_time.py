"""One-time codes: whoever reads the text message holds the number, and may see the cases that were made with it.

A code has six digits, holds for five minutes and for five tries, and opens once. Nothing that is answered says whether
any case has the number: a code is made for every number, and leaves only to a requester whom the city writes to anyway.
The list is its requester's alone: nobody of staff has a way to it.
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import secrets

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.models import Case
from lucheng.core.errors import Invalid
from lucheng.core.ledger import outbox
from lucheng.core.ledger.models import Message
from lucheng.core.limits import counting
from lucheng.core.limits.counting import Try
from lucheng.core.privacy import contacts
from lucheng.core.privacy.models import OneTimeCode
from lucheng.core.privacy.sealing import seal
from lucheng.postgresql.context import everything

HOLDS = outbox.ONE_TIME_HOLDS
TRIES = 5
DIGITS = 6
#: A number that is given up goes to somebody else after some months: older cases are not listed.
LISTED = dt.timedelta(days=365)
#: The message goes soon after its code has run out, so that nothing tells when somebody looked.
_MESSAGE_KEPT = dt.timedelta(hours=1)

WRONG = _(
    "This code is wrong, has been used, or is older than five minutes. Compare it, or ask for a new one."
)


def _digest(number: bytes, code: str) -> bytes:
    return salted_hmac("lucheng.one-time", f"{number.hex()}/{code}", algorithm="sha256").digest()


def cases_of(indexes: list[bytes], now: dt.datetime) -> QuerySet[Case]:
    """The cases of the last year that were made with a number, the newest first, for whoever has shown to hold it.

    ``indexes`` are the number's blind indexes (contacts.phone_indexes).
    """
    return (
        Case.objects.filter(contact__phone_index__in=indexes, created_at__gt=now - LISTED)
        .select_related("lead_unit")
        .order_by("-created_at", "-id")
    )


@everything("a one-time code leaves to whoever holds a number that some case has")
def ask(phone: str, address: str, now: dt.datetime) -> str:
    """Make a code for a number, and send it where a case of the last year has that number; a code made before no longer
    opens. Returns the number in its one spelling.

    Raises Invalid (field ``phone``); Limited where too many were asked for with the number or from the address.
    """
    number = contacts.normalise_phone(phone)
    if not number:
        raise Invalid({"phone": _("Enter the telephone number that you gave.")})
    counting.counted(now, counting.by_address("one-time.address", address), Try("one-time.number", number))
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    index = contacts.phone_index(number)
    with transaction.atomic():
        OneTimeCode.objects.update_or_create(
            number=index, defaults={"digest": _digest(index, code), "until": now + HOLDS, "tries": 0}
        )
        sealed = base64.b64encode(seal(code, outbox.ONE_TIME)).decode()
        newest = cases_of(contacts.phone_indexes(number), now).first()
        if newest is not None:
            outbox.enqueue(newest, outbox.ONE_TIME, {"digits": sealed}, now)
    return number


def redeem(number: str, typed: str, address: str, now: dt.datetime) -> None:
    """Use the code that was sent to ``number``; it opens once.

    Raises Invalid (field ``code``) alike for a wrong code, one that was used or has run out, and a number without
    cases; Limited where too many were tried with the number or from the address.
    """
    tries = counting.by_address("one-time-try.address", address), Try("one-time-try.number", number)
    counting.counted(now, *tries)
    index = contacts.phone_index(number)
    live = OneTimeCode.objects.filter(number=index, until__gt=now, tries__lt=TRIES)
    # Counted before it is compared, in one statement: of many at once no more than so many are compared.
    if not live.update(tries=F("tries") + 1):
        raise Invalid({"code": WRONG})
    digest = _digest(index, typed)
    kept = OneTimeCode.objects.filter(number=index).values_list("digest", flat=True).first()
    if kept is None or not hmac.compare_digest(bytes(kept), digest):
        raise Invalid({"code": WRONG})
    used, _by_model = OneTimeCode.objects.filter(number=index, digest=digest).delete()
    if not used:
        raise Invalid({"code": WRONG})
    counting.give_back(*tries)


def forget_old(now: dt.datetime) -> int:
    """Delete codes that have run out, and the messages that brought them."""
    codes, _by_model = OneTimeCode.objects.filter(until__lte=now).delete()
    old = Message.objects.filter(template=outbox.ONE_TIME, created_at__lte=now - _MESSAGE_KEPT)
    messages, _by_model = old.delete()
    return codes + messages
