"""Chats that v0 has and we have not, and how they become somebody's here.

Owns what is offered, which never holds what was said in a chat, and the rows of a chat that was
chosen; `mirror` then fetches its messages. Relies on v0's client for its list. A chat comes in once:
v0's id is unique, and a chat that this installation is just making is not offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from uuid import UUID

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from chats.models import Chat, Event, Intent, Person, record
from chats.models.messages import OURS
from chats.relay import elsewhere
from chats.relay.threads import Threads
from chats.v0api import types
from chats.v0api.client import Client

PAGE = 50
SALT = "adoption"


@dataclass(frozen=True, slots=True)
class Offer:
    """A chat as v0 lists it: the times are v0's own words, `author` is an id at v0."""

    v0_id: str
    title: str
    created: str
    updated: str
    author: str
    intent: str = ""

    @property
    def token(self) -> str:
        """The offer, signed, so that what comes back from a form is what v0 said."""
        return signing.dumps(asdict(self), salt=SALT, compress=True)

    @classmethod
    def of_token(cls, token: str) -> Offer | None:
        try:
            return cls(**signing.loads(token, salt=SALT, max_age=24 * 3600))
        except signing.BadSignature:
            return None


@dataclass(frozen=True, slots=True)
class Offers:
    """One page of v0's list without what is here; `cursor` is None on the last."""

    chats: tuple[Offer, ...]
    cursor: str | None


async def offers(client: Client, threads: Threads, cursor: str | None) -> Offers:
    page = await client.list_chats(limit=PAGE, cursor=cursor)
    listed = [_offer(chat) for chat in page.chats]
    here = await threads.read(_here, listed)
    return Offers(tuple(offer for offer in listed if offer.v0_id not in here), page.cursor)


def _offer(chat: types.Chat) -> Offer:
    intent = chat.metadata.get(OURS, "")
    times = chat.created_at, chat.updated_at or chat.created_at
    return Offer(chat.id, chat.title[:200], *times, chat.author_id, intent)


def _here(listed: Iterable[Offer]) -> set[str]:
    """v0's ids of chats that are here, or that are being made here and have not been told theirs."""
    ids = {offer.v0_id for offer in listed}
    known = set(Chat.objects.filter(v0_id__in=ids).values_list("v0_id", flat=True))
    return {id for id in known if id} | {offer.v0_id for offer in listed if _is_ours(offer)}


def _is_ours(offer: Offer) -> bool:
    try:
        return bool(offer.intent) and Intent.objects.filter(id=offer.intent).exists()
    except ValidationError:
        return False


def adopt(offer: Offer, owner: Person, *, actor: Person, address: str | None) -> UUID | None:
    """A private chat of `owner`, whose messages are still to be fetched; None when it is here."""
    if _is_ours(offer):
        return None
    try:
        with transaction.atomic():
            chat = Chat.objects.create(
                owner=owner,
                v0_id=offer.v0_id,
                title=offer.title,
                created_at=elsewhere.moment(offer.created),
                updated_at=elsewhere.moment(offer.updated),
            )
            record(Event.CHAT_ADOPTED, actor=actor, address=address, person=owner, chat=chat)
            return chat.id
    except IntegrityError:
        return None


def unfinished() -> int:
    """How many chats are still being brought in."""
    return Chat.objects.filter(elsewhere.PENDING, intents=None, messages=None).count()
