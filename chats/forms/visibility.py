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
# What a chat of a team can begin with: nobody outside of the team sees it by that.
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


def start_in(team: Team | None) -> str:
    """The choice with which a new chat in this place begins."""
    return f"{team.pk}:{team.default_privacy}" if team else str(Privacy.PRIVATE)


class VisibilityForm:
    """One field; without it, a private chat in the personal space, or what it is to `start` with.
    `within`: only levels at which nobody outside of the place sees the chat."""

    def __init__(
        self,
        given: str | None,
        teams: Sequence[Team],
        *,
        start: str = Privacy.PRIVATE,
        within: bool = False,
    ) -> None:
        self.filled = given or str(start)
        self._teams = {str(team.pk): team for team in teams}
        own = [level for level in PERSONAL if not within or level in WITHIN]
        levels = WITHIN if within else tuple(Privacy)
        self.places = (
            Place("", tuple(Level(str(level), WORDS[level]) for level in own)),
            *(_of_team(team, levels) for team in self._teams.values()),
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


def _of_team(team: Team, levels: Sequence[Privacy]) -> Place:
    return Place(team.name, tuple(Level(f"{team.pk}:{level}", WORDS[level]) for level in levels))
