"""The link of a chat: a new one in place of the old one, when it ends, and none any more.

Owns every change of it, each one transaction with its audit entry, and none twice: whoever changes a link
names the one that they saw. Relies on whoever calls to have asked `chats.permissions`, and to tell the relay
afterwards. Who opens what with a link is decided there, too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from chats.models.audit import Event, record
from chats.models.chats import Chat, new_slug
from chats.models.people import Person


class Changed(Exception):
    """The chat has another link by now than the one that was to change."""


def rotate(chat: Chat, *, actor: Person, address: str | None) -> None:
    """Nothing opens the chat by the link that it had. An end that lies ahead holds for the new one, too."""
    over = chat.link_expires_at is not None and chat.link_expires_at <= timezone.now()
    fields: dict[str, Any] = {"link_slug": new_slug()}
    if over:
        fields["link_expires_at"] = None
    with transaction.atomic():
        _change(chat, fields)
        record(
            Event.UNSHARED,
            actor=actor,
            address=address,
            chat=chat,
            team=chat.team,
            link="rotated",
        )


def drop(chat: Chat, *, actor: Person, address: str | None) -> None:
    """No link opens the chat any more; nothing is noted where none was there."""
    if not chat.link_slug:
        return
    with transaction.atomic():
        _change(chat, {"link_slug": None, "link_expires_at": None})
        record(
            Event.UNSHARED, actor=actor, address=address, link="ended", chat=chat, team=chat.team
        )


def set_end(chat: Chat, until: datetime | None, *, actor: Person, address: str | None) -> None:
    """None is a link without an end."""
    before = chat.link_expires_at
    with transaction.atomic():
        _change(chat, {"link_expires_at": until})
        record(
            Event.SHARED,
            actor=actor,
            address=address,
            chat=chat,
            team=chat.team,
            link="ends",
            old=_word(before),
            new=_word(until),
        )


def _change(chat: Chat, fields: dict[str, Any]) -> None:
    same = Q(pk=chat.pk, owner=chat.owner_id, link_slug=chat.link_slug, deleted_at=None)
    if not Chat.objects.filter(same).update(**fields):
        raise Changed
    for name, value in fields.items():
        setattr(chat, name, value)


def _word(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"
