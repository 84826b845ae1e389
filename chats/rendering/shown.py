"""What readers see of one message, as a value: the input of the renderer.

Owns the vocabulary of `data-state`. Relies on `v0api.types`, and never knows a model, so that rows
and running folds are rendered by the same code.
"""

from __future__ import annotations

from dataclasses import dataclass

from chats.v0api.types import Attachment, Part

STATES = ("sending", "checking", "streaming", "stopped", "failed", "finished")


@dataclass(frozen=True, slots=True)
class File:
    """A file that we keep, by our `id`. An image that a page may show has `width` and `height`."""

    name: str
    id: str
    kind: str = ""
    size: int | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """The picture of somebody; `colour` is a number as text, or "" for nobody's."""

    initials: str
    colour: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as every reader of its chat may see it.

    `attachments` lie elsewhere, `files` with us. `id` is our uuid and `chat` its chat's, "" where
    nothing may lead to it; `state` one of STATES; `text` what a person typed ("" for an answer); `parts`
    an answer's parts, in order; `face` is the author's, and `at_v0` says that they wrote it in v0's own pages; `created` an ISO time in UTC. `problem` is the code of what went
    wrong ("" when nothing did; the words for each code are in a template) and `detail` v0's own
    words about it, untrusted; `again` is the ISO time before which v0 takes no other try. `restores` is the uuid of the answer
    whose files came back with this one, "" when none did, and `restored_from` when that was made. `pending` says that the answer ended on a task for a person,
    `stopping` that a stop was asked for and v0 has not answered yet; `stop_reason` is "" unless it was no person who
    wanted it to stop. `waited` is for how many seconds
    the chat waited for the decision that this is the answer to.
    """

    id: str
    role: str
    state: str
    created: str = ""
    author: str = ""
    at_v0: bool = False
    face: Face | None = None
    text: str = ""
    parts: tuple[Part, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    files: tuple[File, ...] = ()
    finish_reason: str | None = None
    problem: str = ""
    detail: str = ""
    again: str = ""
    restores: str = ""
    restored_from: str = ""
    pending: bool = False
    stopping: bool = False
    stop_reason: str = ""
    chat: str = ""
    waited: float = 0.0

    @property
    def who(self) -> str:
        """Whom readers are told that it is from."""
        if self.role == "assistant":
            return "v0"
        return self.author or ("Somebody at v0" if self.at_v0 else "Somebody")

    @property
    def is_live(self) -> bool:
        return self.state in ("sending", "checking", "streaming")
