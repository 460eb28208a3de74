"""The second factor of a member of staff: an app that shows a code, a passkey, or a recovery code once.

It is compulsory for the three administrators (GB/T 22239-2019 8.1.4.1 d: two factors at least, one of them by
cryptography); anybody may set one up. Codes follow RFC 6238: six digits, thirty seconds, HMAC-SHA-1, which is what
every app reads. One step before and one after are taken for a telephone whose clock is off, and none twice.
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
)

from lucheng.core.errors import Conflict, Forbidden, Invalid, NotFound
from lucheng.core.ledger import acts
from lucheng.core.organisation import signing_in
from lucheng.core.organisation.access import Scope
from lucheng.core.organisation.capabilities import SEPARATED
from lucheng.core.organisation.models import AuthenticatorApp, Passkey, Person, RecoveryCode, SignIn
from lucheng.core.organisation.people import made_password
from lucheng.core.privacy import sealing

STEP = 30  # seconds
SECRET_LENGTH = 20  # bytes, as RFC 4226 recommends
RECOVERY_CODES = 10
#: Passkeys of one person: a telephone, a computer and a key in the safe leave room.
MOST_PASSKEYS = 10

log = logging.getLogger("lucheng.administration")


@dataclass(frozen=True)
class Held:
    """The second factors that a person has."""

    app: AuthenticatorApp | None
    passkeys: list[Passkey]
    recovery_codes: int

    def __bool__(self) -> bool:
        return self.app is not None or bool(self.passkeys)


def compulsory(scope: Scope) -> bool:
    """Whether the posts behind ``scope`` ask for a second factor."""
    return any(scope.can(c) for c in SEPARATED)


def held(person: Person) -> Held:
    """What ``person`` has set up. Three queries."""
    return Held(
        AuthenticatorApp.objects.filter(person=person).first(),
        list(Passkey.objects.filter(person=person).order_by("added_at", "pk")),
        RecoveryCode.objects.filter(person=person).count(),
    )


# --- the app --------------------------------------------------------------------------------------------------------


def _purpose(person: Person) -> str:
    return f"totp/{person.pk}"


def new_secret(person: Person) -> str:
    """A fresh secret for an app, sealed as text: whoever carries it to :func:`add_app` cannot read it."""
    secret = base64.b32encode(os.urandom(SECRET_LENGTH)).decode()
    return base64.b64encode(sealing.seal(secret, _purpose(person))).decode()


def readable(person: Person, sealed: str) -> str:
    """The secret in the letters that people type into an app. Raises SealError where it is not theirs."""
    try:
        return sealing.unseal(base64.b64decode(sealed), _purpose(person))
    except ValueError:
        raise sealing.SealError("this is no sealed secret") from None


def address(person: Person, secret: str, issuer: str) -> str:
    """The ``otpauth:`` address in the QR code that apps read."""
    label = quote(f"{issuer}:{person.username}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"


def _step_of(secret: str, code: str, now: dt.datetime) -> int | None:
    """The step of time whose code this is, among the present one and its neighbours."""
    maker = HOTP(base64.b32decode(secret), 6, SHA1())
    given = "".join(code.split()).encode()
    present = int(now.timestamp()) // STEP
    return next(
        (
            step
            for step in (present, present - 1, present + 1)
            if hmac.compare_digest(maker.generate(step), given)
        ),
        None,
    )


def code_at(secret: str, now: dt.datetime) -> str:
    """The code that an app shows at this moment."""
    return HOTP(base64.b32decode(secret), 6, SHA1()).generate(int(now.timestamp()) // STEP).decode()


def add_app(person: Person, sealed: str, code: str, now: dt.datetime) -> list[str]:
    """Set up an app by the first code that it shows; one that was there before is replaced.

    Returns the recovery codes to show, where the person had none. Raises Invalid at ``code``.
    """
    secret = readable(person, sealed)
    step = _step_of(secret, code, now)
    if step is None:
        raise Invalid(
            {"code": _("This is not the code that the app shows now. Look at the clock of your telephone.")}
        )
    with transaction.atomic():
        _lock(person)
        AuthenticatorApp.objects.update_or_create(
            person=person,
            defaults={
                "secret": sealing.seal(secret, _purpose(person)),
                "last_step": step,
                "added_at": now,
            },
        )
        return _set_up(person, "an app")


def check_code(person: Person, code: str, now: dt.datetime) -> bool:
    """Whether this is a code that the person's app shows now and that was not used yet, or an unused recovery code.
    It is used by being asked. The caller counts the try first (:mod:`lucheng.core.organisation.signing_in`)."""
    app = AuthenticatorApp.objects.filter(person=person).first()
    step = (
        _step_of(sealing.unseal(app.secret, _purpose(person)), code, now)
        if app is not None and kind_of(code) == SignIn.By.APP
        else None
    )
    if step is not None:
        # Of two with the same code at the same moment, one moves the step on.
        return bool(AuthenticatorApp.objects.filter(person=person, last_step__lt=step).update(last_step=step))
    used, _by_model = RecoveryCode.objects.filter(person=person, digest=_digest(person, code)).delete()
    return bool(used)


def kind_of(code: str) -> SignIn.By:
    """What a code that was typed is: one that an app shows has six characters, a recovery code has more."""
    return SignIn.By.APP if len("".join(code.split())) == 6 else SignIn.By.RECOVERY


# --- passkeys -------------------------------------------------------------------------------------------------------


def _server(origin: str) -> Fido2Server:
    """For pages at ``origin``, a scheme with a host and perhaps a port; no other origin's answer is taken."""
    return Fido2Server(
        PublicKeyCredentialRpEntity(name="Lucheng", id=urlsplit(origin).hostname or ""),
        verify_origin=lambda said: said == origin,
    )


