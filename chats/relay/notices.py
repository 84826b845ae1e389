"""Mail about what has waited for somebody for a while, to those who want it: a task, or a note that names them.

Owns who is due (those who may decide, those who follow the chat, and those whom a note names), the claim by
which one process sends a mail, and its text, which tells of a chat its title, the kind of its task or who
wrote the note, and nothing that was said in it. Relies on permissions for what waits for whom, asked again
at the moment of sending, and on Django's mail. A mail that may have left is never sent again; one that the
mail server refused is, a few times.
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
from chats.models import Chat, Mention, Message, Mute, Note, Notice, Person
from chats.models.messages import Task
from chats.permissions.notes import mentions
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
                await self.deliver(letter)
        for person, mention in await self.threads.read(named):
            letter = await self.threads.write(claim_mention, person, mention)
            if letter is not None:
                await self.deliver(letter)

    async def deliver(self, letter: Letter) -> None:
        """Send it, or write down that the mail server did not take it."""
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
    return [
        (person.pk, id)
        for person in _wanting()
        for id in _due_for(person).values_list("id", flat=True)[:AT_ONCE]
    ]


def _due_for(person: Person) -> QuerySet[Message]:
    now = timezone.now()
    limit = now - timedelta(seconds=settings.V0_NOTICE_AFTER)
    told = Notice.objects.filter(person=person, asked=OuterRef("pk")).exclude(again_at__lt=now)
    muted = Mute.objects.filter(person=person, chat=OuterRef("chat"))
    waiting = permissions.waiting_for(person, with_followed=True)
    waiting = waiting.filter(ended_at__lte=limit, ended_at__gt=limit - OLD)
    return waiting.filter(~Exists(told), ~Exists(muted))


def named() -> list[tuple[int, int]]:
    """Who is to be written to about which note that names them."""
    people = _wanting().filter(mentions__seen_at=None, mentions__isnull=False).distinct()
    return [
        (person.pk, id)
        for person in people
        for id in _named_for(person).values_list("pk", flat=True)[:AT_ONCE]
    ]


def _named_for(person: Person) -> QuerySet[Mention]:
    now = timezone.now()
    limit = now - timedelta(seconds=settings.V0_NOTICE_AFTER)
    told = Notice.objects.filter(mention=OuterRef("pk")).exclude(again_at__lt=now)
    muted = Mute.objects.filter(person=person, chat=OuterRef("note__chat"))
    waiting = mentions(person).filter(note__written_at__lte=limit, note__written_at__gt=limit - OLD)
    return waiting.filter(~Exists(told), ~Exists(muted))


def _wanting() -> QuerySet[Person]:
    return Person.objects.filter(is_active=True, notices_by_mail=True)


def claim(person_id: int, asked_id: UUID) -> Letter | None:
    """The mail, for the one process that may send it; None when it is not due any more."""
    with transaction.atomic():
        person = _wanting().filter(pk=person_id).first()
        if person is None:
            return None
        asked = _due_for(person).select_related("chat").defer("parts").filter(pk=asked_id).first()
        if asked is None:
            return None
        notice = claimed(*Notice.objects.get_or_create(person=person, asked=asked))
        is_theirs = permissions.waiting_for(person).filter(pk=asked_id).exists()
        return _letter(notice, person, asked, is_theirs=is_theirs) if notice else None


def claim_mention(person_id: int, mention_id: int) -> Letter | None:
    """As `claim`, about a note."""
    with transaction.atomic():
        person = _wanting().filter(pk=person_id).first()
        if person is None:
            return None
        due_now = _named_for(person).select_related("note__chat", "note__author")
        mention = due_now.filter(pk=mention_id).first()
        if mention is None:
            return None
        notice = claimed(*Notice.objects.get_or_create(person=person, mention=mention))
        return _letter_of_note(notice, person, mention.note) if notice else None


def claimed(notice: Notice, is_first: bool) -> int | None:
    """None when another process has it, or had it."""
    again = Notice.objects.filter(pk=notice.pk, again_at__lt=timezone.now())
    return notice.pk if is_first or again.update(again_at=None) else None


def failed(notice: int) -> None:
    """The mail server did not take it: later again, or not at all."""
    held = Notice.objects.get(pk=notice)
    pause = FIRST_PAUSE * 2**held.failures
    again = timezone.now() + pause if held.failures + 1 < TRIES else None
    Notice.objects.filter(pk=notice).update(failures=F("failures") + 1, again_at=again)


def send(letter: Letter) -> None:
    connection = get_connection(timeout=PATIENCE)
    EmailMessage(letter.subject, letter.text, to=[letter.to], connection=connection).send()


def _letter(notice: int, person: Person, asked: Message, *, is_theirs: bool = True) -> Letter:
    """`is_theirs` is False for whoever follows the chat and may not decide there."""
    title = _title(asked.chat)
    since = (asked.ended_at or asked.created_at).astimezone(person.zone)
    place = settings.V0_ORIGINS[0]
    whom = "you" if is_theirs else "somebody who may write there"
    text = f"""The chat “{title}” has waited for {whom} since {since:%Y-%m-%d %H:%M %Z}.
It has {KINDS.get(asked.asks, "something to decide")}:

{place}/chats/{asked.chat_id}/#ask

You get one mail for each thing that waits longer than {lasting(settings.V0_NOTICE_AFTER)}.
You can change that: {place}/settings/notices/

--
v0web
"""
    needs = "needs you" if is_theirs else "waits for somebody"
    return Letter(notice, person.email, f"“{title}” {needs}", text)


def _letter_of_note(notice: int, person: Person, note: Note) -> Letter:
    title, place = _title(note.chat), settings.V0_ORIGINS[0]
    author = " ".join(note.author.shown_name.split()) if note.author else "Somebody"
    since = note.written_at.astimezone(person.zone)
    text = f"""{author} named you in a note at {since:%Y-%m-%d %H:%M %Z}, in the chat “{title}”:

{place}/chats/{note.chat_id}/?at={note.message_id}#m{note.message_id}-notes

You get one mail for each note that you have not looked at for {lasting(settings.V0_NOTICE_AFTER)}.
You can change that: {place}/settings/notices/

--
v0web
"""
    return Letter(notice, person.email, f"A note names you in “{title}”", text)


def _title(chat: Chat) -> str:
    # It comes from v0, too: a header is one line.
    return " ".join(chat.title.split()) or "New chat"


def lasting(seconds: float) -> str:
    """A while in words."""
    count, unit = (seconds / 60, "minute") if seconds >= 60 else (seconds, "second")
    return f"{count:g} {unit}{'' if count == 1 else 's'}"
