"""Where a new chat is to live and who may see it, as one choice.

Owns which levels there are in each place, and the words for them: levels of a team exist in that team
alone. Relies on whoever asks for the teams in which the person may have chats. What was chosen is kept
in `filled`, valid or not.

    private   unlisted   public                in the personal space
    7:team    7:private  …                     in the team with that id
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from chats.models import Team
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
# What a team can let its chats begin with: nobody outside of it sees them by that.
WITHIN = (Privacy.PRIVATE, Privacy.TEAM, Privacy.TEAM_EDIT)


@dataclass(frozen=True, slots=True)
class Level:
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is "" for the personal space."""

    name: str
    levels: tuple[Level, ...]


def words(level: str) -> str:
    if level == Privacy.PUBLIC and settings.V0_ANONYMOUS_READING:
        return "Public: everybody"
    return WORDS[level]


def start_in(team: Team | None, chosen_last: str = "") -> str:
    """The choice with which a new chat in this place begins: what somebody chose last there, else the
    team's default. In one's own space nothing but a choice shows a chat to others."""
    return f"{team.pk}:{chosen_last or team.default_privacy}" if team else str(Privacy.PRIVATE)


class VisibilityForm:
    """One field; without it, a private chat in the personal space, or what it is to `start` with."""

    def __init__(
        self, given: str | None, teams: Sequence[Team], *, start: str = Privacy.PRIVATE
    ) -> None:
        self.filled = given or str(start)
        self._teams = {str(team.pk): team for team in teams}
        self.places = (
            Place("", tuple(Level(str(level), words(level)) for level in PERSONAL)),
            *(_of_team(team) for team in self._teams.values()),
        )
        self.is_open = bool(settings.V0_ANONYMOUS_READING)

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
    return Place(team.name, tuple(Level(f"{team.pk}:{level}", words(level)) for level in Privacy))