def _credentials(person: Person) -> list[AttestedCredentialData]:
    return [
        AttestedCredentialData(bytes(c))
        for c in Passkey.objects.filter(person=person).values_list("credential", flat=True)
    ]


def begin_passkey(person: Person, origin: str) -> tuple[dict[str, Any], Any]:
    """What a browser needs to make a passkey, and what must be kept until it answers."""
    options, state = _server(origin).register_begin(
        PublicKeyCredentialUserEntity(
            # Nothing that says who this is outside this installation.
            id=salted_hmac("lucheng.passkey", str(person.pk), algorithm="sha256").digest(),
            name=person.username,
            display_name=person.name,
        ),
        _credentials(person),
    )
    return dict(options)["publicKey"], state


def add_passkey(
    person: Person, origin: str, state: Any, answer: Mapping[str, Any], label: str, now: dt.datetime
) -> list[str]:
    """Keep the passkey that a browser has made.

    Returns the recovery codes to show, where the person had none. Raises Invalid at ``label``, or for the whole where
    the answer does not fit.
    """
    label = label.strip()
    if not label or len(label) > 40:
        raise Invalid({"label": _("Say in at most 40 characters which device this is.")})
    try:
        made = _server(origin).register_complete(state, answer)
        credential = made.credential_data
    except Exception:  # whatever a browser may send: the library raises many kinds
        credential = None
    if credential is None:
        raise Invalid({"": _("The passkey was not made. Try again.")})
    with transaction.atomic():
        _lock(person)
        if Passkey.objects.filter(person=person).count() >= MOST_PASSKEYS:
            raise Invalid({"": _("You have as many passkeys as can be kept. Remove one first.")})
        try:
            with transaction.atomic():
                Passkey.objects.create(
                    person=person,
                    label=label,
                    credential_id=credential.credential_id,
                    credential=bytes(credential),
                    uses=made.counter,
                    added_at=now,
                )
        except IntegrityError:
            raise Invalid({"": _("This passkey is kept already.")}) from None
        return _set_up(person, "a passkey")


def ask_passkey(person: Person, origin: str) -> tuple[dict[str, Any], Any]:
    """What a browser needs to ask for a passkey of this person, and what must be kept until it answers."""
    options, state = _server(origin).authenticate_begin(_credentials(person))
    return dict(options)["publicKey"], state


def check_passkey(
    person: Person, origin: str, state: Any, answer: Mapping[str, Any], now: dt.datetime
) -> bool:
    """Whether a passkey of this person has signed what it was asked to. A device whose count does not grow was copied,
    and is refused."""
    try:
        known = _server(origin).authenticate_complete(state, _credentials(person), answer)
        uses = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
    except Exception:  # whatever a browser may send: the library raises many kinds
        return False
    grown = Q(uses__lt=uses) if uses else Q(uses=0)
    mine = Passkey.objects.filter(grown, person=person, credential_id=known.credential_id)
    return bool(mine.update(uses=uses, used_at=now))


