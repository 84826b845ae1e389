"""What a message was sent with beside its text, for those who may send in its chat.

Owns the slots of people's messages, and the way back from one into the composer; frames never carry any of it, since instructions and metadata are
words that not every reader may know. Relies on the rows alone, and on what is known of MCP servers for
their names: it asks nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.template.loader import render_to_string

from chats.models import Message
from chats.relay import servers
from chats.v0api.types import AUTO_MODEL


def sent_with(
    request: HttpRequest, rows: Sequence[Message], decided: Collection[UUID]
) -> dict[str, str]:
    """The safe HTML of each slot, by its DOM id. What follows an answer among `decided` tells of a
    decision, and cannot be asked again; nor can what was no question, but a wish to go back."""
    before, after = [None, *rows], [*rows[1:], None]
    return {
        f"m{row.id}-own": render_to_string("chats/_sent_with.html", context(row), request)
        for row, former, later in zip(rows, before, after, strict=False)
        if row.role == "user"
        and not (former and former.id in decided)
        and not (later and later.restored)
    }


def context(row: Message) -> dict[str, Any]:
    given = row.sent_with
    skills, names = _skills(given), _servers(given)
    return {
        "id": f"m{row.id}-sent",
        "again": f"{resolve_url('chat', row.chat_id)}?edit={row.id}#message",
        "summary": " · ".join(_summary(given, skills, names)),
        "model": given.get("model", ""),
        "images": given.get("images", False),
        # v0 chooses the model, and by one of its revisions whether there are images, too.
        "is_auto": given.get("model") == AUTO_MODEL,
        "skills": skills,
        "servers": names,
        "system": given.get("system", ""),
        "metadata": given.get("metadata", {}),
    }


def summary(given: dict[str, Any]) -> str:
    """What was chosen beside a text, in a line."""
    return " · ".join(_summary(given, _skills(given), _servers(given)))


def _skills(given: dict[str, Any]) -> list[Any]:
    return [skill.get("id") or skill.get("name") for skill in given.get("skills", ())]


def _servers(given: dict[str, Any]) -> list[str] | None:
    mcp, known = given.get("mcp"), servers.known()
    return None if mcp is None else [servers.name_of(id, known) for id in mcp]


def _summary(
    given: dict[str, Any], skills: Sequence[Any], names: Sequence[str] | None
) -> list[str]:
    counted = {"skill": len(skills), "MCP server": len(names or ())}
    words = [
        given.get("model", ""),
        "images" if given.get("images") else "",
        *(
            f"{number} {noun}{'' if number == 1 else 's'}"
            for noun, number in counted.items()
            if number
        ),
        "no MCP servers" if names == [] else "",
        "instructions" if given.get("system") else "",
        "metadata" if given.get("metadata") else "",
    ]
    return [word for word in words if word]
