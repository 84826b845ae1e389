"""A person's own name, theme and time zone as they fill them in.

Owns the limits and sentences, and which zones there are. What was typed is kept in `kept`, valid or
not, so that a refusal can give it back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from chats.forms.message import normalise
from chats.models import Person
from chats.models.people import Theme

NAME = 100
THEMES = (Theme.SYSTEM, Theme.LIGHT, Theme.DARK)
# What turns around the direction of the words after it, or is seen by nobody.
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
# Those of the database that are places; the rest are older names and aids for programs.
PLACE = re.compile(
    "(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/"
)

LONG_NAME = f"A name has at most {NAME} characters."
NO_THEME = "Choose one of the three."
NO_ZONE = "Choose a time zone from the list."


@cache
def zones() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The zones to choose from, by their part of the world."""
    places = sorted(name for name in available_timezones() if PLACE.match(name))
    grouped = groupby(places, key=lambda name: name.partition("/")[0])
    return tuple((part, tuple(names)) for part, names in grouped)


def is_zone(name: str) -> bool:
    return any(name in names for _, names in zones())


@dataclass(frozen=True, slots=True)
class Kept:
    """The fields as they stand; `time_zone` is "" for UTC."""

    name: str = ""
    theme: str = Theme.SYSTEM
    time_zone: str = ""

    @classmethod
    def of(cls, person: Person) -> Kept:
        return cls(person.name, person.theme or Theme.SYSTEM, person.time_zone)


class ProfileForm:
    """Fields `name`, `theme` and `time_zone`. Never raises over what it is given; `errors` by field."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.kept = Kept(
            name=" ".join(UNSEEN.sub(" ", normalise(data.get("name") or "")).split()),
            theme=str(data.get("theme") or Theme.SYSTEM),
            time_zone=str(data.get("time_zone") or ""),
        )
        zone = self.kept.time_zone
        self.errors = {
            field: sentence
            for field, sentence in (
                ("name", LONG_NAME if len(self.kept.name) > NAME else ""),
                ("theme", "" if self.kept.theme in THEMES else NO_THEME),
                ("time_zone", NO_ZONE if zone and not is_zone(zone) else ""),
            )
            if sentence
        }
