"""The page behind the one-time link of a new installation. Owns nothing: the link is used once by
`chats.accounts`, and an unknown or used one is a page that does not exist."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from chats import accounts
from chats.forms.setup import SetupForm
from chats.views.access import form_methods


@never_cache
@sensitive_post_parameters("password", "repeated")
@form_methods
def setup(request: HttpRequest, token: str) -> HttpResponse:
    if not accounts.setup_link_is_open(token):
        raise Http404
    form = SetupForm(request.POST or None)
    if not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return render(request, "setup.html", {"form": form}, status=status)
    person = accounts.use_setup_link(
        token,
        email=form.cleaned_data["email"],
        name=form.cleaned_data["name"],
        password=form.cleaned_data["password"],
    )
    response: HttpResponse = perform_login(
        request, person, email_verification="none", redirect_url="/"
    )
    return response
