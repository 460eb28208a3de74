"""What the audit administrator reads over the API: acts of administrators, sign-ins, verifications of the ledger. No
word of a case is in it."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Query, Router
from pydantic import Field

from lucheng.channels.api import schemas as out
from lucheng.channels.api.work import person
from lucheng.core import paging
from lucheng.core.errors import Forbidden
from lucheng.core.ledger import acts, verifications
from lucheng.core.ledger.models import Verification
from lucheng.core.organisation import signing_in
from lucheng.core.organisation.access import Grant
from lucheng.core.organisation.middleware import scope
from lucheng.core.organisation.models import Person, SignIn
from lucheng.core.places import names

router = Router(tags=["audit"])


class ActsAsked(out.Stretch):
    person: str = Field(default="", max_length=80, description="name or user name, in full; or ``console``")
    action: str = Field(default="", max_length=30, description="code of what was done")
    object: str = Field(default="", max_length=80, description="a part of the name of what it was done to")


class SignInsAsked(out.Stretch):
    person: str = Field(default="", max_length=80, description="name or user name, in full")
    outcome: SignIn.Outcome | None = None
    address: str = Field(default="", max_length=45, description="network address")


class VerificationsAsked(out.Body):
    before: out.Id | None = Field(default=None, description="``next`` of the page before")
    limit: int = Field(default=50, ge=1, le=200)


def _auditor(request: HttpRequest) -> Grant:
    """The post by which the caller audits the whole city. Raises Forbidden."""
    who = scope(request)
    post = who.grant_for(acts.AUDIT)
    if post is None or not who.covers(acts.AUDIT, names.root()):
        raise Forbidden(_("None of your posts lets you audit the administration."))
    return post


def _who(person: Person | None) -> out.PersonRef | None:
    return out.PersonRef(name=person.name, username=person.username) if person is not None else None


@router.get("/acts", response=out.ActsOut, summary="List acts of administrators")
def list_acts(request: HttpRequest, wanted: Query[ActsAsked]) -> out.ActsOut:
    """What administrators did and whoever runs the system by commands, the newest first. With ``prev`` and ``hash`` of
    each act their chain can be verified elsewhere."""
    _auditor(request)
    asked = acts.Asked(
        person=wanted.person,
        action=wanted.action,
        object=wanted.object,
        since=out.moment(wanted.since) or timezone.now() - acts.USUAL_PERIOD,
        until=out.moment(wanted.until),
    )
    rows, following = acts.page(acts.find(asked), wanted.before, wanted.limit)
    return out.ActsOut(
        acts=[
            out.ActOut(
                seq=a.seq,
                at=a.at,
                person=_who(a.person),
                person_id=a.person_id,
                role=a.role,
                unit=out.UnitRef(id=a.unit.pk, name=a.unit.name) if a.unit is not None else None,
                action=a.action,
                kind=a.kind,
                name=a.name,
                details=a.details,
                words=acts.words(a),
                prev=bytes(a.prev).hex(),
                hash=bytes(a.hash).hex(),
            )
            for a in rows
        ],
        next=following,
    )


@router.get("/sign-ins", response=out.SignInsOut, summary="List sign-ins and refusals")
def list_sign_ins(request: HttpRequest, wanted: Query[SignInsAsked]) -> out.SignInsOut:
    """Who signed in, by what and from where, who was refused and why, and how sessions ended: the newest first, of half
    a year at most. A name that was typed and is no account is not kept."""
    _auditor(request)
    asked = signing_in.Asked(
        person=wanted.person,
        outcome=wanted.outcome.value if wanted.outcome is not None else "",
        address=wanted.address,
        since=out.moment(wanted.since) or timezone.now() - signing_in.USUAL_PERIOD,
        until=out.moment(wanted.until),
    )
    rows, following = signing_in.page(signing_in.find(asked), wanted.before, wanted.limit)
    return out.SignInsOut(
        sign_ins=[
            out.SignInOut(
                id=r.pk,
                at=r.at,
                person=_who(r.person),
                outcome=r.outcome,
                reason=r.reason,
                by=r.by,
                address=r.address,
            )
            for r in rows
        ],
        next=following,
    )


def _verification(row: Verification) -> out.VerificationOut:
    return out.VerificationOut(
        id=row.pk,
        asked_at=row.asked_at,
        asked_by=_who(row.asked_by),
        files=row.files,
        state=row.state,
        began_at=row.began_at,
        ended_at=row.ended_at,
        events_in_all=row.events_in_all,
        cases=row.cases,
        events=row.events,
        acts=row.acts,
        anchors=row.anchors,
        not_anchored=row.not_anchored,
        findings=row.findings,
        found=[out.FoundOut(**found) for found in verifications.found_in(row)],
        error=row.error,
    )


@router.get("/verifications", response=out.VerificationsOut, summary="List verifications of the ledger")
def list_verifications(request: HttpRequest, wanted: Query[VerificationsAsked]) -> out.VerificationsOut:
    """Every verification, the newest first: how far it is, or what it found."""
    _auditor(request)
    rows, following = paging.older(verifications.listed(), wanted.before, wanted.limit)
    return out.VerificationsOut(verifications=[_verification(r) for r in rows], next=following)


@router.post("/verifications", response={202: out.VerificationOut}, summary="Ask for a verification")
def ask_verification(request: HttpRequest, wanted: out.VerificationWanted) -> out.VerificationOut:
    """Have the worker verify the whole ledger. Where one is asked for already or under way, that one is answered."""
    post = _auditor(request)
    with acts.by(person(request), post.role, post.unit):
        row = verifications.ask(person(request), files=wanted.files, now=timezone.now())
    return _verification(row)
