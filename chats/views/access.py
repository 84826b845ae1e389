"""Who is asking.

Owns the two ways in for pages that need an account. What somebody may do with a chat is
`chats.permissions`, and each view asks it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from chats import accounts, permissions
from chats.accounts import recently
from chats.models import Chat, Event, Person, record
from chats.permissions import Action

Rest = ParamSpec("Rest")


class Request(HttpRequest):
    """What the middleware makes of a request."""

    htmx: HtmxDetails


def person(request: HttpRequest) -> Person | None:
    return request.user if isinstance(request.user, Person) else None


def member(request: HttpRequest) -> Person:
    """The person behind a request whose right to write was granted: never a visitor."""
    if not isinstance(request.user, Person):
        raise PermissionDenied
    return request.user


def allowed_actions(request: HttpRequest, found: Chat) -> frozenset[Action]:
    """Everything that whoever asks may do to the chat: what a page shows branches on it."""
    return permissions.actions_of(request, found)


def note(request: HttpRequest, event: Event, **of: Any) -> None:
    """What whoever asks has just done, in the audit log: in the transaction that does it."""
    record(event, actor=person(request), address=accounts.address(request), **of)


def see_chat(id: UUID) -> HttpResponse:
    """303: what was asked for is written, and the page of the chat shows it."""
    return HttpResponseRedirect(resolve_url("chat", id), status=303)


def see_security(done: str) -> HttpResponse:
    """303: the page of how one's account is protected says what was done."""
    return HttpResponseRedirect(f"{resolve_url('security')}?done={done}", status=303)


# Of a form that is a page by itself: shown, and sent.
form_methods = require_http_methods(["GET", "HEAD", "POST"])


def uuid_or_none(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def uuid_or_404(text: str | None) -> UUID:
    found = uuid_or_none(text)
    if found is None:
        raise Http404
    return found


def signed_in(
    view: Callable[Concatenate[Request, Person, Rest], HttpResponseBase],
) -> Callable[Concatenate[Request, Rest], HttpResponseBase]:
    """Give the view its person; lead everybody else to sign in and back to the page they are on."""

    @wraps(view)
    def asked(request: Request, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
        somebody = person(request)
        if somebody is not None:
            return view(request, somebody, *args, **kwargs)
        back = request.get_full_path() if request.method == "GET" else "/"
        if request.htmx:
            page = request.htmx.current_url_abs_path or "/"
            return HttpResponseClientRedirect(f"{resolve_url('account_login')}?next={page}")
        return redirect_to_login(back)

    return asked


def recently_authenticated(
    view: Callable[Concatenate[Request, Rest], HttpResponseBase],
) -> Callable[Concatenate[Request, Rest], HttpResponseBase]:
    """Of a view that is sensitive: ask for a proof of who it is when there was none lately, and go on
    with what was asked for and all that was typed. Belongs below `signed_in`; a file that was sent along
    has to be chosen again."""

    @wraps(view)
    def asked(request: Request, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
        if recently.is_recent(request):
            return view(request, *args, **kwargs)
        if request.htmx:
            page = urlencode({"next": request.htmx.current_url_abs_path or "/"})
            return HttpResponseClientRedirect(f"{resolve_url('account_reauthenticate')}?{page}")
        return recently.ask(request)

    return asked
