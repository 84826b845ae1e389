"""What v0 says of a chat, taken into our rows.

Owns the queries of a comparison: who compares, what differs, and the one transaction that takes it
over. Relies on models and the ledger; talks to nobody. Nothing here overwrites what is newer: a chat in which an
answer runs is left alone, a title that a person gave stays, and what was read counts only while the
chat still has the version that it had before the reading.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from chats import usage
from chats.models import Chat, Intent, Message
from chats.models.chats import AtV0
from chats.models.messages import LIVE, WHOLE_CHATS, IntentState, MessageState
from chats.relay import authors, restorable, uploads
from chats.relay.rows import asks, said
from chats.v0api import types

# More than this at once is not put into a frame: pages fetch their list again.
MOST_NEW = 20
LONGEST_WORD = 40
PENDING = Q(v0_updated_at="", at_v0=AtV0.THERE, deleted_at=None) & ~Q(v0_id=None)


@dataclass(frozen=True, slots=True)
class Known:
    """A chat as it stood before v0 was read. `updated_at` is v0's word at the last comparison."""

    id: UUID
    v0_id: str
    version: int
    updated_at: str

    @property
    def is_new(self) -> bool:
        """Whether nothing of it has ever been compared."""
        return not self.updated_at

    def is_older_than(self, seen: types.Chat) -> bool:
        return self.is_new or self.updated_at != seen.updated_at[:LONGEST_WORD]


def running(chats: Collection[UUID]) -> set[UUID]:
    """Those chats in which an answer runs."""
    live = Message.objects.filter(chat__in=chats, role="assistant", state__in=LIVE)
    return set(live.values_list("chat_id", flat=True))


def claim(id: UUID, least_age: float) -> Known | None:
    """Take the comparison of a chat whose last one was `least_age` seconds ago; None for any other."""
    now = timezone.now()
    old = Q(compared_at=None) | Q(compared_at__lte=now - timedelta(seconds=least_age))
    if not Chat.objects.filter(old, id=id, deleted_at=None, v0_id__gt="").update(compared_at=now):
        return None
    chat = Chat.objects.get(id=id)
    return Known(id, chat.v0_id or "", chat.version, chat.v0_updated_at)


def changed_chats(listed: Iterable[types.Chat]) -> tuple[list[UUID], bool]:
    """Chats that v0 has changed since they were compared, and whether one it has not is among them."""
    said = {chat.id: chat.updated_at for chat in listed}
    here = Chat.objects.filter(v0_id__in=said, deleted_at=None)
    found = list(here.values_list("id", "v0_id", "v0_updated_at"))
    changed = [id for id, v0_id, known in found if said[v0_id or ""] != known]
    return changed, len(changed) < len(found)


def longest_uncompared(limit: int) -> list[UUID]:
    """Chats that were never compared, and a few that were not for the longest time."""
    there = Chat.objects.filter(deleted_at=None, v0_id__gt="").exclude(at_v0=AtV0.OLD)
    fresh = there.filter(PENDING).order_by("created_at")[: 10 * limit]
    oldest = there.order_by(F("compared_at").asc(nulls_first=True))[:limit]
    return [*{*fresh.values_list("id", flat=True), *oldest.values_list("id", flat=True)}]


def differs(chat: UUID, listed: Sequence[types.Message]) -> bool:
    """Whether one of these messages is not here, or not like this."""
    rows = _by_v0_id(chat, listed)
    return any(
        message.id not in rows or _is_changed(rows[message.id], message) for message in listed
    )


def missing(chat: UUID, listed: Sequence[types.Message], *, is_all: bool) -> list[str]:
    """v0's ids of messages that are here and not in v0's list, as far back as that reaches."""
    kept = set(Message.objects.filter(chat=chat).values_list("position", "v0_id"))
    ids = {message.id for message in listed}
    first = 0 if is_all else min((place for place, id in kept if id in ids), default=None)
    if first is None:
        return []
    return [id for place, id in sorted(kept) if id and id not in ids and place >= first]


def stands(known: Known, at_v0: str) -> bool:
    """Note that v0 has the chat no more, or does not serve it; whether that is news."""
    news = Chat.objects.filter(id=known.id).exclude(at_v0=at_v0)
    return bool(news.update(at_v0=at_v0, version=F("version") + 1))


@dataclass(frozen=True, slots=True)
class Taken:
    """`in_time` is False when the chat had gone on here: nothing was written. `changed`: readers
    have something new to see. `runs`: an answer has to be followed."""

    in_time: bool
    changed: bool = False
    runs: bool = False


