"""What an agent waits for, and what somebody answers to it.

Owns which task of a chat is the pending one, the words and the wire of each decision, and its record.
Relies on v0's client for the shape of tasks and on `intents` for the one transaction; the caller has
asked permissions. What goes to v0 is built from the stored part: a browser names the message, the
part as it saw it (its digest) and a choice, and nothing else.

    choices      questions: answered        plan: approved, request-changes, rejected
                 integration: connected, skipped      permission: allowed, denied      connect: ready
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chats.models import Chat, Decision, Event, Message, Person, audit
from chats.models.messages import LIVE, MessageState, Task
from chats.relay import intents
from chats.relay.rows import kind_of
from chats.v0api import tasks
from chats.v0api.errors import InvalidRequest
from chats.v0api.pending import (
    PendingConnect,
    PendingIntegration,
    PendingPermissions,
    PendingPlan,
    PendingQuestions,
    PendingTask,
    Question,
    pending_task,
)
from chats.v0api.types import parts_from_wire

# Characters of one text that a person writes into a card.
MOST_WORDS = 10_000
# Characters of a tool's name in the audit log.
NAME = 100
REFUSED = "Do not run this action. Continue without it."


class Moved(Exception):
    """The task is no longer the pending one, or was decided already: nothing was written."""


class Incomplete(Exception):
    """What was given does not decide it: a sentence for whoever gave it. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The pending task of a chat: the answer that ended on it, what it asks, and the digest of that."""

    asked: Message
    task: PendingTask
    digest: str

    @property
    def kind(self) -> Task:
        return kind_of(self.task)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody filled in: a choice, texts by name, and chosen options by question.

    `texts` may have "content" (plan), "reason" (permission), "0", "1", … (questions);
    `selected` the places of chosen options by the question's place, or "connected" names.
    """

    choice: str
    texts: Mapping[str, str] = field(default_factory=dict)
    selected: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.texts.get(name, "").strip()

    def kept(self) -> dict[str, Any]:
        """What is stored of it beside the choice."""
        selected = {name: list(chosen) for name, chosen in self.selected.items() if chosen}
        return {"texts": dict(self.texts), "selected": selected}


@dataclass(frozen=True, slots=True)
class Decided:
    """A choice in words, and the task that v0 is sent; None when an ordinary message says it."""

    words: str
    task: tasks.Task | None


def waiting(chat: Chat) -> Waiting | None:
    """What the chat waits for now: found in the newest message that v0 has, and while nothing runs."""
    rows = chat.messages
    newest = rows.exclude(v0_id="").last()
    if newest is None or not newest.asks or newest.state != MessageState.FINISHED:
        return None
    if rows.filter(state__in=LIVE).exists() or newest.decisions.filter(failed=False).exists():
        return None
    task = pending_task(parts_from_wire(newest.parts))
    return Waiting(newest, task, digest(newest.id, task)) if task is not None else None


def digest(asked: UUID, task: PendingTask) -> str:
    content = json.dumps([str(asked), task.index, task.wire], sort_keys=True)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A decision that v0 did not take: what was given, the code of the problem and v0's own words."""

    given: Given
    model: str
    problem: str
    detail: str


def refusal(task: Waiting) -> Refusal | None:
    """The last decision over exactly this task, which v0 did not take; None before there was one."""
    failed = Decision.objects.filter(asked=task.asked, digest=task.digest, failed=True)
    last = failed.select_related("said__intent_of_message__answer").order_by("decided_at").last()
    if last is None:
        return None
    intent = last.said.intent_of_message
    given = Given(last.choice, **last.given)
    return Refusal(
        given,
        intent.payload.get("model", ""),
        intent.answer.problem if intent.answer else "",
        intent.answer.detail if intent.answer else "",
    )


def decide(
    person: Person,
    token: UUID,
    chat: Chat,
    seen: str,
    given: Given,
    *,
    model: str = "",
    address: str | None = None,
) -> Message:
    """Decide what `seen`, a digest, names; the unfinished answer that follows.

    Moved when something else is pending now, Incomplete when `given` does not decide it. A token
    that was used for the same gives what it gave then.
    """
    try:
        return intents.found(person, token, chat) or _decide(
            person, token, chat, seen, given, model=model, address=address
        )
    except Moved:
        # The same press may have come twice at once, and this is the later one.
        if first := intents.found(person, token, chat):
            return first
        raise


def _decide(
    person: Person,
    token: UUID,
    chat: Chat,
    seen: str,
    given: Given,
    *,
    model: str,
    address: str | None,
) -> Message:
    task = waiting(chat)
    if task is None or task.digest != seen:
        raise Moved
    decided = decision(task.task, given)
    wire: dict[str, Any] = {}
    if decided.task is not None:
        try:
            wire = dict(decided.task.wire())
        except InvalidRequest as error:
            raise Incomplete(str(error)) from error
    payload: dict[str, Any] = {"message": decided.words, "task": wire, "model": model}
    if not wire:
        payload["system"] = chat.system
    payload = {name: value for name, value in payload.items() if value}
    try:
        return intents.decide(
            person,
            token,
            payload,
            chat,
            kind="resolve" if wire else "send",
            record=_record(person, chat, task, given, wire, address),
        )
    except intents.Busy:
        raise Moved from None


