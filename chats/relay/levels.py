"""What v0 is told of who may see a chat, and what its answer changes here.

Owns these rows, each answer one short transaction. Relies on v0's client: to set a level is free and may be
repeated, by several processes at once too.

    takes only: the level counts here already; v0 is told until it says the same
    gives: the level counts here when v0 says the same. While v0 does not answer it is asked again; when it
    refuses, or says another level, the chat's owner hears why, and v0 is not asked again unless they want it

A request whose end nobody knows may come true late. What v0 says last is therefore compared with what is
wanted by then: where that has changed meanwhile, v0 is told once more.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from chats.models import Chat, Event, record
from chats.models.chats import TAKEN_BACK
from chats.relay.threads import Threads
from chats.v0api import errors
from chats.v0api.client import Client

logger = logging.getLogger(__name__)

LONGEST = 200
# Refusals that are not about the level: the key may be mended, a chat be busy, a request come too late.
LATER = (401, 408, 409, 425, 429)
REASONS: tuple[tuple[type[errors.V0Error], str], ...] = (
    (errors.OutOfCredits, "The account at v0 is out of credits."),
    (errors.Forbidden, "v0 does not let this installation change who sees the chat there."),
    (errors.NotFound, "v0 does not have the chat any more."),
    (errors.V0Error, "v0 does not take this level for the chat."),
)
ANOTHER = "v0 set it to “{}” instead."


@dataclass(frozen=True, slots=True)
class Level:
    """One level that v0 is to have. One that `gives` counts here once v0 has agreed to it."""

    chat: UUID
    v0_chat: str
    privacy: str
    gives: bool


def due() -> list[Level]:
    asked = ~Q(privacy_wanted="") & Q(privacy_refused="")
    rows = Chat.objects.filter(
        Q(privacy_unsaid=True) | asked, deleted_at=None, v0_id__isnull=False
    ).values_list("id", "v0_id", "privacy", "privacy_unsaid", "privacy_wanted")
    # What was taken away is said first.
    return [
        Level(id, v0_id or "", privacy if unsaid else wanted, gives=not unsaid)
        for id, v0_id, privacy, unsaid, wanted in rows
    ]


async def tell(client: Client, threads: Threads, level: Level) -> tuple[bool, bool]:
    """Whether v0 is to be asked no more, and whether something of it is news here. V0Error when v0 is to
    be asked again."""
    try:
        said = (await client.update_chat(level.v0_chat, privacy=level.privacy)).privacy
    except errors.V0Error as error:
        return await _failed(client, threads, level, error)
    news = await threads.write(agreed if level.gives else heard, level, said)
    return level.gives or said == level.privacy, news


async def _failed(
    client: Client, threads: Threads, level: Level, error: errors.V0Error
) -> tuple[bool, bool]:
    if not level.gives and isinstance(error, errors.NotFound):
        logger.info("v0 has no chat %s any more: %s", level.chat, error)
        return True, await threads.write(heard, level, level.privacy)
    if level.gives and is_refusal(error):
        # An earlier try may have had its effect, and so may this one.
        said = await _found(client, level)
        if said == level.privacy:
            return True, await threads.write(agreed, level, said)
        logger.info("v0 refuses a level for chat %s: %s", level.chat, error)
        return True, await threads.write(refused, level, said, reason(error))
    if error.in_doubt:
        await threads.write(overtaken, level)
    raise error


async def _found(client: Client, level: Level) -> str:
    """v0's own level now; "" when it refuses to say. V0Error when it does not answer: the level is asked
    for again then, because the refusal may have come after its effect."""
    try:
        return (await client.get_chat(level.v0_chat)).privacy
    except errors.V0Error as error:
        if is_refusal(error):
            return ""
        raise


def is_refusal(error: errors.V0Error) -> bool:
    """Whether v0 would say the same to the same request."""
    if not isinstance(error, errors.StatusError) or error.retryable or error.in_doubt:
        return False
    return error.status not in LATER


def reason(error: errors.V0Error) -> str:
    """Why v0 refuses, for the chat's owner: with v0's own words, which tell more."""
    why = next(words for kind, words in REASONS if isinstance(error, kind))
    return (f"{why} It says: {error.message}" if error.message else why)[:LONGEST]


def heard(level: Level, said: str) -> bool:
    """Note v0's level; whether that is news. It counts as told only if it is what was asked for."""
    same = Chat.objects.filter(id=level.chat, privacy=level.privacy)
    untold = {} if said != level.privacy else {"privacy_unsaid": False}
    news = same.exclude(privacy_at_v0=said, privacy_unsaid=said != level.privacy)
    changed = news.update(privacy_at_v0=said[:20], version=F("version") + 1, **untold)
    if said == level.privacy:
        back = {"privacy_wanted": "", "privacy_refused": "", "version": F("version") + 1}
        changed += same.filter(privacy_refused=TAKEN_BACK).update(**back)
    return bool(changed or overtaken(level))


def agreed(level: Level, said: str) -> bool:
    """As `heard`, for what counts from now on if v0 says so: not for an owner who has left."""
    if said != level.privacy:
        return refused(level, said, ANOTHER.format(said))
    with transaction.atomic():
        wanted = _wanted(level)
        found = wanted.select_related("owner", "team").first()
        if found is None:
            return overtaken(level)
        belongs = Q(team=None) | Q(team__memberships__person=F("owner"))
        still = Chat.objects.filter(belongs, id=level.chat).values("pk")
        told = {"privacy_wanted": "", "privacy_refused": "", "version": F("version") + 1}
        if wanted.filter(pk__in=still).update(privacy=said, privacy_at_v0=said, **told):
            _note(found, said)
        else:
            wanted.update(privacy_unsaid=True, **told)
    return True


def _note(found: Chat, said: str) -> None:
    told: dict[str, Any] = {"old": found.privacy, "new": said, "by": "v0, which agreed"}
    record(Event.PRIVACY_CHANGED, actor=found.owner, chat=found, team=found.team, **told)


def refused(level: Level, said: str, why: str) -> bool:
    """Nothing more is given. Where v0 now says another level than the one that was left, or nobody knows
    what it says, that is told to it again."""
    with transaction.atomic():
        wanted = _wanted(level)
        known = {"privacy_at_v0": said[:20]} if said else {}
        told = {"privacy_refused": why[:LONGEST], "version": F("version") + 1, **known}
        if not wanted.update(**told):
            return overtaken(level)
        wanted.exclude(privacy=said).update(privacy_unsaid=True)
    return True


def _wanted(level: Level) -> QuerySet[Chat]:
    """The chat, if it is still to have this level."""
    rows = Chat.objects.filter(id=level.chat, privacy_wanted=level.privacy)
    return rows.exclude(privacy_refused=TAKEN_BACK)


def overtaken(level: Level) -> bool:
    """What v0 has heard, or may have, is not what is wanted any more."""
    rows = Chat.objects.filter(id=level.chat, privacy_unsaid=False, deleted_at=None)
    wanted = Q(privacy_wanted=level.privacy) & ~Q(privacy_refused=TAKEN_BACK)
    stale = rows.exclude(privacy=level.privacy).exclude(wanted)
    return bool(stale.update(privacy_unsaid=True, version=F("version") + 1))
