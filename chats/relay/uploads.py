"""Files of messages between their upload and v0.

Owns the moment in which they become a message's, how they are read for v0, and the sweep of those
that nobody needs any more. Relies on Django's storage; called in a thread, never on the loop. What a
file holds is in no intent, no log and no row.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from chats.models import Attachment, Chat, Message, Person, Queued

logger = logging.getLogger(__name__)

SWEPT_AT_ONCE = 50


class Missing(Exception):
    """A file that a message was to have is not there any more."""


class Unreadable(Exception):
    """A file of a message cannot be read from where it lies."""


def take(person: Person, message: Message, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Make these files those of `message`, in this order, and give what its row says of them.

    One that another message has is copied, without its bytes; that `person` may read it was asked
    before. Within the caller's transaction; Missing undoes all of it.
    """
    rows = Attachment.objects.in_bulk([UUID(id) for id in ids])
    return [_told(_taken(person, message, rows.get(UUID(id)))) for id in ids]


def _taken(person: Person, message: Message, row: Attachment | None) -> Attachment:
    if row is None:
        raise Missing
    now = timezone.now()
    if row.message_id is not None or row.queued_id is not None:
        row.pk, row.person, row.message, row.queued = uuid4(), person, message, None
        row.created_at = row.taken_at = now
        row.save(force_insert=True)
        return row
    if not _free(person, row).update(message=message, taken_at=now):
        raise Missing
    return row


def _free(person: Person, row: Attachment) -> QuerySet[Attachment]:
    return Attachment.objects.filter(pk=row.pk, person=person, taken_at=None, queued=None)


def hold(person: Person, queued: Queued, ids: Sequence[str]) -> list[str]:
    """Keep these files for a message that waits, and no others; their ids, which are new ones for copies
    of what another message has. Within the caller's transaction; Missing undoes all of it."""
    rows = Attachment.objects.in_bulk([UUID(id) for id in ids])
    held = [str(_held(person, queued, rows.get(UUID(id))).pk) for id in ids]
    give_up(queued, keep=held)
    return held


def _held(person: Person, queued: Queued, row: Attachment | None) -> Attachment:
    if row is None:
        raise Missing
    if row.queued_id == queued.pk:
        return row
    if row.message_id is not None or row.queued_id is not None:
        row.pk, row.person, row.message, row.queued = uuid4(), person, None, queued
        row.created_at, row.taken_at = timezone.now(), None
        row.save(force_insert=True)
    elif not _free(person, row).update(queued=queued):
        raise Missing
    return row


def give_up(queued: Queued, keep: Sequence[str] = ()) -> None:
    """Nobody needs what a message that waits had with it, but for `keep`: the next sweep takes it."""
    rows = Attachment.objects.filter(queued=queued).exclude(pk__in=keep)
    rows.update(queued=None, taken_at=timezone.now())


def hand_over(queued: Queued) -> None:
    """What a message had with it while it waited is free to be taken by the one that it becomes."""
    Attachment.objects.filter(queued=queued).update(queued=None)


