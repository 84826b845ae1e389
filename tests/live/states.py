"""Chats made up at random, as the States that a hub would hold of them.

Owns a small model of a chat (messages of parts of blocks) and the edits that v0's deltas make to
one: text that grows, lines and items that are added, parts that are rewritten, inserted, moved,
removed and given another type. Steps that are done and follow each other are folded into one. Everything is drawn from a `random.Random`, which hypothesis can
provide. Equal pieces become the same node object, as in a hub.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from itertools import groupby
from random import Random

from chats.live.state import Attrs, Node, State

TYPES = ("text", "thinking", "bash", "file-edit", "tool-call", "agent-action", "unheard-of")
WORDS = (
    "plain",
    "a <b> & \"c\" 'd'",
    "grüße 😀 e\u0301",
    "two\nlines",
    " spaces ",
    "\u00a0",
    "\u2028",
)
LEAVES = (
    "<p>One sentence.</p>",
    "<p>One sentence, <strong>and <em>more</em></strong> of it with <code>x &lt; y</code>.</p>",
    "<h3>A heading</h3>",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead>"
    "<tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
    "<table><thead><tr><th>a</th><th>b</th></tr></thead>"
    "<tbody><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4 &amp; 5</td></tr></tbody></table>",
    "<ol><li>one<ul><li>inner</li></ul></li><li>two</li></ol>",
    '<pre class="code"><code data-language="js">\n\nlet <span class="n">x</span> = "a";\n</code></pre>',
    "<blockquote><p>said</p><hr><p>meant<br>twice</p></blockquote>",
    '<p><a href="https://example.com/?a=1&amp;b=2" rel="noopener">there</a></p>',
    '<svg class="icon" viewBox="0 0 8 8"><path d="M0 0h8v8"></path></svg>note',
    "",
)
STATES = ("streaming", "stopped", "failed", "finished")

Block = str | tuple[str, tuple[str, ...]]  # a leaf's HTML, or a tag and its lines or items


@dataclass(frozen=True)
class Part:
    type: str
    is_done: bool
    head: str
    blocks: tuple[Block, ...]

    @property
    def is_step(self) -> bool:
        return self.is_done and self.type != "text"


@dataclass(frozen=True)
class Message:
    number: int
    role: str
    state: str
    parts: tuple[Part, ...]
    end: str = ""


@dataclass(frozen=True)
class Chat:
    title: str | None
    marks: tuple[tuple[str, int], ...]
    messages: tuple[Message, ...]


# As nodes


def state_of(chat: Chat) -> State:
    fixed = [mark_node(name, version) for name, version in chat.marks]
    if chat.title is not None:
        fixed.append(title_node(chat.title))
    return State(tuple(fixed), tuple(message_node(message) for message in chat.messages))


@cache
def mark_node(name: str, version: int) -> Node:
    return Node(f"mark-{name}", "i", (("data-mark", name), ("data-version", str(version))))


@cache
def title_node(title: str) -> Node:
    return Node("title", "h1", (("title", title), ("tabindex", "-1")), escape(title))


@cache
def message_node(message: Message) -> Node:
    id = f"m{message.number:08d}-0000-4000-8000-000000000000"
    attrs: Attrs = (
        ("data-message", id[1:]),
        ("data-role", message.role),
        ("data-state", message.state),
        ("class", "message"),
    )
    if message.state == "streaming":
        attrs += (("aria-busy", "true"), ("data-live", ""))
    parts = tuple(part_node(f"{id}-p{index}", part) for index, part in enumerate(message.parts))
    return Node(
        id,
        "article",
        attrs,
        children=(
            Node(f"{id}-who", "header", html=f"<b>{message.role}</b>"),
            Node(f"{id}-parts", children=tuple(folded(id, message.parts, parts))),
            Node(f"{id}-end", html=message.end),
            Node(f"{id}-own"),
        ),
    )


def folded(id: str, parts: tuple[Part, ...], nodes: tuple[Node, ...]) -> Iterator[Node]:
    numbered = enumerate(zip(parts, nodes, strict=True))
    for is_step, run in groupby(numbered, lambda each: each[1][0].is_step):
        listed = list(run)
        if is_step and len(listed) > 1:
            yield group_node(f"{id}-g{listed[0][0]}", tuple(node for _, (_, node) in listed))
        else:
            yield from (node for _, (_, node) in listed)


@cache
def group_node(id: str, steps: tuple[Node, ...]) -> Node:
    head = Node(f"{id}-h", "summary", html=f"{len(steps)} steps")
    return Node(id, "details", (("class", "group"),), children=(head, *steps))


@cache
def part_node(id: str, part: Part) -> Node:
    folds = part.type in ("thinking", "bash", "tool-call")
    attrs: Attrs = (
        ("data-part", part.type),
        ("data-state", "done" if part.is_done else "running"),
    )
    if folds and not part.is_done:
        attrs += (("open", ""),)
    blocks = tuple(block_node(f"{id}-b{index}", block) for index, block in enumerate(part.blocks))
    head = Node(f"{id}-h", "summary" if folds else "div", html=part.head)
    return Node(
        id,
        "details" if folds else "section",
        attrs,
        children=(head, Node(f"{id}-b", children=blocks)),
    )


@cache
def block_node(id: str, block: Block) -> Node:
    if isinstance(block, str):
        return Node(id, "div", (("class", "block"),), block)
    tag, lines = block
    inner = "span" if tag == "pre" else "li"
    end = "\n" if tag == "pre" else ""
    return Node(
        id,
        tag,
        children=tuple(
            Node(f"{id}-{index}", inner, html=escape(line) + end)
            for index, line in enumerate(lines)
        ),
    )


# At random


def random_chat(random: Random, most: int = 3) -> Chat:
    numbers = sorted(random.sample(range(1, 8), random.randint(0, most)))
    return Chat(
        random.choice((None, "A chat", 'A "better" <name>')),
        tuple((name, random.randint(1, 3)) for name in ("own", "queue") if random.random() < 0.7),
        tuple(random_message(random, number) for number in numbers),
    )


def random_message(random: Random, number: int) -> Message:
    if random.random() < 0.2:
        return Message(number, "user", "finished", (), f"<p>{escape(random.choice(WORDS))}</p>")
    parts = tuple(random_part(random) for _ in range(random.randint(0, 4)))
    return Message(
        number, "assistant", random.choice(STATES), parts, random.choice(("", "<p>!</p>"))
    )


def random_part(random: Random) -> Part:
    return Part(
        random.choice(TYPES),
        random.random() < 0.5,
        escape(random.choice(WORDS)),
        tuple(random_block(random) for _ in range(random.randint(0, 4))),
    )


def random_block(random: Random) -> Block:
    if random.random() < 0.3:
        tag = random.choice(("pre", "ul", "ol"))
        return tag, tuple(random.choice(WORDS) for _ in range(random.randint(0, 4)))
    return random.choice(LEAVES)


# As v0's deltas change one


def changed(random: Random, chat: Chat) -> Chat:
    """The chat after one thing happened to it."""
    if not chat.messages or random.random() < 0.15:
        return random.choice(CHAT_EDITS)(random, chat)
    index = random.randrange(len(chat.messages))
    messages = list(chat.messages)
    messages[index] = changed_message(random, messages[index])
    return replace(chat, messages=tuple(messages))


def changed_message(random: Random, message: Message) -> Message:
    if not message.parts or random.random() < 0.1:
        parts = (*message.parts, random_part(random))
        return replace(message, state=random.choice(STATES), parts=parts)
    parts_now = list(message.parts)
    random.choice(PARTS_EDITS)(random, parts_now)
    return replace(message, parts=tuple(parts_now))


def retitle(random: Random, chat: Chat) -> Chat:
    return replace(chat, title=random.choice((None, *WORDS)))


def mark(random: Random, chat: Chat) -> Chat:
    marks = dict(chat.marks)
    name = random.choice(("own", "queue", "here"))
    if name in marks and random.random() < 0.3:
        del marks[name]
    else:
        marks[name] = marks.get(name, 0) + 1
    return replace(chat, marks=tuple(marks.items()))


def arrive(random: Random, chat: Chat) -> Chat:
    last = max((message.number for message in chat.messages), default=0)
    return replace(chat, messages=(*chat.messages, random_message(random, last + 1)))


def leave(_: Random, chat: Chat) -> Chat:
    return replace(chat, messages=chat.messages[1:])


def insert(random: Random, parts: list[Part]) -> None:
    parts.insert(random.randint(0, len(parts)), random_part(random))


def remove(random: Random, parts: list[Part]) -> None:
    del parts[random.randrange(len(parts))]


def move(random: Random, parts: list[Part]) -> None:
    parts.insert(random.randint(0, len(parts) - 1), parts.pop(random.randrange(len(parts))))


def retype(random: Random, parts: list[Part]) -> None:
    _rewrite(random, parts, lambda part: replace(part, type=random.choice(TYPES)))


def finish(random: Random, parts: list[Part]) -> None:
    _rewrite(random, parts, lambda part: replace(part, is_done=not part.is_done))


def rename(random: Random, parts: list[Part]) -> None:
    _rewrite(random, parts, lambda part: replace(part, head=escape(random.choice(WORDS))))


def grow(random: Random, parts: list[Part]) -> None:
    _rewrite(random, parts, lambda part: replace(part, blocks=(*part.blocks, random_block(random))))


def shrink(random: Random, parts: list[Part]) -> None:
    _rewrite(random, parts, lambda part: replace(part, blocks=part.blocks[:-1]))


def type_on(random: Random, parts: list[Part]) -> None:
    """The open block, which is the last one, gets more."""

    def longer(part: Part) -> Part:
        if not part.blocks:
            return part
        match part.blocks[-1]:
            case str(html):
                last: Block = html + f"<p>{escape(random.choice(WORDS))}</p>"
            case (tag, lines):
                last = tag, (*lines, random.choice(WORDS))
        return replace(part, blocks=(*part.blocks[:-1], last))

    _rewrite(random, parts, longer)


def _rewrite(random: Random, parts: list[Part], edit: Callable[[Part], Part]) -> None:
    index = random.choice((random.randrange(len(parts)), len(parts) - 1))
    parts[index] = edit(parts[index])


CHAT_EDITS = (retitle, mark, arrive, arrive, leave)
PARTS_EDITS = (insert, remove, move, retype, finish, rename, grow, grow, shrink, type_on, type_on)


def transcript(random: Random, length: int) -> list[State]:
    """The States of one chat, as one thing after the other happens."""
    chat = random_chat(random)
    states = [state_of(chat)]
    for _ in range(length - 1):
        chat = changed(random, chat)
        states.append(state_of(chat))
    return states
