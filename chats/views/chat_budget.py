"""A chat's own limits: how far they are used, for those who may see its costs, and the form for who manages it.

Owns both, as one page and as a fragment for the dialog. Relies on `usage.limits` for the change; staff set the
same limits in the admin area, and what one of them has raised for a time goes with the limit it raises.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url

from chats import accounts, permissions
from chats.forms.limits import PERIODS, ChatForm
from chats.models import Chat, Limit
from chats.models.budgets import Scope
from chats.permissions import Action
from chats.usage import limits, money
from chats.views.access import Request, allowed_actions, form_methods, member
from chats.views.acts import shown_act
from chats.views.meters import meters

CHANGED = "Somebody has changed this meanwhile. This is what you filled in: save it to keep this."


@form_methods
def chat_budget(request: Request, id: UUID) -> HttpResponse:
    action = Action.MANAGE if request.method == "POST" else Action.SEE_COST
    found = permissions.chat(request, id, action)
    held = _held(found)
    if request.method != "POST":
        return _form(request, found, _typed(held), {})
    form = ChatForm(request.POST)
    if form.errors:
        return _form(request, found, form.kept, form.errors, status=422)
    wanted = {
        period: None if amount is None else money.units(amount)
        for period, amount in form.amounts.items()
    }
    try:
        if form.seen != _typed(held):
            raise limits.Changed
        limits.set_of_chat(
            found, held, wanted, actor=member(request), address=accounts.address(request)
        )
    except limits.Changed:
        return _form(request, found, form.kept, {"": CHANGED}, status=409)
    return HttpResponseRedirect(f"{resolve_url('chat_budget', found.id)}?saved", status=303)


def _held(found: Chat) -> dict[str, int | None]:
    there = {each.period: each.credits for each in _limits(found)}
    return {period: there.get(period) for period in PERIODS}


def _limits(found: Chat) -> list[Limit]:
    rows = Limit.objects.filter(scope=Scope.CHAT, key=str(found.id))
    return list(rows.order_by("period"))


def _typed(held: limits.Amounts) -> dict[str, str]:
    return {
        period: "" if credits is None else money.plain(credits) for period, credits in held.items()
    }


def _form(
    request: Request,
    found: Chat,
    kept: dict[str, str],
    errors: dict[str, str],
    *,
    status: int = 200,
) -> HttpResponse:
    now = _typed(_held(found))
    seen = ChatForm(request.POST).seen if status == 422 else now
    fields = [(period, kept[period], seen[period], errors.get(period, "")) for period in PERIODS]
    context = {
        "meters": meters(_limits(found)),
        "may_set": Action.MANAGE in allowed_actions(request, found),
        "fields": fields,
        "refusal": errors.get(""),
        "is_saved": "saved" in request.GET,
    }
    response = shown_act(request, found, "budget", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
