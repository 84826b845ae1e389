"""How far each person has read each chat, and which chats of others they follow.

Owns one row for a person and a chat of either kind, how far a mark goes, and what is new behind it. Relies
on chats, messages and people. A row of something that somebody may not see any more says nothing: whoever
reads one asks `chats.permissions` first.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from chats.models.chats import Chat
from chats.models.messages import LIVE, Message
from chats.models.people import Person


class Seen(models.Model):
    """`person` has seen the chat up to the message at `position` as it was at the moment `at`. An answer
    counts when it has ended: the end of what somebody saw begin is new to them."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="seen", db_index=False
    )
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="seen")
    position = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "chat"], name="seen_once_per_chat"),
        )

    def __str__(self) -> str:
        return f"{self.person_id} up to {self.position} of {self.chat_id}"


class Follow(models.Model):
    """`person` gets notices about a chat that is not theirs, as if it were."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="follows", db_index=False
    )
    chat = models.ForeignKey(Chat, models.CASCADE, related_name="followers")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "chat"], name="one_follow_per_chat"),
        )

    def __str__(self) -> str:
        return f"{self.person_id} follows {self.chat_id}"


def news(person: Person) -> Q:
    """Of messages: what others or the agent have said, once it is said."""
    return ~Q(author=person) & ~Q(state__in=LIVE)


def is_news(message: Message, person: Person) -> bool:
    """As `news`, of one that was fetched."""
    return message.author_id != person.pk and not message.is_live


def unread(person: Person) -> Exists:
    """Of chats: whether there is news behind the mark. A chat that somebody has never opened has no mark:
    what a team shares with a newcomer is not all unread, and a chat that they follow has one since then."""
    mark = Seen.objects.filter(person=person, chat=OuterRef("chat")).values("position")
    messages = Message.objects.filter(chat=OuterRef("pk"), position__gt=Subquery(mark))
    return Exists(messages.filter(news(person)))


def see(person: Person, chat: Chat, position: int) -> bool:
    """The mark stands at `position`, or wherever it is behind it; whether it has moved."""
    mark = Seen.objects.filter(person=person, chat=chat)
    behind = mark.filter(position__lt=position)
    if behind.update(position=position, at=timezone.now()):
        return True
    is_new = not mark.exists()
    if is_new:
        Seen.objects.bulk_create(
            [Seen(person=person, chat=chat, position=position)], ignore_conflicts=True
        )
    # Another page of theirs may have been first, with less.
    return bool(behind.update(position=position, at=timezone.now())) or is_new


def end_of(chat: Chat) -> int:
    """The position of the last message that is said, 0 where there is none."""
    said = chat.messages.exclude(state__in=LIVE)
    return said.aggregate(last=Max("position"))["last"] or 0


def see_all(person: Person, chats: QuerySet[Chat]) -> int:
    """Everything in these chats that is behind a mark is read; how many marks moved."""
    said = Message.objects.filter(chat=OuterRef("chat")).exclude(state__in=LIVE)
    last = said.order_by("-position").values("position")[:1]
    marks = Seen.objects.filter(person=person, chat__in=chats.values("pk"))
    behind = marks.filter(position__lt=Subquery(last))
    return behind.update(position=Subquery(last), at=timezone.now())


def begin(person: Person, chat: Chat) -> None:
    """From now on what is new in the chat is unread, where nobody has opened it yet."""
    mark = Seen(person=person, chat=chat, position=end_of(chat))
    Seen.objects.bulk_create([mark], ignore_conflicts=True)
