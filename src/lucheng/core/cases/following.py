"""Following a case from outside: the tracking code tells how far it has come, and with the last digits of the telephone
number that was given it opens. Where no number was given the code alone opens it.

Every look-up of a resident goes through here, whichever door it came by.
"""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from lucheng.core.cases.models import Case
from lucheng.core.errors import NotFound
from lucheng.core.limits import counting
from lucheng.core.limits.counting import Try
from lucheng.core.organisation import walls
from lucheng.core.privacy import contacts, personal
from lucheng.core.privacy.models import What
from lucheng.core.triage.reply import mask_rooms

NEVER_GIVEN = _("No case has this code. It is written correctly, but it was never given out here.")
#: The one answer to wrong digits and to a code never given out, where digits came with it.
NO_MATCH = _("No case has this code and a number that ends in these digits. Compare both.")


def _find(code: str) -> Case | None:
    walls.read_by_code(code)
    return Case.objects.select_related("lead_unit", "contact").filter(code=code).first()


def needs_digits(case: Case) -> bool:
    """Whether its requester left a number, whose last digits open it. Once the number is destroyed none do."""
    contact = getattr(case, "contact", None)
    if contact is None:
        return False
    return contact.phone is not None or case.tombstones.filter(what=What.CONTACT).exists()


def by_code(code: str, address: str, now: dt.datetime) -> Case:
    """The case with a tracking code (as stored: see codes.read), asked for from a network address.

    Raises Limited where too many codes that nobody was given came from there, NotFound where this is one more.
    """
    line = counting.by_address("look-up.address", address)
    counting.check(now, line)
    case = _find(code)
    if case is None:
        counting.count(now, line)
        raise NotFound(NEVER_GIVEN)
    return case


def opened(code: str, digits: str, address: str, now: dt.datetime) -> Case:
    """The case with a tracking code, for whoever also knows the last ``digits`` of the number given. Where none was
    given, any digits will do.

    Raises Limited where too many wrong ones came from the address or for the code. Raises NotFound alike for wrong
    digits and for a code that nobody was given.
    """
    line, guessed = counting.by_address("look-up.address", address), Try("look-up.code", code)
    counting.counted(now, line, guessed)
    case = _find(code)
    if case is None or (needs_digits(case) and not contacts.ends_in(case.contact, digits)):
        raise NotFound(NO_MATCH)
    counting.give_back(line)
    counting.forget(guessed)
    return case


# --- what it tells ----------------------------------------------------------------------------------------------------


def own_words(text: str) -> str:
    """What the requester wrote, for a page that others may come to see: numbers of persons and the rooms of homes are
    covered.

    >>> own_words("电话 138 0013 2210，3号楼2单元501室")[-10:]
    '3号楼2单元***'
    """
    return personal.cover_all(mask_rooms(text, text))


def told(case: Case, text: str, *, own: bool = False) -> str:
    """What was written in a step of the case, for whoever follows it: without the rooms of homes and the numbers of
    persons. ``own``: the requester wrote it, and every number is covered; in what staff write the landline of an office
    and a date may stand."""
    roomless = mask_rooms(text, "\n".join((case.address, case.content, text if own else "")))
    return personal.cover_all(roomless) if own else personal.cover(roomless, personal.OF_A_PERSON)
