"""The page of one chat.

Owns its assembly: rows first, then the newest State of the relay, which wins for everything that is
not final yet. Relies on permissions for the chat, and on rendering for each message; what differs
from one reader to the next is put into slots that frames leave empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from chats import permissions, relay
from chats.forms.options import OptionsForm
from chats.live.html import NOTHING
from chats.live.html import render as html_of
from chats.live.state import Node, State
from chats.models import Attachment, Chat, Message, Person
from chats.models.messages import LIVE
from chats.permissions import Action, gallery
from chats.permissions.doors import digest
from chats.relay import intents
from chats.relay.rows import shown
from chats.relay.uploads import of_message
from chats.rendering import wishes
from chats.rendering.finding import LONGEST, spaced
from chats.rendering.fixed import fixed, marks
from chats.rendering.message import message_node
from chats.views.access import Request, allowed_actions, uuid_or_none
from chats.views.allowance import in_chat, usual_of
from chats.views.cards import Card, waiting_in
from chats.views.composer import composer
from chats.views.copying import copying_context
from chats.views.here import who_is_here
from chats.views.lately import beginning
from chats.views.noted import slots as note_slots
from chats.views.opening import opened
from chats.views.options import options_again, options_shown
from chats.views.own import is_alone, is_closed, own_slots, poll_of, standing
from chats.views.queued import queue_of
from chats.views.seen import line, seen_shown
from chats.views.shell import shell
from chats.views.spaces import new_place, place_shown, where

WINDOW = 50
# What a page that holds more, because somebody read back, is renewed to at most.
MOST = 500


@dataclass(frozen=True, slots=True)
class Window:
    """Some messages of a chat in order. `earlier` is the position before which there are more, None
    when there are none; `is_latest` says that the last message of the chat is among them, and
    `later` is where the next window ends when it is not. `lost`: the message that the address names
    is not in this chat."""

    rows: Sequence[Message]
    earlier: int | None
    is_latest: bool
    later: int | None = None
    lost: bool = False


@require_safe
def chat(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.READ)
    if found.v0_id:
        relay.opened(found.id, found.compared_at)
    edited = _message_to_edit(request, found)
    if edited is None:
        return page(request, found)
    # What it was sent with is for those who may send, whoever may read the text.
    may_send = Action.SEND in allowed_actions(request, found)
    again = options_again(request.user, found, edited) if may_send else None
    return page(request, found, text=edited.text, files=of_message(edited), options=again)


def page(
    request: HttpRequest,
    found: Chat,
    *,
    text: str = "",
    files: Sequence[Attachment] = (),
    refusal: str = "",
    again: str = "",
    card: Card | None = None,
    options: OptionsForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The chat as `request` may see it; `text` and `files` are put into the composer, `refusal`
    above it with a clock that runs until `again`, `card` is how somebody left the card of a task, `options` what stands beside the text."""
    rows = window(
        found,
        before=_number(request, "before"),
        first=uuid_or_none(request.GET.get("from")),
        at=uuid_or_none(request.GET.get("at")),
    )
    state, at = relay.standing(found.id) if rows.is_latest else (None, "")
    messages = nodes(rows.rows, state)
    allowed = allowed_actions(request, found)
    live = next((row for row in rows.rows if row.role == "assistant" and row.is_live), None)
    waiting = waiting_in(found, rows.rows) if rows.is_latest else None
    slots = own_slots(
        request, found, rows.rows, allowed, waiting, filled=card, is_latest=rows.is_latest
    )
    slots |= note_slots(request, found, rows.rows, allowed)
    queue_length = found.queue.count()
    fixed_nodes = state.fixed if state else _fixed(found, queue_length)
    copy = None if rows.rows else intents.unfinished_copy(found)
    brought = None if rows.rows or copy else intents.wish(found)
    may_send = Action.SEND in allowed and rows.is_latest and copy is None
    seen = seen_shown(
        request,
        found,
        allowed,
        rows.rows,
        is_latest=rows.is_latest,
        is_first=rows.earlier is None,
    )
    context = {
        "copy": copy,
        "chat": found,
        "title": found.title or "New chat",
        "is_public": gallery.is_public(found),
        "window": rows,
        "fixed": {node.id: as_html((node,)) for node in fixed_nodes},
        "marks": as_html(node for node in fixed_nodes if "data-mark" in dict(node.attrs)),
        "messages": as_html(messages, slots, line(request, found, seen.get("news"))),
        "poll": poll_of(waiting, allowed),
        "at": at if state else "" if live else f"v{found.version}",
        "after": last_final(messages),
        "is_running": live is not None,
        # Without scripts. A page on which something can be typed never renews itself.
        "renews": live is not None and _is_only_read(request, text),
        "may_rename": Action.RENAME in allowed,
        "may_note": Action.NOTE in allowed,
        **standing(request, found, allowed),
        "is_alone": is_alone(request, found, rows.rows),
        **beginning(),
        **opened(request, found),
        **seen,
        **_about_others(request, found, fixed_nodes),
        "rights": digest(allowed),
        "may_send": may_send,
        **(queue_of(request, found, allowed) if queue_length else {}),
        "text": text,
        "find": spaced(request.GET.get("find") or "")[:LONGEST],
        "attached": files,
        "refusal": refusal,
        "again": again,
        **composer(found, live, token=uuid4()),
        **(copying_context(request, found, copy, refusal) if copy else {}),
        "brought": wishes.MADE.get(brought.kind, "") if brought else "",
        "brought_next": wishes.NEXT,
        **_about_options(request, found, allowed, options),
        **in_chat(request, found, allowed),
        **_about_place(request, found, allowed),
        **shell(request, current=found.id),
    }
    return render(request, "chats/chat.html", context, status=status)


