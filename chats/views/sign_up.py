"""Signing up where the installation is open: an address, a link by mail, and only then an account.

Owns three pages, which say the same to who has an account and who has not. Relies on
`chats.accounts.sign_up`; where accounts are made by invitation alone, one page says so.
"""

from __future__ import annotations

from allauth.account.utils import perform_login
from allauth.core.ratelimit import respond_429
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from chats import accounts
from chats.accounts import sign_up as signing_up
from chats.accounts import throttle
from chats.forms.sign_up import AddressForm, NewPersonForm
from chats.views.access import form_methods, person


@never_cache
@form_methods
def sign_up(request: HttpRequest) -> HttpResponse:
    if person(request):
        return redirect("home")
    if accounts.is_new():
        return redirect("first_visit")
    if not signing_up.is_open():
        return render(request, "account/signup_closed.html")
    domain = settings.V0_SIGN_UP_DOMAIN
    form = AddressForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not signing_up.may_sign_up(form.cleaned_data["email"]):
        form.add_error("email", f"Only addresses that end with @{domain} can sign up here.")
    if not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return render(
            request, "account/signup.html", {"form": form, "domain": domain}, status=status
        )
    if not throttle.may_ask_for_mail(request):
        return _too_many(request)
    signing_up.send_link(request, form.cleaned_data["email"])
    return redirect("sign_up_sent")


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    return render(request, "account/signup_sent.html")


@never_cache
@sensitive_post_parameters("password", "repeated")
@form_methods
def link(request: HttpRequest, token: str) -> HttpResponse:
    try:
        email = signing_up.proven(token)
        form = NewPersonForm(request.POST if request.method == "POST" else None, email=email)
        if not form.is_valid():
            status = 422 if request.method == "POST" else 200
            context = {"form": form, "email": email}
            return render(request, "account/signup_link.html", context, status=status)
        made = signing_up.make_account(
            email,
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            address=accounts.address(request),
        )
    except signing_up.LinkOver:
        if not throttle.may_try_a_token(request):
            return _too_many(request)
        return render(request, "account/signup_link_over.html", status=404)
    response: HttpResponse = perform_login(
        request, made, email_verification="none", redirect_url="/"
    )
    return response


def _too_many(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = respond_429(request)
    return response
