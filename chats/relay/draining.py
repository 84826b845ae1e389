"""What waits in a queue goes out, when the answer before it has ended well.

Owns the look for chats whose turn has come, and the one transaction in which a message that waits
becomes an intent. Relies on the constraint of one live answer per chat: of two processes that look at
once, one sends. Rights, budget and account are asked again, now; what may not be sent stays, and says why.
What only may not go out yet (too many at once, no new runs at all) is tried again at the next look, and what
waits for a budget as soon as that has room again.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from chats import permissions
from chats.models import Intent, Levers, Message, Queued, kept
from chats.models.chats import AtV0
from chats.models.messages import LIVE, MessageState
from chats.models.queue import Hindrance
from chats.permissions import Action
from chats.relay import intents, queue, store, uploads
from chats.rendering.message import PLAIN_ENDINGS
from chats.usage import budgets, levers
from chats.usage.refusals import OverLimit, Refused

# Chats in one look; the next look is at most a second away.
MOST = 20


class _Stays(Exception):
    """It is not its turn after all: nothing was written."""


def drain() -> list[UUID]:
    """Send the next message of every chat in which nothing holds it; the chats that changed."""
    return [chat for chat in due() if _sent_next(chat)]


def due() -> list[UUID]:
    """Chats in which something may go out now. One query tells that nothing waits; where runs are held back
    for their number, two more say whose."""
    if not kept.rows("queued", lambda: Queued.objects.filter(problem="").values_list("pk")[:1]):
        return []
    current = Levers.current()
    if current.is_closed:
        return []
    answers = Message.objects.filter(chat=OuterRef("chat"), role="assistant")
    newest = answers.order_by("-position")
    ahead = Queued.objects.filter(chat=OuterRef("chat"), position__lt=OuterRef("position"))
    plain = Q(finish_reason=None) | Q(finish_reason__in=[each for each in PLAIN_ENDINGS if each])
    ended_well = Message.objects.filter(
        plain, pk=OuterRef("newest"), state=MessageState.FINISHED, asks="", restored={}
    )
    rows = (
        Queued.objects.filter(
            chat__deleted_at=None, chat__write_permission=True, chat__at_v0=AtV0.THERE, problem=""
        )
        .annotate(newest=Subquery(newest.values("pk")[:1]))
        .filter(
            Q(is_urgent=True) | (Exists(ended_well) & ~Exists(ahead.exclude(problem=""))),
            ~Exists(answers.filter(state__in=LIVE)),
        )
    )
    if back := levers.held_back(current, timezone.now()):
        # Among many that have to wait, those that need not would not be seen.
        first = Queued.objects.filter(chat=OuterRef("chat")).values("person")
        rows = rows.annotate(first=Subquery(first[:1])).exclude(first__in=back)
    return list(rows.order_by().values_list("chat", flat=True).distinct()[:MOST])


def resume() -> list[UUID]:
    """What waited for a budget that has room again may go out; the chats that changed. One query where
    nothing waits for one."""
    waiting = Queued.objects.filter(problem=Hindrance.BUDGET, chat__deleted_at=None)
    # Any of them: those behind many that have to wait have their turn, too.
    rows = waiting.select_related("chat", "person").order_by("?")[:MOST]
    return [row.chat_id for row in rows if _has_room(row) and _let_go(row)]


def _has_room(row: Queued) -> bool:
    return not any(each.is_used_up for each in budgets.standings(row.person, row.chat))


def _let_go(row: Queued) -> bool:
    with transaction.atomic():
        store.bump(row.chat_id)
        held = Queued.objects.filter(id=row.id, problem=Hindrance.BUDGET)
        return bool(held.update(problem=Hindrance.NONE))


def _sent_next(chat: UUID) -> bool:
    """Whether the chat has changed: its next message is an intent now, or has a problem."""
    try:
        with transaction.atomic():
            store.bump(chat)
            row = (
                Queued.objects.select_related("chat__team__rules", "person")
                .filter(chat=chat)
                .first()
            )
            if row is None or queue.held(row.chat, row):
                raise _Stays
            if problem := _problem(row):
                _keep(row, problem)
            else:
                _send(row)
            return True
    except (_Stays, intents.Busy):
        return False
    except OverLimit:
        return _hinder(chat, Hindrance.BUDGET)
    except Refused:
        return False
    except uploads.Missing:
        return _hinder(chat, Hindrance.FILES)
    except intents.TokenReused:
        return _hinder(chat, Hindrance.USED)


def _problem(row: Queued) -> Hindrance:
    """Why its author may not send this now, whatever was so when it was written."""
    if not row.person.is_active:
        return Hindrance.ACCOUNT
    if not permissions.may(row.person, row.chat, Action.SEND):
        return Hindrance.RIGHTS
    try:
        intents.with_model(row.person, row.payload, row.chat.team)
    except intents.NotForRole:
        return Hindrance.MODEL
    return Hindrance.NONE


def _send(row: Queued) -> None:
    uploads.hand_over(row)
    payload = dict(row.payload)
    if row.chat.v0_id:
        # The chat has got it with its first message.
        payload.pop("metadata", None)
    Queued.objects.filter(id=row.id).delete()
    answer = intents.send(row.person, row.token, payload, row.chat, **row.fields)
    # The form that it came in is still the same one, whatever was edited since.
    Intent.objects.filter(answer=answer).update(digest=row.digest)


def _keep(row: Queued, problem: Hindrance) -> None:
    # Whoever wanted it to go out first still does when its budget has room.
    is_urgent = row.is_urgent and problem == Hindrance.BUDGET
    Queued.objects.filter(id=row.id).update(problem=problem, is_urgent=is_urgent)


def _hinder(chat: UUID, problem: Hindrance) -> bool:
    with transaction.atomic():
        store.bump(chat)
        row = Queued.objects.filter(chat=chat).first()
        if row is not None:
            _keep(row, problem)
    return row is not None
