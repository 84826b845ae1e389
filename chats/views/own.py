"""What only some readers see at the end of a message: what it was sent with, what it cost, how to go on.

Owns those slots, on the page and as the fragment that is fetched when the mark `own` changes. Relies
on permissions for both; frames never carry any of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from chats import permissions
from chats.models import Chat, Message, Person
from chats.models.chats import AtV0, Privacy
from chats.models.messages import MessageState
from chats.permissions import Action
from chats.permissions.doors import digest
from chats.permissions.offers import offers_to
from chats.relay import setups
from chats.relay.decisions import Waiting
from chats.relay.rows import utc
from chats.relay.trouble import trouble
from chats.views import noted
from chats.views.access import Request, allowed_actions
from chats.views.allowance import in_chat
from chats.views.cards import Card, card, decided, poll, waiting_in
from chats.views.costs import costs
from chats.views.lately import lately
from chats.views.sent_with import sent_with
from chats.views.spaces import shares, where

LEVELS: dict[str, str] = {
    "private": "private",
    "team": "for the team to read",
    "team-edit": "for the team to edit",
    "unlisted": "open to whoever has the link",
    "public": "public",
}
# A page has at least these last messages of its chat, whenever it was loaded.
RECENT = 20
# As many as a page holds.
MOST = 500

# Who may do one of these is offered something at answers.
GOING_ON = frozenset({Action.SEND, Action.DUPLICATE})
# Failures after which v0 is known not to have taken the message, and may take it the next time.
SAFE = frozenset({"unsent", "refused", "unauthorized", "credits", "conflict", "rate-limit"})
# Failures after which only another chat can go on.
OVER = frozenset({"forbidden", "gone", "old"})
# Ends after which the text has to be another one.
FILTERED = "content-filter"


@require_safe
def own(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.READ)
    rows = list(found.messages.order_by("-position")[:RECENT])[::-1]
    allowed = allowed_actions(request, found)
    waiting = waiting_in(found, rows)
    changed = _rights_changed(request.GET.get("rights"), found, allowed)
    # Who may not write any more keeps nothing on the page that was for those who may.
    seen = "" if changed == "read" else request.GET.get("seen") or ""
    slots = own_slots(request, found, rows, allowed, waiting, seen=seen)
    # An offer to go on, and what somebody was waited for, is over when the chat has gone on, or cannot.
    may_act = not GOING_ON.isdisjoint(allowed) or is_closed(found)
    past = rows if is_closed(found) else rows[:-1]
    ended = (row for row in past if row.role == "assistant" and not row.is_live)
    over = [row for row in ended if may_act or row.asks or was_left(row)]
    if waiting is not None and waiting.digest == seen and not is_closed(found):
        # Its card stays as it is, also where what somebody decided has failed after it.
        over = [row for row in over if row.id != waiting.asked.id]
    context = {
        "slots": {
            **_emptied(found, changed),
            **{f"m{row.id}-own": "" for row in over},
            **slots,
            **noted.slots_again(request, found, allowed),
        },
        "chat": found,
        "poll": poll_of(waiting, allowed),
        **standing(request, found, allowed),
        "where": where(request, found),
        "is_alone": is_alone(request, found, rows),
        **lately(request, found, rows),
        "rights_changed": changed,
        **in_chat(request, found, allowed),
    }
    return render(request, "chats/_own_slots.html", context)


def _emptied(found: Chat, changed: str) -> dict[str, str]:
    """The slots of every message that a page can show, for who may do less than when it was made."""
    if changed != "read":
        return {}
    ids = found.messages.order_by("-position").values_list("id", flat=True)
    return {f"m{id}-own": "" for id in ids[:MOST]}


def _rights_changed(held: str | None, found: Chat, allowed: frozenset[Action]) -> str:
    """What to tell a page that was made when somebody might do something else: "send", "read" or ""."""
    if not held or held == str(digest(allowed)) or is_closed(found):
        return ""
    return "send" if Action.SEND in allowed else "read"


def standing(request: HttpRequest, found: Chat, allowed: Collection[Action]) -> dict[str, Any]:
    """The context of `chats/_standing.html`: why nobody can write in a chat, and what one can do."""
    return {
        "is_closed": is_closed(found),
        "level": _level(found) if Action.MANAGE in allowed else None,
        "may_copy": may_copy(found, allowed),
        "may_start": isinstance(request.user, Person),
        "shares": shares(found) if Action.MANAGE in allowed else None,
        "offer": _offer(request, found, allowed),
    }


def _offer(request: HttpRequest, found: Chat, allowed: Collection[Action]) -> dict[str, Any] | None:
    """That the chat may become somebody else's, for the two whom it concerns."""
    if found.offered_to is None:
        return None
    is_mine = found.offered_to_id == request.user.pk
    if not (is_mine or Action.MANAGE in allowed):
        return None
    if not offers_to(found.offered_to).filter(pk=found.pk).exists():
        return None
    name = found.owner.shown_name if is_mine else found.offered_to.shown_name
    return {"is_mine": is_mine, "name": name}


def is_alone(request: HttpRequest, found: Chat, rows: Iterable[Message]) -> bool:
    """Whether its owner reads what nobody else can have written: no message need say who it is from."""
    if found.privacy != Privacy.PRIVATE or found.owner_id != request.user.pk:
        return False
    wrote = {row.author_id for row in rows if row.role == "user"}
    return wrote <= {found.owner_id} and not found.guests.exists()


