"""What a role may allow: the house's list and what the rooms add to it, and which of it no role and no person may hold
together."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lucheng.core.errors import Invalid

#: A room adds its own by a ``capabilities.py``.
CAPABILITIES: dict[str, str | Promise] = {
    "case.create": pgettext_lazy("capability", "create cases"),
    "case.view": pgettext_lazy("capability", "see cases"),
    "case.confidential": pgettext_lazy("capability", "see cases whose requester asked for secrecy"),
    "case.accept": pgettext_lazy("capability", "accept, refuse, answer at once, hand over outside"),
    "case.dispatch": pgettext_lazy("capability", "dispatch"),
    "case.merge": pgettext_lazy("capability", "merge, un-merge, split"),
    "case.arbitrate": pgettext_lazy("capability", "decide on returns, extensions and suspensions"),
    "case.sign": pgettext_lazy("capability", "sign for a dispatched case"),
    "case.handle": pgettext_lazy("capability", "handle a case and reply"),
    "case.lead": pgettext_lazy(
        "capability", "see how the work of a unit and of those below it is shared out"
    ),
    "case.review": pgettext_lazy("capability", "review replies"),
    "case.callback": pgettext_lazy("capability", "call back requesters"),
    "case.supervise": pgettext_lazy("capability", "supervise"),
    "case.archive": pgettext_lazy("capability", "archive and reopen"),
    "contact.reveal": pgettext_lazy("capability", "open a requester's contact, with a reason"),
    "programme.edit": pgettext_lazy("capability", "set targets and keep the programme board"),
    "knowledge.edit": pgettext_lazy("capability", "write in the knowledge base"),
    "catalogue.edit": pgettext_lazy("capability", "edit drafts of the dispatch catalogue"),
    "catalogue.publish": pgettext_lazy("capability", "publish the dispatch catalogue"),
    "organisation.edit": pgettext_lazy("capability", "edit units, people, posts and roles"),
    "calendar.edit": pgettext_lazy("capability", "edit the calendar and the time limits"),
    "messages.view": pgettext_lazy("capability", "see outgoing messages"),
    "messages.edit": pgettext_lazy("capability", "word outgoing messages"),
    "ledger.verify": pgettext_lazy("capability", "verify the ledger"),
    "privacy.audit": pgettext_lazy("capability", "audit the use of personal data"),
    "privacy.requests": pgettext_lazy("capability", "answer people who ask about their own data"),
}

#: Each keeps cases of its own (Case.kept_by): only who has it sees and works on them, and on no others by it.
KEEPERS = ("privacy.requests",)

#: The capabilities as people look for them: a heading, and the prefixes under it.
GROUPS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (pgettext_lazy("capability", "Cases"), ("case.", "contact.")),
    (
        pgettext_lazy("capability", "What the city keeps"),
        ("catalogue.", "calendar.", "messages.", "knowledge.", "programme."),
    ),
    (
        pgettext_lazy("capability", "The three administrators"),
        ("organisation.", "ledger.", "privacy."),
    ),
)

#: The heading over what the rooms bring.
_ROOMS = pgettext_lazy("capability", "The ten projects")


def of_rooms() -> dict[str, str | Promise]:
    """What every room's ``capabilities.py`` names."""
    found: dict[str, str | Promise] = {}
    for config in apps.get_app_configs():
        if config.name.startswith("lucheng.projects.") and find_spec(f"{config.name}.capabilities"):
            found |= import_module(f"{config.name}.capabilities").CAPABILITIES
    return found


def join_rooms() -> None:
    """Add the rooms' to the house's."""
    CAPABILITIES.update(of_rooms())


def grouped() -> list[tuple[str | Promise, list[tuple[str, str | Promise]]]]:
    """All capabilities with their words, under their headings."""
    known = tuple(prefix for _heading, prefixes in GROUPS for prefix in prefixes)
    rest = tuple(code for code in CAPABILITIES if not code.startswith(known))
    return [
        (heading, [(code, text) for code, text in CAPABILITIES.items() if code.startswith(prefixes)])
        for heading, prefixes in (*GROUPS, (_ROOMS, rest))
        if prefixes
    ]


#: System, audit and security administration (三员分立; GB/T 22239-2019 8.1.4, separation of rights).
SEPARATED = ("organisation.edit", "ledger.verify", "privacy.audit")


def check(capabilities: Iterable[str]) -> None:
    """Refuse what one role, or one person, may not hold.

    Raises Invalid at ``capabilities``: for one that is not on the list; for two of the three administrators'
    rights together; for any of them together with cases or contacts, so that no administrator reads cases.
    """
    held = set(capabilities)
    unknown = sorted(held - CAPABILITIES.keys())
    if unknown:
        raise Invalid(
            {"capabilities": format_lazy(_("There is no capability “{code}”."), code=", ".join(unknown))}
        )
    separated = [c for c in SEPARATED if c in held]
    if len(separated) > 1:
        raise Invalid(
            {
                "capabilities": format_lazy(
                    _(
                        "“{first}” and “{second}” must be held by different people "
                        "(separation of administrators)."
                    ),
                    first=CAPABILITIES[separated[0]],
                    second=CAPABILITIES[separated[1]],
                )
            }
        )
    if separated and any(c.startswith(("case.", "contact.")) for c in held):
        raise Invalid(
            {
                "capabilities": format_lazy(
                    _("Who may “{capability}” may not read or handle cases (separation of administrators)."),
                    capability=CAPABILITIES[separated[0]],
                )
            }
        )
