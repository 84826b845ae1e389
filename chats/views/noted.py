"""Notes as values for a template: the slot of each message, and the notes on one.

Owns what of them somebody who may read notes sees, on the page and in the fragments that are fetched again;
frames never carry any of it. It changes nothing, which is `views.notes`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string

from chats.models import Chat, Mention, Message, Note, Person
from chats.models.messages import LIVE
from chats.permissions import Action
from chats.relay.rows import shown, utc
from chats.rendering.finding import passages, spaced
from chats.rendering.notes import Piece, pieces
from chats.views.access import allowed_actions, uuid_or_none
from chats.views.named import marked

# A page has at least these last messages of its chat, whenever it was loaded.
RECENT = 20
# Notes on one message: beyond them none is taken.
MOST = 200
# Notes that a page of a chat, or all of its notes together, shows: the newest.
SHOWN = 1000
# Those that are unfolded at a message; its own page has the rest.
UNFOLDED = 20
LONGEST = 60
NAMES = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """One note. `part` is the number that people count it by, None for the message as a whole; `is_unseen`
    says that it names whoever reads it, and they have not looked."""

    id: UUID
    message: UUID
    author: Person | None
    pieces: list[Piece]
    part: int | None
    anchor: str
    written: str
    edited: str
    may_edit: bool
    may_delete: bool
    is_unseen: bool


@dataclass(frozen=True, slots=True)
class About:
    """A part that a note can be about: its index, and what it is in a few words."""

    index: int
    words: str


def on(request: HttpRequest, found: Chat, message: Message) -> list[Shown]:
    """The notes on one message, in the order in which they were written."""
    return list(_shown(request, found, message.notes.order_by("written_at", "pk")[:MOST]))


def everything(request: HttpRequest, found: Chat) -> dict[UUID, list[Shown]]:
    """The newest notes of a chat by their messages, in the order of the chat."""
    newest = found.notes.order_by("-written_at", "-pk").values("pk")[:SHOWN]
    # Some databases take no limit inside of another query.
    ids = [row["pk"] for row in newest]
    rows = Note.objects.filter(pk__in=ids).order_by("message__position", "written_at", "pk")
    return _by_message(_shown(request, found, rows))


def slots(
    request: HttpRequest, found: Chat, rows: Iterable[Message], allowed: Collection[Action]
) -> dict[str, str]:
    """The safe HTML of the slot of each message, by its DOM id; none for who may not know of notes."""
    if Action.NOTE not in allowed:
        return {}
    ids = [row.id for row in rows if not row.is_live]
    noted = found.notes.filter(message__in=ids).order_by("-written_at", "-pk")[:SHOWN]
    by_message = _by_message(reversed(list(_shown(request, found, noted))))
    return {f"m{id}-notes": _slot(found, id, by_message.get(id, [])) for id in ids}


def slots_again(request: HttpRequest, found: Chat, allowed: Collection[Action]) -> dict[str, str]:
    """As `slots`, for a page that has been open for a while: the last messages, all with notes, and those
    that had some when the page heard of it last, which it names as `noted`; those it names as `open` stay
    so. For a reader who may not know of notes, and whose page is from when they were let, empty ones."""
    noted, opened = (_ids(request, name) for name in ("noted", "open"))
    if Action.NOTE not in allowed:
        return {f"m{id}-notes": "" for id in _recent(found, noted)} if noted else {}
    newest = found.notes.order_by("-written_at", "-pk")[:SHOWN]
    by_message = _by_message(reversed(list(_shown(request, found, newest))))
    ids = _recent(found, set(noted) - by_message.keys())
    return {
        f"m{id}-notes": _slot(found, id, by_message.get(id, []), is_open=id in opened)
        for id in [*ids, *(by_message.keys() - ids)]
    }


def _ids(request: HttpRequest, name: str) -> set[UUID]:
    given = request.GET.getlist(name)[:SHOWN]
    return {id for text in given if (id := uuid_or_none(text)) is not None}


def _recent(found: Chat, noted: Collection[UUID]) -> set[UUID]:
    """The last messages that have ended, and those of `noted` that are in the chat."""
    ended = found.messages.exclude(state__in=LIVE)
    ids = set(ended.order_by("-position").values_list("id", flat=True)[:RECENT])
    others = ended.filter(id__in=set(noted) - ids).values_list("id", flat=True)
    return ids | set(others) if noted else ids


def _slot(found: Chat, id: UUID, notes: Sequence[Shown], *, is_open: bool = False) -> str:
    people = dict.fromkeys(note.author.shown_name if note.author else "Somebody" for note in notes)
    context = {
        "chat": found,
        "message_id": id,
        "notes": notes[-UNFOLDED:],
        "count": len(notes),
        "people": list(people)[:NAMES],
        "others": max(0, len(people) - NAMES),
        "is_open": is_open or any(note.is_unseen for note in notes),
        "prefix": "n",
    }
    return render_to_string("chats/_notes_slot.html", context)


def abouts(message: Message) -> list[About]:
    """The parts of an answer, for a list to choose from."""
    told = shown(message)
    if told.text:
        return []
    indexes = {f"m{told.id}-p{index}": index for index in range(len(told.parts))}
    return [
        About(indexes[each.anchor], f"{each.kind}: {_short(each.text)}".removesuffix(": "))
        for each in passages(told)
        if each.anchor in indexes
    ]


def quote(message: Message) -> str:
    """The beginning of a message, so that one knows it again."""
    return _short(next((each.text for each in passages(shown(message)) if each.text.strip()), ""))


def _short(text: str) -> str:
    told = spaced(text[: LONGEST * 8])
    return f"{told[:LONGEST].rstrip()}…" if len(told) > LONGEST else told


def _by_message(notes: Iterable[Shown]) -> dict[UUID, list[Shown]]:
    found: dict[UUID, list[Shown]] = {}
    for note in notes:
        found.setdefault(note.message, []).append(note)
    return found


def _shown(request: HttpRequest, chat: Chat, rows: QuerySet[Note]) -> Iterator[Shown]:
    reader = request.user.pk
    manages = Action.MANAGE in allowed_actions(request, chat)
    named = Prefetch("mentions", Mention.objects.select_related("person"))
    for row in rows.select_related("author").prefetch_related(named):
        mentions = list(row.mentions.all())
        is_own = row.author_id is not None and row.author_id == reader
        place = f"m{row.message_id}"
        yield Shown(
            id=row.id,
            message=row.message_id,
            author=row.author,
            pieces=pieces(row.text, marked(mentions, reader)),
            part=None if row.part is None else row.part + 1,
            anchor=place if row.part is None else f"{place}-p{row.part}",
            written=utc(row.written_at),
            edited=utc(row.edited_at) if row.edited_at else "",
            may_edit=is_own,
            may_delete=is_own or manages,
            is_unseen=any(each.person_id == reader and not each.seen_at for each in mentions),
        )


def context(request: HttpRequest, found: Chat, message: Message) -> dict[str, Any]:
    """What the page and the dialog of one message's notes show beside their form."""
    return {
        "chat": found,
        "message": message,
        "message_id": message.id,
        "notes": on(request, found, message),
        "quote": quote(message),
        "abouts": abouts(message),
        "prefix": "d",
    }
