"""What a member of staff does about their own account."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import segno
from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from lucheng.core.errors import Forbidden, Invalid, NotFound
from lucheng.core.organisation import factors, people, sessions, signing_in
from lucheng.core.organisation.middleware import first, opens_early, scope
from lucheng.core.organisation.models import Person
from lucheng.web.addresses import client_address
from lucheng.web.signing_in import answered, onward, origin, passkeys_work, refuse_while_locked


def _person(request: HttpRequest) -> Person:
    return cast(Person, request.user)


def _onward(request: HttpRequest) -> str:
    """Where the reader wanted to go before they had to come here, or where they begin their day."""
    return onward(request, request.GET.get("next", ""))


class ConfirmForm(forms.Form):
    """Whoever changes how one signs in shows the password: an open session may have been left by somebody else."""

    current = forms.CharField(
        label=gettext_lazy("The password that you have"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        if not _person(request).has_usable_password():
            del self.fields["current"]  # single sign-on alone lets them in

    def clean_current(self) -> str:
        """Counted like a try to sign in."""
        given = str(self.cleaned_data["current"])
        person = _person(self.request)
        refuse_while_locked(self.request, person.username)
        if not person.check_password(given):
            raise forms.ValidationError(_("This is not your password."))
        signing_in.succeeded(person.username, client_address(self.request))
        return given


class OwnPasswordForm(ConfirmForm):
    """A password of one's own, twice; and the one that it replaces, where nobody has just signed in with that."""

    password = forms.CharField(
        label=gettext_lazy("Your new password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("Your new password once more"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["password"].help_text = " ".join(password_validators_help_texts())
        if _person(request).password_given_at is not None and "current" in self.fields:
            del self.fields["current"]

    def clean(self) -> dict[str, Any]:
        password, again = self.cleaned_data.get("password"), self.cleaned_data.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two are not the same."))
        return self.cleaned_data


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """One's own account."""
    person = _person(request)
    return render(request, "web/account.html", {"member": person, "have": factors.held(person)})


@opens_early
@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_password(request: HttpRequest) -> HttpResponse:
    """Set a password of one's own: the first page after the first sign-in, and whenever somebody wishes."""
    person = _person(request)
    if not person.has_usable_password():
        raise Forbidden(_("You sign in by the city's single sign-on and have no password here."))
    form = OwnPasswordForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            people.own_password(person, form.cleaned_data["password"])
        except Invalid as wrong:
            form.add_error("password", str(wrong.detail))
        else:
            update_session_auth_hash(request, person)
            messages.success(request, _("Your password has been changed; your other sessions have ended."))
            return HttpResponseRedirect(_onward(request))
    context = {"form": form, "given": person.password_given_at is not None}
    return render(request, "web/own_password.html", context, status=422 if form.errors else 200)


# --- the second factor ----------------------------------------------------------------------------------------------

#: In the session: the sealed secret of an app that is being set up, and what a passkey is being made by.
_APP, _PASSKEY = "app_secret", "passkey_begun"


class AppForm(ConfirmForm):
    """The first code of an app."""

    code = forms.CharField(
        label=pgettext_lazy("second factor", "Code"),
        help_text=gettext_lazy("The six digits that the app shows now."),
        max_length=10,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )
    field_order = ("code", "current")


class PasskeyForm(ConfirmForm):
    """A name for the device."""

    label = forms.CharField(
        label=gettext_lazy("Name of the device"),
        help_text=gettext_lazy("So that you know it again."),
        max_length=40,
    )
    field_order = ("label", "current")


def _early(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page on which a second factor is set up: opens before it is, for whoever is signed in."""

    @opens_early
    @sensitive_post_parameters()
    @never_cache
    @login_required
    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if first(request, _person(request)) == "own-password":
            return HttpResponseRedirect(reverse("own-password"))
        return view(request, *args, **kwargs)

    return opened


def _with_next(request: HttpRequest, page: str) -> str:
    wanted = request.GET.get("next", "")
    return reverse(page) + (f"?{urlencode({'next': wanted})}" if wanted else "")


def _set_up(request: HttpRequest, codes: list[str]) -> HttpResponse:
    """A factor has been set up: this session goes on, with it, and recovery codes are shown once."""
    update_session_auth_hash(request, _person(request))
    sessions.prove(request.session)
    if codes:
        return _shown_once(request, codes)
    messages.success(request, _("The second factor has been set up; your other sessions have ended."))
    return HttpResponseRedirect(_with_next(request, "second-factor"))


def _shown_once(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return render(request, "web/recovery_codes.html", {"codes": codes, "onward": _onward(request)})


def _refused(form: forms.Form, wrong: Invalid) -> None:
    for name, text in wrong.fields.items():
        form.add_error(name if name in form.fields else None, str(text))


@_early
@require_safe
def second_factor(request: HttpRequest) -> HttpResponse:
    """What one has as second factor, and what can be set up."""
    person = _person(request)
    context = {
        "member": person,
        "have": factors.held(person),
        "compulsory": factors.compulsory(scope(request)),
        "waits": first(request, person) == "second-factor",
        "passkeys_work": passkeys_work(request),
        "next": request.GET.get("next", ""),
        "onward": _onward(request),
    }
    return render(request, "web/second_factor.html", context)


@_early
@require_http_methods(["GET", "HEAD", "POST"])
def add_app(request: HttpRequest) -> HttpResponse:
    """Set up an app that shows codes."""
    person = _person(request)
    form = AppForm(request, request.POST if request.method == "POST" else None)
    sealed = request.session.get(_APP, "")
    if request.method == "POST" and sealed and form.is_valid():
        try:
            codes = factors.add_app(person, sealed, form.cleaned_data["code"], timezone.now())
        except Invalid as wrong:
            _refused(form, wrong)
        else:
            del request.session[_APP]
            return _set_up(request, codes)
    if not sealed:
        request.session[_APP] = sealed = factors.new_secret(person)
    secret = factors.readable(person, sealed)
    drawn = segno.make(factors.address(person, secret, str(_("Lucheng"))), error="m")
    context = {
        "form": form,
        "code": drawn.svg_data_uri(scale=5, border=4, dark="#000", light="#fff"),
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    }
    return render(request, "web/add_app.html", context, status=422 if form.errors else 200)


@_early
@require_http_methods(["GET", "HEAD", "POST"])
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Make a passkey in this device or in a security key."""
    person = _person(request)
    form = PasskeyForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        begun, answer = request.session.pop(_PASSKEY, None), answered(request)
        try:
            codes = factors.add_passkey(
                person, origin(request), begun, answer or {}, form.cleaned_data["label"], timezone.now()
            )
        except Invalid as wrong:
            _refused(form, wrong)
        else:
            return _set_up(request, codes)
    context: dict[str, Any] = {"form": form, "passkeys_work": passkeys_work(request)}
    if context["passkeys_work"]:
        context["options"], request.session[_PASSKEY] = factors.begin_passkey(person, origin(request))
    return render(request, "web/add_passkey.html", context, status=422 if form.errors else 200)


@login_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def remove_factor(request: HttpRequest, what: str) -> HttpResponse:
    """Take one of one's own factors away."""
    person = _person(request)
    have = factors.held(person)
    label = next((p.label for p in have.passkeys if what == f"passkey-{p.pk}"), "")
    if not label and not (what == "app" and have.app is not None):
        raise NotFound(_("There is no such second factor."))
    form = ConfirmForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        factors.remove(person, what)
        messages.success(request, _("It has been removed."))
        return HttpResponseRedirect(reverse("second-factor"))
    return render(
        request, "web/remove_factor.html", {"form": form, "label": label}, status=422 if form.errors else 200
    )


@login_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes; the old ones no longer work."""
    person = _person(request)
    if not factors.held(person):
        return HttpResponseRedirect(reverse("second-factor"))
    form = ConfirmForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return _shown_once(request, factors.new_codes(person))
    return render(request, "web/new_codes.html", {"form": form}, status=422 if form.errors else 200)


urlpatterns = [
    path("account/", account, name="account"),
    path("account/password/", own_password, name="own-password"),
    path("account/second/", second_factor, name="second-factor"),
    path("account/second/app/", add_app, name="add-app"),
    path("account/second/passkey/", add_passkey, name="add-passkey"),
    path("account/second/codes/", recovery_codes, name="recovery-codes"),
    path("account/second/remove/<slug:what>/", remove_factor, name="remove-factor"),
]
