"""What is new in a chat for one person since they looked last, and their word that they have seen it.

Owns the line at the first new message, on the page and as the fragment for one that was left open, and the
marks that a page posts by itself. It is one person's own, and so in no frame. Relies on permissions for
the chat; counts from rows that the page has, or from a limited number of others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from chats import permissions
from chats.models import Chat, Entry, Message, Person, Seen
from chats.models import seen as marks
from chats.models.messages import LIVE
from chats.permissions import Action
from chats.permissions.sessions import grants
from chats.relay.rows import utc
from chats.usage import money
from chats.views.access import (
    Request,
    allowed_actions,
    form_methods,
    see_chat,
    signed_in,
    uuid_or_none,
)

# New messages of which more is told than that they are there.
MOST = 50


@dataclass(frozen=True, slots=True)
class News:
    """`first` is the first new message, `told` what there is since then, in words; `is_here` says that the
    page shows the first one."""

    first: UUID
    since: str
    told: str
    is_here: bool


def news_of(
    person: Person,
    found: Chat,
    mark: Seen,
    allowed: Collection[Action],
    *,
    rows: Sequence[Message] = (),
    is_all: bool = False,
) -> News | None:
    """None when nothing is new. `rows` are what the page shows; `is_all`: nothing behind the mark is
    missing from them, so that nobody need be asked."""
    if is_all:
        new = [row for row in rows if row.position > mark.position and marks.is_news(row, person)]
    else:
        behind = found.messages.filter(marks.news(person), position__gt=mark.position)
        new = list(behind.only("role", "parts").order_by("position")[: MOST + 1])
    if not new:
        return None
    told = _told(new[:MOST], is_more=len(new) > MOST, with_cost=Action.SEE_COST in allowed)
    is_here = any(row.id == new[0].id for row in rows)
    return News(new[0].id, utc(mark.at), ", ".join(told), is_here)


def _told(new: Sequence[Message], *, is_more: bool, with_cost: bool) -> Iterator[str]:
    """ "2 runs", "5 files" and what else there is since then."""
    answers = [row for row in new if row.role == "assistant"]
    parts = [part for row in answers for part in row.parts if isinstance(part, dict)]
    files = {str(part.get("path")) for part in parts if part.get("type") == "file-edit"}
    counts = {
        "run": len(answers),
        "file": len(files),
        "command": sum(part.get("type") == "bash" for part in parts),
        "message": len(new) - len(answers),
    }
    least = "at least " if is_more else ""
    for name, count in counts.items():
        if count:
            yield f"{least}{count} {name}{'' if count == 1 else 's'}"
    if with_cost and answers and (cost := _cost(answers)):
        yield f"{least}{money.shown(cost)} credits"


def _cost(answers: Iterable[Message]) -> int:
    # Added up here: what columns can hold is together more than what a database can add.
    entries = Entry.objects.filter(message_id__in=[row.id for row in answers])
    return sum(entries.values_list("credits_total", flat=True))


def seen_shown(
    request: HttpRequest,
    found: Chat,
    allowed: Collection[Action],
    rows: Sequence[Message],
    *,
    is_latest: bool,
    is_first: bool,
) -> dict[str, Any]:
    """What a page with these rows says of what is new, and which of its messages were seen before."""
    if not isinstance(request.user, Person):
        return {}
    mark = Seen.objects.filter(person=request.user, chat=found).first()
    if mark is None:
        return {"keeps_seen": True}
    seen = [row.id for row in rows if row.position <= mark.position]
    begins_seen = is_first or bool(rows and rows[0].position <= mark.position + 1)
    is_all = is_latest and begins_seen
    news = news_of(request.user, found, mark, allowed, rows=rows, is_all=is_all)
    return {"keeps_seen": True, "seen_up_to": seen[-1] if seen else "", "news": news}


def line(request: HttpRequest, found: Chat, news: News | None) -> dict[str, str]:
    """The line at the first new message, by the id of what it stands before."""
    if news is None or not news.is_here:
        return {}
    context = {"chat": found, "news": news}
    return {f"m{news.first}": render_to_string("chats/_new_since.html", context, request)}


@form_methods
def seen(request: Request, id: UUID) -> HttpResponse:
    """To read: the line for a page that was left open. To post: that somebody has seen the chat, up to a
    message, or up to its end where none is named."""
    found = permissions.chat(request, id, Action.READ)
    if request.method != "POST":
        return _line_of(request, found)
    if isinstance(request.user, Person) and (position := _position(request, found)):
        marks.see(request.user, found, position)
    return HttpResponse(status=204) if "message" in request.POST else see_chat(found.id)


def _position(request: Request, found: Chat) -> int:
    """0 where nothing has been said, or is not any more, or not yet to its end."""
    if "message" not in request.POST:
        return marks.end_of(found)
    id = uuid_or_none(request.POST["message"])
    named = found.messages.filter(pk=id) if id else Message.objects.none()
    return named.exclude(state__in=LIVE).values_list("position", flat=True).first() or 0


def _line_of(request: Request, found: Chat) -> HttpResponse:
    if not request.htmx:
        return see_chat(found.id)
    mark = Seen.objects.filter(person_id=request.user.pk or 0, chat=found).first()
    if mark is None or not isinstance(request.user, Person):
        return HttpResponse(status=204)
    news = news_of(request.user, found, mark, allowed_actions(request, found))
    if news is None:
        return HttpResponse(status=204)
    return render(request, "chats/_new_since.html", {"chat": found, "news": news})


@require_POST
@signed_in
def seen_all(request: Request, person: Person) -> HttpResponse:
    """Everything in somebody's own lists is read."""
    marks.see_all(person, permissions.readable(person, grants(request.session)))
    if request.htmx:
        return trigger_client_event(HttpResponse(status=204), "mark:sidebar")
    return HttpResponseRedirect(resolve_url("home"), status=303)
