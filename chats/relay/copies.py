"""Copies of chats: one POST, then the copy's messages as rows.

Owns the order of things that may cost credits: what v0 lists is kept before the POST, which is
committed as `posting` before it leaves and never repeated; what is in doubt is looked up as the one new
chat with the copy's title. Relies on v0's client; a copy without an answer is held by its intent's
lease, and whoever adopts it goes on reading, never posting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from chats.models import Chat, Intent, Message
from chats.models.chats import AtV0
from chats.models.messages import OURS, IntentState
from chats.relay import doubt, elsewhere, uploads
from chats.relay.store import Lost
from chats.relay.threads import Threads
from chats.v0api import errors, types
from chats.v0api.client import Client

logger = logging.getLogger(__name__)

MOST_LISTED = 1000
OPEN = (IntentState.WAITING, IntentState.POSTING, IntentState.CHECKING)
Start: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


@dataclass(slots=True)
class Copy:
    """One copy as it stood when it was claimed. `source` and `v0_chat` are ids at v0."""

    intent: UUID
    chat: UUID
    state: str
    source: str
    title: str
    before: Sequence[str]
    v0_chat: str


class Copies:
    """The copies that this process makes. `changed` is told of each chat whose rows changed."""

    def __init__(
        self, client: Client, threads: Threads, start: Start, changed: Callable[[UUID], None]
    ) -> None:
        self.client, self.threads = client, threads
        self._start, self._changed = start, changed
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    async def look(self) -> None:
        """Claim copies that nobody makes, and keep the leases of those made here."""
        if self._tasks:
            await self.threads.write(renew, list(self._tasks))
        for copy in await self.threads.write(claim):
            self._tasks[copy.intent] = self._start(self._hold(copy))

    async def stop(self) -> None:
        """Let go of every copy, so that another process goes on at once."""
        held, tasks = list(self._tasks), list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if held:
            await self.threads.write(release, held)

    async def _hold(self, copy: Copy) -> None:
        try:
            await self._go(copy)
        except Lost:
            logger.info("copy %s is made by another process", copy.intent)
        except Exception:
            # Its lease ends by itself, and another try goes on.
            logger.exception("copy %s broke", copy.intent)
        finally:
            self._tasks.pop(copy.intent, None)
            self._changed(copy.chat)

    async def _go(self, copy: Copy) -> None:
        if copy.state == IntentState.WAITING:
            await self._post(copy)
        elif copy.state != IntentState.ACCEPTED:
            await self._look_up(copy)
        if copy.v0_chat:
            await self._fetch(copy)

    async def _post(self, copy: Copy) -> None:
        try:
            copy.before = [chat.id for chat in await self._listed()]
        except errors.V0Error as error:
            await self.threads.write(ended, copy, IntentState.UNSENT, error.problem)
            return
        await self.threads.write(posting, copy)
        try:
            made = await self.client.duplicate_chat(copy.source, title=copy.title)
            await self._accept(copy, made)
        except errors.NotSent as error:
            await self.threads.write(ended, copy, IntentState.UNSENT, error.problem)
        except errors.V0Error as error:
            logger.info("copy %s: %s", copy.intent, error)
            # Errors have come with the effect there: one look, at least.
            if error.in_doubt or not await self._found(copy):
                await self._not_accepted(copy, error)

    async def _not_accepted(self, copy: Copy, error: errors.V0Error) -> None:
        if error.in_doubt:
            await self._look_up(copy)
        else:
            await self.threads.write(ended, copy, IntentState.REFUSED, error.problem)

    async def _look_up(self, copy: Copy) -> None:
        """Read until v0 shows the copy; nobody can tell when it never does."""
        await self.threads.write(checking, copy)
        self._changed(copy.chat)
        for pause in doubt.pauses():
            await asyncio.sleep(pause)
            if await self._found(copy):
                return
        await self.threads.write(ended, copy, IntentState.UNKNOWN, "unknown")

    async def _found(self, copy: Copy) -> bool:
        try:
            marked = await self.client.list_chats(limit=2, metadata={OURS: str(copy.intent)})
            new = [chat for chat in await self._listed() if is_new(chat, copy)]
        except errors.V0Error as error:
            logger.info("looking up copy %s: %s", copy.intent, error)
            return False
        found = marked.chats or await self.threads.read(unknown_here, new)
        if len(found) != 1:
            return False
        await self._accept(copy, found[0])
        return True

    async def _listed(self) -> list[types.Chat]:
        listed: list[types.Chat] = []
        async for chat in self.client.iter_chats():
            listed.append(chat)
            if len(listed) == MOST_LISTED:
                break
        return listed

    async def _accept(self, copy: Copy, made: types.Chat) -> None:
        copy.v0_chat = made.id
        await self.threads.write(accepted, copy, made.privacy)

    async def _fetch(self, copy: Copy) -> None:
        """Mark the copy as ours at v0 and store its messages; both are free and may be repeated."""
        pause = 0.25
        while True:
            try:
                marks = {OURS: str(copy.intent)}
                await self.client.update_chat(copy.v0_chat, metadata=marks)
                messages = [m async for m in self.client.iter_messages(copy.v0_chat)]
                await self.threads.write(fill, copy, messages[::-1])
                return
            except errors.NotFound:
                await self.threads.write(gone, copy)
                return
            except errors.V0Error as error:
                logger.info("reading copy %s: %s", copy.intent, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 15)


def is_new(chat: types.Chat, copy: Copy) -> bool:
    return chat.id not in copy.before and chat.title == copy.title


# Rows. An intent that is accepted and has a lease still waits for its messages.


def _until() -> Any:
    return Now() + timedelta(seconds=settings.V0_LEASE)


def claim(limit: int = 5) -> list[Copy]:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    unfinished = Q(state__in=OPEN) | Q(state=IntentState.ACCEPTED, lease_until__isnull=False)
    waiting = Intent.objects.filter(
        free, unfinished, Q(chat__deleted_at=None) | ~Q(state=IntentState.WAITING), kind="duplicate"
    )
    return [
        _copy(id)
        for id in list(waiting.values_list("id", flat=True)[:limit])
        if Intent.objects.filter(free, unfinished, id=id).update(lease_until=_until())
    ]


def _copy(id: UUID) -> Copy:
    intent = Intent.objects.select_related("chat").get(id=id)
    payload = intent.payload
    return Copy(
        intent=intent.id,
        chat=intent.chat_id,
        state=intent.state,
        source=payload["source"],
        title=payload["title"],
        before=payload.get("before", []),
        v0_chat=intent.chat.v0_id or "",
    )


def renew(held: list[UUID]) -> None:
    Intent.objects.filter(id__in=held, lease_until__isnull=False).update(lease_until=_until())


def release(held: list[UUID]) -> None:
    Intent.objects.filter(id__in=held, lease_until__isnull=False).update(lease_until=Now())


def _payload(copy: Copy, **more: Any) -> dict[str, Any]:
    return {"source": copy.source, "title": copy.title, **more}


def posting(copy: Copy) -> None:
    """Commit that the POST is about to leave; Lost when it may have left before."""
    waiting = Intent.objects.filter(id=copy.intent, state=IntentState.WAITING)
    if not waiting.update(
        state=IntentState.POSTING,
        posted_at=timezone.now(),
        payload=_payload(copy, before=list(copy.before)),
    ):
        raise Lost


def checking(copy: Copy) -> None:
    with transaction.atomic():
        Intent.objects.filter(id=copy.intent, state__in=OPEN).update(state=IntentState.CHECKING)
        _bump(copy)


def accepted(copy: Copy, privacy: str) -> None:
    with transaction.atomic():
        Intent.objects.filter(id=copy.intent).update(
            state=IntentState.ACCEPTED, lease_until=_until()
        )
        _bump(copy, v0_id=copy.v0_chat, privacy_at_v0=privacy[:20])


def ended(copy: Copy, state: str, problem: str) -> None:
    """There is no copy, or nobody can tell."""
    with transaction.atomic():
        Intent.objects.filter(id=copy.intent, state__in=OPEN).update(
            state=state, lease_until=None, payload=_payload(copy, problem=problem)
        )
        _bump(copy)


def gone(copy: Copy) -> None:
    """The copy was deleted at v0 before it could be read."""
    with transaction.atomic():
        Intent.objects.filter(id=copy.intent).update(lease_until=None)
        _bump(copy, at_v0=AtV0.GONE)


def fill(copy: Copy, messages: Sequence[types.Message]) -> None:
    """Store the messages, oldest first, unless they are there. An answer that still runs, because
    somebody goes on in the copy at v0, is followed by a run like any other."""
    with transaction.atomic():
        if not Message.objects.filter(chat_id=copy.chat).exists():
            rows = [
                _row(copy.chat, place, each, is_newest=place == len(messages))
                for place, each in enumerate(messages, start=1)
            ]
            Message.objects.bulk_create(rows)
            chat = Chat.objects.select_related("owner", "copied_from").get(id=copy.chat)
            uploads.copied(chat.owner, rows, chat.copied_from)
        Intent.objects.filter(id=copy.intent).update(lease_until=None, payload=_payload(copy))
        _bump(copy, rewritten=F("version") + 1)


def _row(chat: UUID, position: int, message: types.Message, *, is_newest: bool) -> Message:
    role = "user" if message.role == "user" else "assistant"
    created = elsewhere.moment(message.created_at)
    row = Message(chat_id=chat, position=position, role=role, created_at=created)
    elsewhere.fill(row, message, is_newest=is_newest)
    if row.ended_at is not None:
        row.ended_at = created
    return row


def unknown_here(chats: Sequence[types.Chat]) -> tuple[types.Chat, ...]:
    ids = [chat.id for chat in chats]
    known = set(Chat.objects.filter(v0_id__in=ids).values_list("v0_id", flat=True))
    return tuple(chat for chat in chats if chat.id not in known)


def _bump(copy: Copy, **fields: Any) -> None:
    Chat.objects.filter(id=copy.chat).update(version=F("version") + 1, **fields)
