"""What the agent wrote: its files, their preview, and going back to an earlier state.

Owns these operations and their answers. Relies on `calls` for the way. Restoring costs credits and
goes out once; an edit is free, and is not repeated either, since it adds messages.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from chats.v0api import limits
from chats.v0api.answers import Writable, json_value, with_list, with_text
from chats.v0api.calls import Calls, segment
from chats.v0api.types import Json, Message, Wire, text

ENCODINGS = ("utf8", "base64")

DOWNLOAD = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """`content` as `encoding` says, one of ENCODINGS."""

    path: str
    content: str = field(repr=False)
    encoding: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> File:
        return cls(
            text(wire.get("path")), text(wire.get("content")), text(wire.get("encoding")), wire
        )

    @property
    def data(self) -> bytes:
        """The file's bytes. ValueError for a base64 that is none."""
        if self.encoding == "base64":
            return base64.b64decode(self.content, validate=True)
        return self.content.encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Preview:
    """Where a chat's page runs. The token goes into the header `x-v0-preview-token` and is only
    good until `expires_at`."""

    url: str
    token: str = field(repr=False)
    expires_at: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Json) -> Preview | None:
        """None while it is still starting. Older answers are wrapped in {"preview": …}."""
        if isinstance(wire, Mapping) and "preview" in wire:
            wire = wire["preview"]
        if wire is None:
            return None
        found = with_text(wire, "url")
        return cls(found["url"], text(found.get("token")), text(found.get("expiresAt")), found)


class Files(Calls):
    async def get_preview(self, chat_id: str) -> Preview | None:
        """None while the preview is still starting: ask again in some seconds."""
        return Preview.from_wire(await self._get(f"{_of(chat_id)}/preview"))

    async def get_files(self, chat_id: str) -> tuple[File, ...]:
        """All files as they are now. Conflict while they are not ready."""
        found = with_list(await self._get(f"{_of(chat_id)}/files"), "files")
        return tuple(File.from_wire(item) for item in found["files"] if isinstance(item, dict))

    async def update_files(
        self, chat_id: str, files: Mapping[str, str | None]
    ) -> tuple[Message, ...]:
        """Writes each path, or deletes it where the content is None.

        Gives the messages that record the edit, oldest first. Conflict without a running preview;
        Invalid says by `issues` what is wrong with which file.
        """
        limits.count("files", files, least=1)
        changes = [
            {"path": limits.text("files.path", path, least=1), "content": content}
            for path, content in files.items()
        ]
        path = f"{_of(chat_id)}/files"
        return _messages(await self._change("PATCH", path, {"files": changes}, read=json_value))

    async def download_files(self, chat_id: str, file: Writable, *, limit: int = DOWNLOAD) -> int:
        """Writes all files as a ZIP archive into `file` and says how many bytes it has.

        TooLarge for more than `limit` bytes; what was written before any error is to be thrown away.
        """
        return await self._download(f"{_of(chat_id)}/files/download", file, limit)

    async def restore_message(self, chat_id: str, message_id: str) -> tuple[Message, ...]:
        """Makes the files of an assistant's message the current ones.

        Gives the messages that record it, oldest first. Conflict when they are current already.
        Costs credits: sent once.
        """
        body = {"messageId": limits.text("messageId", message_id, least=1)}
        return _messages(await self._charge(f"{_of(chat_id)}/restore-message", body))


def _of(chat_id: str) -> str:
    return f"/chats/{segment(chat_id)}"


def _messages(wire: Json) -> tuple[Message, ...]:
    found = with_list(wire, "messages")["messages"]
    return tuple(Message.from_wire(item) for item in found if isinstance(item, dict))
