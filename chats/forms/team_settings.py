"""A team's settings as its owners and admins fill them in.

Owns the limits and sentences, and what of it is a change. Relies on permissions for the models there
are. What was typed is kept in `kept`, valid or not, so that a refusal can give it back.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.http import QueryDict

from chats import permissions
from chats.forms.message import normalise
from chats.forms.profile import UNSEEN
from chats.forms.visibility import WITHIN, WORDS
from chats.models import Team
from chats.models.teams import Inviters, Role

NAME = 100
# Viewers send nothing.
SENDING = (Role.OWNER, Role.ADMIN, Role.MEMBER)
LEVELS = tuple((str(level), WORDS[level]) for level in WITHIN)
INVITERS = (
    (Inviters.OWNERS, "Owners"),
    (Inviters.ADMINS, "Owners and admins"),
    (Inviters.MEMBERS, "Owners, admins and members"),
)

NO_NAME = "A team needs a name."
LONG_NAME = f"A name has at most {NAME} characters."
NO_LEVEL = "Choose one of the levels."
NO_MODEL = "This model cannot be chosen here."
NO_MODELS = "Each role needs at least one model."
NO_INVITERS = "Choose who may invite."


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSettings:
    """A team's settings, or the fields as they stand. `models_by_role` has a role only when that may not
    use all models."""

    name: str
    default_privacy: str
    default_model: str
    models_by_role: dict[str, list[str]]
    who_may_invite: str
    system_prompt: str

    @classmethod
    def of(cls, team: Team) -> TeamSettings:
        return cls(
            name=team.name,
            default_privacy=team.default_privacy,
            default_model=team.default_model,
            models_by_role=team.models_by_role,
            who_may_invite=team.who_may_invite,
            system_prompt=team.system_prompt,
        )

    @property
    def digest(self) -> str:
        """What says whether somebody has changed them since."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def changes(self, new: TeamSettings) -> dict[str, Any]:
        """What `new` changes, for the audit log: old and new values, of a text only that it changed."""
        old, now = asdict(self), asdict(new)
        found = {name: [old[name], now[name]] for name in old if old[name] != now[name]}
        return {**found, "system_prompt": "changed"} if "system_prompt" in found else found

    def ticked(self) -> list[tuple[str, list[tuple[str, bool]]]]:
        """The boxes: each role with every model and whether it may use that."""
        offered = permissions.models()
        found = []
        for role in SENDING:
            named = self.models_by_role.get(role)
            boxes = [(model, named is None or model in named) for model in offered]
            found.append((str(role), boxes))
        return found


class TeamSettingsForm:
    """Never raises over what it is given; `errors` by field, none when it can be saved."""

    def __init__(self, data: QueryDict) -> None:
        offered = permissions.models()
        ticked = {
            str(role): [model for model in offered if model in data.getlist(f"models-{role}")]
            for role in SENDING
        }
        self.kept = TeamSettings(
            name=" ".join(UNSEEN.sub(" ", normalise(data.get("name") or "")).split()),
            default_privacy=data.get("default_privacy") or "",
            default_model=data.get("default_model") or "",
            # One model is everybody's, and is not asked for.
            models_by_role={
                role: models for role, models in ticked.items() if 1 < len(offered) > len(models)
            },
            who_may_invite=data.get("who_may_invite") or "",
            system_prompt=normalise(data.get("system_prompt") or ""),
        )
        self.errors = {name: sentence for name, sentence in self._problems() if sentence}

    def _problems(self) -> list[tuple[str, str]]:
        kept, most = self.kept, settings.V0_MESSAGE_LIMIT
        length = len(kept.system_prompt)
        long = f"The instructions are {length:,} characters long; {most:,} is the most."
        known = ("", *permissions.models())
        return [
            ("name", "" if kept.name else NO_NAME),
            ("name", LONG_NAME if len(kept.name) > NAME else ""),
            ("default_privacy", "" if kept.default_privacy in dict(LEVELS) else NO_LEVEL),
            ("default_model", "" if kept.default_model in known else NO_MODEL),
            ("models", "" if all(kept.models_by_role.values()) else NO_MODELS),
            ("who_may_invite", "" if kept.who_may_invite in dict(INVITERS) else NO_INVITERS),
            ("system_prompt", long if length > most else ""),
        ]