# --- recovery codes, and taking away --------------------------------------------------------------------------------


def _digest(person: Person, code: str) -> bytes:
    plain = "".join(c for c in code.lower() if c.isalnum())
    return salted_hmac("lucheng.recovery", f"{person.pk} {plain}", algorithm="sha256").digest()


def _lock(person: Person) -> None:
    Person.objects.select_for_update().get(pk=person.pk)


def end_sessions(person: Person) -> None:
    """End every session of ``person``; the instance knows, so that its own session may be carried on."""
    Person.objects.filter(pk=person.pk).update(sessions_ended=F("sessions_ended") + 1)
    person.refresh_from_db(fields=["sessions_ended"])


def _set_up(person: Person, what: str) -> list[str]:
    # A session that began without the second factor must not go on beside one that has it.
    end_sessions(person)
    log.info("%s set up %s as second factor", person.username, what)
    return [] if RecoveryCode.objects.filter(person=person).exists() else new_codes(person)


def new_codes(person: Person) -> list[str]:
    """Ten recovery codes to be shown once; those that were there before no longer work."""
    with transaction.atomic():
        _lock(person)
        RecoveryCode.objects.filter(person=person).delete()
        codes = [made_password() for _n in range(RECOVERY_CODES)]
        RecoveryCode.objects.bulk_create(
            RecoveryCode(person=person, digest=_digest(person, c)) for c in codes
        )
    return codes


def remove(person: Person, what: str) -> None:
    """Take one of one's own factors away: ``app``, or ``passkey-`` and its number. The recovery codes go with the last.

    Raises NotFound where there is no such factor.
    """
    kind, _dash, number = what.partition("-")
    with transaction.atomic():
        _lock(person)
        if kind == "app":
            gone, _by_model = AuthenticatorApp.objects.filter(person=person).delete()
        elif kind == "passkey" and number.isdecimal() and len(number) < 18:
            gone, _by_model = Passkey.objects.filter(person=person, pk=int(number)).delete()
        else:
            gone = 0
        if not gone:
            raise NotFound(_("There is no such second factor."))
        if not held(person):
            RecoveryCode.objects.filter(person=person).delete()
        log.info("%s removed their second factor %s", person.username, what)


def reset(person: Person, *, by: Person | None) -> None:
    """Take every second factor of somebody away who has lost theirs, and end their sessions. ``by`` is None on the
    console.

    Raises Forbidden where somebody does it to themselves, and where they know the person's password, having given it:
    with both they could sign in as that person. Raises Conflict where there is nothing to take away.
    """
    with transaction.atomic():
        locked = Person.objects.select_for_update().get(pk=person.pk)
        if by is not None and by.pk == person.pk:
            raise Forbidden(_("Nobody takes their own second factor away here: ask another administrator."))
        if by is not None and locked.password_given_at is not None and locked.password_given_by_id == by.pk:
            raise Forbidden(
                _(
                    "You gave this person the password that they have. Another administrator resets the second factor."
                )
            )
        if not held(person):
            raise Conflict(_("This person has no second factor."))
        AuthenticatorApp.objects.filter(person=person).delete()
        Passkey.objects.filter(person=person).delete()
        RecoveryCode.objects.filter(person=person).delete()
        Person.objects.filter(pk=person.pk).update(factors_reset_by=by)
        end_sessions(person)
        acts.wrote("factor_reset", person.username)
    signing_in.forget(person.username)


def signed_in(person: Person) -> None:
    """The person has signed in wholly with a password of their own: whoever helped them may help again."""
    if person.factors_reset_by_id is not None and person.password_given_at is None:
        Person.objects.filter(pk=person.pk).update(factors_reset_by=None)


def reseal() -> int:
    """Bring every secret of an app under the newest key and the chosen suite. Returns how many were resealed; those
    that do not open are left as they are."""
    done = 0
    for app in AuthenticatorApp.objects.select_related("person").order_by("pk"):
        old = bytes(app.secret)
        if old.startswith(sealing.header()):
            continue
        try:
            plain = sealing.unseal(old, _purpose(app.person))
        except sealing.SealError:
            log.error("the secret of the app of %s does not open", app.person.username)
            continue
        fresh = sealing.seal(plain, _purpose(app.person))
        done += AuthenticatorApp.objects.filter(pk=app.pk, secret=old).update(secret=fresh)
    return done
