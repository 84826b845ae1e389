"""What a message is sent with beside its text, as somebody chose it in the composer.

Owns the names of these fields, where they begin, and the check of all of v0's limits before anything is
written. Relies on permissions for the models there are. What was filled in is kept in `filled`, valid
or not, so that a refusal can give it back.

    options   marks a form that has these fields; without it everything is as it was last time
    model     one that the person may use here      images   a box        system     text of the chat
    mcp       "chosen": only those of `server`, any number of times; else the account's own choice
    skill     an id from skills.sh, any number of times; `skills` has more, divided by spaces or commas
    title     of a new chat                    metadata of a new chat: lines of name=value
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.http import QueryDict

from chats import permissions
from chats.forms.acts import LONG_TITLE
from chats.forms.message import normalise
from chats.models import Chat, Levers, Person, Team
from chats.models.messages import OURS
from chats.permissions import spaces
from chats.v0api import limits
from chats.v0api.types import model_among

METADATA = limits.METADATA_ENTRIES - 1
KNOWN_SKILLS = 12
SKILL_ID = re.compile(r"[\w@:./~+-]{1,200}")
SERVER_ID = re.compile(r"[\w-]{1,128}", re.ASCII)
SKILLS_SH = re.compile(r"(?:https?://)?(?:www\.)?skills\.sh/")
TITLE = 200
CHOSEN = "chosen"

NO_MODEL = "This model cannot be chosen here. Choose another one."
NOT_FOR_YOU = "Your role in this team may not use {}. Choose another model."
MANY_SKILLS = f"A message takes at most {limits.SKILLS} skills."
ODD_SKILL = "A skill is named by its id from skills.sh, as in owner/repository/skill."
MANY_SERVERS = f"A message takes at most {limits.MCP_SERVERS} MCP servers."
ODD_SERVER = "One of the MCP servers is none that v0 could know. Choose again."
MANY_ENTRIES = f"A chat takes at most {METADATA} entries of metadata."


class Refused(Exception):
    """A sentence for whoever filled it in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Valid ones. `model` "" is v0's own; `mcp` None are the servers that the account has enabled, ()
    is none. `allowed` are the models there are for this person here."""

    allowed: tuple[str, ...] = field(default_factory=permissions.models)
    model: str = ""
    images: bool = False
    mcp: tuple[str, ...] | None = None
    skills: tuple[str, ...] = ()
    system: str = ""
    title: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, person: Person, chat: Chat | None, team: Team | None = None) -> Options:
        """Where the composer begins: with the chat's own, or the defaults of the `team` that a new one
        is for, and for the rest with what the person chose last; a new one in their own space, when they
        have chosen no model yet, with the installation's."""
        kept = person.composer
        team = chat.team if chat else team
        allowed = spaces.models(person, team)
        begun = chat.model if chat else team.default_model if team else ""
        mcp = kept.get("mcp")
        return cls(
            allowed=allowed,
            model=model_among(allowed, begun, kept.get("model") or _usual(chat, team)),
            images=kept.get("images") is True,
            mcp=None if mcp is None else tuple(mcp),
            skills=tuple(kept.get("skills", ())),
            system=chat.system if chat else "",
        )

    def again(self, sent_with: Mapping[str, Any]) -> Options:
        """These, but what an earlier message of the chat was sent with. Its instructions are the
        chat's, which may be newer."""
        mcp = sent_with.get("mcp")
        ids = (str(skill.get("id") or "") for skill in sent_with.get("skills", ()))
        return replace(
            self,
            model=model_among(self.allowed, sent_with.get("model"), self.model),
            images=sent_with.get("images") is True,
            mcp=None if mcp is None else tuple(mcp),
            skills=tuple(id for id in ids if id),
        )

    def payload(self) -> dict[str, Any]:
        """What of it an intent's payload holds: only what was chosen."""
        found: dict[str, Any] = {
            "model": self.model,
            "images": self.images,
            "system": self.system,
            "skills": [{"type": "remote", "id": id} for id in self.skills],
            "metadata": dict(self.metadata),
        }
        found = {name: value for name, value in found.items() if value}
        return found if self.mcp is None else {**found, "mcp": list(self.mcp)}

    def of_chat(self) -> dict[str, Any]:
        """The chat's fields that it sets."""
        titled = {"title": self.title, "title_given": True} if self.title else {}
        return {"system": self.system, **titled}

    def _is_chosen(self, person: Person) -> bool:
        """What an administrator lets everybody begin with is nobody's choice, and follows when it changes."""
        if not self.model or person.composer.get("model"):
            return True
        return self.model != Levers.current().default_model

    def remembered(self, person: Person) -> dict[str, Any]:
        """The person's `composer` once this was sent."""
        skills = list(dict.fromkeys((*self.skills, *person.composer.get("known_skills", ()))))
        found: dict[str, Any] = {
            "model": self.model if self._is_chosen(person) else "",
            "images": self.images,
            "skills": list(self.skills),
            "known_skills": skills[:KNOWN_SKILLS],
        }
        found = {name: value for name, value in found.items() if value}
        return found if self.mcp is None else {**found, "mcp": list(self.mcp)}


