"""What a chat page tells its reader, read from the HTML as the server sends it.

Owns the reading of messages (state, parts, words, offers), what a row of a table wants of the newest
answer, and what holds on every page. Relies on `tests.live.page` for the parser. What is folded
counts as shown, since a reader can unfold it; what is `hidden` does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.app_server import wait_until
from tests.live.page import Element, read
from tests.world import LIVE, World

Pages = dict[str, str]

INLINE = {"a", "b", "code", "del", "em", "i", "kbd", "s", "span", "strong", "sub", "sup", "time"}
# What no message may bring to life.
ALIVE = {
    "base",
    "embed",
    "form",
    "iframe",
    "img",
    "link",
    "meta",
    "object",
    "script",
    "style",
    "svg",
}


# The link to a message, the page of its details, its text.
OURS = re.compile(
    r"/chats/[0-9a-f-]{36}/(\?at=[0-9a-f-]{36}#m[0-9a-f-]{36}|messages/[0-9a-f-]{36}/(markdown/)?)"
)


@dataclass(frozen=True, slots=True)
class Row:
    """What a page must tell of its newest answer.

    `parts` are types in order, with "!" after one that failed and "*60" after what comes so often;
    `shows` are phrases that a reader must see in the message, `never` some that nobody may. `end` is
    said below the parts; "" means that nothing is. `offers` are the names of buttons and links to go
    on with; `asks` is the kind of a card and `choices` what its buttons stand for. `title` is the
    chat's and `says` what is in the person's own message; "" leaves them open.
    """

    parts: str = ""
    shows: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    state: str = "finished"
    end: str = ""
    offers: tuple[str, ...] = ()
    asks: str = ""
    choices: tuple[str, ...] = ()
    title: str = ""
    says: str = ""

    @property
    def types(self) -> list[str]:
        pairs = (name.partition("*") for name in self.parts.split())
        return [name for name, _, times in pairs for _ in range(int(times or 1))]


@dataclass(slots=True)
class Told:
    """One message. `end` stands below its parts, `own` is what only some readers see there."""

    role: str
    state: str
    is_pending: bool
    types: list[str] = field(default_factory=list)
    said: str = ""
    end: str = ""
    own: str = ""
    has_cost: bool = False
    offers: tuple[str, ...] = ()
    asks: str = ""
    choices: tuple[str, ...] = ()


@dataclass(slots=True)
class Page:
    title: str
    messages: list[Told]
    alive: list[str]
    has_field: bool

    @property
    def answer(self) -> Told:
        return self.messages[-1]


def page(html: str) -> Page:
    root = read(html)
    elements = list(root.walk())
    articles = [element for element in elements if "data-message" in element.attrs]
    return Page(
        title=next(words(each) for each in elements if each.attrs.get("id") == "title"),
        messages=[_told(article) for article in articles],
        alive=[alive for article in articles for alive in _alive(article)],
        has_field=any(each.attrs.get("id") == "message" for each in elements),
    )


def _told(article: Element) -> Told:
    told = Told(
        role=article.attrs["data-role"],
        state=article.attrs["data-state"],
        is_pending="data-pending" in article.attrs,
    )
    for child in article.elements:
        match child.attrs["id"].rpartition("-")[2]:
            case "parts":
                told.types = [_type(part) for part in child.walk() if "data-part" in part.attrs]
                told.said = words(child)
            case "end":
                told.end = words(child)
            case "own":
                told.own = words(child)
                _read_own(told, child)
    return told


def _type(part: Element) -> str:
    state = part.attrs["data-state"]
    return part.attrs["data-part"] + {"failed": "!", "done": ""}.get(state, f"({state})")


def _read_own(told: Told, own: Element) -> None:
    card = next((each for each in own.walk() if "data-ask" in each.attrs), None)
    inside = list(card.walk()) if card else []
    if card:
        told.asks = card.attrs["data-ask"]
        buttons = [each for each in inside if each.attrs.get("name") == "choice"]
        told.choices = tuple(button.attrs["value"] for button in buttons)
    told.has_cost = any(each.attrs.get("class") == "cost" for each in own.walk())
    told.offers = tuple(
        words(each) for each in own.walk() if each.tag in ("a", "button") and each not in inside
    )


def _alive(article: Element) -> Iterator[str]:
    """What would act on its own account in a message, the slot that the page fills apart."""
    for child in article.elements:
        if child.attrs["id"].endswith(("-own", "-notes")):
            continue
        for element in child.walk():
            is_timeline = element.tag == "svg" and child.attrs["id"].endswith("-work")
            if element.tag in ALIVE and not is_timeline:
                yield f"<{element.tag}>"
            for name, value in element.attrs.items():
                if name.startswith(("on", "hx-", "ws-")) or name in ("style", "srcdoc"):
                    yield name
                if name in ("href", "src", "action") and not _leads_out_or_to_it(child, value):
                    yield f"{name}={value}"


def _leads_out_or_to_it(child: Element, address: str) -> bool:
    """Out of here, or from the head or the actions of a message to itself: those are ours to say."""
    id, _, name = child.attrs["id"].rpartition("-")
    if name == "work" and address.startswith(f"#{id}-p"):
        return True
    is_ours = name in ("who", "actions") and OURS.fullmatch(address)
    return bool(is_ours) or address.startswith(("https://", "http://", "mailto:"))


def words(element: Element) -> str:
    """Its visible text on one line; what is no part of a line stands apart."""
    return " ".join("".join(_texts(element)).split())


def _texts(element: Element) -> Iterator[str]:
    for child in element.content:
        if isinstance(child, str):
            yield child
        elif "hidden" not in child.attrs:
            edge = "" if child.tag in INLINE else " "
            yield edge
            yield from _texts(child)
            yield edge


def check(html: str, row: Row, *, turns: int = 1, is_ours: bool = True) -> Page:
    """The page tells what `row` wants, and what every page of a chat must tell; what an answer cost
    to somebody else is not told."""
    found = page(html)
    assert found.alive == []
    assert [told.role for told in found.messages] == ["user", "assistant"] * turns
    answer, question = found.messages[-1], found.messages[-2]
    assert answer.state == row.state, answer
    assert question.said, "what the person said is gone"
    has_arrived = row.state in ("streaming", "finished", "stopped") or bool(row.parts)
    assert question.state == ("finished" if has_arrived else row.state)
    assert row.says in question.said
    assert answer.types == row.types
    _check_words(answer, row)
    was_charged = is_ours and row.state not in LIVE and (row.state != "failed" or bool(row.parts))
    assert answer.has_cost == was_charged, answer.own
    assert answer.offers == row.offers
    assert (answer.asks, answer.choices) == (row.asks, row.choices)
    assert answer.is_pending == bool(row.asks)
    assert found.title
    assert row.title in found.title
    assert found.has_field, "there is nowhere to write"
    return found


def _check_words(answer: Told, row: Row) -> None:
    everything = f"{answer.said} {answer.end}"
    for phrase in row.shows:
        assert phrase in everything, f"{phrase!r} is not in {everything!r}"
    for phrase in (*row.never, "v0web_intent"):
        assert phrase not in everything, f"{phrase!r} is in {everything!r}"
    if row.end:
        assert row.end in answer.end, f"{row.end!r} is not in {answer.end!r}"
    elif not row.asks:
        assert answer.end == ""


def ended(world: World, chats: dict[str, str], *, within: float = 60) -> Pages:
    """The page of each chat, by the same names, once no answer runs in any of them."""
    rows = f"role = 'assistant' AND state IN {LIVE}"
    ids = "".join(chats.values()).replace("-", "")

    def are_over() -> bool:
        running = world.rows(f"SELECT chat_id FROM chats_message WHERE {rows}")
        return not any(row["chat_id"] in ids for row in running)

    wait_until(are_over, within=within, what=f"the end of {len(chats)} answers")
    return {name: world.client.get(f"/chats/{chat}/").text for name, chat in chats.items()}


def card(html: str) -> dict[str, str]:
    """The hidden fields of the card on a page."""
    form = next(each for each in read(html).walk() if "data-ask" in each.attrs)
    fields = [each.attrs for each in form.walk() if each.attrs.get("type") == "hidden"]
    return {attrs["name"]: attrs["value"] for attrs in fields}
