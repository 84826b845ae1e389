"""A saved prompt as somebody fills it in: its name, its text, and whose it is.

Owns the limits and sentences. What was typed is kept in `kept`, valid or not, so that a refusal can
give it back. Relies on permissions for the teams that somebody may save a prompt for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from chats.forms.message import normalise
from chats.models import Prompt, Team

OWN = "own"
NAME = 80

NO_NAME = "A prompt needs a name."
LONG_NAME = f"A name has at most {NAME} characters."
NO_TEXT = "Write what the prompt says."
NO_PLACE = "Choose whose prompt it is."


@dataclass(frozen=True, slots=True)
class Kept:
    """The fields as they stand; `place` is "own" or the id of a team."""

    name: str = ""
    text: str = ""
    place: str = OWN

    @classmethod
    def of(cls, prompt: Prompt) -> Kept:
        return cls(prompt.name, prompt.text, str(prompt.team_id or OWN))


class PromptForm:
    """Fields `name`, `text` and `place`. Never raises over what it is given; `errors` by field."""

    def __init__(self, data: Mapping[str, Any], teams: Iterable[Team]) -> None:
        self.kept = Kept(
            name=" ".join(normalise(data.get("name") or "").split()),
            text=normalise(data.get("text") or ""),
            place=str(data.get("place") or OWN),
        )
        places = {str(team.pk): team for team in teams}
        self.team = places.get(self.kept.place)
        self.errors = {
            field: sentence
            for field, sentence in (
                ("name", self._name()),
                ("text", self._text()),
                ("place", "" if self.team or self.kept.place == OWN else NO_PLACE),
            )
            if sentence
        }

    def _name(self) -> str:
        if not self.kept.name:
            return NO_NAME
        return LONG_NAME if len(self.kept.name) > NAME else ""

    def _text(self) -> str:
        limit = settings.V0_MESSAGE_LIMIT
        if not self.kept.text.strip():
            return NO_TEXT
        if len(self.kept.text) > limit:
            return f"This is {len(self.kept.text):,} characters long; {limit:,} is the most."
        return ""
