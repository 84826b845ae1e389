"""Every row that the relay reads or writes.

Owns the relay's queries: claims and leases, the steps of an intent, saving and ending an answer.
Relies on models and the ledger; each function is one short transaction, is called in one of the
relay's threads, and never talks to v0. Every write of a run names its fence: `Lost` means that
another process has it now, and nothing was written. Transactions take rows in one order, so that none waits
for another in a circle: a chat's, its messages and intents, entries of the ledger, counters of budgets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from chats import usage
from chats.models import Chat, Decision, Intent, Message, kept
from chats.models.messages import LIVE, Delivery, IntentState, MessageState
from chats.relay import restorable
from chats.relay.rows import asks, said
from chats.relay.uploads import echoed, ids_in
from chats.usage import budgets
from chats.v0api import types

# States of an intent whose answer v0 has, or may have.
MAY_COST = (IntentState.ACCEPTED, IntentState.UNKNOWN)
# Seconds: what v0 asks for beyond it is not worth a countdown.
LONGEST_WAIT = 24 * 3600


class Lost(Exception):
    """Another process holds this run, or it is over: stop, and publish nothing more."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a process needs to run one answer, as it stood when it was claimed.

    Without an `intent` somebody asked for it elsewhere: it counts as accepted, and is only followed.
    """

    answer: UUID
    fence: int
    chat: UUID
    position: int
    created: str
    intent: UUID | None
    kind: str
    state: str
    payload: dict[str, Any]
    baseline: str
    text: str
    privacy: str
    team_system: str
    title: str
    title_given: bool
    v0_chat: str
    v0_answer: str
    parts: tuple[Any, ...]
    stop_asked: bool
    known: frozenset[str]
    files: tuple[str, ...]
    delivery: str


def claim(holder: str, lease: float, limit: int = 20) -> list[Job]:
    """Take answers that run and that nobody holds: new ones, and those whose lease is over."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())

    def waiting() -> QuerySet[Message, UUID]:
        rows = Message.objects.filter(free, role="assistant", state__in=LIVE)
        return rows.values_list("id", flat=True)[:limit]

    jobs = []
    for id in kept.rows(("unheld", limit), waiting):
        taken = Message.objects.filter(free, id=id, state__in=LIVE).update(
            holder=holder, fence=F("fence") + 1, lease_until=Now() + timedelta(seconds=lease)
        )
        if taken:
            jobs.append(_job(id))
    return jobs


def _job(id: UUID) -> Job:
    rows = Message.objects.select_related("chat__instructions", "intent__message")
    answer = rows.get(id=id)
    chat, intent = answer.chat, getattr(answer, "intent", None)
    known = chat.messages.exclude(v0_id="").values_list("position", "v0_id")
    ids = dict(known)
    return Job(
        answer=answer.id,
        fence=answer.fence,
        chat=chat.id,
        position=answer.position,
        created=answer.created_at.isoformat(),
        intent=intent.id if intent else None,
        kind=intent.kind if intent else "",
        state=intent.state if intent else IntentState.ACCEPTED,
        payload=intent.payload if intent else {},
        baseline=intent.baseline if intent and intent.baseline else ids[max(ids)] if ids else "",
        text=intent.message.text if intent and intent.message else "",
        privacy=chat.privacy,
        team_system=chat.team_system,
        title=chat.title,
        title_given=chat.title_given,
        v0_chat=chat.v0_id or "",
        v0_answer=answer.v0_id,
        parts=tuple(answer.parts),
        stop_asked=answer.stop_asked_at is not None,
        known=frozenset(ids.values()),
        files=ids_in(intent.message.attachments) if intent and intent.message else (),
        delivery=_delivery(intent),
    )


def _delivery(intent: Intent | None) -> str:
    """How the answer is asked for: as it was, else as whoever wrote the intent wants it, else as
    this server does. A restore has one way."""
    if intent and intent.kind == "restore":
        return Delivery.SYNC
    wanted = (intent.delivery or intent.payload.get("delivery")) if intent else ""
    return wanted if wanted in Delivery.values else settings.V0_DELIVERY


def renew(holder: str, lease: float, held: Iterable[tuple[UUID, int]]) -> set[UUID]:
    """Lengthen the leases of runs held here; the answers that are still ours."""
    kept = set()
    for id, fence in held:
        if _held(id, fence, holder=holder).update(lease_until=Now() + timedelta(seconds=lease)):
            kept.add(id)
    return kept


