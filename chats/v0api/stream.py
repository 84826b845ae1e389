"""What a stream of v0 says, event by event, and what it adds up to.

Owns the events and `fold`, which is pure: a state and an event give a new state that shares with
the old one whatever did not change, and says which parts did. Relies on `deltas`, `wire` and
`types`; does no I/O and keeps nothing. Text is folded as v0 sent it, where half a surrogate pair
may wait for its other half, and shown repaired.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from operator import is_not
from typing import NoReturn

from chats.v0api import deltas, wire
from chats.v0api.errors import DeltaError, StreamError
from chats.v0api.types import Chat, Json, Message, Usage, Wire, text

PARTS = 10_000
SIZE = 8 * 1024 * 1024
NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """The chat as it is now; first and last on the streams of create and resume."""

    chat: Chat


@dataclass(frozen=True, slots=True)
class TitleEvent:
    """`title` is the whole title so far; `id` the chat's."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class MessageEvent:
    """A snapshot: the opening one has no finish reason, the closing one has.

    `raw` are the message's parts before they were repaired; `clean` as with a delta.
    """

    message: Message
    raw: list[Json] = field(repr=False)
    clean: bool = False


@dataclass(frozen=True, slots=True)
class PartsEvent:
    """A delta against the running parts. `clean`: it holds no NUL and no half of a pair."""

    id: str
    delta: Json
    clean: bool = False


@dataclass(frozen=True, slots=True)
class UsageEvent:
    id: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """`id` is a message's or a chat's; `message` v0's own words, untrusted."""

    id: str
    message: str
    code: str


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An object that this client does not know; ordinary, since v0 adds them without notice."""

    object: str
    wire: Wire


Event = ChatEvent | TitleEvent | MessageEvent | PartsEvent | UsageEvent | ErrorEvent | UnknownEvent


def parse(data: str) -> Event:
    """The event that a frame's `data` is; StreamError("malformed") for what is none."""
    try:
        frame = wire.loads(data)
    except ValueError:
        # Not raised in here: a JSONDecodeError, which would be the context, keeps the whole text.
        frame = None
    if not isinstance(frame, dict):
        raise StreamError("malformed", "a frame that is no JSON object")
    kind = _kind(frame)
    clean = wire.is_clean(data)
    if kind == "message.parts.chunk":
        id = _id(frame)
        return PartsEvent(id if clean else wire.repaired(id), frame.get("delta"), clean)
    shown = frame if clean else wire.repaired(frame)
    match kind:
        case "chat":
            _id(shown)
            return ChatEvent(Chat.from_wire(shown))
        case "chat.title":
            return TitleEvent(_id(shown), _string(shown, "delta"))
        case "message":
            _id(shown)
            raw = frame.get("parts")
            raw = raw if isinstance(raw, list) else []
            return MessageEvent(Message.from_wire(shown), raw, clean)
        case "message.usage":
            return UsageEvent(_id(shown), Usage.from_wire(shown.get("usage")))
        case "error":
            code = shown.get("code")
            return ErrorEvent(
                text(shown.get("id")),
                text(shown.get("message")),
                code if isinstance(code, str) else "" if code is None else str(code),
            )
        case _:
            return UnknownEvent(wire.repaired(kind), shown)


def _kind(frame: Wire) -> str:
    for name in ("object", "event", "type"):
        kind = frame.get(name)
        if isinstance(kind, str) and kind:
            return kind
    raise StreamError("malformed", "a frame that does not say what it is")


def _id(frame: Wire) -> str:
    return _string(frame, "id") or _missing("id")


def _string(frame: Wire, name: str) -> str:
    value = frame.get(name)
    return value if isinstance(value, str) else _missing(name)


def _missing(name: str) -> NoReturn:
    raise StreamError("malformed", f"a frame without {name}")


