"""Chats that begin with files: from texts, from an archive, from a repository.

Owns one function for each operation. Relies on `files`. Nothing is fetched: an archive is read only
where the URL itself holds it, and for any other address, as for a repository, a few made-up files
stand in that say where they would have come from.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from starlette.responses import Response

from chats.sandbox import files, rates
from chats.sandbox.agent.pages import IMPORTED
from chats.sandbox.answers import Refusal, json_answer
from chats.sandbox.files import BadArchive, Files
from chats.sandbox.routes.chats import new_chat
from chats.sandbox.store import Code
from chats.sandbox.world import Call

Json = Any

DATA_URL = re.compile(r"data:([\w.+/-]*)((?:;[\w.+=-]+)*),(.*)", re.DOTALL | re.IGNORECASE)
REPOSITORY = re.compile(
    r"(?:https?://github\.com/|git@github\.com:)?([\w.-]+)/([\w.-]+?)(?:\.git)?/?", re.IGNORECASE
)


async def from_files(call: Call) -> Response:
    named: Files = {}
    for at, item in enumerate(call.body["files"]):
        if problem := files.path_problem(item["name"]):
            raise Refusal(422, f"files[{at}].name: {problem}")
        if item["name"] in named:
            raise Refusal(422, f"files[{at}].name: must be unique")
        named[item["name"]] = files.of_text(item["content"])
    return _created(call, named)


async def from_zip(call: Call) -> Response:
    url = call.body["url"]
    scheme = urlsplit(url).scheme.lower()
    if scheme == "data":
        return _created(call, _archived(url))
    if scheme != "https":
        raise Refusal(422, "url: must be an https or a data URL")
    name = urlsplit(url).path.rpartition("/")[2].removesuffix(".zip")
    return _created(call, _made_up(name or "archive", url))


def _archived(url: str) -> Files:
    found = DATA_URL.fullmatch(url)
    if found is None:
        raise Refusal(422, "url: is no data URL")
    is_base64 = found[2].lower().endswith(";base64")
    try:
        data = unquote_to_bytes(found[3])
        return files.unzipped(base64.b64decode(data, validate=True) if is_base64 else data)
    except binascii.Error as problem:
        raise Refusal(422, "url: is not in base64") from problem
    except BadArchive as problem:
        raise Refusal(422, f"url: {problem}") from problem


async def from_repo(call: Call) -> Response:
    repository = call.body["repo"]
    found = REPOSITORY.fullmatch(repository["url"])
    if found is None:
        raise Refusal(422, "repo.url: must be a GitHub repository")
    owner, name = found.groups()
    branch = repository.get("branch", "main")
    origin = f"https://github.com/{owner}/{name} ({branch})"
    return _created(call, _made_up(name, origin), title=name)


def _made_up(name: str, origin: str) -> Files:
    package = {"name": name.lower(), "private": True, "version": "0.1.0"}
    readme = f"# {name}\n\nThe local stand-in for v0 has no network.\nThis stands for {origin}.\n"
    page = f'<!doctype html>\n<meta charset="utf-8">\n<title>{name}</title>\n<h1>{name}</h1>\n'
    return files.of_texts(
        {
            "README.md": readme,
            "index.html": page,
            "package.json": json.dumps(package, indent=2) + "\n",
        }
    )


def _created(call: Call, brought: Files, *, title: str = "") -> Response:
    chat = new_chat(call, Code(brought, IMPORTED), title=title)
    return json_answer({"chat": chat, "usage": rates.NO_USAGE})
