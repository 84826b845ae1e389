"""What the sandbox remembers of chats: themselves, their messages, their files.

Owns every statement about them, and tells `on_news` of each change once it is kept; the books and
the other records are beside it. Relies on `database` and `files`. A chat belongs to a world (one
bearer key); nothing here finds a chat of another world unless its name says so. It never stores a
key: a world is named by its digest.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chats.sandbox import files as of_chats
from chats.sandbox import rates, wire
from chats.sandbox.books import Bill, Books
from chats.sandbox.database import Database, packed
from chats.sandbox.files import Files
from chats.sandbox.records import Records
from chats.sandbox.wire import loads

Json = Any
Wire = dict[str, Json]

MESSAGES = (
    "SELECT place, wire, running, page, files <> '{}' AND files <>"
    " (SELECT files FROM chats WHERE chats.id = chat) AS restorable FROM messages"
)
"""Whose files are not `{}` has written code; it can be restored unless that is the chat's now."""


@dataclass(frozen=True, slots=True)
class News:
    """`event` is one of those that webhooks listen to."""

    world: str
    event: str
    chat_id: str
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A message whose run is not over, as it was asked for. `steps` have been taken already."""

    world: str
    chat_id: str
    message: Wire
    order: Wire
    steps: int


@dataclass(frozen=True, slots=True)
class Code:
    """What an answer leaves behind: the chat's files and what the agent knows of its page."""

    files: Files
    page: Json = None


