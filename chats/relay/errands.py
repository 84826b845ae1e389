"""What v0 is told later: the title that a person gave, who may see a chat, and that it was deleted.

Owns the errands and their pauses after a failure. Relies on v0's client, and on `levels` for who may see a
chat. Every errand is free and may be repeated, by several processes at once too: what it was about is
compared when it is done, so that a newer wish is never taken for one that v0 has heard. A chat has one at
a time, and one that v0 lets hang holds up no other chat's. Nothing of a deletion leaves before the
time to undo it is over, and until then an answer in the chat goes on; then it is stopped. A v0 that
refuses a deletion (403, 422) is asked a few times; the chat then goes here alone, and the log says
that it stays at v0. Any other failure is repeated until v0 answers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from chats.models import Chat, Intent, Message, kept
from chats.models.chats import hold
from chats.models.messages import LIVE, IntentState
from chats.relay import levels
from chats.relay.levels import Level
from chats.relay.threads import Threads
from chats.v0api import errors
from chats.v0api.client import Client

logger = logging.getLogger(__name__)

AT_ONCE = 20
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 600.0
# Another process whose clock is a little behind may still take an undo.
CLOCKS = timedelta(seconds=1)
# How often v0 may refuse a deletion before it is taken at its word.
MOST_REFUSALS = 3
ON_ITS_WAY = (IntentState.POSTING, IntentState.CHECKING)


@dataclass(frozen=True, slots=True)
class Errand:
    """A title that v0 is to be told; a chat that is to be deleted where there is none."""

    chat: UUID
    v0_chat: str
    title: str = ""


@dataclass(slots=True)
class Pause:
    until: float = 0.0
    seconds: float = field(default_factory=lambda: FIRST_PAUSE / 2)
    refusals: int = 0


class Errands:
    def __init__(
        self,
        client: Client,
        threads: Threads,
        start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        *,
        changed: Callable[[UUID], None],
    ) -> None:
        self.client = client
        self.threads = threads
        self.changed = changed
        self._start = start
        self._pauses: dict[Errand | Level, Pause] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    async def look(self) -> None:
        """Begin every errand that is due, of each chat one after the other; one that fails waits, each
        time twice as long."""
        due = []
        if await self.threads.read(is_anything_untold):
            if await self.threads.read(runs_of_deleted):
                await self.threads.write(stop_deleted)
            due = await self.threads.read(due_errands)
        self._pauses = {errand: self._pauses[errand] for errand in due if errand in self._pauses}
        now = time.monotonic()
        for errand in due:
            if len(self._tasks) >= AT_ONCE:
                return
            rests = errand in self._pauses and self._pauses[errand].until > now
            if not rests and errand.chat not in self._tasks:
                self._tasks[errand.chat] = self._start(self._try(errand))

    async def stop(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _try(self, errand: Errand | Level) -> None:
        try:
            await self._run(errand)
        except errors.V0Error as error:
            logger.info("errand for chat %s: %s", errand.chat, error)
            self._rest(errand, error.retry_after or 0)
        except Exception:
            logger.exception("errand for chat %s broke", errand.chat)
            self._rest(errand)
        finally:
            self._tasks.pop(errand.chat, None)

    async def _run(self, errand: Errand | Level) -> None:
        match errand:
            case Level():
                await self._set_level(errand)
            case Errand(title=""):
                await self._delete(errand)
            case _:
                await self._tell(errand)

    def _rest(self, errand: Errand | Level, least: float = 0) -> None:
        pause = self._pauses.setdefault(errand, Pause())
        pause.seconds = min(pause.seconds * 2, LONGEST_PAUSE)
        pause.until = time.monotonic() + max(pause.seconds, least)

    async def _tell(self, errand: Errand) -> None:
        try:
            await self.client.update_chat(errand.v0_chat, title=errand.title)
        except (errors.NotFound, errors.Forbidden, errors.Invalid) as error:
            logger.info("v0 does not take the title of chat %s: %s", errand.chat, error)
        await self.threads.write(title_said, errand)

    async def _set_level(self, level: Level) -> None:
        is_over, is_news = await levels.tell(self.client, self.threads, level)
        if not is_over:
            self._rest(level)
        if is_news:
            self.changed(level.chat)

    async def _delete(self, errand: Errand) -> None:
        if errand.v0_chat:
            try:
                await self.client.delete_chat(errand.v0_chat)
            except errors.NotFound:
                logger.info("chat %s was gone at v0 already", errand.chat)
            except (errors.Forbidden, errors.Invalid):
                if self._may_be_refused_again(errand):
                    raise
                words = "chat %s is deleted here, and stays at v0 as %s: v0 refuses to delete it"
                logger.warning(words, errand.chat, errand.v0_chat)
        await self.threads.write(forget, errand)

    def _may_be_refused_again(self, errand: Errand) -> bool:
        pause = self._pauses.setdefault(errand, Pause())
        pause.refusals += 1
        return pause.refusals < MOST_REFUSALS


def _deleted_for_good() -> QuerySet[Chat]:
    limit = timezone.now() - timedelta(seconds=settings.V0_UNDO) - CLOCKS
    return Chat.objects.filter(deleted_at__lt=limit)


def is_anything_untold() -> bool:
    """Whether there is any chat that an errand may be about: mostly there is none, and one query is all."""
    return bool(kept.rows("untold", _untold))


def _untold() -> QuerySet[Chat, UUID]:
    untold = Q(title_unsaid=True) | Q(privacy_unsaid=True) | Q(deleted_at__isnull=False)
    return Chat.objects.filter(untold | ~Q(privacy_wanted="")).values_list("pk", flat=True)[:1]


def runs_of_deleted() -> bool:
    """Whether an answer runs, which nobody has stopped yet, in a chat that cannot come back."""
    return _unstopped().exists()


def stop_deleted() -> None:
    """Asks those answers to stop, in the name of the owner: nobody else may delete a chat."""
    owner = Chat.objects.filter(id=OuterRef("chat")).values("owner")
    _unstopped().update(stop_asked_at=timezone.now(), stop_asked_by=Subquery(owner))


def _unstopped() -> QuerySet[Message]:
    running = Message.objects.filter(role="assistant", state__in=LIVE, stop_asked_at=None)
    return running.filter(chat__in=_deleted_for_good().values("pk"))


def due_errands() -> list[Errand | Level]:
    """Titles and levels that v0 does not know, and chats whose deletion cannot be undone any more."""
    unsaid = Chat.objects.filter(title_unsaid=True, deleted_at=None, v0_id__isnull=False)
    rows = unsaid.exclude(title="").values_list("id", "v0_id", "title")
    titles = [Errand(id, v0_id or "", title) for id, v0_id, title in rows]
    gone = _deleted_for_good()
    # A run ends with its cost, and what is being created there has no id yet: both are waited for.
    gone = gone.exclude(pk__in=Message.objects.filter(state__in=LIVE).values("chat"))
    gone = gone.exclude(pk__in=Intent.objects.filter(state__in=ON_ITS_WAY).values("chat"))
    deletions = [Errand(id, v0_id or "") for id, v0_id in gone.values_list("id", "v0_id")]
    return [*titles, *levels.due(), *deletions]


def title_said(errand: Errand) -> None:
    Chat.objects.filter(id=errand.chat, title=errand.title).update(title_unsaid=False)


def forget(errand: Errand) -> None:
    """The rows go; what its answers cost stays."""
    with transaction.atomic():
        # Nothing comes to them while they are looked up.
        hold([errand.chat])
        Chat.objects.filter(id=errand.chat, deleted_at__isnull=False).delete()
