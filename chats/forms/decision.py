"""What somebody fills into the card of a waiting task.

Owns the names of the card's fields and how they are read. Never decides what is complete: that depends
on what the agent asks, which the relay knows.

    choice     the button         seen      the digest of the card      token    of the form
    model      for what follows   text-N    words: content, reason, or of question N
    option-N   places of the options chosen for question N              connected   names of services
"""

from __future__ import annotations

from uuid import UUID

from django.http import QueryDict

from chats import permissions
from chats.forms.message import normalise

MOST_FIELDS = 100


class DecisionForm:
    """Never raises over what it is given; `token` is None for a form that has none."""

    def __init__(self, data: QueryDict) -> None:
        self.choice = (data.get("choice") or "")[:20]
        self.seen = (data.get("seen") or "")[:64]
        self.token = _uuid(data.get("token") or "")
        self.model = permissions.model(data.get("model"))
        names = list(data)[:MOST_FIELDS]
        self.texts = {
            name.removeprefix("text-"): normalise(data.get(name) or "")
            for name in names
            if name.startswith("text-")
        }
        self.selected = {
            name.removeprefix("option-"): tuple(map(str, data.getlist(name)[:MOST_FIELDS]))
            for name in names
            if name.startswith("option-")
        }
        self.selected["connected"] = tuple(map(str, data.getlist("connected")[:MOST_FIELDS]))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
