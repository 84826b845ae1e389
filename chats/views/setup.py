"""The first visit to a new installation: its owner's account, made with the token that the server printed.

Owns two pages, one that asks for the token and one behind it. The link is used once by `chats.accounts`; an
unknown or used one, and both once anybody has an account, are pages that do not exist. Wrong tokens are
counted; a right one is never refused for them.
"""

from __future__ import annotations

from allauth.account.utils import perform_login
from allauth.core.ratelimit import respond_429
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from chats import accounts
from chats.accounts import throttle
from chats.forms.setup import SetupForm, TokenForm
from chats.views.access import form_methods


@never_cache
@sensitive_post_parameters("token")
@form_methods
def first_visit(request: HttpRequest) -> HttpResponse:
    if not accounts.is_new():
        raise Http404
    form = TokenForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return render(request, "first_visit.html", {"form": form})
    # What was printed is a whole address; who copies all of it has the token, too.
    token = request.POST.get("token", "").strip().rstrip("/").rpartition("/")[2]
    if accounts.setup_link_is_open(token):
        return redirect("setup", token)
    if not throttle.may_try_a_token(request):
        return _too_many(request)
    if form.is_valid():
        form.add_error("token", "This is not the token that the server printed.")
    return render(request, "first_visit.html", {"form": form}, status=422)


@never_cache
@sensitive_post_parameters("password", "repeated")
@form_methods
def setup(request: HttpRequest, token: str) -> HttpResponse:
    if not accounts.setup_link_is_open(token):
        if not throttle.may_try_a_token(request):
            return _too_many(request)
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
        address=accounts.address(request),
    )
    response: HttpResponse = perform_login(
        request, person, email_verification="none", redirect_url="/"
    )
    return response


def _too_many(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = respond_429(request)
    return response
