"""What is done to a message that waits, and the list of them as a page fetches it.

Owns the fragment that is fetched when the mark `queue` changes, and the forms of its rows. Relies on
permissions for each of them and on `relay.queue` for every change; readers are told a number alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from chats import permissions, relay
from chats.forms.attachments import GONE
from chats.forms.message import MessageForm
from chats.forms.options import Options, OptionsForm
from chats.models import Attachment, Chat, Queued
from chats.permissions import Action, belongings
from chats.relay import queue
from chats.relay.uploads import Missing, of_queued
from chats.usage.refusals import Refused
from chats.views import chat as chat_page
from chats.views.access import (
    Request,
    allowed_actions,
    form_methods,
    member,
    see_chat,
    uuid_or_none,
)
from chats.views.attachments import attached
from chats.views.composer import written_in
from chats.views.options import options_shown
from chats.views.queued import queue_of
from chats.views.refusals import CHANGED, SENT, NotNow, not_now
from chats.views.shell import shell

# What an edited message keeps that no field of its form says.
KEPT = ("fix", "metadata")


@require_safe
def waiting(request: Request, id: UUID) -> HttpResponse:
    # In a chat that v0 has closed, what one wrote is still there.
    return _listed(request, written_in(request, id))


@require_POST
def move(request: Request, id: UUID, queued: UUID) -> HttpResponse:
    """Puts it `before` or `after` another one, which the browser names as it saw it."""
    found = permissions.chat(request, id, Action.QUEUE)
    beside = {name: uuid_or_none(request.POST.get(name)) for name in ("before", "after")}
    return _acted(request, found, queued, lambda row: queue.move(row, **beside))


@require_POST
def send_now(request: Request, id: UUID, queued: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.QUEUE)
    return _acted(request, found, queued, lambda row: queue.send_now(row, member(request)))


@form_methods
def remove(request: Request, id: UUID, queued: UUID) -> HttpResponse:
    """Removes what was confirmed."""
    found = permissions.chat(request, id, Action.SEND)
    if request.method == "POST" and request.POST.get("confirmed") == "yes":
        return _acted(request, found, queued, queue.remove)
    row = _row(request, found, queued, others=Action.QUEUE)
    if row is None:
        return _over(request, found)
    context = {"text": row.text, "author": row.person.shown_name}
    status = 422 if request.method == "POST" else 200
    return _shown(request, row, "remove", context, status=status)


@form_methods
def edit(request: Request, id: UUID, queued: UUID) -> HttpResponse:
    """Changes one's own: its words and files, and what is beside them where the form says that, too."""
    found = permissions.chat(request, id, Action.SEND)
    row = _row(request, found, queued, others=None)
    if row is None:
        return _sent(request, found) if request.method == "POST" else _over(request, found)
    start = replace(
        Options.start(member(request), found).again(row.payload),
        system=row.payload.get("system", ""),
    )
    chosen = OptionsForm(request.POST, start, is_new=False)
    if request.method != "POST":
        return _form(request, row, row.text, of_queued(row), chosen, queue.version(row))
    return _edit(request, row, chosen)


def _edit(request: Request, row: Queued, chosen: OptionsForm) -> HttpResponse:
    form = MessageForm({"message": request.POST.get("message"), "token": str(row.token)})
    brought = attached(request, member(request), form)
    seen = request.POST.get("seen", "")
    refusal = brought.refusal(form) or chosen.sentence
    if not refusal:
        try:
            queue.edit(row, seen, *_edited(row, form, brought.payload, chosen))
        except queue.Gone:
            return _sent(request, row.chat)
        except queue.Changed:
            row.refresh_from_db()
            refusal, seen = CHANGED, queue.version(row)
        except Missing:
            refusal = GONE
        else:
            return _done(request, row.chat)
    return _form(request, row, form.kept, brought.rows, chosen, seen, refusal=refusal, status=422)