def release(id: UUID, fence: int) -> None:
    """Let go of a run at once, so that another process need not wait for the lease."""
    _held(id, fence).update(holder="", lease_until=None)


def stops(holder: str) -> set[UUID]:
    """Answers held here that somebody asked to stop."""

    def asked() -> QuerySet[Message, UUID]:
        rows = Message.objects.filter(holder=holder, state__in=LIVE, stop_asked_at__isnull=False)
        return rows.values_list("id", flat=True)

    return set(kept.rows(("stops", holder), asked))


def is_live(id: UUID) -> bool:
    return Message.objects.filter(id=id, state__in=LIVE).exists()


def _held(id: UUID, fence: int, **more: Any) -> Any:
    return Message.objects.filter(id=id, fence=fence, state__in=LIVE, **more)


def _must(updated: int) -> None:
    if not updated:
        raise Lost


def posting(job: Job) -> None:
    """Commit that the POST is about to leave; Lost when it may have left before."""
    with transaction.atomic():
        _must(_held(job.answer, job.fence).update(state=MessageState.SENDING))
        _must(
            Intent.objects.filter(answer=job.answer, state=IntentState.WAITING).update(
                state=IntentState.POSTING,
                posted_at=timezone.now(),
                baseline=job.baseline,
                delivery=job.delivery,
            )
        )


def checking(job: Job) -> None:
    """Say that it is not known whether v0 has the message."""
    with transaction.atomic():
        bump(job.chat)
        _must(_held(job.answer, job.fence).update(state=MessageState.CHECKING))
        Intent.objects.filter(answer=job.answer).update(state=IntentState.CHECKING)
        _of_message(job).update(state=MessageState.CHECKING)


def accepted(job: Job, *, v0_chat: str, v0_answer: str) -> None:
    """v0 has the message: it is sent, and the answer streams."""
    with transaction.atomic():
        bump(job.chat)
        _must(
            _held(job.answer, job.fence).update(
                state=MessageState.STREAMING, v0_id=v0_answer or F("v0_id")
            )
        )
        Intent.objects.filter(answer=job.answer).update(state=IntentState.ACCEPTED)
        _of_message(job).update(
            state=MessageState.FINISHED, problem="", detail="", ended_at=timezone.now()
        )
        if v0_chat:
            Chat.objects.filter(id=job.chat, v0_id=None).update(v0_id=v0_chat)


def identify(job: Job, v0_answer: str) -> None:
    """Keep the id that v0 gave to the answer."""
    _must(_held(job.answer, job.fence).update(v0_id=v0_answer))


def refused(
    job: Job, *, state: str, problem: str, detail: str = "", wait: float | None = None
) -> None:
    """The answer has failed: v0 did not get the message, said no, nobody can tell, or it is gone.

    `wait` are the seconds that v0 asked to let pass before another try.
    What a person sent counts as failed too, unless v0 had accepted it.
    """
    with transaction.atomic():
        now = timezone.now()
        bump(job.chat)
        _must(
            _held(job.answer, job.fence).update(
                state=MessageState.FAILED,
                problem=problem,
                detail=detail[:2000],
                again_at=None if wait is None else now + timedelta(seconds=min(wait, LONGEST_WAIT)),
                ended_at=now,
                **_FREE,
            )
        )
        Intent.objects.filter(answer=job.answer).update(state=state)
        if state != IntentState.ACCEPTED:
            # It may have been taken for somebody else's answer, which it is not.
            Message.objects.filter(id=job.answer).update(v0_id="", parts=[])
            _of_message(job).update(state=MessageState.FAILED, ended_at=now)
            _undecide(job)
        if state in MAY_COST and job.intent is not None:
            lost = Message.objects.select_related("chat").get(id=job.answer)
            # Its cost finds it later: by v0's bill, or when v0 shows the answer after all.
            usage.record(lost, types.Usage(), outcome=lost.state)
        if job.intent is not None and state != IntentState.ACCEPTED:
            budgets.release(job.intent)


