"""Webhooks: addresses that v0 calls when something happens.

Owns these operations and their answers. Relies on `calls` for the way. v0 documents no signature, so
the address is what keeps a webhook secret: it is in no repr.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chats.v0api import limits
from chats.v0api.answers import done, json_value, objects, with_id
from chats.v0api.calls import Calls, segment
from chats.v0api.types import Json, Wire, text, texts

WEBHOOK_EVENTS = (
    "chat.created",
    "chat.updated",
    "chat.deleted",
    "message.created",
    "message.updated",
    "message.deleted",
    "message.finished",
)


@dataclass(frozen=True, slots=True)
class WebhookName:
    """What the list tells of a webhook."""

    id: str
    name: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> WebhookName:
        return cls(text(wire.get("id")), text(wire.get("name")), wire)


@dataclass(frozen=True, slots=True)
class Webhook:
    """`events` are some of WEBHOOK_EVENTS; `chat_id` is "" for those of every chat."""

    id: str
    name: str
    created_at: str
    events: tuple[str, ...]
    url: str = field(repr=False)
    chat_id: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> Webhook:
        return cls(
            text(wire.get("id")),
            text(wire.get("name")),
            text(wire.get("createdAt")),
            texts(wire.get("events")),
            text(wire.get("url")),
            text(wire.get("chatId")),
            wire,
        )


class Webhooks(Calls):
    async def list_webhooks(self) -> tuple[WebhookName, ...]:
        return tuple(map(WebhookName.from_wire, objects(await self._get("/hooks"), "hooks")))

    async def get_webhook(self, webhook_id: str) -> Webhook:
        return Webhook.from_wire(with_id(await self._get(f"/hooks/{segment(webhook_id)}")))

    async def create_webhook(
        self, *, name: str, url: str, events: Sequence[str], chat_id: str | None = None
    ) -> Webhook:
        """`chat_id` None is for all chats of the key's scope."""
        body = {**_body(name, url, events), "chatId": chat_id}
        return Webhook.from_wire(
            with_id(await self._change("POST", "/hooks", body, read=json_value))
        )

    async def update_webhook(
        self,
        webhook_id: str,
        *,
        name: str | None = None,
        url: str | None = None,
        events: Sequence[str] | None = None,
    ) -> Webhook:
        """Changes what is given."""
        path, body = f"/hooks/{segment(webhook_id)}", _body(name, url, events)
        return Webhook.from_wire(with_id(await self._change("PATCH", path, body, read=json_value)))

    async def delete_webhook(self, webhook_id: str) -> None:
        await self._change("DELETE", f"/hooks/{segment(webhook_id)}", read=done)


def _body(name: str | None, url: str | None, events: Sequence[str] | None) -> dict[str, Json]:
    body: dict[str, Json] = {}
    if name is not None:
        body["name"] = name
    if url is not None:
        body["url"] = limits.url("url", url)
    if events is not None:
        body["events"] = [limits.word("events", event, WEBHOOK_EVENTS) for event in events]
    return body
