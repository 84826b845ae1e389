"""The words for codes: what readers are told about a problem, an ending, a tool.

Owns the sentences whose choice depends on a code of ours or of v0's; templates own the rest. Words
are the same for every reader: they never say "you", and offer nothing that only some may do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence on what happened and one on what to do."""

    what: str
    advice: str = ""


PROBLEMS: Mapping[str, Problem] = {
    "unsent": Problem("This did not reach v0, and nothing was charged.", "It can be sent again."),
    "files": Problem(
        "A file of this message could not be read here. Nothing left for v0, and nothing was charged.",
        "Attach it again.",
    ),
    "refused": Problem("v0 did not accept this.", "Change the message and send it again."),
    "unauthorized": Problem(
        "v0 does not accept this installation's API key.",
        "Once an administrator has put it right, it can be sent again.",
    ),
    "credits": Problem(
        "The v0 account is out of credits, or past a limit of its plan.",
        "Once credits were added there, it can be sent again.",
    ),
    "forbidden": Problem(
        "v0 does not allow this chat to be written to with this installation's key.",
        "Continue in a new chat.",
    ),
    "gone": Problem("v0 no longer has this chat.", "Continue in a new chat."),
    "old": Problem(
        "v0 does not serve this chat any more: it was made with an older version of its API.",
        "Continue in a new chat.",
    ),
    "conflict": Problem(
        "v0 was busy with this chat, or the chat had moved on.", "Look at its end, then send again."
    ),
    "too-large": Problem(
        "This is larger than v0 accepts.", "Shorten it, or leave out files, and send it again."
    ),
    "invalid": Problem("v0 could not read this.", "Change the message and send it again."),
    "rate-limit": Problem(
        "v0 receives too many requests just now.", "In a minute it can be sent again."
    ),
    "upstream": Problem(
        "v0 had an error of its own.", "What arrived before it is kept. It can be sent again."
    ),
    "unknown": Problem(
        "It could not be found out whether v0 received this.",
        "Sending it again may cost credits twice: look at the chat's end first.",
    ),
    "stuck": Problem(
        "v0 has said nothing about this answer for a long time.",
        "It can be stopped and sent again.",
    ),
}
OTHER = Problem("Something went wrong.", "It can be sent again.")

# The same when the files were to go back to an earlier answer.
_RESTORE_AGAIN = "The earlier answer still offers it."
UNRESTORED: Mapping[str, Problem] = {
    "unsent": Problem(
        "This did not reach v0: the files are as they were, and nothing was charged.",
        _RESTORE_AGAIN,
    ),
    "refused": Problem("v0 did not bring the files back. They are as they were."),
    "conflict": Problem(
        "v0 did not bring the files back: they are the newest already, or v0 was busy with this chat."
    ),
    "gone": Problem("v0 no longer has that answer, or this chat. The files are as they were."),
    "invalid": Problem("v0 has no files of that answer to go back to. They are as they were."),
    "rate-limit": Problem(
        "v0 receives too many requests just now. The files are as they were.", _RESTORE_AGAIN
    ),
    "upstream": Problem("v0 had an error of its own.", "Look at the files before trying again."),
    "unknown": Problem(
        "It could not be found out whether v0 brought the files back.",
        "Trying again may cost credits twice: look at the files first.",
    ),
}


def problem(code: str, *, is_restore: bool) -> Problem | None:
    """What readers are told of a failure; None when nothing failed."""
    if not code:
        return None
    own = UNRESTORED.get(code) if is_restore else None
    return own or PROBLEMS.get(code, OTHER)


# What is said at the card of a task when v0 did not take the decision; other codes as above.
UNDECIDED: Mapping[str, Problem] = {
    "conflict": Problem(
        "v0 did not take this answer: it no longer waited for exactly that.",
        "What it asks was read again. Look whether the answer still fits, and send it again.",
    ),
    "invalid": Problem(
        "v0 did not accept what was filled in.", "It is kept below: change it and send it again."
    ),
    "upstream": Problem("v0 had an error of its own.", "What was filled in is kept below."),
    "refused": Problem("v0 did not accept this.", "What was filled in is kept below."),
}


def undecided(code: str) -> str:
    """Why a decision decided nothing, for the card that is open again."""
    problem = UNDECIDED.get(code) or PROBLEMS.get(code, OTHER)
    return f"{problem.what} {problem.advice}".strip()


# By the code of the last failure; a moment follows.
TROUBLES: Mapping[str, str] = {
    "unsent": "v0 has been out of reach since",
    "unknown": "v0 has not answered since",
    "upstream": "v0 has answered with errors of its own since",
    "unauthorized": "v0 has not accepted this installation's API key since",
}