def may_copy(found: Chat, allowed: Collection[Action]) -> bool:
    return Action.DUPLICATE in allowed and bool(found.v0_id) and not found.at_v0


def _level(found: Chat) -> dict[str, Any] | None:
    """What somebody who decides who may see the chat has to know of its level at v0."""
    is_asked = bool(found.privacy_wanted) and not found.privacy_refused
    if not found.is_wider_at_v0 or is_asked or found.at_v0 == AtV0.GONE:
        return None
    return {
        "is_pending": found.privacy_unsaid,
        "here": LEVELS.get(found.privacy),
        "there": LEVELS.get(found.privacy_at_v0, found.privacy_at_v0),
    }


def own_slots(
    request: HttpRequest,
    found: Chat,
    rows: Sequence[Message],
    allowed: Collection[Action],
    waiting: Waiting | None,
    *,
    filled: Card | None = None,
    seen: str = "",
    is_latest: bool = True,
) -> dict[str, str]:
    """The safe HTML of each message's slot, by its DOM id; none for a reader who sees nothing.

    The card `seen` is left out when it is still the same: somebody may be filling it in. What is said
    of a chat's end is said where `is_latest`.
    """
    ask = card(request.user, found, waiting, allowed, filled)
    told = decided(rows)
    answers = [row for row in rows if row.role == "assistant" and not row.is_live]
    known = costs(row.id for row in answers) if Action.SEE_COST in allowed else {}
    slots = sent_with(request, rows, told) if Action.SEND in allowed else {}
    last = rows[-1] if rows and is_latest else None
    for answer in answers:
        is_last = last is not None and answer.id == last.id
        cost = known.get(answer.id)
        may_go_on = Action.SEND in allowed and is_last
        asked = next((row for row in reversed(rows) if row.role == "user"), None)
        has_failed = failed_last(answer, last) and (
            may_go_on or (is_closed(found) and wrote(request, asked))
        )
        is_left = is_last and was_left(answer) and answer.id not in told
        may_continue = may_go_on and (was_cut(answer) or is_left)
        is_filtered = may_go_on and was_filtered(answer)
        # The card of its task is open again: that is the way to decide once more.
        is_reopened = has_failed and ask is not None
        has_failed = has_failed and ask is None
        waits = waiting is not None and answer.id == waiting.asked.id and not is_closed(found)
        asks = ask if waits else None
        if asks and asks["waiting"].digest == seen:
            continue
        may_fix = may_go_on and not waits and bool(trouble(answer))
        may_go_back = answer.restorable and bool(answer.v0_id)
        may_rewind = may_go_back and Action.RESTORE in allowed
        may_branch = may_go_back and may_copy(found, allowed)
        is_told = waits or is_left or is_reopened or answer.id in told
        if (
            cost
            or has_failed
            or may_continue
            or is_filtered
            or is_told
            or may_fix
            or may_rewind
            or may_branch
        ):
            context = {
                "ask": asks,
                "waits": waits,
                "is_left": is_left,
                "is_reopened": is_reopened,
                "told": told.get(answer.id),
                "chat": found,
                "answer": answer,
                "cost": cost,
                "token": uuid4(),
                "asked": asked if has_failed or is_filtered else None,
                "is_filtered": is_filtered,
                "may_repeat": has_failed and answer.problem in SAFE,
                "may_continue": may_continue,
                "may_fix": may_fix,
                "may_rewind": may_rewind,
                "may_branch": may_branch,
                "is_over": has_failed and (answer.problem in OVER or is_closed(found)),
                "again": utc(answer.again_at) if answer.again_at else "",
            }
            slots[f"m{answer.id}-own"] = render_to_string("chats/_own.html", context, request)
    return slots


def may_repeat(answer: Message, last: Message | None) -> bool:
    """Whether `answer` failed at the end of its chat in a way that makes sending again safe."""
    return failed_last(answer, last) and answer.problem in SAFE


def was_cut(answer: Message) -> bool:
    """Whether `answer` ended only because it had become too long."""
    return answer.state == MessageState.FINISHED and answer.finish_reason == "length"


def was_filtered(answer: Message) -> bool:
    return answer.state == MessageState.FINISHED and answer.finish_reason == FILTERED


def was_left(answer: Message) -> bool:
    """Whether v0 ended `answer` as if something were to follow, and asked for nothing."""
    has_ended = answer.state == MessageState.FINISHED and answer.finish_reason == "tool-calls"
    return has_ended and not answer.asks


def poll_of(waiting: Waiting | None, allowed: Collection[Action]) -> dict[str, Any]:
    """The context of `chats/_setup.html` on a page, with what was heard last."""
    return poll(waiting, allowed, setups.last(waiting.asked.id)) if waiting else {}


def is_closed(found: Chat) -> bool:
    """Whether v0 takes nothing for this chat any more, whoever asks."""
    return bool(found.at_v0) or not found.write_permission


def wrote(request: HttpRequest, message: Message | None) -> bool:
    return (
        message is not None
        and message.author_id is not None
        and (message.author_id == request.user.pk)
    )


def failed_last(answer: Message, last: Message | None) -> bool:
    # Files that did not go back are no message that could be sent again.
    has_failed = answer.state == MessageState.FAILED and not answer.restored
    return last is not None and answer.id == last.id and has_failed