@dataclass(frozen=True, slots=True)
class Fold:
    """What a stream has said so far. A new stream, so also a resumed one, starts from `Fold()`.

    chat        the newest snapshot of the chat, or None
    title       the newest title, "" before there is one
    message_id  the assistant message's id, "" before it is known; what other ids say is ignored
    parts       the parts as v0 sends them, repaired; an unchanged part stays the same object
    usage       the newest usage, or None
    message     the closing message, or None while there is none
    error       the error event, or None
    ended       v0 has said its last: a closing message, an error, or the chat a second time
    changed     indexes at which `parts` differs from the state before this event; one that is not
                below len(parts) is a part that went
    """

    chat: Chat | None = None
    title: str = ""
    message_id: str = ""
    parts: tuple[Json, ...] = ()
    usage: Usage | None = None
    message: Message | None = None
    error: ErrorEvent | None = None
    ended: bool = False
    changed: frozenset[int] = NOTHING
    raw: list[Json] = field(default_factory=list, repr=False)
    sizes: list[int] = field(default_factory=list, repr=False)
    total: int = field(default=0, repr=False)
    clean: bool = field(default=True, repr=False)


def fold(state: Fold, event: Event) -> Fold:
    """`state` after `event`. DeltaError when a delta does not fit, StreamError("too-large") when
    the parts outgrow PARTS or SIZE; `state` is untouched in any case."""
    match event:
        case PartsEvent(id, delta, clean):
            if state.message_id not in (id, ""):
                return _unchanged(state)
            raw = _list(deltas.apply(state.raw, delta))
            return _with_parts(state, raw, id, clean=state.clean and clean)
        case MessageEvent():
            return _message(state, event)
        case UsageEvent(id, usage):
            if state.message_id not in (id, ""):
                return _unchanged(state)
            return replace(state, message_id=id, usage=usage, changed=NOTHING)
        case ChatEvent(chat):
            return replace(
                state,
                chat=chat,
                title=chat.title or state.title,
                ended=state.ended or state.chat is not None,
                changed=NOTHING,
            )
        case TitleEvent(_, title):
            return replace(state, title=title, changed=NOTHING)
        case ErrorEvent():
            return replace(state, error=event, ended=True, changed=NOTHING)
        case UnknownEvent():
            return _unchanged(state)


def _unchanged(state: Fold) -> Fold:
    return replace(state, changed=NOTHING) if state.changed else state


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise DeltaError("parts that are no list")
    return value


def _message(state: Fold, event: MessageEvent) -> Fold:
    message = event.message
    if message.role == "user" or state.message_id not in (message.id, ""):
        return _unchanged(state)
    state = _with_parts(state, event.raw, message.id, clean=event.clean)
    if message.finish_reason is None:
        return state
    return replace(state, message=message, usage=message.usage, ended=True)


def _with_parts(state: Fold, raw: list[Json], message_id: str, *, clean: bool) -> Fold:
    if raw is state.raw:
        return replace(state, message_id=message_id, changed=NOTHING)
    if len(raw) > PARTS:
        raise StreamError("too-large", f"more than {PARTS} parts")
    before = state.parts
    shared = min(len(state.raw), len(raw))
    different = [at for at, yes in enumerate(map(is_not, state.raw, raw)) if yes]
    different += range(shared, len(raw))
    parts = [*before[: len(raw)], *raw[shared:]]
    sizes = [*state.sizes[: len(raw)], *[0] * (len(raw) - shared)]
    total = state.total - sum(state.sizes[len(raw) :])
    changed = set(range(len(raw), len(before)))
    for at in different:
        part = raw[at] if clean else wire.repaired(raw[at])
        measured = wire.size(part)
        total += measured - sizes[at]
        sizes[at] = measured
        if at < shared and wire.same(before[at], part):
            continue
        parts[at] = part
        changed.add(at)
    if total > SIZE:
        raise StreamError("too-large", f"parts of more than {SIZE} characters")
    return Fold(
        state.chat,
        state.title,
        message_id,
        tuple(parts),
        state.usage,
        state.message,
        state.error,
        state.ended,
        frozenset(changed),
        raw,
        sizes,
        total,
        clean,
    )
