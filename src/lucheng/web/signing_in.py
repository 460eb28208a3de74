"""Signing in and out. Every try and every end is kept for the audit administrator (core.organisation.signing_in)."""

from __future__ import annotations

import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import urlencode
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from lucheng.core.limits import counting
from lucheng.core.organisation import factors, people, sessions, signing_in
from lucheng.core.organisation.middleware import first, opens_early, scope
from lucheng.core.organisation.models import Person, SignIn
from lucheng.web import addresses, nav
from lucheng.web.addresses import client_address

_LOCKED = _(
    "Too many wrong passwords: sign-in is locked. Try again at {time}. If you have forgotten your password, ask an "
    "administrator for a new one."
)
_OVER = _(
    "This first password is too old: it was to be replaced by your own within a few days. Ask an administrator for a "
    "new one."
)

_FOR_SHOW = _(
    "In the demo city an administrator signs in by password alone. In a real installation they are asked for a second "
    "factor before anything opens."
)
_WRONG_CODE = _("This code is wrong, or was used already. An app shows a new one every thirty seconds.")
_WRONG_PASSKEY = _("The passkey did not fit. Try again.")


def refuse_while_locked(request: HttpRequest, username: str) -> None:
    """Count a try under this name before anything is looked at. Raises ValidationError where the name is locked."""
    now = timezone.now()
    until = signing_in.begin(username, client_address(request), now)
    if until is not None:
        raise forms.ValidationError(format_lazy(_LOCKED, time=counting.moment(until, now)), code="locked")


#: Why somebody is refused, by the code of what they are told; anything else was wrong.
_REASONS = {"locked": SignIn.Reason.LOCKED, "over": SignIn.Reason.OLD}


def _refused(
    request: HttpRequest, person: Person | None, by: SignIn.By, refusal: forms.ValidationError
) -> None:
    """Keep that somebody was refused, and why."""
    signing_in.note(
        SignIn.Outcome.REFUSED,
        person,
        now=timezone.now(),
        address=client_address(request),
        by=by,
        reason=_REASONS.get(refusal.code or "", SignIn.Reason.WRONG),
    )


class SignInForm(AuthenticationForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")

    def clean(self) -> dict[str, Any]:
        username, password = (self.cleaned_data.get(name) for name in ("username", "password"))
        if not username or not password:
            return self.cleaned_data
        assert self.request is not None
        try:
            refuse_while_locked(self.request, username)
            cleaned: dict[str, Any] = super().clean()
        except forms.ValidationError as refusal:
            _refused(self.request, signing_in.account(username), SignIn.By.PASSWORD, refusal)
            raise
        return cleaned

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if people.first_password_over(user, timezone.now()):
            raise forms.ValidationError(_OVER, code="over")


def complete(request: HttpRequest, person: Person, by: SignIn.By, *, proven: bool) -> None:
    """Let somebody in who has shown all that is asked of them, ``by`` last; ``proven`` says whether a second factor was
    among it. Nobody is in of whom it is not kept."""
    address = client_address(request)
    signing_in.note(SignIn.Outcome.IN, person, now=timezone.now(), address=address, by=by)
    login(request, person)
    if proven:
        sessions.prove(request.session)
    signing_in.succeeded(person.username, address)
    factors.signed_in(person)


def onward(request: HttpRequest, wanted: str) -> str:
    """Where somebody goes who has just signed in: first where something is left to do, else where they wanted to go,
    else where their day begins."""
    wanted = addresses.ours(wanted, "")
    if isinstance(request.user, Person) and (page := first(request, request.user)):
        return reverse(page) + (f"?{urlencode({'next': wanted})}" if wanted else "")
    return wanted or nav.home(scope(request)) or "/"


class SignInPage(LoginView):
    template_name = "web/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponseRedirect:
        return _let_in(self.request, form.get_user(), SignIn.By.PASSWORD, self.get_redirect_url())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if settings.OIDC_ISSUER:
            kwargs["single_sign_on"] = settings.OIDC_NAME or _("the city's single sign-on")
        return super().get_context_data(**kwargs)

    def get_success_url(self) -> str:
        return onward(self.request, self.get_redirect_url())


class SignOut(LogoutView):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, Person):
            address = client_address(request)
            signing_in.note(SignIn.Outcome.OUT, request.user, now=timezone.now(), address=address)
        return super().post(request, *args, **kwargs)


def _let_in(request: HttpRequest, person: Person, by: SignIn.By, wanted: str) -> HttpResponseRedirect:
    """What comes after it is known who somebody is: their second factor, or the way in."""
    if factors.held(person):
        address = client_address(request)
        signing_in.note(SignIn.Outcome.HALF, person, now=timezone.now(), address=address, by=by)
        _half(request, person, wanted)
        return HttpResponseRedirect(reverse("sign-in-second"))
    complete(request, person, by, proven=False)
    if person.for_show and factors.compulsory(scope(request)):
        messages.info(request, _FOR_SHOW)
    return HttpResponseRedirect(onward(request, wanted))


