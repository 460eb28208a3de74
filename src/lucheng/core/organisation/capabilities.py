"""What a role may allow: the fixed list, and which of it no role and no person may hold together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.errors import Invalid

CAPABILITIES: Mapping[str, str | Promise] = {
    "case.create": _("create cases"),
    "case.view": _("see cases"),
    "case.confidential": _("see cases whose requester asked for secrecy"),
    "case.accept": _("accept, refuse, answer at once, hand over outside"),
    "case.dispatch": _("dispatch"),
    "case.merge": _("merge, un-merge, split"),
    "case.arbitrate": _("decide on returns, extensions and suspensions"),
    "case.sign": _("sign for a dispatched case"),
    "case.handle": _("handle a case and reply"),
    "case.review": _("review replies"),
    "case.callback": _("call back requesters"),
    "case.supervise": _("supervise"),
    "case.archive": _("archive and reopen"),
    "contact.reveal": _("open a requester's contact, with a reason"),
    "catalogue.edit": _("edit drafts of the dispatch catalogue"),
    "catalogue.publish": _("publish the dispatch catalogue"),
    "organisation.edit": _("edit units, people, posts and roles"),
    "calendar.edit": _("edit the calendar and the time limits"),
    "messages.view": _("see outgoing messages"),
    "ledger.verify": _("verify the ledger"),
    "privacy.audit": _("audit the use of personal data"),
}

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