def _record(
    person: Person,
    chat: Chat,
    task: Waiting,
    given: Given,
    wire: dict[str, Any],
    address: str | None,
) -> Callable[[Message], None]:
    def record(said: Message) -> None:
        Decision.objects.create(
            asked=task.asked,
            part=task.task.index,
            digest=task.digest,
            kind=task.kind,
            choice=given.choice,
            task=wire,
            given=given.kept(),
            person=person,
            said=said,
        )
        answer = Message.objects.filter(intent__message=said)
        answer.update(waited_since=task.asked.ended_at)
        if event := noted(task.task, given):
            names = [name[:NAME] for name in named(task.task, given)]
            audit.record(
                event, actor=person, address=address, chat=chat, team=chat.team, names=names
            )

    return record


def noted(task: PendingTask, given: Given) -> Event | None:
    """What of the audit log a decision is, if it lets the agent do more, or forbids it."""
    match task, given.choice:
        case PendingPermissions(), "allowed":
            return Event.TOOL_PERMITTED
        case PendingPermissions(), "denied":
            return Event.TOOL_REFUSED
        case (PendingIntegration(), "connected") | (PendingConnect(), "ready"):
            return Event.SERVICE_CONNECTED
        case _:
            return None


def named(task: PendingTask, given: Given) -> Sequence[str]:
    """The tools or services that a decision is about."""
    match task:
        case PendingPermissions():
            return [one.tool_display_name for one in task.permissions]
        case PendingIntegration():
            chosen = given.selected.get("connected", ())
            return [name for name in (*task.integrations, *task.mcp_presets) if name in chosen]
        case PendingConnect():
            return [task.connector_name or task.service]
        case _:
            return []


def decision(task: PendingTask, given: Given) -> Decided:
    """What `given` means for `task`, in words and for v0; Incomplete when it means nothing."""
    if any(len(text) > MOST_WORDS for text in given.texts.values()):
        raise Incomplete(f"{MOST_WORDS:,} characters are the most that fit here.")
    match task:
        case PendingPlan():
            return _plan(given)
        case PendingQuestions(questions=questions):
            return _answers(questions, given)
        case PendingIntegration():
            return _integration(task, given)
        case PendingPermissions():
            return _permission(task, given)
        case PendingConnect():
            name = task.connector_name or task.service or "The connector"
            _one_of(given.choice, "ready")
            return Decided(f"{name} is set up.", task.ready)


def _plan(given: Given) -> Decided:
    words = given.text("content")
    match given.choice:
        case "approved":
            said = "Approved the plan."
            return Decided(_with(said, words), tasks.PlanResponse("approved", words))
        case "rejected":
            said = "Rejected the plan."
            return Decided(_with(said, words), tasks.PlanResponse("rejected", words))
        case "request-changes":
            if not words:
                raise Incomplete("Write what should change about the plan.")
            said = "Asked for changes to the plan."
            return Decided(_with(said, words), tasks.PlanResponse("request-changes", words))
        case _:
            raise Incomplete("Choose one of the buttons.")


def _answers(questions: Sequence[Question], given: Given) -> Decided:
    _one_of(given.choice, "answered")
    answers = tuple(_answer(place, question, given) for place, question in enumerate(questions))
    if not answers:
        raise Incomplete("There is no question to answer.")
    said = "\n\n".join(
        "\n".join(
            (
                answer.question_text,
                ", ".join(filter(None, (*answer.selected_labels, answer.custom_text))),
            )
        )
        for answer in answers
    )
    return Decided(said, tasks.AnsweredQuestions(answers))


def _answer(place: int, question: Question, given: Given) -> tasks.Answer:
    chosen = set(given.selected.get(str(place), ()))
    labels = [
        option.label for number, option in enumerate(question.options) if str(number) in chosen
    ]
    words = given.text(str(place))
    name = question.question or question.header or f"Question {place + 1}"
    if not labels and not words:
        raise Incomplete(f"“{name}” has no answer yet.")
    if len(labels) > 1 and not question.multi_select:
        raise Incomplete(f"“{name}” takes one answer.")
    return question.answer(*labels, custom_text=words)


def _integration(task: PendingIntegration, given: Given) -> Decided:
    names = (*task.integrations, *task.mcp_presets)
    if given.choice == "skipped":
        return Decided(f"Skipped connecting {_listed(names)}.", task.skipped)
    _one_of(given.choice, "connected")
    chosen = set(given.selected.get("connected", ()))
    offered = task.confirmed
    integrations = tuple(name for name in offered.integrations if name in chosen)
    presets = tuple(name for name in offered.mcp_presets if name in chosen)
    if not integrations and not presets:
        raise Incomplete("Mark what you have connected, or skip it.")
    said = f"Connected {_listed((*integrations, *presets))}."
    return Decided(said, tasks.ConfirmedSteps(integrations, presets))


def _permission(task: PendingPermissions, given: Given) -> Decided:
    reason = given.text("reason")
    tools = _listed(tuple(one.tool_display_name for one in task.permissions))
    if given.choice == "denied":
        # v0 has no task for this: an ordinary message says it.
        return Decided(_with(REFUSED, reason), None)
    _one_of(given.choice, "allowed")
    return Decided(_with(f"Allowed {tools}.", reason), task.confirmed(reason))


def _one_of(choice: str, *choices: str) -> None:
    if choice not in choices:
        raise Incomplete("Choose one of the buttons.")


def _with(said: str, words: str) -> str:
    return f"{said}\n\n{words}" if words else said


def _listed(names: Sequence[str]) -> str:
    *most, last = names or ("this",)
    return f"{', '.join(most)} and {last}" if most else last
