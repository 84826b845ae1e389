"""Where a new chat is to live and who may see it, as one choice.

Owns which levels a person may give in each place, and the words for them: levels of a team exist in
that team alone. Relies on models for a person's teams. What was chosen is kept in `filled`, valid or
not.

    private   unlisted   public                in the personal space
    7:team    7:private  …                     in the team with that id
"""

from __future__ import annotations

from dataclasses import dataclass

from chats.models import Person, Team
from chats.models.chats import Privacy

NO_LEVEL = "Choose who can see the new chat."
WORDS: dict[str, str] = {
    Privacy.PRIVATE: "Private: only you",
    Privacy.TEAM: "The team can read",
    Privacy.TEAM_EDIT: "The team can read and write",
    Privacy.UNLISTED: "Unlisted: whoever has its link",
    Privacy.PUBLIC: "Public: everybody who signs in",
}
PERSONAL = (Privacy.PRIVATE, Privacy.UNLISTED, Privacy.PUBLIC)


@dataclass(frozen=True, slots=True)
class Level:
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is "" for the personal space."""

    name: str
    levels: tuple[Level, ...]


class VisibilityForm:
    """The field `privacy`; without it, a private chat in the personal space."""

    def __init__(self, given: str | None, person: Person) -> None:
        self.filled = given or str(Privacy.PRIVATE)
        teams = Team.objects.filter(memberships__person=person).order_by("name", "pk")
        self._teams = {str(team.pk): team for team in teams}
        self.places = (
            Place("", tuple(Level(str(level), WORDS[level]) for level in PERSONAL)),
            *(_of_team(team) for team in self._teams.values()),
        )

    @property
    def sentence(self) -> str:
        """Why it was refused, "" when it was not."""
        known = {level.value for place in self.places for level in place.levels}
        return "" if self.filled in known else NO_LEVEL

    @property
    def privacy(self) -> str:
        return self.filled.rpartition(":")[2]

    @property
    def team(self) -> Team | None:
        """None for the person's own space."""
        return self._teams.get(self.filled.rpartition(":")[0])


def _of_team(team: Team) -> Place:
    levels = (Level(f"{team.pk}:{level}", WORDS[level]) for level in Privacy.values)
    return Place(team.name, tuple(levels))