@require_safe
def sign_on(request: HttpRequest) -> HttpResponse:
    """On to the city's single sign-on."""
    from lucheng.web import single_sign_on  # its libraries are large, and few requests need them

    return single_sign_on.begin(request)


@never_cache
@require_safe
def sign_on_back(request: HttpRequest) -> HttpResponse:
    """Back from the city's single sign-on."""
    from lucheng.web import single_sign_on

    try:
        person = single_sign_on.who(request)
    except single_sign_on.Failed as failed:
        signing_in.note(
            SignIn.Outcome.REFUSED,
            failed.person,
            now=timezone.now(),
            address=client_address(request),
            by=SignIn.By.CITY,
            reason=SignIn.Reason.FAILED if failed.person is None else SignIn.Reason.CLOSED,
        )
        messages.error(request, str(failed.words))
        return HttpResponseRedirect(reverse("sign-in"))
    return _let_in(request, person, SignIn.By.CITY, request.session.pop(single_sign_on.WANTED, ""))


# --- the second step ------------------------------------------------------------------------------------------------

#: In the session between password and second factor: who, since when, and where they wanted to go.
_HALF = "half_signed_in"
#: In the session: what a passkey was asked to sign.
_ASKED = "passkey_asked"
#: How long the second factor may take.
_PATIENCE = 600  # seconds


def _half(request: HttpRequest, person: Person, wanted: str) -> None:
    request.session.cycle_key()
    request.session[_HALF] = {
        "person": person.pk,
        "hash": person.get_session_auth_hash(),
        "at": int(timezone.now().timestamp()),
        "next": wanted,
    }


def _half_signed_in(request: HttpRequest) -> tuple[Person, str] | None:
    """Who has shown their password a short while ago, and where they wanted to go."""
    half = request.session.get(_HALF)
    if half is None or timezone.now().timestamp() - half["at"] > _PATIENCE:
        return None
    person = Person.objects.filter(pk=half["person"], is_active=True).first()
    if person is None or not constant_time_compare(half["hash"], person.get_session_auth_hash()):
        return None
    return person, half["next"]


def origin(request: HttpRequest) -> str:
    """Scheme, host and port of our pages, as a browser names them."""
    return f"{request.scheme}://{request.get_host()}"


def passkeys_work(request: HttpRequest) -> bool:
    """Whether browsers make passkeys here: for a name with TLS, or on the machine itself, never for a bare address."""
    host = urlsplit(origin(request)).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return request.is_secure() or host == "localhost"
    return False


class SecondForm(forms.Form):
    code = forms.CharField(
        label=pgettext_lazy("second factor", "Code"),
        help_text=_("The six digits that your app shows now, or one of your recovery codes."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


def answered(request: HttpRequest) -> dict[str, Any] | None:
    """What a browser says of a passkey, in the hidden field that islands/passkey.ts fills; None where nothing."""
    try:
        answer = json.loads(request.POST.get("credential", ""))
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """The second factor, after the password."""
    found = _half_signed_in(request)
    if found is None:
        return HttpResponseRedirect(reverse("sign-in"))
    person, wanted = found
    have, now = factors.held(person), timezone.now()
    form = SecondForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        asked, answer = request.session.pop(_ASKED, None), answered(request)
        if answer is not None:
            del form.fields["code"]
        if form.is_valid():
            by = factors.kind_of(form.cleaned_data["code"]) if answer is None else SignIn.By.PASSKEY
            try:
                refuse_while_locked(request, person.username)
                if answer is None:
                    right = factors.check_code(person, form.cleaned_data["code"], now)
                else:
                    right = asked is not None and factors.check_passkey(
                        person, origin(request), asked, answer, now
                    )
                if not right:
                    raise forms.ValidationError(_WRONG_PASSKEY if answer is not None else _WRONG_CODE)
            except forms.ValidationError as refusal:
                _refused(request, person, by, refusal)
                form = SecondForm({"code": ""})
                form.full_clean()
                form.errors.clear()
                form.add_error(None, refusal)
            else:
                request.session.pop(_HALF, None)
                complete(request, person, by, proven=True)
                return HttpResponseRedirect(onward(request, wanted))
    context: dict[str, Any] = {"form": form, "member": person, "have": have}
    if have.passkeys and passkeys_work(request):
        context["options"], request.session[_ASKED] = factors.ask_passkey(person, origin(request))
    return render(request, "web/second.html", context, status=422 if form.errors else 200)


urlpatterns = [
    path(
        "sign-in/",
        opens_early(require_http_methods(["GET", "HEAD", "POST"])(SignInPage.as_view())),
        name="sign-in",
    ),
    path("sign-in/second/", second, name="sign-in-second"),
    path("sign-in/city/", sign_on, name="sign-on"),
    path("sign-in/city/back/", sign_on_back, name="sign-on-back"),
    path("sign-out/", opens_early(SignOut.as_view()), name="sign-out"),
]
