"""What somebody else has just done in a chat, as one line: for readers who are signed in.

Owns which act is told, and its words. It is read from rows, so that every process tells the same, and is
fetched with what is one's own: frames name nobody, and nobody is told what they did themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from chats.models import Chat, Decision, Intent, Message, Person

# What is older is no news: the page was away.
NEWS = timedelta(seconds=30)

DECIDED = {
    "answered": "answered the question",
    "approved": "approved the plan",
    "request-changes": "asked for changes to the plan",
    "rejected": "rejected the plan",
    "connected": "connected a service",
    "skipped": "went on without a service",
    "allowed": "gave a permission",
    "denied": "refused a permission",
    "ready": "finished the set-up",
}
MADE = {"restore": "went back to an earlier answer"}


@dataclass(frozen=True, slots=True)
class Act:
    when: datetime
    person: int
    words: str
    message: Message | None = None


def beginning() -> dict[str, Any]:
    """The context of `chats/_lately.html` on a page: what was done before it was made is no news."""
    return {"lately_since": timezone.now().isoformat()}


def lately(request: HttpRequest, found: Chat, rows: Sequence[Message]) -> dict[str, Any]:
    """The context of `chats/_lately.html` when there is something to tell since the last time; {} else.
    `rows` are the last messages in their order."""
    since = _since(request.GET.get("since"))
    if since is None or not isinstance(request.user, Person):
        return {}
    reader = request.user.pk
    acts = [act for act in _acts(found, rows) if act.when > since and act.person != reader]
    newest = max(acts, key=lambda act: act.when, default=None)
    somebody = Person.objects.filter(pk=newest.person).first() if newest else None
    if newest is None or somebody is None:
        return {}
    return {
        "lately_since": newest.when.isoformat(),
        "somebody": somebody,
        "somebody_did": _of_message(newest.message) if newest.message else newest.words,
    }


def _since(text: str | None) -> datetime | None:
    try:
        given = parse_datetime(text or "")
    except ValueError:
        given = None
    if given is None or timezone.is_naive(given):
        return None
    return max(given, timezone.now() - NEWS)


def _acts(found: Chat, rows: Sequence[Message]) -> Iterator[Act]:
    if found.renamed_at and found.renamed_by_id:
        yield Act(found.renamed_at, found.renamed_by_id, "renamed the chat")
    for row in rows[-2:]:
        if row.author_id and not row.v0_author:
            yield Act(row.created_at, row.author_id, "", row)
        if row.stop_asked_at and row.stop_asked_by_id:
            yield Act(row.stop_asked_at, row.stop_asked_by_id, "stopped the answer")
    queued = found.queue.order_by("-created_at").values_list("created_at", "person_id").first()
    if queued:
        yield Act(*queued, "queued a message")


def _of_message(row: Message) -> str:
    """A message may be what a decision is told by, or the record of something else."""
    choice = Decision.objects.filter(said=row).values_list("choice", flat=True).first()
    if choice is not None:
        return DECIDED.get(choice, "decided")
    kind = Intent.objects.filter(message=row).values_list("kind", flat=True).first()
    return MADE.get(kind or "", "sent a message")
