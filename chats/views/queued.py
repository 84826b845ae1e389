"""The queue of a chat as values for a template: what waits, whose it is, and why it waits.

Owns what of it somebody who may send sees, on the page and in the fragment that is fetched again. It
changes nothing, which is `views.queue`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.http import HttpRequest

from chats.models import Chat, Queued
from chats.models.queue import Hindrance
from chats.permissions import Action
from chats.relay import queue
from chats.relay.uploads import of_queued
from chats.usage import budgets, words
from chats.views.access import allowed_actions
from chats.views.sent_with import summary

# More than these are folded to a line.
SHOWN = 2
WHY = {
    "": "The next one goes out now.",
    "running": "The next one goes out when this answer has ended.",
    "stopped": "On hold, because the last answer was stopped.",
    "failed": "On hold, because the last answer failed.",
    "cut": "On hold, because the last answer was cut off.",
    "filtered": "On hold, because v0 held back the last answer.",
    "odd": "On hold, because the last answer ended in a way v0 does not explain.",
    "rewound": "On hold, because the files went back to an earlier state.",
    "asks": "On hold, because v0 asks something. Answer it, and they go out.",
    "closed": "On hold, because v0 takes nothing for this chat any more.",
    "problem": "On hold, because the next one could not be sent.",
    "shut": "On hold, because no new runs are taken at present. They go out when that is over.",
    "fast": "The next one goes out within a minute: its author has sent as many as may be in one.",
    "many": "The next one goes out when another run of its author has ended: no more may be on at once.",
}
BY_ITSELF = "It goes out when there is room again, by itself."
PROBLEMS = {
    Hindrance.ACCOUNT: "Not sent: the account of {} is closed.",
    Hindrance.RIGHTS: "Not sent: {} may not write here any more.",
    Hindrance.MODEL: "Not sent: {} may not use its model in this team any more. Edit it, or remove it.",
    Hindrance.BUDGET: "Not sent: a budget that it counts for is used up. " + BY_ITSELF,
    Hindrance.FILES: "Not sent: a file of it is gone. Edit it, or remove it.",
    Hindrance.USED: "Not sent: its form was used for another message. Remove it and write it again.",
}
# After these the next one can be sent by a press; the rest has a way on of its own.
PRESSED = {
    "stopped": "Go on",
    "failed": "Go on",
    "cut": "Go on",
    "filtered": "Go on",
    "odd": "Go on",
    "rewound": "Go on",
    "asks": "Go on without an answer",
}


def queue_of(
    request: HttpRequest, found: Chat, allowed: Collection[Action] | None = None
) -> dict[str, Any]:
    """The context of `chats/_queue.html`, for somebody who may send in the chat. In one that v0 has
    closed nobody may: everybody still has there what they wrote."""
    allowed = allowed_actions(request, found) if allowed is None else allowed
    may_send = Action.SEND in allowed
    kept = found.queue.all() if may_send else found.queue.filter(person_id=request.user.pk or 0)
    rows = list(kept.select_related("person", "chat").prefetch_related("files"))
    if not rows:
        return {"queue": rows}
    why = queue.held(found, rows[0])
    may_order = Action.QUEUE in allowed
    return {
        "queue": [_row(request, rows, place, allowed) for place in range(len(rows))],
        "queue_open": len(rows) <= SHOWN,
        "why": why,
        "why_words": WHY[why],
        "go_on": PRESSED.get(why, "") if may_order else "",
        "now": "Stop and send now" if why == "running" else "Send now",
        "may_order": may_order,
    }


def _row(
    request: HttpRequest, rows: list[Queued], place: int, allowed: Collection[Action]
) -> dict[str, Any]:
    may_send, may_order = Action.SEND in allowed, Action.QUEUE in allowed
    row = rows[place]
    is_own = row.person_id == request.user.pk
    author = row.person.shown_name
    # What is urgent stands before the rest, whatever is moved.
    same = [each for each in rows if each.is_urgent == row.is_urgent]
    at = same.index(row)
    return {
        "id": row.id,
        "text": row.text,
        "author": author,
        "may_edit": is_own and may_send,
        # A draft of the same form is known by it after a reload: the form's, so for its author alone.
        "token": row.token if is_own else "",
        "files": of_queued(row),
        "summary": summary(row.payload),
        "is_edited": row.edited_at is not None,
        "is_urgent": row.is_urgent,
        "problem": _problem(row, is_own=is_own),
        "before": same[at - 1].id if may_order and at else None,
        "after": same[at + 1].id if may_order and at + 1 < len(same) else None,
        "may_remove": may_order or (is_own and may_send),
    }


def _problem(row: Queued, *, is_own: bool) -> str:
    """Why it was not sent; which budget is used up is for its author alone."""
    if row.problem == Hindrance.BUDGET and is_own:
        used_up = [each for each in budgets.standings(row.person, row.chat) if each.is_used_up]
        if used_up:
            first = used_up[0]
            return f"Not sent: {words.named(first)} is used up. {words.anew(first)} {BY_ITSELF}"
    return PROBLEMS[Hindrance(row.problem)].format(row.person.shown_name) if row.problem else ""
