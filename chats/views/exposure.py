"""What a chat would show to everybody that looks like a key, a token or an address of a private network.

Owns where that is looked for (title, instructions, messages with all of their parts, attached files that are
text), the bounds of one look, and whether somebody has seen what was found. Relies on `rendering.exposed` for
what it takes for one. What v0 keeps in files of its own is not known here, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.crypto import salted_hmac

from chats.models import Attachment, Chat, Message
from chats.models.chats import is_wider
from chats.permissions.sessions import LINKED
from chats.rendering import words
from chats.rendering.exposed import finds, flat, line

# What one look reads at most, the newest first: about a second of one core for what is all text.
MESSAGES = 2000
CHARACTERS = 4_000_000
FILES = 200
FILE_BYTES = 1024 * 1024
FETCHED = 20
# Finds that are shown; lines of one JSON value that are read.
SHOWN = 40
LINES = 100_000
SALT = "chats.exposure"
UNSEEN = "Look at what was found first, and say that you have."


@dataclass(frozen=True, slots=True)
class Passage:
    """A text and where it is: `href` leads there, "" where there is no page of it; `name` says what it is."""

    href: str
    name: str
    text: str


@dataclass(slots=True)
class Place:
    """What was found first at `href`; `others` is in how many other places it is, too."""

    kind: str
    line: str
    href: str
    name: str
    others: int = 0


@dataclass(slots=True)
class Exposure:
    """What was found. `digest` is another one when anything else is. `messages` and `files` say how many
    were looked through; the rest is what was not: `is_cut` earlier messages or the rest of a long one,
    `large` and `no_text` files."""

    places: list[Place] = field(default_factory=list)
    more: int = 0
    digest: str = ""
    messages: int = 0
    files: int = 0
    is_cut: bool = False
    large: int = 0
    no_text: int = 0


def concerns(found: Chat, level: str) -> bool:
    """Whether `level` shows the chat to people whom nobody chose, and the present one to fewer."""
    return level in LINKED and is_wider(level, found.privacy)


def exposure(found: Chat, level: str, *, is_copied: bool = False) -> Exposure | None:
    """What a change to `level` would show to everybody, None for one that shows nothing to more of them.
    `is_copied`: what a copy at that level would, which the chat's instructions do not go along with."""
    if not concerns(found, level):
        return None
    exposed = Exposure()
    return _look(exposed, str(found.pk), _passages(found, exposed, is_copied=is_copied))


def exposure_of_new(text: str, files: Sequence[Attachment], level: str) -> Exposure | None:
    """What a new chat at `level` would show that begins with this."""
    if level not in LINKED:
        return None
    exposed = Exposure(messages=int(bool(text)))
    return _look(exposed, "new", _typed(text, files, exposed))


def _typed(text: str, files: Sequence[Attachment], exposed: Exposure) -> Iterator[Passage]:
    yield Passage("", "Message", "\n".join([text, *(row.url for row in files)]))
    yield from _files("", [row for row in files if row.file], exposed)


def is_unseen(request: HttpRequest, exposed: Exposure | None) -> bool:
    """Whether something was found that whoever sent the form has not said to have looked at, as it is now."""
    if exposed is None or not exposed.places:
        return False
    return request.POST.get("looked") != exposed.digest


def _look(exposed: Exposure, of: str, passages: Iterable[Passage]) -> Exposure:
    known: dict[tuple[str, str], Place] = {}
    left = CHARACTERS
    for passage in passages:
        text = passage.text[:left]
        exposed.is_cut |= len(text) < len(passage.text)
        found_in_it = finds(text)
        for each in found_in_it:
            named = each.kind, text[each.start : each.end]
            if named in known:
                known[named].others += 1
            else:
                known[named] = Place(
                    each.kind, line(text, each, found_in_it), passage.href, passage.name
                )
        left -= len(text)
        if left <= 0:
            exposed.is_cut = True
            break
    exposed.places = list(known.values())[:SHOWN]
    exposed.more = max(0, len(known) - SHOWN)
    exposed.digest = _digest(of, known)
    return exposed


def _digest(of: str, known: dict[tuple[str, str], Place]) -> str:
    told = "\0".join(sorted(f"{kind}\0{secret}" for kind, secret in known))
    return salted_hmac(SALT, f"{of}\0{told}", algorithm="sha256").hexdigest()


def _passages(found: Chat, exposed: Exposure, *, is_copied: bool) -> Iterator[Passage]:
    """Every text that the chat shows, the short ones first and then the newest. Stops reading messages
    where a bound is reached."""
    href = resolve_url("chat", found.pk)
    yield Passage(href, "Title", found.title)
    if not is_copied:
        yield Passage(href, "Instructions", f"{found.system}\n{found.team_system}")
    files = Attachment.objects.filter(message__chat=found).exclude(file="")
    yield from _files(href, files.order_by("-created_at", "-id")[: FILES + 1], exposed)
    rows = found.messages.defer("sent_with").order_by("-position")
    for row in rows[: MESSAGES + 1].iterator(chunk_size=FETCHED):
        if exposed.messages == MESSAGES:
            exposed.is_cut = True
            return
        exposed.messages += 1
        yield from _of_message(href, row)


def _of_message(href: str, row: Message) -> Iterator[Passage]:
    here, id = f"{href}?at={row.pk}", f"m{row.pk}"
    name = "Message" if row.role == "user" else "Answer"
    for index, part in enumerate(row.parts):
        kind = part.get("type") if isinstance(part, dict) else None
        yield Passage(f"{here}#{id}-p{index}", words.PARTS.get(str(kind), "Other"), _told(part))
    rest = (row.text, row.content, row.detail, _told(row.attachments))
    yield Passage(f"{here}#{id}", name, "\n".join(filter(None, rest)))


def _told(value: Any) -> str:
    return "\n".join(islice(flat(value), LINES))


def _files(href: str, rows: Iterable[Attachment], exposed: Exposure) -> Iterator[Passage]:
    for count, row in enumerate(rows):
        if count == FILES or row.size > FILE_BYTES:
            exposed.large += 1
            continue
        text = _text(row)
        if text is None:
            exposed.no_text += 1
            continue
        exposed.files += 1
        place = f"{href}?at={row.message_id}#m{row.message_id}" if href else ""
        yield Passage(place, f"File {row.name}", text)


def _text(row: Attachment) -> str | None:
    """What is in a file; None where that is no text, or cannot be read."""
    if row.is_image:
        return None
    try:
        with row.file.open("rb") as file:
            data = file.read(FILE_BYTES)
        text: str = data.decode()
    except (OSError, UnicodeDecodeError):
        return None
    return None if "\0" in text else text
