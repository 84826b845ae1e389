"""What a session was given beside its person's own rights: links that it opened, and chats that a superuser
opened in it for a reason.

Owns how both are kept: one word for each chat, which counts only as long as the database or the clock
agrees. Relies on nobody but the session, which browsers cannot write.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from chats.models import Chat
from chats.models.chats import Privacy

GRANTS_SESSION_KEY = "links"
LINKED = (Privacy.UNLISTED, Privacy.PUBLIC)
# No slug has a slash in it, so that no link is ever taken for an opening.
OPENED = "opened/"


def grants(session: SessionBase | Mapping[str, Any]) -> dict[str, str]:
    """What this session was given, chat id → slug or opening. Old ones stay, and count no more."""
    held = session.get(GRANTS_SESSION_KEY)
    return held if isinstance(held, dict) else {}


def give(session: SessionBase, chat: Chat, grant: str) -> None:
    held = grants(session)
    if held.get(str(chat.pk)) != grant:
        session[GRANTS_SESSION_KEY] = {**held, str(chat.pk): grant}


def take(session: SessionBase, chat: Chat) -> None:
    held = grants(session)
    if str(chat.pk) in held:
        left = {id: grant for id, grant in held.items() if id != str(chat.pk)}
        session[GRANTS_SESSION_KEY] = left


def holds_link(chat: Chat, grant: str | None) -> bool:
    """Whether `grant` is the chat's present link, and that opens it now."""
    if not chat.link_slug or grant != chat.link_slug or chat.privacy not in LINKED:
        return False
    return chat.link_expires_at is None or chat.link_expires_at > timezone.now()


def opening(until: datetime) -> str:
    return f"{OPENED}{int(until.timestamp())}"


def opened_until(grant: str | None) -> datetime | None:
    """When an opening ends; None for one that has ended, and for everything else."""
    prefix, word, seconds = (grant or "").partition(OPENED)
    if prefix or not word or not seconds.isdecimal():
        return None
    until = datetime.fromtimestamp(int(seconds), UTC)
    return until if until > timezone.now() else None
