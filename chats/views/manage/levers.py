"""The levers as staff set them: how fast and how many, where a new chat begins, and no new runs at all.

Owns these pages. Relies on `usage.limits` for every change; what a refusal says to people is not said here.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.views.decorators.http import require_POST

from chats import accounts, permissions
from chats.forms.limits import WORDS, CloseForm, LeversForm
from chats.models import Levers, Message, Person, Queued
from chats.models.messages import LIVE
from chats.usage import limits
from chats.views.access import Request, form_methods, signed_in
from chats.views.manage import page
from chats.views.options import selected_model

DONE = {
    "saved": "Saved. It counts from now on.",
    "closed": "No new runs begin from now on.",
    "opened": "New runs begin again.",
}
CHANGED = "Somebody has changed these meanwhile. This is what you filled in: save it to keep this."


@form_methods
@signed_in
def levers(request: Request, person: Person) -> HttpResponse:
    actor, found = permissions.administrator(request), Levers.current()
    if request.method != "POST":
        return _page(request, found, LeversForm.of(found), {})
    form = LeversForm(request.POST)
    if form.errors:
        return _page(request, found, form, form.errors, status=422)
    try:
        if form.seen != _seen(found) and form.wanted != LeversForm.of(found).wanted:
            raise limits.Changed
        limits.set_levers(found, form.wanted, **_by(request, actor))
    except limits.Changed:
        return _page(request, Levers.current(), form, {"": CHANGED}, status=409)
    return _back("saved")


def _seen(found: Levers) -> str:
    """What says whether somebody has changed them since."""
    return "/".join(str(value) for value in LeversForm.of(found).wanted.values())


def _page(
    request: HttpRequest,
    found: Levers,
    form: LeversForm,
    errors: dict[str, str],
    *,
    status: int = 200,
) -> HttpResponse:
    return page(
        request,
        "levers",
        status=status,
        levers=found,
        form=form,
        errors=errors,
        refusal=errors.get(""),
        seen=form.seen if status == 422 else _seen(found),
        models=permissions.models(),
        usual=selected_model("", permissions.models()),
        done=DONE.get(request.GET.get("done", ""), ""),
    )


@form_methods
@signed_in
def close(request: Request, person: Person) -> HttpResponse:
    """No new runs: said first what that means, with the words that people are to read."""
    actor, found = permissions.administrator(request), Levers.current()
    form = CloseForm(request.POST if request.method == "POST" else {"words": found.closed_words})
    if request.method != "POST" or form.error:
        running = Message.objects.filter(role="assistant", state__in=LIVE)
        return page(
            request,
            "levers_close",
            status=422 if form.error else 200,
            levers=found,
            form=form,
            most=WORDS,
            running=running.count(),
            queued=Queued.objects.count(),
        )
    limits.close(form.words, **_by(request, actor))
    return _back("closed")


@require_POST
@signed_in
def reopen(request: Request, person: Person) -> HttpResponse:
    limits.reopen(**_by(request, permissions.administrator(request)))
    return _back("opened")


def _by(request: HttpRequest, actor: Person) -> Any:
    return {"actor": actor, "address": accounts.address(request)}


def _back(done: str) -> HttpResponse:
    return HttpResponseRedirect(f"{resolve_url('manage_levers')}?done={done}", status=303)