def never_sent(job: Job) -> None:
    """A stop came before the POST: nothing leaves."""
    with transaction.atomic():
        now = timezone.now()
        bump(job.chat)
        _must(
            _held(job.answer, job.fence).update(state=MessageState.STOPPED, ended_at=now, **_FREE)
        )
        Intent.objects.filter(answer=job.answer).update(state=IntentState.UNSENT)
        _of_message(job).update(state=MessageState.FINISHED, ended_at=now)
        _undecide(job)
        if job.intent is not None:
            budgets.release(job.intent)


def save_parts(id: UUID, fence: int, parts: Sequence[Any]) -> None:
    """What has streamed so far, for whoever takes over or opens the page elsewhere."""
    _must(_held(id, fence).update(parts=list(parts)))


def save_title(chat: UUID, title: str) -> bool:
    """v0's title, unless a person gave one; whether anything changed."""
    return bool(
        Chat.objects.filter(id=chat, title_given=False)
        .exclude(title=title[:200])
        .update(title=title[:200], version=F("version") + 1)
    )


def save_chat(chat: UUID, seen: types.Chat) -> None:
    """What v0 says of the chat that only v0 can know. A snapshot may be older than its project."""
    known: dict[str, Any] = {"write_permission": seen.write_permission}
    if seen.vercel_project_id:
        known["vercel_project"] = seen.vercel_project_id[:128]
    Chat.objects.filter(id=chat).exclude(**known).update(**known, version=F("version") + 1)


def save_project(chat: UUID, project: str) -> None:
    """The chat has this project at Vercel from now on."""
    Chat.objects.filter(id=chat).update(vercel_project=project[:128], version=F("version") + 1)


def stop_refused(id: UUID, fence: int) -> None:
    """v0 had nothing to stop: there is no stop record to hold. A budget does not ask again."""
    _held(id, fence).update(stop_asked_at=None, stop_asked_by=None)


def finish(
    job: Job,
    final: types.Message,
    *,
    user: types.Message | None,
    listed_now: Sequence[types.Message] = (),
    problem: str = "",
    detail: str = "",
) -> None:
    """Store v0's own message as the end of the run, with its cost, in one transaction.

    `user` is v0's copy of what was sent, when it was found; `listed_now` are messages as v0 lists them.
    """
    with transaction.atomic():
        now = timezone.now()
        bump(job.chat)
        answer = _held(job.answer, job.fence).select_related("chat", "intent").first()
        if answer is None:
            raise Lost
        answer.v0_id = final.id or answer.v0_id
        answer.parts = list(final.parts)
        answer.content = final.content
        answer.finish_reason = final.finish_reason
        answer.restorable = final.restorable
        if job.kind == "restore":
            # Nothing of it could be stopped: the files went back, or they did not.
            answer.stop_asked_at = answer.stop_asked_by = None
        answer.asks = asks(final.parts)
        answer.attachments = echoed(final.wire.get("attachments"))
        answer.problem, answer.detail = problem, detail[:2000]
        answer.state = _outcome(answer, final.finish_reason)
        if answer.state == MessageState.FAILED and not problem:
            answer.problem = "upstream"
        answer.ended_at, answer.holder, answer.lease_until = now, "", None
        answer.save()
        if user is not None:
            words = {"text": said(user)} if job.kind == "restore" else {}
            _of_message(job).update(v0_id=user.id, **words)
        restorable.note(job.chat, listed_now)
        if job.kind == "restore":
            # Before the counters of budgets, which everybody takes last.
            usage.note_restored(job.chat)
        if job.intent is not None:
            usage.record(answer, final.usage, outcome=answer.state)


def _outcome(answer: Message, reason: str | None) -> MessageState:
    if answer.stop_asked_at is not None:
        return MessageState.STOPPED
    if reason is None or reason == "error":
        return MessageState.FAILED
    return MessageState.FINISHED


_FREE: dict[str, Any] = {"holder": "", "lease_until": None}


def _of_message(job: Job) -> Any:
    # By the answer: without an intent it must be none, and not all that have none.
    return Message.objects.filter(intent_of_message__answer=job.answer)


def _undecide(job: Job) -> None:
    """What v0 did not take decides nothing: the task is open again."""
    Decision.objects.filter(said__intent_of_message__answer=job.answer).update(failed=True)


def bump(chat: UUID) -> None:
    """Readers of the chat have something to see."""
    Chat.objects.filter(id=chat).update(version=F("version") + 1, updated_at=timezone.now())
