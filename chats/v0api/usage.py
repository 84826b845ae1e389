"""What was used and what it cost: the summary, the single events, and who did how much.

Owns these operations and their answers. Relies on `calls` for the way. Credits are Decimals made
from the wire's text. Without a range v0 takes the last seven days; whose usage it shows, the key's
or the whole team's, is said by the answer's scope.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from chats.v0api import limits
from chats.v0api.answers import with_list
from chats.v0api.calls import Calls
from chats.v0api.errors import InDoubt
from chats.v0api.paging import Cursor, every
from chats.v0api.types import Amounts, Json, Wire, decimal, is_number, text, texts, whole

SCOPE_TYPES = ("team", "personal")
SOURCES = ("plan", "on-demand")
PROJECT_KINDS = ("project", "drafts", "unavailable")
CHAT_KINDS = ("chat", "unavailable")


@dataclass(frozen=True, slots=True)
class Report:
    """What every answer has: `start` (included) and `end` (not), and whose usage it is.

    `scope_type` is one of SCOPE_TYPES; `user_id` is "" unless it is about one person.
    """

    start: str
    end: str
    scope_id: str
    scope_type: str
    is_team_wide: bool
    user_id: str
    wire: Wire = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credits:
    plan: Decimal
    on_demand: Decimal
    total: Decimal

    @classmethod
    def from_wire(cls, wire: Json) -> Credits:
        found = _object(wire)
        return cls(*(decimal(found.get(name)) for name in ("plan", "onDemand", "total")))


@dataclass(frozen=True, slots=True)
class Day:
    """`date` is a day in UTC, as YYYY-MM-DD."""

    date: str
    credits: Credits


@dataclass(frozen=True, slots=True)
class UsageSummary(Report):
    """`data_as_of` is "" unless v0 says that its figures lag behind."""

    credits: Credits
    daily: tuple[Day, ...]
    data_as_of: str

    @classmethod
    def from_wire(cls, wire: Json) -> UsageSummary:
        found = with_list(wire, "daily")
        days = (
            Day(text(item.get("date")), Credits.from_wire(item.get("credits")))
            for item in _objects(found["daily"])
        )
        credits = Credits.from_wire(found.get("credits"))
        return cls(*_report(found), credits, tuple(days), text(found.get("dataAsOf")))


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One thing that was used. `credits` is what it would cost, `charged` what it did: less where
    it was `waived`, and both were said as numbers where it `is_priced`. `tokens` is None where v0 does not
    know; `sources` are some of SOURCES."""

    id: str
    type: str
    created_at: str
    user_id: str
    chat_id: str
    message_id: str
    model: str
    sources: tuple[str, ...]
    waived: bool
    tokens: Amounts | None
    credits: Amounts
    charged: Decimal
    is_priced: bool
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> UsageEvent:
        tokens, cost = wire.get("tokens"), _object(wire.get("creditsCost"))
        return cls(
            text(wire.get("id")),
            text(wire.get("type")),
            text(wire.get("createdAt")),
            text(wire.get("userId")),
            text(wire.get("chatId")),
            text(wire.get("messageId")),
            text(wire.get("model")),
            texts(wire.get("sources")),
            wire.get("waived") is True,
            Amounts.from_wire(tokens) if isinstance(tokens, Mapping) else None,
            Amounts.from_wire(cost),
            decimal(cost.get("charged")),
            is_number(cost.get("total")) and is_number(cost.get("charged")),
            wire,
        )


@dataclass(frozen=True, slots=True)
class UsageEventPage(Report):
    """One page; `cursor` leads on while there `has_more`. It may hold more or fewer events than
    asked."""

    events: tuple[UsageEvent, ...]
    has_more: bool
    cursor: str | None

    @classmethod
    def from_wire(cls, wire: Json) -> UsageEventPage:
        found = with_list(wire, "data")
        pagination = _object(found.get("pagination"))
        return cls(
            *_report(found),
            tuple(map(UsageEvent.from_wire, _objects(found["data"]))),
            pagination.get("hasMore") is True,
            text(pagination.get("cursor")) or None,
        )


@dataclass(frozen=True, slots=True)
class ProjectActivity:
    """`kind` is one of PROJECT_KINDS."""

    kind: str
    vercel_project_id: str
    name: str
    chat_count: int
    message_count: int
    active_days: int
    first_activity: str
    last_activity: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> ProjectActivity:
        return cls(
            text(wire.get("kind")),
            text(wire.get("vercelProjectId")),
            text(wire.get("name")),
            whole(wire.get("chatCount")),
            whole(wire.get("messageCount")),
            whole(wire.get("activeDays")),
            text(wire.get("firstActivity")),
            text(wire.get("lastActivity")),
            wire,
        )


