"""Usage: the summary, the events and the activity, all from the same books.

Owns one function for each operation. Relies on the books. What the events cost is, to the last
digit, what the messages say; the summary leaves out what was waived.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from chats.sandbox import wire
from chats.sandbox.answers import Refusal, json_answer
from chats.sandbox.books import Span, in_credits
from chats.sandbox.records import PROJECT
from chats.sandbox.wire import loads
from chats.sandbox.world import Call

Json = Any
Wire = dict[str, Json]

USUAL_RANGE = timedelta(days=7)


def _span(call: Call) -> Span:
    """The range and the filters of a request; the last week of everybody's when it gives none."""
    author = call.query.get("userId")
    if author is not None and author not in call.world.members:
        raise Refusal(403, "You may not see the usage of this user")
    end = _time(call, "end") or datetime.now(UTC)
    start = _time(call, "start") or _before(end)
    if start >= end:
        raise Refusal(422, "start: must be before end")
    chat, message = call.query.get("chatId"), call.query.get("messageId")
    return Span(wire.timestamp(start), wire.timestamp(end), author, chat, message)


def _time(call: Call, name: str) -> datetime | None:
    if name not in call.query:
        return None
    try:
        return wire.moment(call.query[name])
    except ValueError as problem:
        raise Refusal(422, f"{name}: is no time") from problem


def _before(end: datetime) -> datetime:
    try:
        return end - USUAL_RANGE
    except OverflowError as problem:
        raise Refusal(422, "end: is too early") from problem


def _head(call: Call, span: Span, object: str) -> Wire:
    scope = {"id": call.world.team_id, "type": "team", "isTeamWide": span.author is None}
    return {
        "object": object,
        "range": {"start": span.start, "end": span.end},
        "scope": scope | ({"userId": span.author} if span.author else {}),
    }


async def summary(call: Call) -> Response:
    span = _span(call)
    days = call.store.books.by_day(call.world.id, span)
    return json_answer(
        {
            **_head(call, span, "usage_summary"),
            "credits": _credits(sum(day[1] for day in days), sum(day[2] for day in days)),
            "daily": [{"date": date, "credits": _credits(*amounts)} for date, *amounts in days],
            "dataAsOf": wire.now(),
        }
    )


def _credits(plan: int, on_demand: int) -> Wire:
    amounts = {"plan": plan, "onDemand": on_demand, "total": plan + on_demand}
    return {name: in_credits(amount) for name, amount in amounts.items()}


async def events(call: Call) -> Response:
    """`limit` counts billing records, one for each source, so a page may hold fewer rows."""
    limit = call.query.get("limit", 50)
    span, before = _place(call)
    rows = call.store.books.events(call.world.id, span, before, limit + 1)
    page = _first_records(rows, limit)
    more = len(page) < len(rows)
    cursor = _cursor(span, page[-1]["number"]) if more else None
    return json_answer(
        {
            **_head(call, span, "list"),
            "data": [_event(row) for row in page],
            "pagination": {"hasMore": more, "cursor": cursor},
        }
    )


def _first_records(rows: list[sqlite3.Row], limit: int) -> list[sqlite3.Row]:
    """As many events as have `limit` records, and one at least."""
    page: list[sqlite3.Row] = []
    records = 0
    for row in rows:
        records += max(1, len(_sources(row)))
        if page and records > limit:
            break
        page.append(row)
    return page


def _sources(row: sqlite3.Row) -> list[str]:
    return [name for name, column in (("plan", "plan"), ("on-demand", "on_demand")) if row[column]]


def _event(row: sqlite3.Row) -> Wire:
    usage = loads(row["usage"])
    cost = usage["creditsCost"]
    return {
        "id": row["id"],
        "object": "usage_event",
        "type": row["type"],
        "createdAt": row["at"],
        "userId": row["author"],
        "chatId": row["chat"],
        "messageId": row["message"],
        "model": row["model"],
        "sources": _sources(row),
        "waived": bool(row["waived"]),
        "tokens": usage["tokens"] if row["has_message"] else None,
        "creditsCost": {**cost, "charged": 0 if row["waived"] else cost["total"]},
    }


