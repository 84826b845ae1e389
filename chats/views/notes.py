"""Notes between people: writing, editing and deleting one, whom it names, and that somebody has looked.

Owns the routes under `/chats/<uuid>/notes/`, each a page by itself and a fragment for the dialog. Relies on
permissions for every one of them. What is written here is never sent to v0: nothing that sends reads it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from chats import permissions, relay
from chats.accounts import throttle
from chats.forms.notes import FULL, OFTEN, USED, NoteForm
from chats.models import Chat, Mention, Message, Note
from chats.permissions import Action
from chats.permissions import notes as rights
from chats.views import noted
from chats.views.access import Request, form_methods, member, uuid_or_none
from chats.views.named import Names, found, mention
from chats.views.shell import shell

# Ids that one request may name.
MOST = 200


@require_safe
def notes(request: Request, id: UUID) -> HttpResponse:
    """All notes of the chat."""
    chat = permissions.chat(request, id, Action.NOTE)
    threads = noted.everything(request, chat)
    rows = {row.id: row for row in chat.messages.filter(id__in=threads)}
    context = {
        **_page(chat, "Notes"),
        "act": "chats/_notes_all.html",
        "is_page": True,
        "threads": [(rows[id], noted.quote(rows[id]), listed) for id, listed in threads.items()],
        "prefix": "n",
    }
    return render(request, "chats/act.html", {**context, **shell(request, current=id)})


@form_methods
def message_notes(request: Request, id: UUID, message: UUID) -> HttpResponse:
    """The notes on one message, and the form of another one."""
    row = permissions.message(request, id, message, Action.NOTE)
    if request.method == "POST":
        return _write(request, row)
    if "list" in request.GET:
        return render(request, "chats/_notes_thread.html", noted.context(request, row.chat, row))
    form = NoteForm(request.GET, parts=len(row.parts))
    return _shown(request, row, {"part": form.part})


def _write(request: Request, row: Message) -> HttpResponse:
    form = NoteForm(request.POST, parts=len(row.parts))
    known = Note.objects.filter(author=member(request), token=form.token).first()
    if known is not None and not _is_same(known, row, form):
        return _refused(request, row, form, USED, token=uuid4(), status=409)
    if known is None and (refusal := form.refusal or _limit(request, row)):
        return _refused(request, row, form, refusal, token=form.token)
    whom = found(form.kept, Names(rights.readers(row.chat)))
    if known is None:
        _create(request, row, form, whom.people)
    sentence = whom.sentence
    if request.htmx:
        context = {**noted.context(request, row.chat, row), **_fresh(), "said": sentence}
        answer = render(request, "chats/_note_form.html", context)
        return trigger_client_event(trigger_client_event(answer, "mark:notes"), "mark:own")
    return _shown(request, row, {"said": sentence}) if sentence else _see(row)


def _is_same(known: Note, row: Message, form: NoteForm) -> bool:
    return (known.message_id, known.part, known.text) == (row.id, form.part, form.kept)


def _limit(request: Request, row: Message) -> str:
    if row.notes.count() >= noted.MOST:
        return FULL
    return "" if throttle.may_note(request, member(request)) else OFTEN


def _create(request: Request, row: Message, form: NoteForm, people: frozenset[int]) -> None:
    """Once for a form, also when it comes twice at the same moment."""
    try:
        with transaction.atomic():
            note = Note.objects.create(
                chat=row.chat,
                message=row,
                part=form.part,
                author=member(request),
                token=form.token,
                text=form.kept,
            )
            mention(note, people)
            _changed(row.chat)
    except IntegrityError as error:
        if not Note.objects.filter(author=member(request), token=form.token).exists():
            # What it was about has gone meanwhile.
            raise Http404 from error
    relay.changed(row.chat_id)


@form_methods
def note_edit(request: Request, id: UUID, note: UUID) -> HttpResponse:
    chat = permissions.chat(request, id, Action.NOTE)
    row = rights.note(chat, note)
    if row is None:
        return _over(request, chat)
    rights.check_edit(request, row)
    if request.method != "POST":
        return _edit_form(request, row, {"text": row.text, "part": row.part})
    given = {**request.POST.dict(), "token": str(row.token)}
    form = NoteForm(given, parts=len(row.message.parts), had=row.part)
    if form.refusal:
        kept = {"text": form.kept, "part": form.part, "refusal": form.refusal}
        return _edit_form(request, row, kept, status=422)
    whom = found(form.kept, Names(rights.readers(chat)))
    with transaction.atomic():
        fields = {"text": form.kept, "part": form.part, "edited_at": timezone.now()}
        if Note.objects.filter(pk=row.pk).update(**fields):
            mention(row, whom.people)
            _changed(chat)
    return _done(request, chat, row.message, said=whom.sentence)


@form_methods
def note_delete(request: Request, id: UUID, note: UUID) -> HttpResponse:
    """Deletes what was confirmed: one's own, and for whom the chat is, any."""
    chat = permissions.chat(request, id, Action.NOTE)
    row = rights.note(chat, note)
    if row is None:
        return _over(request, chat)
    rights.check_delete(request, row, chat)
    if request.method != "POST" or request.POST.get("confirmed") != "yes":
        context = {
            **_page(chat, "Delete this note?"),
            "act": "chats/_note_delete.html",
            "note": row,
            "author": row.author.shown_name if row.author else "Somebody",
        }
        return _answered(request, context, status=422 if request.method == "POST" else 200)
    with transaction.atomic():
        row.delete()
        _changed(chat)
    return _done(request, chat, row.message)


