"""What is asked of v0 in words, as values, and how each revision of the API wants it written.

Owns the bodies of every create, of send and of resolve. Relies on `limits`, sends nothing, and
leaves out what was not given, with two exceptions: `privacy` and `metadata` are always said on
create, since v0 documents no default for the first and the second is how a created chat is found
again. `wire` raises InvalidRequest for what v0 would refuse.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from chats.v0api import limits
from chats.v0api.errors import InvalidRequest
from chats.v0api.tasks import Task
from chats.v0api.types import AUTO_MODEL, DEFAULT_MODEL, MODELS, PRIVACIES, Json

Revision = Literal["reference", "ga"]

SKILL_SCOPES = ("user", "team")
NEW_FILES = 20
BRANCH = 250

Body = dict[str, Json]


class Asked(Protocol):
    """A request in words."""

    def wire(self, revision: Revision) -> Body: ...


@dataclass(frozen=True, slots=True)
class Skill:
    """`remote` has an `id` from skills.sh; `memory` a `scope` (user or team) and a `name`;
    `project` a `name`."""

    type: Literal["remote", "memory", "project"] = "remote"
    id: str = ""
    scope: str = ""
    name: str = ""

    def wire(self) -> dict[str, str]:
        match self.type:
            case "remote":
                return {"type": "remote", "id": self.id}
            case "memory":
                scope = limits.word("skills", self.scope, SKILL_SCOPES)
                return {"type": "memory", "scope": scope, "skillName": self.name}
            case "project":
                return {"type": "project", "skillName": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """A message for a chat. `model` "" is v0's own default; `mcp_server_ids` None are the servers
    that the account has enabled; `attachments` are URLs."""

    message: str
    system_prompt: str = ""
    model: str = ""
    image_generations: bool = False
    attachments: tuple[str, ...] = ()
    mcp_server_ids: tuple[str, ...] | None = None
    skills: tuple[Skill, ...] = ()
    fix_with_v0: bool = False

    def wire(self, revision: Revision) -> Body:
        """The body as JSON. InvalidRequest also for a skill that `reference` has no words for."""
        body: Body = {"message": limits.text("message", self.message, least=1)}
        if self.system_prompt:
            body["systemPrompt"] = self.system_prompt
        body |= _model_configuration(revision, self.model, self.image_generations)
        if self.attachments:
            body["attachments"] = [{"url": url} for url in self.attachments]
        if self.mcp_server_ids is not None:
            body["mcpServerIds"] = list(self.mcp_server_ids)
        if self.skills and revision == "ga":
            skills = limits.count("skills", self.skills, most=limits.SKILLS)
            body["skills"] = [skill.wire() for skill in skills]
        elif self.skills:
            skills = limits.count("skillIds", self.skills, most=limits.SKILLS)
            body["skillIds"] = [_remote(skill) for skill in skills]
        if self.fix_with_v0 and revision == "reference":
            body["action"] = {"type": "fix-with-v0"}
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateChat(SendMessage):
    """A first message and the chat around it. A `title` that is given is never replaced by v0's."""

    privacy: str
    metadata: Mapping[str, str]
    title: str | None = None

    def wire(self, revision: Revision) -> Body:
        # Not super(): a dataclass with slots is a new class, which that cannot find in 3.11.
        body = SendMessage.wire(self, revision)
        if revision == "reference":
            body["type"] = "prompt"
        # fix-with-v0 belongs to an error in a chat, which a new one does not have.
        body.pop("action", None)
        return body | _around(self.privacy, self.metadata, self.title)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFromFiles:
    """A chat of texts by name, 1 to 20 of them, without a prompt."""

    files: Mapping[str, str]
    privacy: str
    metadata: Mapping[str, str]
    title: str | None = None

    def wire(self, revision: Revision) -> Body:
        limits.count("files", self.files, least=1, most=NEW_FILES)
        files = [
            {"name": limits.text("files.name", name, least=1), "content": content}
            for name, content in self.files.items()
        ]
        return {"files": files, **_around(self.privacy, self.metadata, self.title)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFromZip:
    """A chat of an archive at a URL that v0 can reach, or in one (see `zip_url`)."""

    url: str
    privacy: str
    metadata: Mapping[str, str]
    title: str | None = None

    def wire(self, revision: Revision) -> Body:
        url = limits.url("url", self.url, ("https", "http", "data"))
        return {"url": url, **_around(self.privacy, self.metadata, self.title)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFromRepo:
    """A chat of a repository on GitHub that is public or linked through Vercel. `branch` "" is the
    repository's own default."""

    url: str
    privacy: str
    metadata: Mapping[str, str]
    branch: str = ""
    title: str | None = None

    def wire(self, revision: Revision) -> Body:
        repo = {"url": limits.text("repo.url", self.url, least=1)}
        if self.branch:
            repo["branch"] = limits.text("repo.branch", self.branch, most=BRANCH)
        return {"repo": repo, **_around(self.privacy, self.metadata, self.title)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveTask:
    """The answer to what the newest message waits for, and the model that goes on with it."""

    task: Task
    model: str = ""
    image_generations: bool = False

    def wire(self, revision: Revision) -> Body:
        configuration = _model_configuration(revision, self.model, self.image_generations)
        return {"task": self.task.wire(), **configuration}


def zip_url(archive: bytes) -> str:
    """A small archive as the URL that `CreateFromZip` takes."""
    return "data:application/zip;base64," + base64.b64encode(archive).decode("ascii")


def _model_configuration(revision: Revision, model: str, image_generations: bool) -> Body:
    """Both keys whenever it is given: the spec lists both as required."""
    known = MODELS if revision == "ga" else (*MODELS, AUTO_MODEL)
    if model == AUTO_MODEL and revision == "ga":
        return {}
    if not model and not image_generations:
        return {}
    model = limits.word("modelConfiguration.modelId", model or DEFAULT_MODEL, known)
    return {"modelConfiguration": {"modelId": model, "imageGenerations": image_generations}}


def _around(privacy: str, metadata: Mapping[str, str], title: str | None) -> Body:
    body: Body = {
        "privacy": limits.word("privacy", privacy, PRIVACIES),
        "metadata": limits.metadata(metadata),
    }
    return body if title is None else {**body, "title": title}


def _remote(skill: Skill) -> str:
    if skill.type != "remote":
        raise InvalidRequest("skillIds", f"the reference revision has no {skill.type} skill")
    return skill.id
