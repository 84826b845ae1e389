"""The rows of a wish for a whole chat: its intent, held by a lease, and the chat that comes of it.

Owns these queries, each one short transaction. Relies on models and on `intents` for a restore that
follows a copy; talks to nobody. An intent that is accepted and has a lease still waits for its
messages.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from chats import usage
from chats.models import Chat, Intent, Message, kept
from chats.models.chats import AtV0, Privacy, new_slug
from chats.models.messages import WHOLE_CHATS, IntentState
from chats.relay import elsewhere, intents, uploads
from chats.relay.rows import utc
from chats.relay.store import LONGEST_WAIT, Lost
from chats.usage import budgets
from chats.v0api import types

logger = logging.getLogger(__name__)

OPEN = (IntentState.WAITING, IntentState.POSTING, IntentState.CHECKING)
OF_TEAMS = (Privacy.TEAM, Privacy.TEAM_EDIT)
# What of a payload tells only how an earlier try ended.
OUTCOME = ("before", "problem", "detail", "again")


@dataclass(slots=True)
class Wish:
    """One wish as it stood when it was claimed. `payload` is as `intents` wrote it; `content` is what
    a maker needs for the POST alone, and is never stored; `usage` what v0 said that it cost; `v0_chat` an
    id at v0, "" for none."""

    intent: UUID
    chat: UUID
    kind: str
    state: str
    payload: dict[str, Any]
    v0_chat: str
    content: Any = field(default=None, repr=False)
    usage: types.Usage | None = None


def claim(limit: int = 5) -> list[Wish]:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    unfinished = Q(state__in=OPEN) | Q(state=IntentState.ACCEPTED, lease_until__isnull=False)
    there = Q(chat__deleted_at=None) | ~Q(state=IntentState.WAITING)

    def waiting() -> QuerySet[Intent, UUID]:
        rows = Intent.objects.filter(free, unfinished, there, kind__in=WHOLE_CHATS)
        return rows.values_list("id", flat=True)[:limit]

    return [
        _wish(id)
        for id in kept.rows(("wishes", limit), waiting)
        if Intent.objects.filter(free, unfinished, id=id).update(lease_until=_until())
    ]


def _until() -> Any:
    return Now() + timedelta(seconds=settings.V0_LEASE)


def _wish(id: UUID) -> Wish:
    intent = Intent.objects.select_related("chat").get(id=id)
    return Wish(
        intent=intent.id,
        chat=intent.chat_id,
        kind=intent.kind,
        state=intent.state,
        payload=intent.payload,
        v0_chat=intent.chat.v0_id or "",
    )


def renew(held: list[UUID]) -> None:
    Intent.objects.filter(id__in=held, lease_until__isnull=False).update(lease_until=_until())


def release(held: list[UUID]) -> None:
    Intent.objects.filter(id__in=held, lease_until__isnull=False).update(lease_until=Now())


def _wanted(wish: Wish, **told: Any) -> dict[str, Any]:
    """The payload as it was wanted, and what is `told` of its end."""
    wanted = {name: value for name, value in wish.payload.items() if name not in OUTCOME}
    return {**wanted, **told}


def posting(wish: Wish) -> None:
    """Commit that the POST is about to leave; Lost when it may have left before."""
    with transaction.atomic():
        waiting = Intent.objects.filter(id=wish.intent, state=IntentState.WAITING)
        if not waiting.update(
            state=IntentState.POSTING, posted_at=timezone.now(), payload=wish.payload
        ):
            raise Lost
        _bump(wish)


def checking(wish: Wish) -> None:
    with transaction.atomic():
        Intent.objects.filter(id=wish.intent, state__in=OPEN).update(state=IntentState.CHECKING)
        _bump(wish)


def accepted(wish: Wish, made: types.Chat) -> None:
    """v0 has the chat. What lets others see it counts from now on, as far as v0 agreed to it."""
    with transaction.atomic():
        Intent.objects.filter(id=wish.intent).update(
            state=IntentState.ACCEPTED, lease_until=_until()
        )
        _bump(wish, v0_id=made.id, privacy_at_v0=made.privacy[:20])
        if wish.usage is not None:
            intent = Intent.objects.select_related("chat").get(id=wish.intent)
            usage.record_created(intent, wish.usage)
        budgets.release(wish.intent)
        here = Chat.objects.filter(id=wish.chat)
        if not wish.payload.get("title"):
            here.filter(title_given=False).update(title=made.title[:200])
        wanted = wish.payload.get("privacy", Privacy.PRIVATE)
        in_place = here.filter(team=wish.payload.get("team"), privacy=Privacy.PRIVATE)
        if wanted == Privacy.UNLISTED:
            in_place.filter(link_slug=None).update(link_slug=new_slug())
        if wanted == made.privacy:
            in_place.update(privacy=wanted)
        elif wanted != Privacy.PRIVATE:
            # Once more, by itself: v0 agrees then, or it is told why not.
            in_place.filter(privacy_wanted="").update(privacy_wanted=wanted)


def ended(
    wish: Wish, state: str, told: Mapping[str, str], retry_after: float | None = None
) -> None:
    """There is no chat, or nobody can tell; `retry_after` are seconds."""
    with transaction.atomic():
        again = {}
        if retry_after is not None:
            wait = timedelta(seconds=min(retry_after, LONGEST_WAIT))
            again = {"again": utc(timezone.now() + wait)}
        kept = {"before": wish.payload["before"]} if "before" in wish.payload else {}
        Intent.objects.filter(id=wish.intent, state__in=OPEN).update(
            state=state, lease_until=None, payload=_wanted(wish, **kept, **told, **again)
        )
        _bump(wish)
        budgets.release(wish.intent)


def gone(wish: Wish) -> None:
    """The chat was deleted at v0 before it could be read."""
    with transaction.atomic():
        Intent.objects.filter(id=wish.intent).update(lease_until=None)
        _bump(wish, at_v0=AtV0.GONE)


def fill(wish: Wish, messages: Sequence[types.Message]) -> None:
    """Store the messages, oldest first, unless they are there. An answer that still runs, because
    somebody goes on in the chat at v0, is followed by a run like any other."""
    with transaction.atomic():
        chat = Chat.objects.select_related("owner", "copied_from").get(id=wish.chat)
        rows: list[Message] = []
        if not chat.messages.exists():
            rows = [
                _row(chat.id, place, each, is_newest=place == len(messages))
                for place, each in enumerate(messages, start=1)
            ]
            Message.objects.bulk_create(rows)
            if chat.copied_from:
                uploads.copied(chat.owner, rows, chat.copied_from)
        uploads.let_go(wish.payload.get("attachments", ()))
        Intent.objects.filter(id=wish.intent).update(lease_until=None, payload=_wanted(wish))
        _bump(wish, rewritten=F("version") + 1)
        if "rewind" in wish.payload:
            _rewind(wish, chat, rows or list(chat.messages.all()))


def _row(chat: UUID, position: int, message: types.Message, *, is_newest: bool) -> Message:
    role = "user" if message.role == "user" else "assistant"
    created = elsewhere.moment(message.created_at)
    row = Message(chat_id=chat, position=position, role=role, created_at=created)
    elsewhere.fill(row, message, is_newest=is_newest)
    if row.ended_at is not None:
        row.ended_at = created
    return row


def _rewind(wish: Wish, chat: Chat, rows: Sequence[Message]) -> None:
    """What was confirmed together with the copy: a restore of its own, by one POST of its own."""
    intent = Intent.objects.select_related("person").get(id=wish.intent)
    original = Message.objects.filter(id=wish.payload["rewind"]).first()
    if original is None:
        logger.info("the answer that wish %s was to rewind to is gone", wish.intent)
        return
    target = _same(original, rows)
    if target is None:
        # It fails at v0's door, and says so in the chat.
        target = copy.copy(original)
        target.v0_id = ""
    try:
        # The copy was let begin together with it, and is nothing that anybody wanted without it.
        token = uuid5(intent.id, "rewind")
        intents.restore(intent.person, token, chat, target, is_admitted=True)
    except intents.Busy:
        logger.info("the copy of wish %s is not rewound: an answer runs", wish.intent)


def _same(original: Message, rows: Sequence[Message]) -> Message | None:
    """The answer among `rows` that is a copy of `original`."""
    told = original.content, original.parts
    same = [row for row in rows if row.role == original.role and (row.content, row.parts) == told]
    earlier = Message.objects.filter(
        chat=original.chat_id, role=original.role, position__lt=original.position
    )
    place = sum((row.content, row.parts) == told for row in earlier)
    return same[place] if place < len(same) else None


def _bump(wish: Wish, **fields: Any) -> None:
    Chat.objects.filter(id=wish.chat).update(version=F("version") + 1, **fields)
