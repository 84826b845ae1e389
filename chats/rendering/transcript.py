"""A message as Markdown, for the clipboard and for an export.

Owns how each part is written: text as the agent wrote it, so that it renders as it does on the page;
thinking quoted; commands, outputs and data in fences that are longer than any in what they hold. What
a text leaves open is closed, so that nothing after it is swallowed. Relies on `markdown` to know that,
and on `words`; knows no models, and never says more than every reader of the chat may see.

A link that is defined in one text is known in the whole document: what a text says is not changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import Any

from chats.rendering import agent_actions, asks, words
from chats.rendering.bodies import written
from chats.rendering.heads import seconds
from chats.rendering.markdown import PROSE
from chats.rendering.message import end
from chats.rendering.parts import ESCAPES
from chats.rendering.shown import File, Shown
from chats.rendering.source import Source
from chats.v0api.types import (
    AgentActionPart,
    Attachment,
    BashPart,
    FileEditPart,
    FileReadPart,
    Part,
    SearchPart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)

# Two texts that follow each other would otherwise be one list, or one quote.
BETWEEN = "---"
MEANING = re.compile(r"[\\`*_\[\]<>&~|#]")
TICKS = re.compile("`+")
# What would end an address in angle brackets.
ENDS_ADDRESS = {ord(char): f"%{ord(char):02X}" for char in "<>\n\r\\ "}


def message(shown: Shown) -> str:
    """The message without who wrote it; "" when there is nothing in it. Ends without a line break."""
    blocks = [*_typed(shown), *_parts(shown), *_end(shown)]
    return "\n\n".join(blocks)


def heading(shown: Shown, zone: tzinfo = UTC) -> str:
    """Who wrote it and when, as a heading."""
    whence = f"{shown.who}, written at v0" if shown.at_v0 and shown.author else shown.who
    when = moment(datetime.fromisoformat(shown.created), zone) if shown.created else ""
    return f"## {', '.join(filter(None, (plain(whence), when)))}"


def moment(when: datetime, zone: tzinfo) -> str:
    """A time as it is in `zone`, which is named."""
    return f"{when.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _typed(shown: Shown) -> Iterator[str]:
    if shown.text.strip():
        yield prose(shown.text)
    if shown.files or shown.attachments:
        names = [*map(_file, shown.files), *map(_attachment, shown.attachments)]
        yield f"**Attached:** {', '.join(names)}"


def _file(file: File) -> str:
    return plain(file.name) or "a file"


def _attachment(attachment: Attachment) -> str:
    name = attachment.name or attachment.url.rpartition("/")[2] or "a file"
    return _link(attachment.url, name) or plain(name)


def _link(url: str, name: str) -> str:
    """ "" for an address that leads nobody anywhere."""
    if not url.startswith("https://"):
        return ""
    return f"[{plain(name) or 'Open'}](<{url.translate(ENDS_ADDRESS)}>)"


def _parts(shown: Shown) -> Iterator[str]:
    parts = () if shown.text else shown.parts
    told = [(part, "\n\n".join(_part(part))) for part in parts]
    told = [(part, text) for part, text in told if text]
    for (before, _), (part, text) in pairwise([(None, ""), *told]):
        if isinstance(before, TextPart) and isinstance(part, TextPart):
            yield BETWEEN
        yield text


def _end(shown: Shown) -> Iterator[str]:
    told = end(shown)
    if shown.restores:
        when = f"{shown.restored_from[:10]} {shown.restored_from[11:16]} UTC"
        yield f"*The files are again as they were after the answer of {when}.*"
    if (problem := told["problem"]) is not None:
        yield f"**{plain(problem.what)}** {plain(problem.advice)}".strip()
        if told["detail"]:
            yield quoted(plain(told["detail"]))
    for sentence in (told["words"], told["ending"]):
        if sentence:
            yield f"*{plain(sentence)}*"


def _part(part: Part) -> Iterator[str]:
    match part:
        case TextPart(text=text):
            yield from filter(None, (prose(text),))
        case ThinkingPart(text=text):
            if text.strip():
                yield quoted(f"**Thought**{_lasted(part)}\n\n{prose(text, with_projects=True)}")
        case FileReadPart(paths=paths):
            count = f"{len(paths)} files" if len(paths) > 1 else ""
            yield _line("Read", count, *map(span, paths))
        case FileEditPart(operation=name, path=path, to_path=to_path):
            verb = words.verb(words.EDITS, name, is_running=False)
            yield _line(verb, span(path), "→" if to_path else "", span(to_path))
        case SearchPart(scope=scope, query=query):
            yield _line(words.verb(words.SEARCHES, scope, is_running=False), span(query))
        case BashPart():
            yield from _command(part)
        case ToolCallPart():
            yield from _tool(part)
        case AgentActionPart():
            yield from _action(part)
        case _:
            yield _line(words.humanised(part.type), span(part.type))
            yield data(part.wire)


def _command(part: BashPart) -> Iterator[str]:
    code = "" if part.exit_code is None else f"(exit {part.exit_code})"
    yield _line("Ran", code, "— dangerous" if part.is_dangerous else "")
    yield fence(part.command, "sh")
    if part.output.strip():
        yield "Output:"
        yield fence(printed(part.output))


def _tool(part: ToolCallPart) -> Iterator[str]:
    verb = "Failed to use" if part.status == "error" else "Used"
    if part.suggested_permissions:
        verb = "Wants to use"
    yield _line(verb, plain(part.display_name))
    for label, value in (("Input", part.input), ("Output", part.output)):
        if value is not None:
            yield f"{label}:"
            yield data(value)
    for permission in part.suggested_permissions:
        yield "Asks for:"
        yield data(dict(permission))


def _action(part: AgentActionPart) -> Iterator[str]:
    yield _line(part.summary or words.verb(words.ACTIONS, part.name, is_running=False))
    if (plan := asks.plan(part)) is not None:
        yield quoted(prose(plan, with_projects=True))
    elif (questions := asks.questions(part)) is not None:
        yield from map(_question, questions)
    elif (names := asks.integrations(part)) is not None:
        yield ", ".join(map(plain, names))
    elif (facts := asks.connection(part)) is not None:
        yield "; ".join(f"{plain(fact.name)}: {plain(fact.value)}" for fact in facts)
    elif (todos := agent_actions.todos(part)) is not None:
        yield quoted("\n".join(f"- {_todo(todo)}" for todo in todos))
    elif (listed := agent_actions.problems(part)) is not None:
        yield quoted("\n".join(_problem(each) for each in listed))
    elif (images := agent_actions.images(part)) is not None:
        yield ", ".join(_link(image.url, image.about) or span(image.path) for image in images)
    elif part.data is not None:
        yield data(part.data)


def _question(question: asks.Question) -> str:
    options = (
        f"*{plain(option.label)}*{f' ({plain(option.description)})' if option.description else ''}"
        for option in question.options
    )
    return f"**{plain(question.question)}** {' · '.join(options)}".strip()


def _todo(todo: agent_actions.Todo) -> str:
    text = plain(todo.text)
    match todo.status:
        case "done":
            return f"[x] {text}"
        case "doing":
            return f"[ ] {text} (being done)"
        case "dropped":
            return f"[ ] ~~{text}~~"
        case _:
            return f"[ ] {text}"


def _problem(each: agent_actions.Problems) -> str:
    told = (f"- {each.severity}: {span(one.place)} {plain(one.message)}" for one in each.problems)
    return "\n".join(told)


def _line(verb: str, *rest: str) -> str:
    return " ".join(filter(None, (f"**{plain(verb)}**", *rest)))


def _lasted(part: Part) -> str:
    told = words.lasted(seconds(part))
    return f" for {told}" if told else ""


def prose(text: str, *, with_projects: bool = False) -> str:
    """Markdown as it was written, with what its last line left open closed."""
    source = Source(with_projects=with_projects).take(text, closed=True)
    if not source.strip():
        return ""
    last = PROSE.outline(source)[-1:] if "```" in source or "~~~" in source else []
    if not last or last[0].kind != "fence":
        return source.strip("\n")
    marks = last[0].tokens[0].markup
    lines = source.split("\n")[last[0].start : last[0].end]
    if _closes(lines, marks):
        return source.strip("\n")
    # A last line of blanks alone is no line of an open fence, but would be one of a closed fence.
    rest = source.rpartition("\n")
    source = source if rest[2].strip() else rest[0]
    return f"{source}\n{marks}"


def _closes(lines: Sequence[str], marks: str) -> bool:
    closing = re.compile(rf" {{0,3}}{re.escape(marks[0])}{{{len(marks)},}}[ \t]*")
    return len(lines) > 1 and closing.fullmatch(lines[-1]) is not None


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in text.strip("\n").split("\n"))


def fence(text: str, info: str = "") -> str:
    marks = "`" * max(3, _longest(text) + 1)
    return f"{marks}{info}\n{text.rstrip(chr(10))}\n{marks}"


def data(value: Any) -> str:
    """Text as it is, anything else as JSON."""
    return fence(written(value), "" if isinstance(value, str) else "json")


def span(text: str) -> str:
    """One line of code inside of a line, "" for none."""
    line = re.sub(r"[\r\n]+", " ", text)
    if not line.strip():
        return ""
    marks = "`" * (_longest(line) + 1)
    room = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{marks}{room}{line}{room}{marks}"


def plain(text: str) -> str:
    """Words that mean nothing to Markdown, on one line."""
    return MEANING.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))


def printed(output: str) -> str:
    """Output of a command without the colours of a terminal."""
    return ESCAPES.sub("", output).replace("\r\n", "\n").replace("\r", "\n")


def _longest(text: str) -> int:
    return max(map(len, TICKS.findall(text)), default=0)