def take(
    known: Known, seen: types.Chat, listed: Sequence[types.Message], gone: Collection[str]
) -> Taken:
    """Make our rows say what v0 says. `listed` is newest first; `gone` are v0's ids to delete."""
    try:
        with transaction.atomic():
            held = Chat.objects.filter(id=known.id, version=known.version)
            if not held.update(v0_updated_at=seen.updated_at[:LONGEST_WORD]) or running([known.id]):
                return Taken(in_time=False)
            return _take(known, seen, listed, gone)
    except IntegrityError:
        return Taken(in_time=False)


def _take(
    known: Known, seen: types.Chat, listed: Sequence[types.Message], gone: Collection[str]
) -> Taken:
    chat = Chat.objects.get(id=known.id)
    fields = _chat_fields(chat, seen)
    messages = _Messages(known, listed)
    messages.delete(gone)
    messages.merge()
    messages.save()
    if messages.rewrites:
        fields["rewritten"] = known.version + 1
    if messages.added and not known.is_new:
        fields["updated_at"] = timezone.now()
    is_noted = restorable.note(known.id, listed)
    if fields or messages.added or is_noted:
        Chat.objects.filter(id=known.id).update(version=known.version + 1, **fields)
    return Taken(True, bool(fields or messages.added or is_noted), messages.runs)


def _chat_fields(chat: Chat, seen: types.Chat) -> dict[str, object]:
    fields: dict[str, object] = {}
    title = seen.title[:200]
    if title and title != chat.title and not (chat.title_given or chat.title_unsaid):
        fields["title"] = title
    if seen.privacy != chat.privacy_at_v0:
        fields["privacy_at_v0"] = seen.privacy[:20]
    if seen.write_permission != chat.write_permission:
        fields["write_permission"] = seen.write_permission
    project = seen.vercel_project_id[:128]
    if project and project != chat.vercel_project:
        fields["vercel_project"] = project
    if chat.at_v0 != AtV0.THERE:
        fields["at_v0"] = AtV0.THERE
    return fields


class _Messages:
    """The messages of one chat while v0's are merged into them.

    v0's order counts for what v0 has; what is only here (a message that never reached v0) stays
    where it is. What is new comes right before what follows it at v0, or at the end.
    """

    def __init__(self, known: Known, listed: Sequence[types.Message]) -> None:
        self.known = known
        self.listed = listed
        self.order = list(
            Message.objects.filter(chat=known.id)
            .select_related("decision")
            .defer("parts", "content")
        )
        self.full = _by_v0_id(known.id, listed)
        self.added: list[Message] = []
        self.updated: list[Message] = []
        self.used: dict[UUID, types.Usage] = {}
        self.rewrites = False
        # What is in a copy, or came with files, was not written there.
        kinds = Intent.objects.filter(chat=known.id, kind__in=WHOLE_CHATS)
        self.is_ours = known.is_new and kinds.exists()

    @property
    def runs(self) -> bool:
        return any(row.state == MessageState.STREAMING for row in (*self.added, *self.updated))

    def delete(self, gone: Collection[str]) -> None:
        doomed = [row for row in self.order if row.v0_id and row.v0_id in gone]
        if doomed:
            Message.objects.filter(id__in=[row.id for row in doomed]).delete()
            self.order = [row for row in self.order if row not in doomed]
            self.rewrites = True

    def merge(self) -> None:
        places = {row.v0_id: row for row in self.order if row.v0_id}
        places |= self._recognised(places)
        successor: Message | None = None
        for message in self.listed:
            row = places.get(message.id)
            if row is None:
                row = self._made(message)
                self.order.insert(self._before(successor), row)
            else:
                self._compare(row, message)
            successor = row

    def _before(self, successor: Message | None) -> int:
        return len(self.order) if successor is None else self.order.index(successor)

    def _recognised(self, places: dict[str, Message]) -> dict[str, Message]:
        """Rows of ours whose id at v0 was never learned, by that id: the same question between the
        same neighbours, and the answer that follows it."""
        states = (IntentState.UNKNOWN, IntentState.ACCEPTED)
        intents = Intent.objects.filter(chat=self.known.id, state__in=states)
        ids = {id for pair in intents.values_list("message_id", "answer_id") for id in pair}
        told = self._restores(intents.filter(kind="restore"))
        nameless = [row for row in self.order if not row.v0_id and row.id in ids]
        found: dict[str, Message] = {}
        asked: Message | None = None
        for message in reversed(self.listed):
            row = places.get(message.id)
            if row is None:
                row = next((row for row in nameless if _could_be(row, message, asked, told)), None)
                if row is not None:
                    nameless.remove(row)
                    found[message.id] = row
            asked = row if message.role == "user" else None
        return found

    def _restores(self, intents: Iterable[Intent]) -> set[UUID | None]:
        """Messages of ours that v0 has in its own words: restores that it took, or must have taken,
        since the files that were to come back are its newest."""
        newest = {message.id for message in self.listed if not message.restorable}
        return {
            intent.message_id
            for intent in intents
            if intent.state == IntentState.ACCEPTED or intent.payload.get("restores") in newest
        }

    def _made(self, message: types.Message) -> Message:
        row = Message(chat_id=self.known.id, position=0, role=message.role)
        row.created_at = moment(message.created_at)
        if row.role == "user" and not self.is_ours:
            row.v0_author = message.author_id[:128]
            row.v0_person = authors.person(row.v0_author)
        fill(row, message, is_newest=message is self.listed[0])
        if self.known.is_new and row.ended_at is not None:
            row.ended_at = row.created_at
        self.added.append(row)
        return row

    def _compare(self, row: Message, message: types.Message) -> None:
        full = self.full.get(message.id)
        if full is not None and not _is_changed(full, message):
            return
        fill(row, message, is_newest=message is self.listed[0])
        self.updated.append(row)
        self.used[row.id] = message.usage

    def save(self) -> None:
        for row in self.updated:
            row.save()
            if row.state == MessageState.STREAMING:
                Intent.objects.filter(answer=row).update(state=IntentState.ACCEPTED)
        self._count()
        new = {row.id for row in self.added}
        moved = self._place(new)
        for id, position in reversed(moved):
            Message.objects.filter(id=id).update(position=position)
        Message.objects.bulk_create(self.added)
        last = {row.id for row in self.order[len(self.order) - len(new) :]}
        if self.updated or moved or last != new or len(new) > MOST_NEW:
            self.rewrites = True

    def _count(self) -> None:
        """What v0 says that answers of ours cost, whose runs here ended without it."""
        ours = Intent.objects.filter(answer__in=list(self.used)).values_list("answer", flat=True)
        if ours:
            # Perhaps a restore is among them. Before the counters of budgets, which everybody takes last.
            usage.note_restored(self.known.id)
        for row in self.updated:
            if row.id in ours and not row.is_live:
                usage.hear(row, self.used[row.id])

    def _place(self, new: Collection[UUID]) -> list[tuple[UUID, int]]:
        """Number what is new, and push what follows it upwards; the rows that move, in order."""
        moved = []
        last = 0
        for row in self.order:
            if row.id in new or row.position <= last:
                row.position = last + 1
                if row.id not in new:
                    moved.append((row.id, row.position))
            last = row.position
        return moved