def window(
    found: Chat,
    *,
    before: int | None = None,
    first: UUID | None = None,
    at: UUID | None = None,
) -> Window:
    """The last messages; the last before a position; all since `first`, which a page still shows; or
    those around `at`, however old that is. With one row more to know of others."""
    if at is not None and first is None and before is None:
        place = found.messages.filter(id=at).values_list("position", flat=True).first()
        around = _around(found, place) if place is not None else window(found)
        return replace(around, lost=place is None)
    rows = found.messages.select_related("author", "v0_person").order_by("-position")
    size = WINDOW
    if before is not None:
        rows = rows.filter(position__lt=before)
    elif first is not None:
        place_of_first = found.messages.filter(id=first).values("position")
        size = min(max(WINDOW, rows.filter(position__gte=place_of_first[:1]).count()), MOST)
    newest = list(rows[: size + 1])
    shown_rows = newest[:size][::-1]
    earlier = shown_rows[0].position if len(newest) > size else None
    later = _later(found, shown_rows) if before is not None else None
    return Window(shown_rows, earlier, before is None, later)


def _around(found: Chat, place: int) -> Window:
    """The window with the message at `place`: the latest one where that has it, since it is alive."""
    newest = found.messages.order_by("-position").values_list("position", flat=True)
    latest = newest[WINDOW - 1 : WINDOW].first()
    if latest is None or place >= latest:
        return window(found)
    return window(found, before=place + WINDOW // 2)


def _later(found: Chat, rows: Sequence[Message]) -> int | None:
    """None when what follows the rows is no more than the latest window shows."""
    end = rows[-1].position + WINDOW + 1 if rows else 0
    return end if found.messages.filter(position__gte=end).exists() and rows else None


def nodes(rows: Iterable[Message], state: State | None) -> list[Node]:
    """Each message as it is now: State wins unless the row is final, and adds what is newer."""
    running = {node.id: node for node in state.messages} if state else {}
    listed = list(rows)
    made = [
        running[f"m{row.id}"]
        if row.state in LIVE and f"m{row.id}" in running
        else message_node(shown(row))
        for row in listed
    ]
    return [*made, *_newer({node.id for node in made}, tuple(running.values()))]


def _newer(known: set[str], running: Sequence[Node]) -> Iterator[Node]:
    places = [place for place, node in enumerate(running) if node.id in known]
    yield from running[max(places, default=-1) + 1 :]


def last_final(messages: Iterable[Node]) -> str:
    """The message up to which nothing on the page can change any more, "" if there is none."""
    after = ""
    for node in messages:
        attrs = dict(node.attrs)
        if attrs["data-state"] in LIVE:
            return after
        after = attrs["data-message"]
    return after


def _about_place(request: HttpRequest, found: Chat, allowed: Collection[Action]) -> dict[str, Any]:
    """Where the chat belongs, and what its composer says of a team."""
    told = {"where": where(request, found), "team": found.team}
    if Action.SEND in allowed:
        return {**told, "team_system": found.team_system}
    if is_closed(found) and isinstance(request.user, Person):
        # What is sent from here begins a new chat.
        return {**told, **place_shown(new_place(request, request.user, None))}
    return told


def _about_options(
    request: HttpRequest, found: Chat, allowed: Collection[Action], options: OptionsForm | None
) -> dict[str, Any]:
    """Who cannot send here may begin a new chat below a closed one: with nothing of this one's."""
    may_send = Action.SEND in allowed
    told = options_shown(request, found if may_send else None, options)
    if may_send and isinstance(request.user, Person):
        told["usual"] = usual_of(request.user, told["model"])
    return told


def _about_others(request: HttpRequest, found: Chat, fixed_nodes: Iterable[Node]) -> dict[str, Any]:
    """Who else is here, where the page says that somebody is."""
    is_alone = not any(node.id == "here" and node.html for node in fixed_nodes)
    if is_alone or not isinstance(request.user, Person):
        return {}
    return who_is_here(found, request.user)


def _fixed(found: Chat, waiting: int) -> tuple[Node, ...]:
    told = marks(found.version, waiting)
    return fixed(title=found.title, version=found.version, marks=told, waiting=waiting)


def as_html(
    shown_nodes: Iterable[Node],
    slots: Mapping[str, str] = NOTHING,
    before: Mapping[str, str] = NOTHING,
) -> SafeString:
    """`before` stands between the nodes, where no frame says anything."""
    return SafeString(
        "".join(before.get(node.id, "") + html_of(node, fill=slots) for node in shown_nodes)
    )


def _message_to_edit(request: HttpRequest, found: Chat) -> Message | None:
    """The message that a person wants to change and send again."""
    id = uuid_or_none(request.GET.get("edit"))
    return found.messages.filter(id=id, role="user").first() if id else None


def _is_only_read(request: HttpRequest, text: str) -> bool:
    return request.method == "GET" and not text and "write" not in request.GET


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name) or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