def _edited(
    row: Queued, form: MessageForm, files: dict[str, list[str]], chosen: OptionsForm
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    if not chosen.given:
        beside = {name: row.payload[name] for name in row.payload if name != "files"}
        return {**beside, "message": form.text, **files}, None
    kept = {name: row.payload[name] for name in KEPT if name in row.payload}
    fields = chosen.options.of_chat()
    return {**kept, **chosen.options.payload(), "message": form.text, **files}, fields


def _row(request: Request, found: Chat, queued: UUID, *, others: Action | None) -> Queued | None:
    """None when it does not wait any more."""
    try:
        return belongings.queued(request, found.id, queued, own=Action.SEND, others=others)
    except Http404:
        return None


def _over(request: Request, found: Chat) -> HttpResponse:
    """There is no form for what has gone out; a page with scripts hears of that by itself."""
    return HttpResponse(status=204) if request.htmx else see_chat(found.id)


def _acted(
    request: Request, found: Chat, queued: UUID, act: Callable[[Queued], None]
) -> HttpResponse:
    """What has gone out meanwhile is left alone: the list says how it stands now."""
    row = _row(request, found, queued, others=Action.QUEUE)
    if row is not None:
        try:
            act(row)
        except queue.Gone:
            pass
        except Refused as error:
            no = not_now(request, error, allowed_actions(request, found), author=row.person)
            return _not_now(request, found, no)
    return _done(request, found)


def _not_now(request: Request, found: Chat, no: NotNow) -> HttpResponse:
    """Nothing has changed: the list stays, and it is said above the composer."""
    if not request.htmx:
        return no.answer(chat_page.page(request, found, refusal=no.whole, status=no.status))
    response = render(request, "chats/_refusal.html", {"refusal": no.whole}, status=no.status)
    return no.answer(reswap(retarget(response, "#refusal"), "outerHTML"))


def _done(request: Request, found: Chat) -> HttpResponse:
    relay.changed(found.id)
    relay.wake()
    return _listed(request, found) if request.htmx else see_chat(found.id)


def _listed(request: Request, found: Chat) -> HttpResponse:
    found.refresh_from_db(fields=["version"])
    context = {"chat": found, **queue_of(request, found)}
    return render(request, "chats/_queue.html", context)


def _form(
    request: Request,
    row: Queued,
    text: str,
    files: list[Attachment],
    chosen: OptionsForm,
    seen: str,
    *,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {"text": text, "files": files, "seen": seen, "refusal": refusal}
    if not request.htmx:
        context |= options_shown(request, row.chat, chosen)
    return _shown(request, row, "edit", context, status=status)


def _sent(request: Request, found: Chat) -> HttpResponse:
    """409: it has gone out before it was changed; what was typed can be sent as another message."""
    text = MessageForm({"message": request.POST.get("message")}).kept
    if not request.htmx:
        return chat_page.page(request, found, text=text, refusal=SENT, status=409)
    context = {"chat": found, "text": text, "refusal": SENT, "token": uuid4()}
    return _in_dialog(render(request, "chats/_queue_sent.html", context, status=409))


HEADINGS = {"edit": "Edit a waiting message", "remove": "Remove this message?"}


def _shown(
    request: Request, row: Queued, name: str, context: dict[str, Any], *, status: int
) -> HttpResponse:
    """A page of its own; the fragment of it for the dialog."""
    context = {
        "chat": row.chat,
        "row": row,
        "name": row.chat.title or "New chat",
        "heading": HEADINGS[name],
        "act": f"chats/_queue_{name}.html",
        "is_page": not request.htmx,
    } | context
    if request.htmx:
        return _in_dialog(render(request, f"chats/_queue_{name}.html", context, status=status))
    return render(request, "chats/act.html", {**context, **shell(request)}, status=status)


def _in_dialog(response: HttpResponse) -> HttpResponse:
    """The form stays where it is, wherever its answer would go."""
    return reswap(retarget(response, "#dialog"), "innerHTML")