@dataclass(frozen=True, slots=True)
class ChatActivity:
    """`kind` is one of CHAT_KINDS."""

    kind: str
    chat_id: str
    title: str
    vercel_project_id: str
    project_name: str
    message_count: int
    active_days: int
    first_activity: str
    last_activity: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> ChatActivity:
        return cls(
            text(wire.get("kind")),
            text(wire.get("chatId")),
            text(wire.get("title")),
            text(wire.get("vercelProjectId")),
            text(wire.get("projectName")),
            whole(wire.get("messageCount")),
            whole(wire.get("activeDays")),
            text(wire.get("firstActivity")),
            text(wire.get("lastActivity")),
            wire,
        )


@dataclass(frozen=True, slots=True)
class UsageActivity(Report):
    active_users: int
    active_days: int
    chat_count: int
    message_count: int
    projects: tuple[ProjectActivity, ...]
    chats: tuple[ChatActivity, ...]

    @classmethod
    def from_wire(cls, wire: Json) -> UsageActivity:
        found = with_list(with_list(wire, "projects"), "chats")
        summary = _object(found.get("summary"))
        return cls(
            *_report(found),
            whole(summary.get("activeUsers")),
            whole(summary.get("activeDays")),
            whole(summary.get("chatCount")),
            whole(summary.get("messageCount")),
            tuple(map(ProjectActivity.from_wire, _objects(found["projects"]))),
            tuple(map(ChatActivity.from_wire, _objects(found["chats"]))),
        )


class UsageReports(Calls):
    async def get_usage_summary(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        user_id: str | None = None,
    ) -> UsageSummary:
        """Credits by day from `start` to before `end`. Forbidden for somebody else's usage."""
        query = _range(start, end, user_id)
        return UsageSummary.from_wire(await self._get("/usage/summary", query))

    async def get_usage_activity(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        user_id: str | None = None,
    ) -> UsageActivity:
        """Chats and projects that were worked on from `start` to before `end`."""
        query = _range(start, end, user_id)
        return UsageActivity.from_wire(await self._get("/usage/activity", query))

    async def list_usage_events(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        user_id: str | None = None,
        chat_id: str | None = None,
        message_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> UsageEventPage:
        """Single events. A `cursor` holds range and filters: give it alone. Conflict when it is
        over."""
        query = {
            **_range(start, end, user_id),
            "chatId": chat_id,
            "messageId": message_id,
            "limit": str(limits.number("limit", limit, least=1, most=limits.PAGE)),
            "cursor": cursor,
        }
        return UsageEventPage.from_wire(await self._get("/usage/events", query))

    def iter_usage_events(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        user_id: str | None = None,
        chat_id: str | None = None,
        message_id: str | None = None,
        page: int = limits.PAGE,
    ) -> AsyncGenerator[UsageEvent]:
        """All events that `list_usage_events` would give, one page in memory at a time."""

        async def fetch(cursor: Cursor) -> tuple[tuple[UsageEvent, ...], Cursor]:
            if cursor is None:
                found = await self.list_usage_events(
                    start=start,
                    end=end,
                    user_id=user_id,
                    chat_id=chat_id,
                    message_id=message_id,
                    limit=page,
                )
            else:
                found = await self.list_usage_events(limit=page, cursor=cursor)
            if found.has_more and found.cursor is None:
                raise InDoubt("more usage events, and no way to them", status=200)
            return found.events, found.cursor if found.has_more else None

        return every(fetch)


def _range(
    start: datetime | None, end: datetime | None, user_id: str | None
) -> dict[str, str | None]:
    return {
        "start": None if start is None else limits.moment("start", start),
        "end": None if end is None else limits.moment("end", end),
        "userId": user_id,
    }


def _report(wire: Wire) -> tuple[str, str, str, str, bool, str, Wire]:
    range, scope = _object(wire.get("range")), _object(wire.get("scope"))
    return (
        text(range.get("start")),
        text(range.get("end")),
        text(scope.get("id")),
        text(scope.get("type")),
        scope.get("isTeamWide") is True,
        text(scope.get("userId")),
        wire,
    )


def _object(value: Json) -> Wire:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Json) -> list[Wire]:
    return [item for item in value if isinstance(item, Mapping)]