ENDINGS: Mapping[str, str] = {
    "length": "Cut off because the answer reached its length limit.",
    "content-filter": "Ended by v0's content filter.",
    "other": "Ended early, for a reason that v0 does not name.",
    "error": "Ended by an error at v0.",
}

STATES: Mapping[str, str] = {
    "sending": "Sending…",
    "checking": "Not sure whether v0 received this. Looking it up…",
    "stopped": "Stopped.",
}
# Without whose it is, and how much: not every reader may know.
STOPPED: Mapping[str, str] = {
    "budget": "Stopped, because a budget was used up.",
}


def state(state: str, stop_reason: str = "") -> str:
    """What is said of how a message is; "" where what there is of it says enough."""
    reason = STOPPED.get(stop_reason) if state == "stopped" else None
    return reason or STATES.get(state, "")


# Running, done.
EDITS: Mapping[str, tuple[str, str]] = {
    "create": ("Creating", "Created"),
    "update": ("Updating", "Updated"),
    "patch": ("Patching", "Patched"),
    "delete": ("Deleting", "Deleted"),
    "rename": ("Renaming", "Renamed"),
}
SEARCHES: Mapping[str, tuple[str, str]] = {
    "repo": ("Searching the codebase", "Searched the codebase"),
    "web": ("Searching the web", "Searched the web"),
}
ACTIONS: Mapping[str, tuple[str, str]] = {
    "ask_user_questions": ("Preparing questions", "Asked questions"),
    "configure_vercel_connect": ("Setting up Vercel Connect", "Vercel Connect"),
    "diagnostics": ("Checking for problems", "Checked for problems"),
    "exit_plan_mode": ("Writing a plan", "Proposed a plan"),
    "generate_image": ("Generating an image", "Generated an image"),
    "get_or_request_integration": ("Looking up integrations", "Asked for integrations"),
    "manage_todos": ("Updating the to-do list", "Updated the to-do list"),
}

# Once, more often.
COUNTED: Mapping[str, tuple[str, str]] = {
    "read": ("read 1 file", "read {} files"),
    "edit": ("changed 1 file", "changed {} files"),
    "search": ("searched once", "searched {} times"),
    "bash": ("ran 1 command", "ran {} commands"),
    "tool": ("used 1 tool", "used tools {} times"),
    "thinking": ("thought once", "thought {} times"),
}
# What diagnostics found, one and more.
SEVERITIES: Mapping[str, tuple[str, str]] = {
    "error": ("1 error", "{} errors"),
    "warning": ("1 warning", "{} warnings"),
    "info": ("1 note", "{} notes"),
    "hint": ("1 hint", "{} hints"),
}
# What a part of an answer is, by its type, where parts are listed.
PARTS: Mapping[str, str] = {
    "text": "Text",
    "thinking": "Thinking",
    "file-read": "Files read",
    "file-edit": "File changed",
    "search": "Search",
    "bash": "Command",
    "tool-call": "Tool",
    "agent-action": "Action",
}
# The rows of a timeline, in their order.
KINDS: Mapping[str, str] = {
    "waiting": "Waiting for a person",
    "thinking": "Thinking",
    "reading": "Reading",
    "searching": "Searching",
    "editing": "Editing",
    "commands": "Commands",
    "tools": "Tools",
    "other": "Other steps",
    "writing": "Writing",
}


def counted(kind: str, count: int) -> str:
    """ "ran 3 commands", "searched once"."""
    one, more = COUNTED[kind]
    return one if count == 1 else more.format(count)


def severity(name: str, count: int) -> str:
    """ "2 warnings"."""
    one, more = SEVERITIES[name]
    return one if count == 1 else more.format(count)


def files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files" if count else "a file"


def verb(table: Mapping[str, tuple[str, str]], name: str, *, is_running: bool) -> str:
    """The words for `name`; one that has none yet becomes words itself."""
    running, done = table.get(name, (humanised(name),) * 2)
    return running if is_running else done


def humanised(name: str) -> str:
    """`some_new-name` as "Some new name"."""
    words = name.replace("_", " ").replace("-", " ").split()
    return " ".join(words).capitalize() if words else "Did something"


def lasted(seconds: float) -> str:
    """A duration as "12 s", "3 min 5 s", "1 h 2 min"; "" below one second."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s" if whole else ""
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def took(seconds: float) -> str:
    """The same for a table: what took less than ten seconds has a decimal."""
    if seconds >= 10:
        return lasted(seconds)
    if 0 < seconds < 0.1:
        return "under 0.1 s"
    return f"{int(seconds * 10) / 10:.1f} s" if seconds else "0 s"
