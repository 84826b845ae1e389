"""Why a message was not taken, in sentences. Each view that refuses keeps the text.

Owns also what a refusal of budgets and levers is here: its words for whoever asks, its status, and when to try
again. 402 for a budget, 429 for what is too fast or too many. No new runs at all is a 409, as everything that the
state of things forbids: a 503 may come from a proxy, and a page that such a one sends must never be put into ours.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from chats import permissions
from chats.models import Person
from chats.permissions import Action
from chats.permissions.amounts import may_know
from chats.relay.rows import utc
from chats.usage import words
from chats.usage.refusals import Closed, OverLimit, Refused, TooFast
from chats.views.access import member

Answer = TypeVar("Answer", bound=HttpResponse)

NOT_ALL_HERE = "This chat is not all here yet. Send this when it is."
SENT = "This message has gone out already. Your text is still here: send it as another one."
NOT_FOR_ROLE = (
    "Your role in this team may not use {}. Your text is still here: choose another model."
)
CHANGED = (
    "You changed this message in another window. This is what you wrote here: save it to keep this."
)
FULL = "So many messages wait here already that no more fit. Remove one, or send this when one has gone."
USED_FORM = "This form was already sent with another text. Send again if you mean this one too."
MOVED = "This was decided already, or the chat has gone on. What is open now is shown below."
MOVED_ON = (
    "This was decided already, or the chat has gone on without it. What was decided is shown above."
)
EXPIRED_CARD = "This form was too old. What you filled in is still here: send it again."
CLOSED = "v0 takes nothing for this chat any more. Send this to start a new chat with it."
OF_ANOTHER = "A budget that this message counts for is used up. Its author can see which one."
KEPT = "What you wrote is still here."


@dataclass(frozen=True, slots=True)
class NotNow:
    """A refusal for whoever asks. `again` is from when on the same may be sent, as a moment in UTC, and `wait` the
    seconds until then; "" and 0 where nobody can tell."""

    sentence: str
    status: int
    again: str = ""
    wait: int = 0

    @property
    def whole(self) -> str:
        """Where no clock runs beside the sentence."""
        return f"{self.sentence} Try again in {self.wait} s." if self.wait else self.sentence

    def answer(self, response: Answer) -> Answer:
        if self.wait:
            response["Retry-After"] = str(self.wait)
        return response


def not_now(
    request: HttpRequest,
    error: Refused,
    allowed: Collection[Action] = (),
    *,
    author: Person | None = None,
) -> NotNow:
    """`allowed` are the actions of whoever asks in the chat that it is about, none in a new one. `author` is
    whose message it is, where that may be somebody else: of their own budgets nobody else is told."""
    person = member(request)
    if author is not None and author != person and isinstance(error, OverLimit):
        return NotNow(OF_ANOTHER, 402)
    knows = False
    if isinstance(error, OverLimit):
        roles = {held.team_id: held.role for held in permissions.memberships(request)}
        sees = Action.SEE_COST in allowed
        knows = may_know(person, error.standing.limit, roles, sees_cost=sees)
    sentence = words.refusal(
        error,
        knows_amounts=knows,
        is_staff=person.is_staff,
        manages=Action.MANAGE in allowed,
    )
    match error:
        case OverLimit():
            return NotNow(sentence, 402)
        case Closed():
            return NotNow(sentence, 409)
        case TooFast(again=wait):
            moment = utc(timezone.now() + timedelta(seconds=wait))
            return NotNow(sentence, 429, moment, wait)
        case _:
            return NotNow(sentence, 429)