def _cursor(span: Span, number: int) -> str:
    """Carries the range and the filters, so that a later page needs no other parameter."""
    text = json.dumps({"before": number, **asdict(span)})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(call: Call) -> tuple[Span, int | None]:
    cursor = call.query.get("cursor")
    if cursor is None:
        return _span(call), None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        kept = loads(text)
        before = int(kept["before"])
        span = Span(*(kept[name] for name in ("start", "end", "author", "chat", "message")))
        span.check()
    except (ValueError, TypeError, AttributeError, KeyError) as problem:
        raise Refusal(422, "cursor: is not one of this list") from problem
    of_page = {"userId": span.author, "chatId": span.chat, "messageId": span.message}
    if any(call.query.get(name, value) != value for name, value in of_page.items()):
        raise Refusal(422, "cursor: is one of other filters")
    return span, before


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the log, with what is known of its chat now (None: it is gone)."""

    chat_id: str
    author: str
    at: str
    chat: Wire | None

    @property
    def project(self) -> str | None:
        return self.chat.get("vercelProjectId") if self.chat else None

    @property
    def group(self) -> tuple[str, str | None]:
        kind = "unavailable" if self.chat is None else "project" if self.project else "drafts"
        return kind, self.project


async def activity(call: Call) -> Response:
    span, store = _span(call), call.store
    rows = store.books.answers(call.world.id, span)
    chats = {id: store.chat(call.world.id, id) for id in {row["chat"] for row in rows}}
    answers = [Answer(row["chat"], row["author"], row["at"], chats[row["chat"]]) for row in rows]
    summary = {
        "activeUsers": len({answer.author for answer in answers}),
        "activeDays": _days(answers),
        "chatCount": len(chats),
        "messageCount": len(answers),
    }
    projects = [_project(call, among) for _, among in _by(answers, lambda answer: answer.group)]
    listed = [_chat(call, among) for _, among in _by(answers, lambda answer: answer.chat_id)]
    head = _head(call, span, "usage_activity")
    return json_answer({**head, "summary": summary, "projects": projects, "chats": listed})


def _by(answers: list[Answer], key: Callable[[Answer], Any]) -> Iterable[tuple[Any, list[Answer]]]:
    """Groups, the one with the latest answer first."""
    groups: dict[Any, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(key(answer), []).append(answer)
    return sorted(groups.items(), key=lambda group: group[1][-1].at, reverse=True)


def _days(answers: list[Answer]) -> int:
    return len({answer.at[:10] for answer in answers})


def _counts(answers: list[Answer]) -> Wire:
    return {
        "messageCount": len(answers),
        "activeDays": _days(answers),
        "firstActivity": answers[0].at,
        "lastActivity": answers[-1].at,
    }


def _project(call: Call, answers: list[Answer]) -> Wire:
    kind, project = answers[0].group
    labels = {"drafts": "Drafts", "unavailable": "Unavailable"}
    return {
        "kind": kind,
        "vercelProjectId": project,
        "name": labels.get(kind) or _project_name(call, project) or "Project",
        "chatCount": len({answer.chat_id for answer in answers}),
        **_counts(answers),
    }


def _project_name(call: Call, project: str | None) -> str | None:
    kept = call.store.records.get(call.world.id, PROJECT, project) if project else None
    return kept["name"] if kept else None


def _chat(call: Call, answers: list[Answer]) -> Wire:
    newest = answers[-1]
    chat = newest.chat
    return {
        "kind": "chat" if chat else "unavailable",
        "chatId": newest.chat_id,
        "title": chat.get("title", "Untitled") if chat else "Unavailable chat",
        "vercelProjectId": newest.project,
        "projectName": _project_name(call, newest.project),
        **_counts(answers),
    }
