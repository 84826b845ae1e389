"""The queue of a chat: what people want to be sent when the answer before it has ended.

Owns sending at once or later, the order, every change of what waits, and why it waits. Relies on
`intents` for what goes out at once; `draining` sends the rest. The caller has asked permissions. Each
transaction bumps its chat first, so that changes of one queue follow each other in every database.

    held     running   an answer runs: the next one follows it
             stopped, failed, cut, filtered, odd   the answer before it did not end well
             rewound   its files went back   asks    v0 waits for somebody
             closed    v0 takes nothing for this chat
             problem   the next one could not be sent      "" it goes out now
             shut      no new runs are taken here
             fast, many   its author has sent as many in a minute, or has as many runs on, as may be
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Min
from django.utils import timezone

from chats.models import Chat, Levers, Message, Person, Queued
from chats.models.messages import LIVE, MessageState
from chats.models.queue import Hindrance
from chats.relay import intents, stopping, store, uploads
from chats.rendering.message import PLAIN_ENDINGS
from chats.usage import budgets, levers
from chats.usage.refusals import Closed, Refused, TooFast

# What passes by itself: what was written later belongs behind it meanwhile.
SOON = ("", "shut", "fast", "many")
ENDINGS = {"length": "cut", "content-filter": "filtered"}


class Full(Exception):
    """As many messages wait in this chat as may: nothing was written."""


class Gone(Exception):
    """The message does not wait any more: it was sent or removed. Nothing was written."""


class Changed(Exception):
    """Its author has changed it meanwhile, in another window: nothing was written."""


class _Used(Exception):
    """The form has become an intent before."""


def send(
    person: Person, token: UUID, payload: dict[str, Any], chat: Chat, **fields: Any
) -> Message | Queued:
    """The unfinished answer to this message, or the message as it waits for its turn.

    It goes out at once where nothing runs, unless it belongs behind others that are about to. A token
    that was used for the same gives what it gave then. Busy in a copy that is not complete, Full;
    else raises as `intents.send` does, NotForRole and `usage.Refused` also for what is to wait.
    """
    if intents.unfinished_copy(chat):
        raise intents.Busy
    mark = intents.digest(chat.id, {**payload, **fields})
    intents.with_model(person, payload, chat.team)
    first = _waiting(person, token, mark) or intents.earlier(person, token, mark)
    if first is not None:
        return first
    if not _goes_on(chat):
        try:
            return intents.send(person, token, payload, chat, **fields)
        except intents.Busy:
            pass
        except intents.TokenReused:
            if queued := _waiting(person, token, mark):
                return queued
            raise
    return _add(person, token, mark, payload, chat, fields)


def _waiting(person: Person, token: UUID, mark: str) -> Queued | None:
    first = Queued.objects.filter(person=person, token=token).first()
    if first is not None and first.digest != mark:
        raise intents.TokenReused
    return first


def _goes_on(chat: Chat) -> bool:
    """Whether something waits that is about to be sent: a later message belongs behind it."""
    first = chat.queue.first()
    if first is None or first.problem:
        return False
    return first.is_urgent or held(chat, first) in SOON


def _add(
    person: Person,
    token: UUID,
    mark: str,
    payload: dict[str, Any],
    chat: Chat,
    fields: dict[str, Any],
) -> Message | Queued:
    try:
        with transaction.atomic():
            store.bump(chat.id)
            budgets.check(person, chat)
            waiting = chat.queue.aggregate(last=Max("position"))["last"] or 0
            if chat.queue.count() >= settings.V0_QUEUE:
                raise Full
            row = Queued.objects.create(
                chat=chat,
                person=person,
                token=token,
                digest=mark,
                payload=payload,
                fields=fields,
                position=waiting + 1,
            )
            if intents.earlier(person, token, mark):
                raise _Used
            _hold(row, payload)
            return row
    except (IntegrityError, _Used):
        first = _waiting(person, token, mark) or intents.earlier(person, token, mark)
        if first is None:
            raise intents.TokenReused from None
        return first


def _hold(row: Queued, payload: dict[str, Any]) -> None:
    """The row keeps `payload`, and its files are its own."""
    files = uploads.hold(row.person, row, payload.get("files", ()))
    row.payload = {**payload, "files": files} if files else payload
    row.save(update_fields=["payload"])


def held(chat: Chat, first: Queued | None) -> str:
    """Why `first`, the next one, is not sent just now, as one of the words above."""
    if chat.at_v0 or not chat.write_permission:
        return "closed"
    if chat.messages.filter(role="assistant", state__in=LIVE).exists():
        return "running"
    if first is not None and first.problem:
        return "problem"
    newest = chat.messages.filter(role="assistant").last()
    is_urgent = first is not None and first.is_urgent
    why = _ended(newest) if newest is not None and not is_urgent else ""
    return why or (_held_back(first.person) if first is not None else "")


def _held_back(person: Person) -> str:
    """Why nothing of this person may begin just now, whatever there is left of budgets."""
    try:
        current = Levers.current()
        levers.check_open(current)
        levers.check_pace(current, person, timezone.now(), is_written=False)
    except Closed:
        return "shut"
    except TooFast:
        return "fast"
    except Refused:
        return "many"
    return ""


def _ended(newest: Message) -> str:
    if newest.state != MessageState.FINISHED:
        return str(newest.state)
    if newest.asks:
        return "asks"
    if newest.restored:
        return "rewound"
    reason = newest.finish_reason
    return "" if reason in PLAIN_ENDINGS else ENDINGS.get(reason or "", "odd")


def edit(
    row: Queued, seen: str, payload: dict[str, Any], fields: dict[str, Any] | None = None
) -> None:
    """The message, as it is from now on; `seen` is the `version` that was changed. `fields` None leaves
    them. Gone, Changed; Missing when a file is gone."""
    with transaction.atomic():
        store.bump(row.chat_id)
        now = _still(row)
        if version(now) != seen:
            raise Changed
        now.edited_at, now.problem = timezone.now(), Hindrance.NONE
        now.fields = now.fields if fields is None else fields
        now.save(update_fields=["edited_at", "problem", "fields"])
        _hold(now, payload)


def version(row: Queued) -> str:
    """What says whether somebody has edited it since."""
    return (row.edited_at or row.created_at).isoformat()


def remove(row: Queued) -> None:
    """It is not sent. Gone."""
    with transaction.atomic():
        store.bump(row.chat_id)
        now = _still(row)
        uploads.give_up(now)
        now.delete()


def move(row: Queued, *, before: UUID | None = None, after: UUID | None = None) -> None:
    """Its place is from now on beside the other one, wherever that stands by now. Nothing changes when
    the other one has gone out. Gone."""
    with transaction.atomic():
        store.bump(row.chat_id)
        now = _still(row)
        rows = [each for each in now.chat.queue.all() if each.id != now.id]
        places = [place for place, each in enumerate(rows) if each.id in (before, after)]
        if not places:
            return
        rows.insert(places[0] + (before is None), now)
        _number(rows)


def _number(rows: Sequence[Queued]) -> None:
    for position, row in enumerate(rows, 1):
        if row.position != position:
            Queued.objects.filter(id=row.id).update(position=position)


def send_now(row: Queued, person: Person) -> None:
    """It goes out before all others, as soon as nothing runs: what runs is asked to stop. Gone, and
    `usage.Refused` before anything is stopped for what could not begin after it."""
    with transaction.atomic():
        store.bump(row.chat_id)
        now = _still(row)
        budgets.check(now.person, now.chat)
        first = now.chat.queue.aggregate(first=Min("position"))["first"]
        Queued.objects.filter(id=now.id).update(
            is_urgent=True, problem=Hindrance.NONE, position=first - 1
        )
        running = now.chat.messages.filter(role="assistant", state__in=LIVE).first()
        if running is not None:
            stopping.ask(running, person)


def _still(row: Queued) -> Queued:
    now = Queued.objects.select_related("chat", "person").filter(id=row.id).first()
    if now is None:
        raise Gone
    return now
