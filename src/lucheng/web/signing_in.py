"""Signing in and out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from lucheng.core.limits import counting
from lucheng.core.organisation import people, signing_in
from lucheng.core.organisation.middleware import first, opens_early, scope
from lucheng.core.organisation.models import Person
from lucheng.web import nav
from lucheng.web.addresses import client_address

_LOCKED = _(
    "Too many wrong passwords: sign-in is locked. Try again at {time}. If you have forgotten your password, ask an "
    "administrator for a new one."
)
_OVER = _(
    "This first password is too old: it was to be replaced by your own within a few days. Ask an administrator for a "
    "new one."
)


def refuse_while_locked(request: HttpRequest, username: str) -> None:
    """Count a try under this name before anything is looked at. Raises ValidationError where the name is locked."""
    now = timezone.now()
    until = signing_in.begin(username, client_address(request), now)
    if until is not None:
        raise forms.ValidationError(format_lazy(_LOCKED, time=counting.moment(until, now)), code="locked")


class SignInForm(AuthenticationForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")

    def clean(self) -> dict[str, Any]:
        username, password = (self.cleaned_data.get(name) for name in ("username", "password"))
        if not username or not password:
            return self.cleaned_data
        assert self.request is not None
        refuse_while_locked(self.request, username)
        cleaned: dict[str, Any] = super().clean()
        signing_in.succeeded(username, client_address(self.request))
        return cleaned

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if people.first_password_over(user, timezone.now()):
            raise forms.ValidationError(_OVER, code="over")


class SignIn(LoginView):
    template_name = "web/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_success_url(self) -> str:
        """Where the reader wanted to go; before that, where they have something to do before they may begin."""
        page = first(self.request.user) if isinstance(self.request.user, Person) else ""
        if page:
            wanted = self.get_redirect_url()
            return reverse(page) + (f"?{urlencode({'next': wanted})}" if wanted else "")
        return super().get_success_url()

    def get_default_redirect_url(self) -> str:
        """The page on which this person begins their day, or the front page."""
        return nav.home(scope(self.request)) or super().get_default_redirect_url()


urlpatterns = [
    path("sign-in/", opens_early(SignIn.as_view()), name="sign-in"),
    path("sign-out/", opens_early(LogoutView.as_view()), name="sign-out"),
]
