"""What a member of staff does about their own account."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from lucheng.core.errors import Invalid
from lucheng.core.organisation import people, signing_in
from lucheng.core.organisation.middleware import opens_early, scope
from lucheng.core.organisation.models import Person
from lucheng.web import addresses, nav
from lucheng.web.addresses import client_address
from lucheng.web.signing_in import refuse_while_locked


def _person(request: HttpRequest) -> Person:
    return cast(Person, request.user)


def _onward(request: HttpRequest) -> str:
    """Where the reader wanted to go before they had to come here, or where they begin their day."""
    return addresses.ours(request.GET.get("next", ""), nav.home(scope(request)) or "/")


class OwnPasswordForm(forms.Form):
    """A password of one's own, twice; and the one that it replaces, where nobody has just signed in with that."""

    current = forms.CharField(
        label=gettext_lazy("The password that you have"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
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
        super().__init__(*args, **kwargs)
        self.request = request
        self.fields["password"].help_text = " ".join(password_validators_help_texts())
        if _person(request).password_given_at is not None:
            del self.fields["current"]

    def clean_current(self) -> str:
        """Counted like a try to sign in: an open session is no place to guess the password of whoever left it."""
        given = str(self.cleaned_data["current"])
        person = _person(self.request)
        refuse_while_locked(self.request, person.username)
        if not person.check_password(given):
            raise forms.ValidationError(_("This is not your password."))
        signing_in.succeeded(person.username, client_address(self.request))
        return given

    def clean(self) -> dict[str, Any]:
        password, again = self.cleaned_data.get("password"), self.cleaned_data.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two are not the same."))
        return self.cleaned_data


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """One's own account."""
    return render(request, "web/account.html", {"member": _person(request)})


@opens_early
@sensitive_post_parameters()
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_password(request: HttpRequest) -> HttpResponse:
    """Set a password of one's own: the first page after the first sign-in, and whenever somebody wishes."""
    person = _person(request)
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


urlpatterns = [
    path("account/", account, name="account"),
    path("account/password/", own_password, name="own-password"),
]