def _usual(chat: Chat | None, team: Team | None) -> str:
    """The model that an administrator has chosen for this place; "" for none."""
    return "" if chat or team else Levers.current().default_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The fields as they stand in the form, whatever was typed into them."""

    model: str = ""
    images: bool = False
    mcp: str = ""
    servers: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    more_skills: str = ""
    system: str = ""
    title: str = ""
    metadata: str = ""

    @classmethod
    def of(cls, options: Options) -> Filled:
        return cls(
            model=options.model,
            images=options.images,
            mcp="" if options.mcp is None else CHOSEN,
            servers=options.mcp or (),
            skills=options.skills,
            system=options.system,
            title=options.title,
            metadata="\n".join(f"{name}={value}" for name, value in options.metadata.items()),
        )

    @classmethod
    def read(cls, data: QueryDict) -> Filled:
        return cls(
            model=data.get("model") or "",
            images="images" in data,
            mcp=CHOSEN if data.get("mcp") == CHOSEN else "",
            servers=tuple(dict.fromkeys(map(str, data.getlist("server")))),
            skills=tuple(dict.fromkeys(map(str, data.getlist("skill")))),
            more_skills=normalise(data.get("skills") or ""),
            system=normalise(data.get("system") or ""),
            title=" ".join(normalise(data.get("title") or "").split()),
            metadata=normalise(data.get("metadata") or ""),
        )


class OptionsForm:
    """Never raises over what it is given; `sentence` says why it was refused, "" when it was not.

    `title` and `metadata` count for a new chat alone.
    """

    def __init__(self, data: QueryDict, start: Options, *, is_new: bool) -> None:
        self.given = "options" in data
        self.filled = Filled.read(data) if self.given else Filled.of(start)
        self.options, self.sentence = start, ""
        if not self.given:
            return
        try:
            self.options = _checked(self.filled, start.allowed, is_new=is_new)
        except Refused as refusal:
            self.sentence = str(refusal)


def _checked(filled: Filled, allowed: tuple[str, ...], *, is_new: bool) -> Options:
    if filled.model and filled.model not in allowed:
        known = permissions.model(filled.model)
        raise Refused(NOT_FOR_YOU.format(known) if known else NO_MODEL)
    most = settings.V0_MESSAGE_LIMIT
    if len(filled.system) > most:
        raise Refused(
            f"The instructions are {len(filled.system):,} characters long; {most:,} is the most."
        )
    if is_new and len(filled.title) > TITLE:
        raise Refused(LONG_TITLE)
    return Options(
        allowed=allowed,
        model=model_among(allowed, filled.model),
        images=filled.images,
        mcp=_servers(filled) if filled.mcp else None,
        skills=_skills(filled),
        system=filled.system,
        title=filled.title if is_new else "",
        metadata=metadata(filled.metadata) if is_new else {},
    )


def _servers(filled: Filled) -> tuple[str, ...]:
    if len(filled.servers) > limits.MCP_SERVERS:
        raise Refused(MANY_SERVERS)
    if not all(SERVER_ID.fullmatch(id) for id in filled.servers):
        raise Refused(ODD_SERVER)
    return filled.servers


def _skills(filled: Filled) -> tuple[str, ...]:
    texts = " ".join((*filled.skills, filled.more_skills))
    named = [SKILLS_SH.sub("", text, count=1) for text in re.split(r"[\s,]+", texts) if text]
    ids = tuple(dict.fromkeys(named))
    if not all(SKILL_ID.fullmatch(id) for id in ids):
        raise Refused(ODD_SKILL)
    if len(ids) > limits.SKILLS:
        raise Refused(MANY_SKILLS)
    return ids


def metadata(text: str) -> dict[str, str]:
    """Lines of name=value as v0 takes them; Refused for what it would refuse, and for what is ours."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        name, divider, value = (each.strip() for each in line.partition("="))
        if not divider or not name:
            raise Refused(f"Metadata, line {number}: write a name, = and a value.")
        if limits.length(name) > limits.METADATA_KEY:
            raise Refused(
                f"Metadata, line {number}: a name has at most {limits.METADATA_KEY} characters."
            )
        if limits.length(value) > limits.METADATA_VALUE:
            raise Refused(
                f"Metadata, line {number}: a value has at most {limits.METADATA_VALUE} characters."
            )
        if name == OURS:
            raise Refused(f"Metadata, line {number}: {OURS} is a name of ours. Choose another one.")
        if name in found:
            raise Refused(f"Metadata, line {number}: {name} is there twice.")
        found[name] = value
    if len(found) > METADATA:
        raise Refused(MANY_ENTRIES)
    return found