class Store:
    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self.books = Books(self._database)
        self.records = Records(self._database)
        self.on_news: Callable[[News], None] = lambda news: None

    def close(self) -> None:
        self._database.close()

    # Chats

    def add_chat(self, world: str, chat: Wire, *, titled: bool, code: Code | None = None) -> None:
        kept = code or Code({})
        with self._database.transaction():
            self._database.run(
                "INSERT INTO chats (id, world, touched, wire, titled, files, page)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                chat["id"],
                world,
                self._next_touch(),
                packed(chat),
                titled,
                packed(of_chats.to_rest(kept.files)),
                packed(kept.page),
            )
        self.on_news(News(world, "chat.created", chat["id"]))

    def chat(self, world: str, chat_id: str) -> Wire | None:
        row = self._database.row(
            "SELECT wire FROM chats WHERE world = ? AND id = ?", world, chat_id
        )
        return loads(row["wire"]) if row else None

    def chat_of_any_world(self, chat_id: str) -> tuple[str, Wire] | None:
        row = self._database.row("SELECT world, wire FROM chats WHERE id = ?", chat_id)
        return (row["world"], loads(row["wire"])) if row else None

    def chats(self, world: str, *, before: int | None, limit: int) -> list[tuple[int, Wire]]:
        """Last touched first, each with the number that a later page starts before."""
        rows = self._database.rows(
            "SELECT touched, wire FROM chats WHERE world = ? AND (? IS NULL OR touched < ?)"
            " ORDER BY touched DESC LIMIT ?",
            world,
            before,
            before,
            limit,
        )
        return [(row["touched"], loads(row["wire"])) for row in rows]

    def save_chat(self, world: str, chat: Wire, *, titled: bool | None = None) -> None:
        with self._database.transaction():
            changed = self._database.run(
                "UPDATE chats SET wire = ?, touched = ?, titled = ifnull(?, titled) WHERE id = ?",
                packed(chat),
                self._next_touch(),
                titled,
                chat["id"],
            )
        if changed:
            self.on_news(News(world, "chat.updated", chat["id"]))

    def is_titled(self, chat_id: str) -> bool:
        """Whether a person gave the title, so that the agent leaves it alone."""
        row = self._database.row("SELECT titled FROM chats WHERE id = ?", chat_id)
        return bool(row and row["titled"])

    def make_older(self, chat_id: str, *, older: bool) -> None:
        """A chat of an older API is one that this API lists and otherwise refuses."""
        with self._database.transaction():
            self._database.run("UPDATE chats SET older = ? WHERE id = ?", older, chat_id)

    def is_older(self, chat_id: str) -> bool:
        row = self._database.row("SELECT older FROM chats WHERE id = ?", chat_id)
        return bool(row and row["older"])

    def delete_chat(self, world: str, chat_id: str) -> None:
        with self._database.transaction():
            gone = self._database.run("DELETE FROM chats WHERE id = ?", chat_id)
        if gone:
            self.on_news(News(world, "chat.deleted", chat_id))

    def files(self, chat_id: str) -> Files:
        row = self._database.row("SELECT files FROM chats WHERE id = ?", chat_id)
        return of_chats.from_rest(loads(row["files"])) if row else {}

    def page(self, chat_id: str) -> Wire | None:
        """What the agent knows of the page that it built, or None before there is one."""
        row = self._database.row("SELECT page FROM chats WHERE id = ?", chat_id)
        return loads(row["page"]) if row else None

    # Messages

    def add_turn(self, world: str, user: Wire, answer: Wire, order: Wire) -> None:
        """A question and the answer that is now being written to it."""
        with self._database.transaction():
            self._add_message(user)
            self._add_message(answer, order=order)
            self.books.log_answer(world, user["authorId"], answer)
        self._tell_messages(world, [user, answer], "message.created")

    def add_change(self, world: str, user: Wire, answer: Wire, code: Code) -> None:
        """A finished pair that records a change of the files, and the change."""
        with self._database.transaction():
            self._add_message(user)
            self._add_message(answer)
            self.books.log_answer(world, user["authorId"], answer)
            self._save_code(answer, code)
        self._tell_messages(world, [user, answer], "message.created")
        self._tell_messages(world, [answer], "message.finished")

    def _add_message(self, message: Wire, *, order: Wire | None = None) -> None:
        self._database.run(
            "INSERT INTO messages (id, chat, place, wire, running, order_, steps, files)"
            " SELECT ?, ?, ifnull(max(place), 0) + 1, ?, ?, ?, 0, '{}' FROM messages"
            " WHERE chat = ?",
            message["id"],
            message["chatId"],
            packed(message),
            order is not None,
            packed(order),
            message["chatId"],
        )

    def _save_code(self, message: Wire, code: Code) -> None:
        kept = packed(of_chats.to_rest(code.files)), packed(code.page)
        for table, id in (("messages", message["id"]), ("chats", message["chatId"])):
            self._database.run(f"UPDATE {table} SET files = ?, page = ? WHERE id = ?", *kept, id)  # noqa: S608

    def message(self, chat_id: str, message_id: str) -> Wire | None:
        row = self._database.row(f"{MESSAGES} WHERE chat = ? AND id = ?", chat_id, message_id)
        return _message(row) if row else None

    def messages(
        self, chat_id: str, *, before: int | None = None, limit: int = -1
    ) -> list[tuple[int, Wire]]:
        """Newest first, each with the number that a later page starts before."""
        rows = self._database.rows(
            f"{MESSAGES} WHERE chat = ? AND (? IS NULL OR place < ?) ORDER BY place DESC LIMIT ?",
            chat_id,
            before,
            before,
            limit,
        )
        return [(row["place"], _message(row)) for row in rows]

    def newest(self, chat_id: str) -> Wire | None:
        return next((message for _, message in self.messages(chat_id, limit=1)), None)

    def code(self, message_id: str) -> Code:
        """What this message left behind; no files when it wrote none."""
        row = self._database.row("SELECT files, page FROM messages WHERE id = ?", message_id)
        if row is None:
            return Code({})
        return Code(of_chats.from_rest(loads(row["files"])), loads(row["page"]))

    def save_message(self, world: str, message: Wire) -> None:
        with self._database.transaction():
            self._database.run(
                "UPDATE messages SET wire = ? WHERE id = ?", packed(message), message["id"]
            )
        self._tell_messages(world, [message], "message.updated")

    def delete_message(self, world: str, message: Wire) -> None:
        with self._database.transaction():
            self._database.run("DELETE FROM messages WHERE id = ?", message["id"])
        self._tell_messages(world, [message], "message.deleted")

    def place_newest_turn(self, chat_id: str, *, before: str) -> None:
        """The last two messages stand right before the one with this id from now on."""
        by_place = "SELECT id FROM messages WHERE chat = ? ORDER BY place"
        ids = [row["id"] for row in self._database.rows(by_place, chat_id)]
        at = ids.index(before)
        with self._database.transaction():
            # Negative for a moment, since no two may stand in one place.
            self._database.run("UPDATE messages SET place = -place WHERE chat = ?", chat_id)
            for place, id in enumerate((*ids[:at], *ids[-2:], *ids[at:-2]), 1):
                self._database.run("UPDATE messages SET place = ? WHERE id = ?", place, id)

    def save_run(self, world: str, message: Wire, steps: int) -> None:
        changed = self._database.run(
            "UPDATE messages SET wire = ?, steps = ? WHERE id = ? AND running",
            packed(message),
            steps,
            message["id"],
        )
        if changed:
            self._tell_messages(world, [message], "message.updated")

    def finish_run(self, world: str, message: Wire, bill: Bill, code: Code | None) -> None:
        """Message, files and credits in one: nobody sees the one without the other."""
        with self._database.transaction():
            known = self._database.run(
                "UPDATE messages SET wire = ?, running = 0 WHERE id = ?",
                packed(message),
                message["id"],
            )
            if code is not None:
                self._save_code(message, code)
            self.books.charge(world, message, bill)
        if known:
            self._tell_messages(world, [message], "message.finished")

    def copy_chat(self, source_id: str, world: str, chat: Wire) -> None:
        """`chat` with the messages and files of another, the turn that still runs left out.

        The copies are new messages that cost nothing.
        """
        rows = self._database.rows(
            "SELECT wire, files, page, running FROM messages WHERE chat = ? ORDER BY place",
            source_id,
        )
        running = any(row["running"] for row in rows)
        code = Code(self.files(source_id), self.page(source_id))
        with self._database.transaction():
            self.add_chat(world, chat, titled="title" in chat, code=code)
            for row in rows[:-2] if running else rows:
                copy = {
                    **loads(row["wire"]),
                    "id": wire.new_id(wire.MESSAGE_ID_LENGTH),
                    "chatId": chat["id"],
                    "usage": rates.NO_USAGE,
                }
                self._add_message(copy)
                self._database.run(
                    "UPDATE messages SET files = ?, page = ? WHERE id = ?",
                    row["files"],
                    row["page"],
                    copy["id"],
                )

    def pending(self) -> list[Pending]:
        rows = self._database.rows(
            "SELECT world, chat, messages.wire, order_, steps FROM messages"
            " JOIN chats ON chats.id = chat WHERE running"
        )
        return [Pending(row[0], row[1], loads(row[2]), loads(row[3]), row[4]) for row in rows]

    def order(self, message_id: str) -> Wire | None:
        """What the run of this message was asked for."""
        row = self._database.row("SELECT order_ FROM messages WHERE id = ?", message_id)
        return loads(row["order_"]) if row else None

    def _next_touch(self) -> int:
        return self._database.number("SELECT ifnull(max(touched), 0) + 1 FROM chats")

    def _tell_messages(self, world: str, messages: Iterable[Wire], event: str) -> None:
        for message in messages:
            self.on_news(News(world, event, message["chatId"], message["id"]))


def _message(row: sqlite3.Row) -> Wire:
    return {**loads(row["wire"]), "restorable": bool(row["restorable"])}