def _told(row: Attachment) -> dict[str, Any]:
    """As v0 says it of its own, with our id in place of an address of ours."""
    told = {
        "file": str(row.pk),
        "url": row.url,
        "name": row.name,
        "contentType": row.content_type,
        "size": None if row.url else row.size,
        "width": row.width,
        "height": row.height,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def echoed(said: Any) -> list[Any]:
    """What a row keeps of the attachments that v0 lists: never what is in a file, however v0 says it,
    and nothing that could be taken for a file of ours."""
    items = [item for item in said if isinstance(item, dict)] if isinstance(said, list) else []
    return [_without_bytes({k: v for k, v in item.items() if k != "file"}) for item in items]


def _without_bytes(item: dict[str, Any]) -> dict[str, Any]:
    url = item.get("url")
    if not (isinstance(url, str) and url[:5].lower() == "data:"):
        return item
    head, _, data = url.partition(",")
    kind = head[5:].partition(";")[0][:60]
    size = len(data) * 3 // 4 - data[-2:].count("=") if head.endswith(";base64") else len(data)
    return {"contentType": kind, "size": size, **item, "url": ""}


def copied(owner: Person, rows: Sequence[Message], source: Chat | None) -> None:
    """Give the messages of a copied chat the files of those that they were copied from."""
    asked = Message.objects.filter(chat=source, role="user").exclude(attachments=[])
    left = list(asked)
    for row in rows:
        same = next((each for each in left if row.attachments and _is_copy(row, each)), None)
        if same is None:
            continue
        left.remove(same)
        try:
            row.attachments = take(owner, row, ids_in(same.attachments))
        except Missing:
            continue
        row.save(update_fields=["attachments"])


def _is_copy(row: Message, source: Message) -> bool:
    same_number = len(row.attachments) == len(ids_in(source.attachments))
    return same_number and row.text.strip() == source.text.strip()


def of_message(message: Message) -> list[Attachment]:
    """The files of a message, in the order in which they were sent."""
    rows = {str(row.pk): row for row in message.files.all()}
    return [rows[id] for id in ids_in(message.attachments) if id in rows]


def of_queued(queued: Queued) -> list[Attachment]:
    """The files of a message that waits, in its order."""
    rows = {str(row.pk): row for row in queued.files.all()}
    return [rows[id] for id in queued.payload.get("files", ()) if id in rows]


def ids_in(told: Sequence[Any]) -> tuple[str, ...]:
    """The ids of the files that a row of ours speaks of."""
    files = (item.get("file") for item in told if isinstance(item, Mapping))
    return tuple(file for file in files if isinstance(file, str))


def urls(ids: Sequence[str]) -> tuple[str, ...]:
    """Each file as v0 can read it: its address, or all of it as a data URL."""
    rows = Attachment.objects.in_bulk([UUID(id) for id in ids])
    try:
        return tuple(_url(rows[UUID(id)]) for id in ids)
    except Exception as error:
        # A storage raises whatever its library does.
        logger.exception("a file of a message cannot be read")
        raise Unreadable from error


def texts(ids: Sequence[str]) -> dict[str, str]:
    """What is in each of these texts, by its name."""
    rows = Attachment.objects.in_bulk([UUID(id) for id in ids])
    try:
        return {rows[UUID(id)].name: _text(rows[UUID(id)]) for id in ids}
    except Exception as error:
        logger.exception("a file of a new chat cannot be read")
        raise Unreadable from error


def _text(row: Attachment) -> str:
    with row.file.open("rb") as file:
        return bytes(file.read()).decode("utf-8-sig")


def let_go(ids: Sequence[str]) -> None:
    """Say that v0 has these: they are swept."""
    unsent = Attachment.objects.filter(pk__in=[UUID(id) for id in ids], message=None)
    unsent.filter(taken_at=None).update(taken_at=timezone.now())


def _url(row: Attachment) -> str:
    if row.url:
        return row.url
    with row.file.open("rb") as file:
        data = base64.b64encode(file.read()).decode("ascii")
    return f"data:{row.content_type};base64,{data}"


def sweep() -> None:
    """Delete what was not sent for a day, and what is of no message any more, a few at a time."""
    limit = timezone.now() - timedelta(seconds=settings.V0_UNSENT_KEEP)
    over = Attachment.objects.filter(
        Q(created_at__lt=limit) | Q(taken_at__isnull=False), message=None, queued=None
    )
    for row in over[:SWEPT_AT_ONCE]:
        deleted, _ = Attachment.objects.filter(
            Q(taken_at=row.taken_at), pk=row.pk, message=None, queued=None
        ).delete()
        if deleted:
            try:
                row.drop_file()
            except Exception:
                logger.exception("a file that nobody needs stays where it is")
