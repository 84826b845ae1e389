"""The card of what an agent waits for, as values for a template, and what became of older ones.

Owns what a card shows to those who may decide, on the page and in the slots that a page fetches.
Relies on `relay.decisions` for what is pending; it decides nothing, which is `views.decide`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid4, uuid5
from zlib import crc32

from django.conf import settings

from chats.models import Chat, Decision, Message, Person
from chats.permissions import Action, spaces
from chats.relay import decisions, setups
from chats.relay.decisions import Given, Waiting
from chats.relay.rows import utc
from chats.relay.setups import Setup
from chats.rendering import bodies, words
from chats.v0api.pending import (
    PendingConnect,
    PendingIntegration,
    PendingPermissions,
    PendingQuestions,
)
from chats.views.options import selected_model

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
    """A card as somebody left it: what they gave, and why it was refused; `detail` is in v0's words."""

    given: Given = NOTHING
    refusal: str = ""
    model: str = ""
    detail: str = ""


def waiting_in(found: Chat, rows: Sequence[Message]) -> Waiting | None:
    """What the chat waits for, when one of these rows asks for something."""
    return decisions.waiting(found) if any(row.asks for row in rows) else None


def card(
    who: object,
    found: Chat,
    waiting: Waiting | None,
    allowed: Collection[Action],
    filled: Card | None = None,
) -> dict[str, Any] | None:
    """The context of `chats/_ask.html`; None when nothing waits for `who` asks. Without `filled` the
    card begins with what v0 did not take."""
    if waiting is None or Action.SEND not in allowed or not isinstance(who, Person):
        return None
    models = spaces.models(who, found.team)
    is_answer = filled is not None
    filled = filled or _refused(waiting)
    return {
        "is_answer": is_answer,
        "waiting": waiting,
        "kind": waiting.kind.value,
        "task": waiting.task,
        "template": f"asks/{waiting.kind}.html",
        "filled": filled,
        "may_grant": Action.GRANT in allowed,
        "models": models,
        "model": selected_model(filled.model or found.model, models),
        "token": uuid4(),
        "project": found.vercel_project,
        **_more(waiting, filled.given),
    }


def _refused(waiting: Waiting) -> Card:
    refusal = decisions.refusal(waiting)
    if refusal is None:
        return Card()
    said = words.undecided(refusal.problem) if refusal.problem else ""
    return Card(refusal.given, said, refusal.model, refusal.detail)


def poll(waiting: Waiting | None, allowed: Collection[Action], setup: Setup) -> dict[str, Any]:
    """The context of `chats/_setup.html`: whether a page goes on asking how far a set-up is, and goes
    on by itself. All pages of one person do that as one form: whichever comes first decides."""
    if waiting is None or not isinstance(waiting.task, PendingConnect):
        return {}
    if Action.GRANT not in allowed or not waiting.task.request_id:
        return {}
    return {
        "setup": setup,
        "seen": waiting.digest,
        # What the page shows of it, so that it is told only what is new.
        "shown": f"{setup.state}-{crc32(setup.words.encode('utf-8', 'replace')):08x}",
        "every": int(settings.V0_CONNECT_EVERY * 1000),
        "token": uuid5(NAMESPACE_OID, f"{waiting.digest}:ready"),
    }


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
            return {
                "url": url if url.startswith(("https://", "http://")) else "",
                "setup": setups.last(waiting.asked.id),
            }
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