@require_POST
def notes_seen(request: Request, id: UUID) -> HttpResponse:
    """Whoever is named in these notes has looked at them."""
    chat = permissions.chat(request, id, Action.NOTE)
    wanted = [uuid for text in request.POST.getlist("note")[:MOST] if (uuid := uuid_or_none(text))]
    mine = Mention.objects.filter(person=member(request), note__chat=chat, note__in=wanted)
    mine.filter(seen_at=None).update(seen_at=timezone.now())
    if request.htmx:
        return trigger_client_event(HttpResponse(status=204), "mark:sidebar")
    return HttpResponseRedirect(resolve_url("needs_you"), status=303)


@require_safe
def notes_people(request: Request, id: UUID) -> HttpResponse:
    """Who can be named in a note: those who may read it."""
    chat = permissions.chat(request, id, Action.NOTE)
    options = [
        option
        for option in Names(rights.readers(chat)).options()
        if option.person.pk != request.user.pk
    ]
    return render(request, "chats/_notes_people.html", {"options": options})


def _changed(chat: Chat) -> None:
    Chat.objects.filter(pk=chat.pk).update(version=F("version") + 1)


def _fresh() -> dict[str, Any]:
    return {"token": uuid4(), "text": "", "part": None}


def _refused(
    request: Request,
    row: Message,
    form: NoteForm,
    refusal: str,
    *,
    token: UUID,
    status: int = 422,
) -> HttpResponse:
    """What was typed is given back, with why it was not taken."""
    kept = {"token": token, "text": form.kept, "part": form.part, "refusal": refusal}
    if not request.htmx:
        return _shown(request, row, kept, status=status)
    context = {**noted.context(request, row.chat, row), **_fresh(), **kept}
    return render(request, "chats/_note_form.html", context, status=status)


def _page(chat: Chat, heading: str) -> dict[str, Any]:
    return {"chat": chat, "name": chat.title or "New chat", "heading": heading}


def _shown(
    request: Request, row: Message, form: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    what = "this answer" if row.role == "assistant" else "this message"
    context = {
        **_page(row.chat, f"Notes on {what}"),
        **noted.context(request, row.chat, row),
        **_fresh(),
        **form,
        "act": "chats/_notes.html",
    }
    return _answered(request, context, status=status)


def _edit_form(
    request: Request, row: Note, form: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    context = {
        **_page(row.chat, "Edit a note"),
        "note": row,
        "message": row.message,
        "abouts": noted.abouts(row.message),
        **form,
        "act": "chats/_note_edit.html",
    }
    return _answered(request, context, status=status)


def _answered(request: Request, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of its own; the fragment of it for the dialog."""
    context["is_page"] = not request.htmx
    if request.htmx:
        return render(request, context["act"], context, status=status)
    return render(request, "chats/act.html", {**context, **shell(request)}, status=status)


def _done(request: Request, chat: Chat, message: Message, *, said: str = "") -> HttpResponse:
    relay.changed(chat.id)
    if said:
        answer = _shown(request, message, {"said": said})
        return trigger_client_event(answer, "mark:notes") if request.htmx else answer
    if request.htmx:
        return trigger_client_event(HttpResponse(status=204), "mark:notes")
    return _see(message)


def _see(message: Message) -> HttpResponse:
    place = f"{resolve_url('chat', message.chat_id)}?at={message.id}#m{message.id}-notes"
    return HttpResponseRedirect(place, status=303)


def _over(request: Request, chat: Chat) -> HttpResponse:
    """It is gone already; a page with scripts hears of that by itself."""
    if request.htmx:
        return trigger_client_event(HttpResponse(status=204), "mark:notes")
    return HttpResponseRedirect(resolve_url("notes", chat.id), status=303)
