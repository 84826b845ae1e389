"""What v0 is told later: the title that a person gave, who may see a chat, and that it was deleted.

Owns the errands and their pauses after a failure. Relies on v0's client; every errand is free and
may be repeated, by several processes at once too: what it was about is compared when it is done, so
that a newer wish is never taken for one that v0 has heard. Nothing of a deletion leaves before the
time to undo it is over, and until then an answer in the chat goes on; then it is stopped. A v0 that
refuses a deletion (403, 422) is asked a few times; the chat then goes here alone, and the log says
that it stays at v0. Any other failure is repeated until v0 answers,
and a level of privacy until v0 agrees to it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from chats.models import Chat, Intent, Message
from chats.models.messages import LIVE, IntentState
from chats.relay.threads import Threads
from chats.v0api import errors
from chats.v0api.client import Client

logger = logging.getLogger(__name__)

AT_ONCE = 10
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 600.0
# Another process whose clock is a little behind may still take an undo.
CLOCKS = timedelta(seconds=1)
# How often v0 may refuse a deletion before it is taken at its word.
MOST_REFUSALS = 3
ON_ITS_WAY = (IntentState.POSTING, IntentState.CHECKING)


@dataclass(frozen=True, slots=True)
class Errand:
    """What v0 is to be told: a title or a level of privacy; neither when the chat is to be deleted. A
    level that `widens` counts here once v0 has agreed to it."""

    chat: UUID
    v0_chat: str
    title: str = ""
    privacy: str = ""
    widens: bool = False


@dataclass(slots=True)
class Pause:
    until: float = 0.0
    seconds: float = field(default=FIRST_PAUSE / 2)
    refusals: int = 0


class Errands:
    def __init__(
        self, client: Client, threads: Threads, *, changed: Callable[[UUID], None]
    ) -> None:
        self.client = client
        self.threads = threads
        self.changed = changed
        self._pauses: dict[Errand, Pause] = {}

    async def look(self) -> None:
        """Run every errand that is due; one that fails waits, each time twice as long."""
        if await self.threads.read(runs_of_deleted):
            await self.threads.write(stop_deleted)
        due = await self.threads.read(due_errands)
        self._pauses = {errand: self._pauses[errand] for errand in due if errand in self._pauses}
        now = time.monotonic()
        ready = [e for e in due if e not in self._pauses or self._pauses[e].until <= now]
        for errand in ready[:AT_ONCE]:
            await self._try(errand, self._work(errand))

    def _work(self, errand: Errand) -> Callable[[Errand], Awaitable[None]]:
        if errand.privacy:
            return self._set_privacy
        return self._tell if errand.title else self._delete

    async def _try(self, errand: Errand, work: Callable[[Errand], Awaitable[None]]) -> None:
        try:
            await work(errand)
        except errors.V0Error as error:
            logger.info("errand for chat %s: %s", errand.chat, error)
            self._rest(errand, error.retry_after or 0)

    def _rest(self, errand: Errand, least: float = 0) -> None:
        pause = self._pauses.setdefault(errand, Pause())
        pause.seconds = min(pause.seconds * 2, LONGEST_PAUSE)
        pause.until = time.monotonic() + max(pause.seconds, least)

    async def _tell(self, errand: Errand) -> None:
        try:
            await self.client.update_chat(errand.v0_chat, title=errand.title)
        except (errors.NotFound, errors.Forbidden, errors.Invalid) as error:
            logger.info("v0 does not take the title of chat %s: %s", errand.chat, error)
        await self.threads.write(title_said, errand)

    async def _set_privacy(self, errand: Errand) -> None:
        try:
            chat = await self.client.update_chat(errand.v0_chat, privacy=errand.privacy)
        except errors.NotFound as error:
            logger.info("v0 has no chat %s any more: %s", errand.chat, error)
            said = errand.privacy
        else:
            said = chat.privacy
        if said != errand.privacy:
            self._rest(errand)
        note = agreed if errand.widens else privacy_said
        if await self.threads.write(note, errand, said):
            self.changed(errand.chat)

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


def due_errands() -> list[Errand]:
    """Titles that v0 does not know, and chats whose deletion cannot be undone any more."""
    unsaid = Chat.objects.filter(title_unsaid=True, deleted_at=None, v0_id__isnull=False)
    rows = unsaid.exclude(title="").values_list("id", "v0_id", "title")
    titles = [Errand(id, v0_id or "", title) for id, v0_id, title in rows]
    untold = Chat.objects.filter(
        Q(privacy_unsaid=True) | ~Q(privacy_wanted=""), deleted_at=None, v0_id__isnull=False
    ).values_list("id", "v0_id", "privacy", "privacy_unsaid", "privacy_wanted")
    # What was taken away is said first.
    levels = [
        Errand(id, v0_id or "", privacy=privacy if unsaid else wanted, widens=not unsaid)
        for id, v0_id, privacy, unsaid, wanted in untold
    ]
    gone = _deleted_for_good()
    # A run ends with its cost, and what is being created there has no id yet: both are waited for.
    gone = gone.exclude(pk__in=Message.objects.filter(state__in=LIVE).values("chat"))
    gone = gone.exclude(pk__in=Intent.objects.filter(state__in=ON_ITS_WAY).values("chat"))
    return (
        titles + levels + [Errand(id, v0_id or "") for id, v0_id in gone.values_list("id", "v0_id")]
    )


def title_said(errand: Errand) -> None:
    Chat.objects.filter(id=errand.chat, title=errand.title).update(title_unsaid=False)


def privacy_said(errand: Errand, said: str) -> bool:
    """Note v0's level; whether that is news. It counts as told only if it is what was asked for."""
    same = Chat.objects.filter(id=errand.chat, privacy=errand.privacy)
    untold = {} if said != errand.privacy else {"privacy_unsaid": False}
    news = same.exclude(privacy_at_v0=said, privacy_unsaid=said != errand.privacy)
    return bool(news.update(privacy_at_v0=said[:20], version=F("version") + 1, **untold))


def agreed(errand: Errand, said: str) -> bool:
    """As `privacy_said`, for what counts from now on if v0 says so: not for an owner who has left."""
    wanted = Chat.objects.filter(id=errand.chat, privacy_wanted=errand.privacy)
    if said != errand.privacy:
        news = wanted.exclude(privacy_at_v0=said)
        return bool(news.update(privacy_at_v0=said[:20], version=F("version") + 1))
    belongs = Q(team=None) | Q(team__memberships__person=F("owner"))
    still = Chat.objects.filter(belongs, id=errand.chat).values("pk")
    changed = wanted.filter(pk__in=still).update(
        privacy=said, privacy_at_v0=said, privacy_wanted="", version=F("version") + 1
    )
    return bool(changed or wanted.update(privacy_wanted="", privacy_unsaid=True))


def forget(errand: Errand) -> None:
    """The rows go; what its answers cost stays."""
    Chat.objects.filter(id=errand.chat, deleted_at__isnull=False).delete()
