"""What a person is told before they say anything, in editions: a case keeps the number of the one that was shown.

Personal Information Protection Law (个人信息保护法) arts 17 and 35; Network Data Security Regulations
(网络数据安全管理条例) art. 21.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from lucheng.core import packs
from lucheng.core.cases.text import clean, one_line
from lucheng.core.errors import Invalid, NotFound
from lucheng.core.faults import Fault, Faulty
from lucheng.core.ledger import acts
from lucheng.core.organisation.models import Person
from lucheng.core.places import names
from lucheng.core.privacy.models import NoticeEdition
from lucheng.core.revisions.snapshot import Snapshot, bump

#: The notice that every city starts from.
NATIONAL = Path(__file__).parents[2] / "packs" / "national" / "notice.toml"
LANGUAGES = ("zh", "en")

_REVISION = "notices"
_LONGEST = 20_000


def read(path: Path) -> dict[str, str]:
    """The texts of a file by language. Raises Faulty with every fault at its key."""
    parsed = packs.parse(path)
    faults = [Fault(0, key, _("there is no such key")) for key in parsed if key not in LANGUAGES]
    texts: dict[str, str] = {}
    for language in LANGUAGES:
        value = parsed.get(language)
        if not isinstance(value, str) or not value.strip():
            faults.append(Fault(0, language, _("this is missing")))
            continue
        try:
            texts[language] = clean(value, language, _LONGEST)
        except Invalid as wrong:
            faults.append(Fault(0, language, wrong.detail))
    if faults:
        raise Faulty(faults)
    return texts


def load(
    path: Path | None = None, *, by: Person | None = None, note: str = "", now: dt.datetime
) -> NoticeEdition | None:
    """Show the notice of a file from now on, as a new edition; None where it is the one shown already. A city's own
    file comes with the name of whoever answers for it.

    Raises Faulty, Invalid (field ``by``).
    """
    if path is not None and by is None:
        raise Invalid({"by": _("Say who answers for this notice.")})
    texts = read(path or NATIONAL)
    with transaction.atomic():
        before = NoticeEdition.objects.select_for_update().order_by("-number").first()
        if before is not None and (before.zh, before.en) == (texts["zh"], texts["en"]):
            return None
        edition = NoticeEdition.objects.create(
            number=before.number + 1 if before is not None else 1,
            made_at=now,
            made_by=by,
            note=one_line(note, 200),
            **texts,
        )
        bump(_REVISION)
        acts.wrote("notice_loaded", edition.number)
    return edition


def _numbers() -> frozenset[int]:
    return frozenset(NoticeEdition.objects.values_list("number", flat=True))


_known = Snapshot(_REVISION, _numbers)


def current() -> int | None:
    """The number of the edition that is shown now; none where no notice was loaded. From memory."""
    return max(_known.get(), default=None)


def exists(number: int) -> bool:
    """Whether there is an edition of this number. From memory."""
    return number in _known.get()


@dataclass(frozen=True)
class Block:
    """A heading, or paragraphs, or the lines of a list."""

    kind: str  # heading | text | list
    lines: tuple[str, ...]


def edition(number: int | None = None) -> NoticeEdition:
    """An edition by its number, or the one that is shown now. Raises NotFound."""
    rows = NoticeEdition.objects.order_by("-number")
    found = (rows if number is None else rows.filter(number=number)).first()
    if found is None:
        raise NotFound(_("There is no such notice."))
    return found


def blocks(of: NoticeEdition) -> list[Block]:
    """The text of an edition in the reader's language, as a page lays it out."""
    text = of.en if (get_language() or "").startswith("en") else of.zh
    city = names.get(names.root())
    found: list[Block] = []
    for line in text.replace("{city}", city.name if city is not None else "").splitlines():
        line = line.strip()
        if not line:
            continue
        kind = "heading" if line.startswith("## ") else "list" if line.startswith("- ") else "text"
        said = line if kind == "text" else line.partition(" ")[2]
        if found and kind == found[-1].kind == "list":
            found[-1] = Block("list", (*found[-1].lines, said))
        else:
            found.append(Block(kind, (said,)))
    return found
