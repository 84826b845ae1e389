"""Another e-mail address for one's account, and the links that the mails about it carry.

Owns these pages. Relies on `chats.accounts.addresses` for the change itself: whether an address has an account
here shows in none of the answers.
"""

from __future__ import annotations

from allauth.core.ratelimit import consume_or_429
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from chats.accounts import addresses
from chats.forms.email import EmailForm
from chats.models import Person
from chats.views.access import (
    Request,
    form_methods,
    recently_authenticated,
    see_security,
    signed_in,
)
from chats.views.shell import shell


@form_methods
@signed_in
@recently_authenticated
def email_change(request: Request, person: Person) -> HttpResponse:
    form = EmailForm(person, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"form": form, "hours": _hours(), **shell(request)}
        status = 422 if form.is_bound else 200
        return render(request, "settings/email.html", context, status=status)
    return _asked(request, person, form.cleaned_data["email"], "email-asked")


@require_POST
@signed_in
def email_prove(request: Request, person: Person) -> HttpResponse:
    """Send the link that proves the address which the person has."""
    return _asked(request, person, person.email, "email-prove")


@require_POST
@signed_in
def email_cancel(request: Request, person: Person) -> HttpResponse:
    addresses.cancel(person)
    return see_security("email-cancelled")


@never_cache
@form_methods
def email_confirm(request: Request, token: str) -> HttpResponse:
    """Behind the link to the new address. Nothing happens before the button is pressed: programs that
    look through mail open links, too."""
    change = addresses.of_confirmation(token)
    done = False
    if change and request.method == "POST":
        done = addresses.confirm(request, change)
        change = change if done else None
    context = {"change": change, "is_done": done}
    return render(request, "account/email_confirm.html", context, status=_status(change))


@never_cache
@form_methods
def email_cancel_by_link(request: Request, token: str) -> HttpResponse:
    """Behind the link to the address of before, for whoever did not ask for the change."""
    change = addresses.of_cancellation(token)
    done = bool(change and request.method == "POST")
    if change and done:
        addresses.cancel(change.person)
    context = {"change": change, "is_done": done}
    return render(request, "account/email_cancel.html", context, status=_status(change))


def _asked(request: Request, person: Person, email: str, done: str) -> HttpResponse:
    limited: HttpResponse | None = consume_or_429(request, action="manage_email", user=person)
    if limited is not None:
        return limited
    addresses.ask(request, person, email)
    return see_security(done)


def _status(change: object) -> int:
    return 200 if change else 404


def _hours() -> int:
    return int(addresses.LASTS.total_seconds() // 3600)