def fill(row: Message, message: types.Message, *, is_newest: bool) -> None:
    """Make a row say what v0 says of the message; no more than the newest can still be running."""
    row.v0_id = message.id
    row.problem = row.detail = ""
    row.ended_at = timezone.now()
    if row.role == "user":
        row.text = row.text if hasattr(row, "decision") else said(message)
        row.state = MessageState.FINISHED
    else:
        row.content, row.parts = message.content, list(message.parts)
        row.finish_reason, row.restorable = message.finish_reason, message.restorable
        row.asks = asks(message.parts)
        _end(row, message, is_newest=is_newest)
    if row.author_id is None:
        row.attachments = uploads.echoed(message.wire.get("attachments"))


def _end(row: Message, message: types.Message, *, is_newest: bool) -> None:
    if message.finish_reason is None and is_newest:
        # A run takes it over, as it would from a process that died. It resumes; it never posts.
        row.state, row.ended_at = MessageState.STREAMING, None
        row.holder, row.lease_until = "", None
    elif message.finish_reason is None:
        row.state, row.problem = MessageState.FAILED, "stuck"
    elif message.finish_reason == "error":
        row.state, row.problem = MessageState.FAILED, "upstream"
    elif row.stop_asked_at is not None:
        row.state = MessageState.STOPPED
    else:
        row.state = MessageState.FINISHED


def _by_v0_id(chat: UUID, listed: Iterable[types.Message]) -> dict[str, Message]:
    ids = [message.id for message in listed]
    rows = Message.objects.filter(chat=chat, v0_id__in=ids).select_related("decision")
    return {row.v0_id: row for row in rows}


def _is_changed(row: Message, message: types.Message) -> bool:
    if row.role == "user":
        # A decision is told here in our words.
        return not hasattr(row, "decision") and row.text.strip() != said(message).strip()
    here = row.content, row.parts, row.finish_reason
    return here != (message.content, list(message.parts), message.finish_reason)


def _could_be(
    row: Message, message: types.Message, asked: Message | None, told: Collection[UUID | None]
) -> bool:
    if row.role != message.role:
        return False
    if row.role == "user":
        is_told = hasattr(row, "decision") or row.id in told
        return is_told or row.text.strip() == said(message).strip()
    return asked is not None and row.position == asked.position + 1


def moment(text: str) -> datetime:
    """The moment that v0 wrote down; now for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return timezone.now()
    return found if found.tzinfo else found.replace(tzinfo=UTC)
