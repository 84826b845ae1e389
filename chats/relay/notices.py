"""Mail about what has waited for somebody for a while, to those who want it.

Owns who is due, the claim by which one process sends a mail, and its text, which tells of a chat its
title and the kind of its task and nothing that was said in it. Relies on permissions for what waits
for whom, asked again at the moment of sending, and on Django's mail. A mail that may have left is
never sent again; one that the mail server refused is, a few times.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from chats import permissions
from chats.models import Message, Mute, Notice, Person
from chats.models.messages import Task
from chats.relay.threads import Threads

logger = logging.getLogger(__name__)

KINDS: dict[str, str] = {
    Task.QUESTIONS: "questions to answer",
    Task.PLAN: "a plan to approve",
    Task.INTEGRATION: "a service to connect",
    Task.PERMISSION: "a permission to give",
    Task.CONNECT: "a set-up to finish",
}
# What has waited for longer is not written about: the server was away, or the wish is newer.
OLD = timedelta(days=1)
AT_ONCE = 20
TRIES, FIRST_PAUSE = 4, timedelta(minutes=1)
# Seconds: the thread that sends must not keep the process from ending.
PATIENCE = 8


@dataclass(frozen=True, slots=True)
class Letter:
    notice: int
    to: str
    subject: str
    text: str


class Notices:
    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        # Of its own: a mail server that hangs must hold up neither saves nor readers.
        self._postman = ThreadPoolExecutor(1, "relay-mail")

    async def look(self) -> None:
        """Send what is due; one after the other."""
        if not is_possible():
            return
        for person, asked in await self.threads.read(due):
            letter = await self.threads.write(claim, person, asked)
            if letter is not None:
                await self._deliver(letter)

    async def _deliver(self, letter: Letter) -> None:
        context = contextvars.Context()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._postman, context.run, send, letter)
        except Exception as error:
            logger.warning("mail of notice %s: %s", letter.notice, type(error).__name__)
            await self.threads.write(failed, letter.notice)

    def stop(self) -> None:
        self._postman.shutdown(wait=False)


def is_possible() -> bool:
    """Whether this installation sends mail at all."""
    return "dummy" not in settings.EMAIL_BACKEND


def due() -> list[tuple[int, UUID]]:
    """Who is to be written to about which answer."""
    people = Person.objects.filter(is_active=True, notices_by_mail=True)
    return [
        (person.pk, id)
        for person in people
        for id in _due_for(person).values_list("id", flat=True)[:AT_ONCE]
    ]


def _due_for(person: Person) -> QuerySet[Message]:
    now = timezone.now()
    limit = now - timedelta(seconds=settings.V0_NOTICE_AFTER)
    told = Notice.objects.filter(person=person, asked=OuterRef("pk")).exclude(again_at__lt=now)
    muted = Mute.objects.filter(person=person, chat=OuterRef("chat"))
    waiting = permissions.waiting_for(person).filter(ended_at__lte=limit, ended_at__gt=limit - OLD)
    return waiting.filter(~Exists(told), ~Exists(muted))


def claim(person_id: int, asked_id: UUID) -> Letter | None:
    """The mail, for the one process that may send it; None when it is not due any more."""
    with transaction.atomic():
        person = Person.objects.filter(pk=person_id, is_active=True, notices_by_mail=True).first()
        if person is None:
            return None
        asked = _due_for(person).select_related("chat").defer("parts").filter(pk=asked_id).first()
        if asked is None:
            return None
        notice, is_first = Notice.objects.get_or_create(person=person, asked=asked)
        if not is_first:
            again = Notice.objects.filter(pk=notice.pk, again_at__lt=timezone.now())
            if not again.update(again_at=None):
                return None
        return _letter(notice.pk, person, asked)


def failed(notice: int) -> None:
    """The mail server did not take it: later again, or not at all."""
    held = Notice.objects.get(pk=notice)
    pause = FIRST_PAUSE * 2**held.failures
    again = timezone.now() + pause if held.failures + 1 < TRIES else None
    Notice.objects.filter(pk=notice).update(failures=F("failures") + 1, again_at=again)


def send(letter: Letter) -> None:
    connection = get_connection(timeout=PATIENCE)
    EmailMessage(letter.subject, letter.text, to=[letter.to], connection=connection).send()


def _letter(notice: int, person: Person, asked: Message) -> Letter:
    # A title comes from v0, too: a header is one line.
    title = " ".join(asked.chat.title.split()) or "New chat"
    since = (asked.ended_at or asked.created_at).astimezone(person.zone)
    place = settings.V0_ORIGINS[0]
    text = f"""The chat “{title}” has waited for you since {since:%Y-%m-%d %H:%M %Z}.
It has {KINDS.get(asked.asks, "something to decide")}:

{place}/chats/{asked.chat_id}/#ask

You get one mail for each thing that waits longer than {lasting(settings.V0_NOTICE_AFTER)}.
You can change that: {place}/settings/notices/

--
v0web
"""
    return Letter(notice, person.email, f"“{title}” needs you", text)


def lasting(seconds: float) -> str:
    """A while in words."""
    count, unit = (seconds / 60, "minute") if seconds >= 60 else (seconds, "second")
    return f"{count:g} {unit}{'' if count == 1 else 's'}"
