"""How a chat stands that is to come as a whole, in words: a copy, or one of files.

Owns these sentences and which ways on fit each. Relies on nothing; says "v0" and the chat, and never
repeats what somebody filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """`goes_on`: something is still being done. `may_try`: v0 is known not to have it, and the same may
    succeed; `may_change`: only something else can; `may_look`: nobody knows, and reading costs nothing."""

    words: str
    advice: str = ""
    goes_on: bool = False
    may_try: bool = False
    may_change: bool = False
    may_look: bool = False


WAITING: Mapping[str, str] = {
    "duplicate": "Copying…",
    "files": "Handing your files to v0…",
    "zip": "Handing the archive to v0…",
    "repo": "Handing the repository's address to v0…",
}
POSTING: Mapping[str, str] = {
    "duplicate": "Copying…",
    "files": "v0 is reading your files…",
    "zip": "v0 is reading the archive…",
    "repo": "v0 is reading the repository…",
}
FETCHING = "v0 has it. Fetching what is there…"
CHECKING: Mapping[str, str] = {
    "duplicate": "Checking whether v0 made the copy…",
    "import": "v0 did not answer. Checking whether it made the chat…",
}
MADE: Mapping[str, str] = {
    "files": "v0 has the files that this chat begins with.",
    "zip": "v0 has the archive that this chat begins with.",
    "repo": "v0 has the repository that this chat begins with.",
}
NEXT = "Write below what to do next. Nothing was changed yet."

# Why v0 did not make it. Each goes on after "v0 did not make the copy" or "… the chat".
REASONS: Mapping[str, str] = {
    "unsent": "it could not be reached, and nothing was charged",
    "unauthorized": "it does not accept this installation's API key",
    "credits": "there are no credits left",
    "forbidden": "this installation's key may not do that",
    "rate-limit": "it receives too many requests just now",
    "conflict": "it was busy",
    "too-large": "that is larger than it accepts",
}
OF_COPIES: Mapping[str, str] = {"gone": "it does not have the original any more"}
OF_FILES: Mapping[str, str] = {
    "files": "your files are not here any more. Choose them again",
    "invalid": "it could not use these files",
}
OF_ARCHIVES: Mapping[str, str] = {
    "files": "the archive is not here any more. Choose it again",
    "invalid": "it could not read that as a ZIP archive",
    "gone": "it found no archive at that address",
}
OF_REPOSITORIES: Mapping[str, str] = {
    "invalid": "it could not read that repository or branch",
    "gone": "it found no such repository or branch. A private one has to be linked at Vercel first",
    "forbidden": "it may not read that repository. A private one has to be linked at Vercel first",
}
OWN: Mapping[str, Mapping[str, str]] = {
    "duplicate": OF_COPIES,
    "files": OF_FILES,
    "zip": OF_ARCHIVES,
    "repo": OF_REPOSITORIES,
}
# The same again could not succeed.
FINAL = {"gone", "files", "invalid", "too-large"}


def standing(kind: str, state: str, *, problem: str = "", title: str = "") -> Standing:
    """`kind` and `state` are an intent's; `problem` the code of why it ended, `title` the chat's."""
    made = "the copy" if kind == "duplicate" else "the chat"
    match state:
        case "waiting":
            return Standing(WAITING[kind], goes_on=True)
        case "posting":
            return Standing(POSTING[kind], goes_on=True)
        case "checking":
            return Standing(CHECKING.get(kind, CHECKING["import"]), goes_on=True)
        case "accepted":
            return Standing(FETCHING, goes_on=True)
        case "unknown":
            name = f" as “{title}”" if title else ""
            return Standing(
                f"It could not be found out whether v0 made {made}.",
                f"If it did, it is listed at v0{name}. Starting over may cost credits twice.",
                may_look=True,
            )
    reason = OWN[kind].get(problem) or REASONS.get(problem, "")
    words = f"v0 did not make {made}: {reason}." if reason else f"v0 did not make {made}."
    is_final = problem in FINAL
    return Standing(words, may_try=not is_final, may_change=is_final)
