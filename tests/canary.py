"""Words that stand nowhere else, one for each kind of thing that a chat holds, and who may ever find them.

Owns where they are put, and by which row of the table of rights each is found. A word names its kind and
the level of its chat, so that whoever finds one shows where it came from.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from django.utils import timezone

from chats.models import Attachment, Chat, Entry, Guest, Intent, Message, Mute, Queued
from chats.models.chats import Instructions
from chats.models.notes import Mention, Note
from chats.models.seen import Follow, Seen
from chats.relay import uploads
from tests.people import OWNERS, Cast
from tests.rights import LEVELS, expected

# What is typed where something can be searched for: the beginning of every word.
SOUGHT = "quartz"
# Where attachments have to lie: in a folder of the test's own.
FILES = "django.core.files.storage.FileSystemStorage"
# Each kind, with the row of the table by which it is found; "" for what nobody is ever shown.
KINDS = {
    "title": "READ",
    "text": "READ",
    "answer": "READ",
    "thinking": "READ",
    "path": "READ",
    "command": "READ",
    "output": "READ",
    "query": "READ",
    "input": "READ",
    "file": "READ",
    "inside": "READ",
    "note": "NOTE",
    "model": "SEE_COST",
    "sent": "SEND",
    "system": "SEND",
    "waits": "SEND",
    "v0": "SEND",
    "link": "MANAGE",
    "token": "",
}
# What those wrote and spent who may once have read everything.
WRITTEN = {
    "mate": ("waits", "file", "inside"),
    "owner who left": ("text", "sent", "system", "waits", "note", "model"),
}


def word(kind: str, level: str) -> str:
    return f"{SOUGHT}{kind}{level.replace('-', '')}x"


def due(who: str) -> set[str]:
    """The words that somebody may find. Nobody is a guest of the private chats here; staff see what
    everybody used, and who administers a team what was used in it."""
    found = {
        word(kind, level)
        for kind, row in KINDS.items()
        for level in LEVELS
        if row
        and expected(row)[who][level] == "+"
        and not (level == "private" and who.startswith("invited"))
    }
    reviews = who in ("admin", "superuser", "team owner", "team admin")
    return found | {word("model", level) for level in LEVELS if reviews}


def for_every_reader(level: str) -> set[str]:
    """The words that frames may hold."""
    return {word(kind, level) for kind, row in KINDS.items() if row == "READ" and kind != "inside"}


def slug(chat: Chat) -> str:
    return f"{word('link', chat.privacy)}{chat.pk.hex}"


def hide(cast: Cast, *, shut: bool = True) -> None:
    """A word of each kind in every chat of the cast. In the private ones is what people left there who
    might once read them. `shut`: links are new ones, and nobody is a guest of what is private."""
    for owner in OWNERS:
        for level in LEVELS:
            chat = cast.chats[f"{level} of {owner}"]
            _fill(chat, cast)
            if shut:
                Chat.objects.filter(pk=chat.pk).update(link_slug=slug(chat))
    private = [cast.chats[f"private of {owner}"] for owner in OWNERS if shut]
    Guest.objects.filter(chat__in=private).delete()


def _fill(chat: Chat, cast: Cast) -> None:
    says, mate = {kind: word(kind, chat.privacy) for kind in KINDS}, cast.people["mate"]
    own = f"{says['v0']}{chat.pk.hex}"
    Chat.objects.filter(pk=chat.pk).update(title=says["title"], v0_id=own)
    chat.messages.all().delete()
    chat.queue.all().delete()
    asked, answer = _turn(chat, says)
    Instructions.objects.create(chat=chat, text=says["system"])
    Entry.objects.create(
        message_id=answer.pk,
        chat=chat,
        team=chat.team,
        person=chat.owner,
        model=says["model"],
        credits_total=10**10,
    )
    assert mate
    file = Attachment(person=mate, name=f"{says['file']}.txt", content_type="text/plain", size=9)
    file.file.save("kept", ContentFile(says["inside"].encode()))
    asked.attachments = uploads.take(mate, asked, [str(file.pk)])
    asked.save()
    for person in (chat.owner, mate):
        Queued.objects.create(
            chat=chat, person=person, token=uuid4(), position=1, payload={"message": says["waits"]}
        )
        Seen.objects.create(chat=chat, person=person, position=1)
    note = Note.objects.create(chat=chat, message=answer, author=chat.owner, text=says["note"])
    Mention.objects.create(note=note, person=mate)
    Follow.objects.create(chat=chat, person=mate)
    Mute.objects.create(chat=chat, person=mate)
    Chat.objects.filter(pk=chat.pk).update(offered_to=mate)


def _turn(chat: Chat, says: dict[str, str]) -> tuple[Message, Message]:
    """What a person wrote, and an answer that waits for a decision."""
    now = timezone.now() - timedelta(minutes=1)
    times = {"startedAt": now.isoformat(), "finishedAt": now.isoformat()}
    parts: list[dict[str, Any]] = [
        {"type": "thinking", "text": says["thinking"]},
        {"type": "text", "text": says["answer"]},
        {"type": "file-edit", "operation": "create", "path": f"app/{says['path']}.tsx"},
        {"type": "bash", "command": says["command"], "output": says["output"], "exitCode": 0},
        {"type": "search", "scope": "repo", "query": says["query"]},
        {"type": "tool-call", "name": "look", "input": {"a": says["input"]}, "status": "ok"},
    ]
    asked = Message.objects.create(
        chat=chat,
        position=1,
        role="user",
        state="finished",
        author=chat.owner,
        text=says["text"],
        v0_id=f"asked-{chat.pk}",
        sent_with={"model": "v0-pro", "system": says["system"], "metadata": {"a": says["sent"]}},
    )
    answer = Message.objects.create(
        chat=chat,
        position=2,
        role="assistant",
        state="finished",
        finish_reason="stop",
        parts=[{**part, **times} for part in parts],
        asks="plan",
        v0_id=f"answer-{chat.pk}",
        restorable=True,
        ended_at=now,
    )
    Intent.objects.create(
        token=uuid4(),
        person=chat.owner,
        chat=chat,
        kind="send",
        state="accepted",
        payload={"message": says["text"], "hidden": says["token"]},
        message=asked,
        answer=answer,
    )
    return asked, answer


def found_in(text: str) -> set[str]:
    """Every word of every kind in a text, also in one of small letters or of a file's name."""
    if SOUGHT not in text:
        return set()
    every = (word(kind, level) for kind in KINDS for level in LEVELS)
    return {each for each in every if each in text}
