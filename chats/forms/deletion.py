"""The end of an account as somebody confirms it: what becomes of their chats in each team, and their
address typed out.

Owns the fields and sentences. What was chosen is kept, valid or not, so that a refusal can give it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chats.models import Person

GIVE, DELETE = "give", "delete"

NOT_TYPED = "This is not the address of your account."
NOT_CHOSEN = "Choose what becomes of your chats here."


class DeletionForm:
    """Field `typed`, and for each team `team-<id>`, "give" or "delete". Never raises over what it is
    given; `errors` by field."""

    def __init__(self, data: Mapping[str, Any], person: Person, teams: Iterable[int]) -> None:
        self.typed = str(data.get("typed") or "").strip()
        self.choices = {team: str(data.get(name_of(team)) or "") for team in teams}
        self.errors = {
            name_of(team): NOT_CHOSEN
            for team, choice in self.choices.items()
            if choice not in (GIVE, DELETE)
        }
        if self.typed.lower() != person.email:
            self.errors["typed"] = NOT_TYPED

    @property
    def giving(self) -> list[int]:
        return [team for team, choice in self.choices.items() if choice == GIVE]


def name_of(team: int) -> str:
    return f"team-{team}"
