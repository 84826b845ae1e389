"""Everything that is somebody's here, as the files of one archive.

Owns which files there are and what is told in each. Rows are read a few at a time while the archive is
on its way, and each chat as its own export has it. Relies on permissions for which chats are theirs; of
chats of others there is what they wrote and nothing around it. No secret is in it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import Model, Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from chats import permissions
from chats.models import (
    Attachment,
    AuditEntry,
    Chat,
    Decision,
    Entry,
    Follow,
    Guest,
    Intent,
    Membership,
    Message,
    Mute,
    Note,
    Person,
    Prompt,
    Queued,
    Seen,
)
from chats.relay.rows import utc
from chats.views import export
from chats.views.zips import Zip, label

logger = logging.getLogger(__name__)

CHUNK = 50
BYTES = 1 << 16
Row = TypeVar("Row", bound=Model)
Told = dict[str, Any]


class Archive:
    """The archive of one person; `pieces` gives its bytes in order."""

    def __init__(self, person: Person, absolute: Callable[[str], str]) -> None:
        self.person = person
        self.absolute = absolute
        self._own = permissions.visible_chats(person).filter(owner=person)
        self._roles = permissions.team_roles_of([person.pk]).get(person.pk, {})
        self._zip = Zip(timezone.now().astimezone(person.zone))
        self._unread: list[str] = []

    def pieces(self) -> Iterator[bytes]:
        yield from self._add("README.txt", [render_to_string("settings/archive.txt")])
        yield from self._add("account.json", [_line(_account(self.person))])
        for name, rows, told in self._lists():
            yield from self._add(f"{name}.json", listed(rows, told))
        for number, chat in enumerate(paged(self._own_chats()), 1):
            yield from self._chat(f"chats/{number:04}-{export.name_of(chat)}", chat)
        # What they uploaded and sent elsewhere, or not at all.
        others = Attachment.objects.filter(person=self.person)
        yield from self._files("files", others.exclude(message__chat__in=self._own))
        if self._unread:
            yield from self._add("unreadable.json", [_line(self._unread)])
        yield from self._zip.end()

    def _lists(self) -> Iterator[tuple[str, QuerySet[Any], Callable[[Any], Told]]]:
        mine = {"person": self.person}
        noted = Note.objects.filter(author=self.person).select_related("author")
        written = Message.objects.filter(author=self.person).exclude(chat__in=self._own)
        about = Q(actor=self.person.pk) | Q(person=self.person.pk)
        yield "teams", Membership.objects.filter(**mine).select_related("team"), _membership
        yield "sessions", UserSession.objects.filter(user=self.person), _session
        yield "messages-in-chats-of-others", written, _written
        yield "notes", noted, _noted
        yield "decisions", Decision.objects.filter(**mine).select_related("asked"), _decision
        yield "sent", Intent.objects.filter(**mine), _sent
        yield "waiting", Queued.objects.filter(**mine), _waiting
        yield "prompts", Prompt.objects.filter(**mine).select_related("team"), _prompt
        yield "invited", Guest.objects.filter(invited_by=self.person), _invited
        yield "invited-to", Guest.objects.filter(**mine), _invited_to
        yield "muted", Mute.objects.filter(**mine), _of_chat
        yield "followed", Follow.objects.filter(**mine), _of_chat
        yield "read", Seen.objects.filter(**mine), _seen
        yield "usage", Entry.objects.filter(**mine).select_related("team"), _entry
        yield "audit", AuditEntry.objects.filter(about), partial(_audited, self.person)

    def _own_chats(self) -> QuerySet[Chat]:
        return self._own.select_related("owner", "team", "instructions")

    def _chat(self, folder: str, chat: Chat) -> Iterator[bytes]:
        # Nobody is a guest of their own chat: there is nothing to look up for each of them.
        tie = permissions.tie_of(self.person, chat, self._roles, None, invited="")
        allowed = permissions.allowed_by(tie, chat)
        zone = self.person.zone
        text = export.as_markdown(chat, allowed, absolute=self.absolute, zone=zone)
        yield from self._add(f"{folder}/chat.md", text)
        yield from self._add(f"{folder}/chat.json", export.as_json(chat, allowed))
        yield from self._files(f"{folder}/files", Attachment.objects.filter(message__chat=chat))

    def _files(self, folder: str, rows: QuerySet[Attachment]) -> Iterator[bytes]:
        for number, row in enumerate(paged(rows.exclude(file="")), 1):
            name = f"{folder}/{label(number, row.name)}"
            try:
                file = row.file.open("rb")
            except Exception:
                # A storage raises whatever its library does; the rest is theirs all the same.
                logger.exception("the file of attachment %s cannot be read", row.pk)
                self._unread.append(name)
                continue
            with file:
                yield from self._zip.add(name, iter(partial(file.read, BYTES), b""))

    def _add(self, name: str, pieces: Iterable[str]) -> Iterator[bytes]:
        return self._zip.add(name, map(export.encoded, pieces))


def paged(rows: QuerySet[Row]) -> Iterator[Row]:
    """All rows, a few per query: nothing is open in the database while they are on their way."""
    rest = rows = rows.order_by("pk")
    while True:
        page = list(rest[:CHUNK])
        yield from page
        if len(page) < CHUNK:
            return
        rest = rows.filter(pk__gt=page[-1].pk)


def listed(rows: QuerySet[Row], told: Callable[[Row], Told]) -> Iterator[str]:
    """A list as JSON, a row on each line."""
    before = "[\n"
    for row in paged(rows):
        yield before + export.dumped(told(row))
        before = ",\n"
    yield "\n]\n" if before == ",\n" else "[]\n"


def _line(value: Any) -> str:
    return f"{export.dumped(value)}\n"


def _account(person: Person) -> Told:
    return {
        "email": person.email,
        "name": person.name,
        "made_at": utc(person.date_joined),
        "last_signed_in_at": utc(person.last_login) if person.last_login else None,
        "theme": person.theme,
        "time_zone": person.time_zone,
        "notices_in_browser": person.notices_in_browser,
        "notices_by_mail": person.notices_by_mail,
        "composer": person.composer,
        "addresses": [
            {"email": each.email, "verified": each.verified, "primary": each.primary}
            for each in EmailAddress.objects.filter(user=person)
        ],
        "second_factors": [
            {"type": each.type, "added_at": utc(each.created_at)}
            for each in Authenticator.objects.filter(user=person)
        ],
        "identities": [
            {"provider": each.provider, "id": each.uid}
            for each in SocialAccount.objects.filter(user=person)
        ],
    }


def _membership(row: Membership) -> Told:
    joined = utc(row.joined_at) if row.joined_at else None
    return {"team": row.team.name, "role": row.role, "joined_at": joined}


def _invited(row: Guest) -> Told:
    """Whoever it counts for is not told, as nowhere else."""
    return {"email": row.email, **_invited_to(row)}


def _invited_to(row: Guest) -> Told:
    return {"chat": str(row.chat_id), "role": row.role, "at": utc(row.invited_at)}


def _session(row: UserSession) -> Told:
    return {
        "began_at": utc(row.created_at),
        "seen_at": utc(row.last_seen_at),
        "address": row.ip,
        "browser": row.user_agent,
    }


def _written(row: Message) -> Told:
    return {
        "id": str(row.pk),
        "chat": str(row.chat_id),
        "written_at": utc(row.created_at),
        "text": row.text,
        "attachments": row.attachments,
        "sent_with": row.sent_with,
    }


def _noted(row: Note) -> Told:
    return {"chat": str(row.chat_id), **export.noted(row)}


def _decision(row: Decision) -> Told:
    return {
        "chat": str(row.asked.chat_id),
        "asked_by": str(row.asked_id),
        "kind": row.kind,
        "choice": row.choice,
        "given": row.given,
        "sent": row.task,
        "failed": row.failed,
        "decided_at": utc(row.decided_at),
    }


def _sent(row: Intent) -> Told:
    return {
        "chat": str(row.chat_id),
        "message": str(row.message_id) if row.message_id else None,
        "kind": row.kind,
        "state": row.state,
        "written_at": utc(row.created_at),
        "sent_at": utc(row.posted_at) if row.posted_at else None,
    }


def _waiting(row: Queued) -> Told:
    return {"chat": str(row.chat_id), "since": utc(row.created_at), "what": row.payload}


def _prompt(row: Prompt) -> Told:
    team = row.team.name if row.team else None
    return {"name": row.name, "text": row.text, "team": team, "made_at": utc(row.created_at)}


def _of_chat(row: Mute | Follow) -> Told:
    return {"chat": str(row.chat_id)}


def _seen(row: Seen) -> Told:
    return {"chat": str(row.chat_id), "messages": row.position, "at": utc(row.at)}


def _entry(row: Entry) -> Told:
    return {
        "message": str(row.message_id),
        "chat": str(row.chat_id) if row.chat_id else None,
        "team": row.team.name if row.team else None,
        "outcome": row.outcome,
        "ended_at": utc(row.ended_at),
        **export.usage(row),
    }


def _audited(person: Person, row: AuditEntry) -> Told:
    """Somebody else's whole address is theirs, and so is where they were."""
    is_own = row.actor == person.pk
    return {
        "at": utc(row.at),
        "event": row.event,
        "by": row.actor_name if is_own else row.actor_name.partition("@")[0],
        "from": row.address if is_own else None,
        "to": row.person_name if is_own or row.person == person.pk else "",
        "team": row.team_name,
        "chat": str(row.chat) if row.chat else None,
        "details": row.details,
    }
