"""One message as a node.

Owns the article and its children: who, parts, work (of an answer), end, `-own` and `-notes`, which stay
empty in every frame (what differs from one reader to the next is put there by the page), and actions,
which are for every reader. Relies on `parts` and `groups`; the same code makes the page and the frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from django.template.loader import render_to_string

from chats.live.state import Attrs, Node
from chats.rendering import words
from chats.rendering.agent_actions import is_todo_list
from chats.rendering.groups import Groups
from chats.rendering.kept import Kept
from chats.rendering.parts import PartView
from chats.rendering.shown import Shown
from chats.rendering.work import work
from chats.v0api.types import Attachment


class MessageRenderer:
    """One message while it changes; `node` is what it looked like after the last update."""

    node: Node

    def __init__(self, id: str) -> None:
        self.id = f"m{id}"
        self._parts: list[PartView] = []
        self._groups = Groups(self.id)
        self._leaves: dict[str, tuple[Mapping[str, Any], Node]] = {}

    def update(self, shown: Shown) -> Iterator[None]:
        """Bring `node` up to `shown`, giving way between bounded pieces of work.

        `node` is the new one once this is exhausted, and shares everything that did not change with
        the one before. Exhaust one update before the next.
        """
        yield from self._update_parts(shown)
        container = Node(
            f"{self.id}-parts",
            attrs=(("class", "message-parts"),),
            children=(*self._typed(shown), *self._arranged(shown)),
        )
        self.node = Node(
            self.id,
            "article",
            _attrs(self.id, shown),
            children=(
                self._leaf("who", "h2", who(shown)),
                container,
                *self._work(shown),
                self._leaf("end", "div", self._end(shown)),
                Node(f"{self.id}-own", attrs=(("class", "message-own"),)),
                Node(f"{self.id}-notes", attrs=(("class", "message-notes"),)),
                self._leaf("actions", "div", actions(shown)),
            ),
        )

    def _update_parts(self, shown: Shown) -> Iterator[None]:
        parts = () if shown.text else shown.parts
        del self._parts[len(parts) :]
        past = set([at for at, part in enumerate(parts) if is_todo_list(part)][:-1])
        for index, part in enumerate(parts):
            kind = part.type or "unknown"
            if index == len(self._parts):
                self._parts.append(PartView(f"{self.id}-p{index}", kind))
            elif self._parts[index].kind != kind:
                self._parts[index] = PartView(f"{self.id}-p{index}", kind)
            view, is_newest = self._parts[index], index not in past
            # Most of a long answer stands: a chunk must not cost a generator for each of its parts.
            if not view.stands(part, is_live=shown.is_live, is_newest=is_newest):
                yield from view.update(part, is_live=shown.is_live, is_newest=is_newest)

    def _arranged(self, shown: Shown) -> Sequence[Node]:
        """The parts in their order, long runs of steps folded."""
        cut = shown.state in ("stopped", "failed")
        return self._groups.arranged(shown.parts, self._parts, cut=cut)

    def _work(self, shown: Shown) -> Iterator[Node]:
        """What an answer that has ended did, in numbers."""
        if shown.role == "assistant":
            yield self._leaf("work", "div", {} if shown.is_live else work(self.id, shown))

    def _typed(self, shown: Shown) -> Iterator[Node]:
        """What a person wrote and attached."""
        if shown.text:
            yield Node(
                f"{self.id}-text", attrs=(("class", "message-text"),), html=escape(shown.text)
            )
        if shown.files or shown.attachments:
            files = [*shown.files, *map(_file, shown.attachments)]
            yield self._leaf("files", "ul", {"files": files})

    def _leaf(self, name: str, tag: str, context: Mapping[str, Any]) -> Node:
        """The leaf `-<name>`, made from templates/message/_<name>.html when it says something new."""
        known = self._leaves.get(name)
        if known is None or known[0] != context:
            html = render_to_string(f"message/_{name}.html", dict(context)).strip()
            attrs = (("class", f"message-{name}"),)
            known = self._leaves[name] = context, Node(f"{self.id}-{name}", tag, attrs, html)
        return known[1]

    def _end(self, shown: Shown) -> Mapping[str, Any]:
        is_working = shown.state == "streaming" and not any(part.is_running for part in self._parts)
        return end(shown) | {"is_working": is_working and not shown.stopping}


def message_node(shown: Shown) -> Node:
    """`shown` at once; one that has ended is made once for as long as it stays the same."""
    return _made(shown) if shown.is_live else _ended.node(shown, _made)


_ended = Kept()


def _made(shown: Shown) -> Node:
    renderer = MessageRenderer(shown.id)
    for _ in renderer.update(shown):
        pass
    return renderer.node


def who(shown: Shown) -> dict[str, Any]:
    return {
        "role": shown.role,
        "who": shown.who,
        "was_at_v0": shown.at_v0 and bool(shown.author),
        "face": shown.face,
        "created": shown.created,
        "chat": shown.chat,
        "id": shown.id,
    }


def actions(shown: Shown) -> dict[str, Any]:
    """The addresses that are for every reader; none while the message can still change."""
    return {"chat": "" if shown.is_live else shown.chat, "id": shown.id}


def end(shown: Shown) -> dict[str, Any]:
    """What readers are told below a message, as words."""
    is_answer = shown.role == "assistant"
    has_ended = shown.state == "finished" and is_answer
    reason = "" if shown.finish_reason in PLAIN_ENDINGS else shown.finish_reason or ""
    return {
        "words": words.state(shown.state, shown.stop_reason),
        "is_live": shown.is_live,
        "is_stopping": shown.stopping,
        "problem": words.problem(shown.problem, is_restore=bool(shown.restores)),
        "detail": shown.detail if shown.problem else "",
        "again": shown.again if shown.problem else "",
        "ending": words.ENDINGS.get(reason, words.ENDINGS["other"]) if has_ended and reason else "",
        "restores": shown.restores if has_ended else "",
        "restored_from": shown.restored_from,
        "is_empty": has_ended and not reason and not shown.parts,
    }


PLAIN_ENDINGS = ("stop", "tool-calls", None)


def _attrs(id: str, shown: Shown) -> Attrs:
    attrs = [
        ("class", "message"),
        ("data-message", shown.id),
        ("data-role", shown.role),
        ("data-state", shown.state),
        ("aria-labelledby", f"{id}-who"),
    ]
    if shown.is_live:
        attrs.append(("aria-busy", "true"))
    if shown.pending:
        attrs.append(("data-pending", ""))
    if shown.stopping:
        attrs.append(("data-stopping", ""))
    return tuple(attrs)


def _file(attachment: Attachment) -> dict[str, Any]:
    is_web = attachment.url.startswith("https://")
    name = attachment.name or attachment.url.rpartition("/")[2] or "Attachment"
    return {
        "name": name,
        "kind": attachment.content_type,
        "size": attachment.size,
        "url": attachment.url if is_web else "",
    }
