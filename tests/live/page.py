"""A page as a small tree, and frames applied to it: a second opinion on what a browser does.

Owns a reading of HTML (the standard library's parser) and its own understanding of `put`, `move`,
`attrs` and `delete`. It shares no code with `chats.live` or with the page's script, except that pages are
written by the renderer under test. Never meant for HTML that needs repair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from chats.live.html import render
from chats.live.state import Node, State

VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}

Shown = dict[str, Any]


@dataclass(eq=False)
class Element:
    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    content: list[Element | str] = field(default_factory=list)
    parent: Element | None = None

    def append(self, child: Element | str) -> None:
        if isinstance(child, Element):
            child.parent = self
        elif self.content and isinstance(self.content[-1], str):
            child = self.content.pop() + child  # type: ignore[operator]
        self.content.append(child)

    @property
    def elements(self) -> list[Element]:
        return [child for child in self.content if isinstance(child, Element)]

    def walk(self) -> Iterator[Element]:
        yield self
        for child in self.elements:
            yield from child.walk()

    def plain(self) -> list[Any]:
        """Tag, sorted attributes and content, as JSON can carry them."""
        content = [child if isinstance(child, str) else child.plain() for child in self.content]
        return [self.tag, sorted([name, value] for name, value in self.attrs.items()), content]


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element("#root")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.at.append(element)
        if tag not in VOID:
            self.at = element

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.at.tag == tag, f"</{tag}> inside <{self.at.tag}>"
        assert self.at.parent
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        # HTML drops a line break that directly follows <pre>.
        if self.at.tag == "pre" and not self.at.content:
            data = data.removeprefix("\n")
        if data:
            self.at.append(data)


def read(html: str) -> Element:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.at is reader.root, f"<{reader.at.tag}> is left open"
    return reader.root


class Page:
    def __init__(self, html: str) -> None:
        self.root = read(html)
        self.missed: list[str] = []
        self.by_id: dict[str, Element] = {}
        self._learn(self.root)

    def apply(self, frame: str) -> None:
        for element in read(frame).elements:
            how, _, selector = element.attrs.pop("hx-swap-oob").partition(":")
            target = self.by_id.get(element.attrs["id"])
            if how == "put":
                self._put(target, element, self.by_id.get(selector.removeprefix("#")))
            elif how == "move":
                self._move(target, element, self.by_id.get(selector.removeprefix("#")))
            elif target is None:
                self.missed.append(element.attrs["id"])
            elif how == "attrs":
                for name in element.attrs.pop("data-gone", "").split():
                    target.attrs.pop(name, None)
                target.attrs |= element.attrs
            elif how == "delete":
                self._forget(target)
                assert target.parent
                target.parent.content.remove(target)
            else:
                raise AssertionError(f"an unknown way to swap: {how}")

    def _put(self, target: Element | None, element: Element, parent: Element | None) -> None:
        if parent is None:
            self.missed.append(element.attrs["id"])
            return
        if target is None:
            parent.append(element)
        else:
            assert target.parent
            self._forget(target)
            element.parent = target.parent
            place = target.parent.content.index(target)
            target.parent.content[place] = element
        self._learn(element)

    def _move(self, target: Element | None, element: Element, parent: Element | None) -> None:
        if parent is None:
            self.missed.append(element.attrs["id"])
            return
        if target is not None:
            assert target.parent
            self._forget(target)
            target.parent.content.remove(target)
        parent.append(element)
        self._learn(element)

    def _learn(self, element: Element) -> None:
        self.by_id |= {each.attrs["id"]: each for each in element.walk() if "id" in each.attrs}

    def _forget(self, element: Element) -> None:
        for each in element.walk():
            self.by_id.pop(each.attrs.get("id", ""), None)

    @property
    def shown(self) -> Shown:
        """What a reader sees: the messages as they stand, and each fixed element by its id."""
        fixed = [self.by_id.get("title"), *self.by_id["marks"].elements]
        return {
            "messages": self.by_id["messages"].plain(),
            "fixed": {
                each.attrs["id"]: each.plain()
                for each in fixed
                if each and each.attrs["id"] != "at"
            },
        }


def page_html(state: State, messages: tuple[Node, ...] | None = None) -> str:
    """The live part of a page that shows `state`, or these messages instead of its own."""
    titles = "".join(render(node) for node in state.fixed if node.id == "title")
    marks = "".join(render(node) for node in state.fixed if node.id != "title")
    shown = "".join(map(render, state.messages if messages is None else messages))
    return (
        f'{titles}<div id="messages">{shown}</div>'
        f'<div id="marks" hidden><i id="at" data-at="old"></i>{marks}</div>'
    )


def with_history(old: State, new: State) -> tuple[Node, ...]:
    """The messages of a page that came from `old` to `new`: those that left stay where they are."""
    now = {node.id: node for node in new.messages}
    stayed = [now.pop(node.id, node) for node in old.messages]
    return (*stayed, *now.values())
