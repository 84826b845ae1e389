"""The last line of an open text, as it will look once what it began is closed.

Owns which marks are closed, or held back, while their other half is on its way. A guess about the
end of a text that still grows: never used for a finished one.
"""

from __future__ import annotations

import re

CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
ADDRESS = re.compile(r"!?\[([^\[\]\n]+)\]\([^()\s]*\Z")
BOLD = re.compile(r"(?<![\w*\\])\*\*(?=[^\s*])(?!.*\*\*)", re.DOTALL)
# Marks that have nothing behind them yet: in a line, and as a line, which could become anything.
BEGUN = re.compile(r"(?:(?<=\s)|\A)(?:\*{1,3}|_{1,2}|~{1,2}|`{1,2}|!?\[)\Z")
ONLY_MARKS = re.compile(r"[-=*+_#>~`|:!\[ \t]+|[ \t]*\d{1,9}[.)]?[ \t]*")


def is_undecided(line: str) -> bool:
    """Whether `line`, which has no end yet, could still become a block of almost any kind."""
    return ONLY_MARKS.fullmatch(line) is not None


def mended(content: str) -> str:
    """`content`, an inline run, with what it left open closed."""
    content = _code(BEGUN.sub("", content))
    bare = CODE.sub(lambda span: " " * len(span[0]), content)
    if address := ADDRESS.search(bare):
        content = content[: address.start()] + address[1]
        bare = bare[: address.start()] + address[1]
    return content.rstrip("* \n") + "**" if BOLD.search(bare.rstrip("*")) else content


def _code(content: str) -> str:
    """`content` with its last code span closed, or not begun when there is nothing in it."""
    bare = CODE.sub(lambda span: " " * len(span[0]), content)
    start = bare.find("`")
    if start < 0:
        return content
    inside = content[start:].lstrip("`")
    marks = content[start : len(content) - len(inside)]
    return content.rstrip("`") + marks if inside.rstrip("`") else content[:start]
