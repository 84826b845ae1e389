"""A whole chat as a file: Markdown to read, JSON with every part as it is stored.

Asked for by POST, since it is noted in the audit log. Owns both addresses and the order of what is
written; `rendering.transcript` says how a message is put as Markdown. Rows are read CHUNK at a time
while the file is on its way, so that a long chat takes no more memory than a short one. Relies on
permissions for the chat, and for what is in the file beside what every reader may see: options for those
who may send, usage for those who may see costs, notes for those who may read them, the chat's level for
those who manage it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, tzinfo
from itertools import count
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_POST

from chats import permissions
from chats.models import Chat, Entry, Event, Message, Note
from chats.permissions import Action
from chats.relay.rows import shown, utc
from chats.rendering import transcript
from chats.usage import money
from chats.views.access import Request, allowed_actions, note, person
from chats.views.costs import cost
from chats.views.downloads import download, while_allowed

CHUNK = 20
FORMAT = "v0web chat"
# Raised when what is in a file stops meaning what it meant.
VERSION = 1
NAME = 80

Told = Sequence[tuple[Message, Entry | None]]


@require_POST
def export_markdown(request: Request, id: UUID) -> StreamingHttpResponse:
    found = permissions.chat(request, id, Action.READ)
    zone = member.zone if (member := person(request)) else UTC
    pieces = as_markdown(
        found, allowed_actions(request, found), absolute=request.build_absolute_uri, zone=zone
    )
    return _file(request, found, "md", "text/markdown; charset=utf-8", pieces)


@require_POST
def export_json(request: Request, id: UUID) -> StreamingHttpResponse:
    found = permissions.chat(request, id, Action.READ)
    pieces = as_json(found, allowed_actions(request, found))
    return _file(request, found, "json", "application/json", pieces)


def _file(
    request: Request, found: Chat, ending: str, kind: str, pieces: Iterator[str]
) -> StreamingHttpResponse:
    note(request, Event.CHAT_EXPORTED, chat=found, team=found.team, kind=ending)
    name = f"{name_of(found)}.{ending}"
    allowed = while_allowed(request, found.id, pieces)
    return download(request, map(encoded, allowed), name=name, kind=kind)


def name_of(found: Chat) -> str:
    """What a file of the chat is called: nothing that a file system gives a meaning to."""
    return slugify(found.title, allow_unicode=True)[:NAME].strip("-") or "chat"


def encoded(piece: str) -> bytes:
    # Half of a surrogate pair, which no encoding takes.
    return piece.encode("utf-8", "replace")


def _chunks(found: Chat, allowed: Collection[Action]) -> Iterator[Told]:
    """All messages in order with what each cost, in two queries for a chunk."""
    last = -1
    while True:
        rows = found.messages.select_related("author", "v0_person").filter(position__gt=last)
        chunk = list(rows.order_by("position")[:CHUNK])
        entries = _entries(chunk) if Action.SEE_COST in allowed else {}
        yield [(row, entries.get(row.id)) for row in chunk]
        if len(chunk) < CHUNK:
            return
        last = chunk[-1].position


def _entries(rows: Sequence[Message]) -> dict[UUID, Entry]:
    found = Entry.objects.filter(message_id__in=[row.id for row in rows], is_told=True)
    return {entry.message_id: entry for entry in found}


def as_markdown(
    found: Chat, allowed: Collection[Action], *, absolute: Callable[[str], str], zone: tzinfo
) -> Iterator[str]:
    """The file piece by piece; times are those of `zone`, `absolute` makes addresses of paths."""
    place = absolute(resolve_url("chat", found.id))
    when = transcript.moment(timezone.now(), zone)
    yield f"# {transcript.plain(found.title) or 'New chat'}\n\nFrom <{place}>, {when}.\n"
    for told in _chunks(found, allowed):
        yield "".join(_section(row, entry, zone) for row, entry in told)
    before = "\n---\n\n## Notes between people\n\nv0 never got them.\n"
    for row in _notes(found, allowed):
        yield before + _note_section(row, zone)
        before = ""


def _section(row: Message, entry: Entry | None, zone: tzinfo) -> str:
    told = shown(row)
    used = f"*{cost(entry).summary}*" if entry else ""
    blocks = ("---", transcript.heading(told, zone), transcript.message(told), used)
    return "".join(f"\n{block}\n" for block in blocks if block)


def _notes(found: Chat, allowed: Collection[Action]) -> Iterator[Note]:
    """Those of the chat in the order in which they were written, CHUNK at a time."""
    if Action.NOTE not in allowed:
        return
    rows = found.notes.select_related("author", "message").order_by("written_at", "pk")
    rows = rows.defer("message__parts", "message__content", "message__text")
    for seen in count(0, CHUNK):
        chunk = list(rows[seen : seen + CHUNK])
        yield from chunk
        if len(chunk) < CHUNK:
            return


def _note_section(note: Note, zone: tzinfo) -> str:
    author = note.author.shown_name if note.author else "Somebody"
    what = "an answer" if note.message.role == "assistant" else "a message"
    about = f"{what} of {transcript.moment(note.message.created_at, zone)}"
    if note.part is not None:
        about = f"part {note.part + 1} of {about}"
    head = (
        f"**{transcript.plain(author)}**, {transcript.moment(note.written_at, zone)}, on {about}:"
    )
    return f"\n{head}\n\n{transcript.fence(note.text)}\n"


def as_json(found: Chat, allowed: Collection[Action]) -> Iterator[str]:
    """The file piece by piece; times are UTC."""
    head = {"format": FORMAT, "version": VERSION, "exported_at": utc(timezone.now())}
    head["chat"] = _chat(found, allowed)
    yield f'{dumped(head)[:-1]}, "messages": ['
    between = "\n"
    for told in _chunks(found, allowed):
        lines = [dumped(_message(row, entry, allowed)) for row, entry in told]
        yield "".join([between, ",\n".join(lines)]) if lines else ""
        between = ",\n"
    yield "\n]"
    between = ', "notes_between_people": [\n'
    for row in _notes(found, allowed):
        yield between + dumped(noted(row))
        between = ",\n"
    yield "\n]}\n" if between == ",\n" else "}\n"


def dumped(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def _chat(found: Chat, allowed: Collection[Action]) -> dict[str, Any]:
    told = {
        "id": str(found.id),
        "title": found.title,
        "owner": found.owner.shown_name,
        "created_at": utc(found.created_at),
        "updated_at": utc(found.updated_at),
    }
    # Whoever has v0's id may be let in there, whatever becomes of their rights here.
    if Action.SEND in allowed:
        told["v0_id"] = found.v0_id or ""
        told["system"] = found.system
    if Action.MANAGE in allowed:
        told["privacy"] = found.privacy
    return told


def _message(row: Message, entry: Entry | None, allowed: Collection[Action]) -> dict[str, Any]:
    told = {
        "id": str(row.id),
        "v0_id": row.v0_id,
        "role": row.role,
        "author": row.writer.shown_name if row.writer else None,
        "written_at_v0": row.role == "user" and bool(row.v0_author),
        "state": row.state,
        "finish_reason": row.finish_reason,
        "problem": row.problem,
        "detail": row.detail,
        "created_at": utc(row.created_at),
        "ended_at": utc(row.ended_at) if row.ended_at else None,
        "waited_since": utc(row.waited_since) if row.waited_since else None,
        "text": row.text,
        "content": row.content,
        "parts": row.parts,
        "attachments": row.attachments,
        "restored": row.restored,
    }
    if Action.SEND in allowed and row.sent_with:
        told["sent_with"] = row.sent_with
    if entry:
        told["usage"] = usage(entry)
    return told


def noted(note: Note) -> dict[str, Any]:
    """A note, which v0 never got; `part` is the index of the part that it is about."""
    return {
        "id": str(note.pk),
        "message": str(note.message_id),
        "part": note.part,
        "author": note.author.shown_name if note.author else None,
        "written_at": utc(note.written_at),
        "edited_at": utc(note.edited_at) if note.edited_at else None,
        "text": note.text,
    }


def usage(entry: Entry) -> dict[str, Any]:
    """Tokens are counts; credits are decimal text, to their last digit."""
    kinds = ("input", "output", "cache_read", "cache_write", "total")
    return {
        "model": entry.model,
        "tokens": {kind: getattr(entry, f"tokens_{kind}") for kind in kinds},
        "credits": {kind: money.plain(getattr(entry, f"credits_{kind}")) for kind in kinds},
    }
