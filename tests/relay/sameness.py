"""Whether what is stored here says what v0 says.

Owns the comparison of one chat's rows with v0's own lists. Relies on a world; changes nothing.
"""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

from tests.app_server import wait_until
from tests.world import World

# A server that looks often at what changed at v0.
SOON = {"V0_COMPARE_OPENED": "0.2", "V0_SWEEP_EVERY": "0.5"}


def listed(world: World, chat: str) -> list[dict[str, Any]]:
    """v0's messages of the chat, oldest first."""
    v0_chat = world.chat(chat)["v0_id"]
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = world.at_v0(f"/chats/{v0_chat}/messages?limit=100{cursor}")
        found += page["messages"]
        if page["cursor"] is None:
            return found[::-1]
        cursor = f"&cursor={page['cursor']}"


def said(rows: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [
        (row["v0_id"], row["role"], row["text"])
        if row["role"] == "user"
        else (row["v0_id"], row["role"], row["parts"], row["finish_reason"], row["content"])
        for row in rows
        if row["v0_id"]
    ]


def as_v0_says(messages: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    return [
        (item["id"], item["role"], item["content"])
        if item["role"] == "user"
        else (item["id"], item["role"], item["parts"], item["finishReason"], item["content"])
        for item in messages
    ]


def here_and_there(world: World, chat: str) -> tuple[list[str], list[str]]:
    """What the rows say and what v0 says, line by line: every message in its order, v0's level
    of privacy, and the title, unless a person gave one here."""
    here = world.chat(chat)
    there = world.at_v0(f"/chats/{here['v0_id']}")
    title = here["title"] if here["title_given"] else there.get("title", "")
    rows, messages = said(world.messages(chat)), as_v0_says(listed(world, chat))
    return (
        [here["title"], here["privacy_at_v0"], *map(repr, rows)],
        [title, there["privacy"], *map(repr, messages)],
    )


def until_same(world: World, chat: str, *, within: float = 20) -> None:
    def is_same() -> bool:
        here, there = here_and_there(world, chat)
        return here == there

    try:
        wait_until(is_same, within=within)
    except AssertionError as error:
        here, there = here_and_there(world, chat)
        error.add_note("\n".join(unified_diff(here, there, "here", "at v0", lineterm="")))
        raise
