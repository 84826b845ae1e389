"""The card of what an agent waits for, as values for a template, and what became of older ones.

Owns what a card shows to those who may decide, on the page and in the slots that a page fetches.
Relies on `relay.decisions` for what is pending; it decides nothing, which is `views.decide`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from chats.models import Chat, Decision, Message
from chats.permissions import Action
from chats.relay import decisions
from chats.relay.decisions import Given, Waiting
from chats.relay.rows import utc
from chats.rendering import bodies
from chats.v0api.pending import (
    PendingConnect,
    PendingIntegration,
    PendingPermissions,
    PendingQuestions,
)
from chats.v0api.types import MODELS

DONE = {
    "answered": "Answered",
    "approved": "Approved",
    "request-changes": "Changes were asked for",
    "rejected": "Rejected",
    "connected": "Connected",
    "skipped": "Skipped",
    "allowed": "Allowed",
    "denied": "Denied",
    "ready": "Set up",
}


NOTHING = Given("")


@dataclass(frozen=True, slots=True)
class Card:
    """A card as somebody left it: what they gave, and why it was refused."""

    given: Given = NOTHING
    refusal: str = ""
    model: str = ""


def card(
    found: Chat, allowed: Collection[Action], filled: Card | None = None
) -> tuple[UUID, dict[str, Any]] | None:
    """The answer that waits, and the context of `chats/_ask.html`; None when nothing waits here for
    whoever asks."""
    if Action.SEND not in allowed:
        return None
    waiting = decisions.waiting(found)
    if waiting is None:
        return None
    filled = filled or Card()
    context = {
        "waiting": waiting,
        "kind": waiting.kind.value,
        "task": waiting.task,
        "template": f"asks/{waiting.kind}.html",
        "filled": filled,
        "may_grant": Action.GRANT in allowed,
        "models": MODELS,
        "model": filled.model or found.model,
        "token": uuid4(),
        **_more(waiting, filled.given),
    }
    return waiting.asked.id, context


def _more(waiting: Waiting, given: Given) -> dict[str, Any]:
    match waiting.task:
        case PendingQuestions(questions=questions):
            return {
                "questions": [_question(place, each, given) for place, each in enumerate(questions)]
            }
        case PendingIntegration() as task:
            offered = task.confirmed
            names = (*offered.integrations, *offered.mcp_presets)
            chosen = given.selected.get("connected", ())
            unknown = [name for name in task.mcp_presets if name not in offered.mcp_presets]
            return {
                "services": [{"name": name, "checked": name in chosen} for name in names],
                "unknown": unknown,
            }
        case PendingPermissions(permissions=permissions_asked):
            return {"permissions": [_permission(each) for each in permissions_asked]}
        case PendingConnect(url=url):
            return {"url": url if url.startswith(("https://", "http://")) else ""}
        case _:
            return {}


def _question(place: int, question: Any, given: Given) -> dict[str, Any]:
    chosen = given.selected.get(str(place), ())
    return {
        "place": place,
        "header": question.header,
        "question": question.question,
        "type": "checkbox" if question.multi_select else "radio",
        "text": given.text(str(place)),
        "options": [
            {
                "place": number,
                "label": option.label,
                "description": option.description,
                "checked": str(number) in chosen,
            }
            for number, option in enumerate(question.options)
        ],
    }


def _permission(permission: Any) -> dict[str, Any]:
    return {
        "name": permission.tool_display_name,
        "reason": permission.user_message,
        "input": bodies.written(permission.input) if permission.input is not None else "",
    }


def decided(rows: Sequence[Message]) -> Mapping[UUID, dict[str, str]]:
    """What became of tasks that do not wait any more, by the answer that asked: what was chosen, by
    whom and when, or that the conversation went on without it."""
    # v0 may take what was asked out of an answer once it is decided: the record outlives `asks`.
    answers = [row for row in rows if row.role == "assistant"]
    known = Decision.objects.filter(asked__in=answers, failed=False).select_related("person")
    found = {decision.asked_id: _told(decision) for decision in known}
    asking = [row for row in answers if row.asks]
    newest = max((row.position for row in rows if row.v0_id or row.is_live), default=0)
    passed = (row.id for row in asking if row.id not in found and row.position < newest)
    return {**dict.fromkeys(passed, PASSED), **found}


PASSED = {"what": "Passed over: the conversation went on without an answer."}


def _told(decision: Decision) -> dict[str, str]:
    return {
        "what": DONE.get(decision.choice, "Decided"),
        "who": decision.person.shown_name if decision.person else "somebody who has left",
        "when": utc(decision.decided_at),
    }
