"""What a chat of files is to begin with, as somebody filled it in.

Owns the fields, their limits and the sentences. Relies on `attachments` for what an address on the web
is; the files themselves are the view's to keep. What was filled in stays in `filled`, valid or not.

    kind    files, zip or repo: only the fields of that one count
    url     of an archive            repository, branch
    title   "" lets v0 choose        privacy   see `visibility`
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.defaultfilters import filesizeformat

from chats.forms.acts import LONG_TITLE
from chats.forms.attachments import is_address
from chats.forms.contents import TEXT, TEXTS
from chats.forms.message import normalise
from chats.models import Attachment

MOST_FILES = 20
BRANCH = 250
TITLE = 200
LONGEST_NAME = 120
TEXT_TYPES = {TEXT, *TEXTS.values()}
# What people call a repository on GitHub.
SHORT = re.compile(r"(?:github\.com/)?([\w.-]+/[\w.-]+?)(?:\.git)?/?", re.ASCII | re.IGNORECASE)

NO_KIND = "Choose where the files come from."
NO_FILES = "Choose at least one file."
MANY_FILES = f"{{}} files are too many: {MOST_FILES} is the most. A ZIP can hold more."
TWICE = "Two files are called “{}”. Rename one, or bring them as a ZIP."
NO_TEXT = "“{}” is no text. Bring it in a ZIP together with the others."
NO_ARCHIVE = "Choose an archive, or give its address."
TWO_ARCHIVES = "Choose an archive or give an address, not both."
NOT_ZIP = "“{}” is no ZIP archive."
NO_URL = "That is no address that v0 could read: it has to begin with https://."
NO_REPOSITORY = (
    "Give the repository's address, as in https://github.com/owner/repository, without a password."
)
ODD_BRANCH = "That is no name of a branch."
LONG_BRANCH = f"The name of a branch has at most {BRANCH} characters."


@dataclass(frozen=True, slots=True)
class Filled:
    kind: str = "files"
    url: str = ""
    repository: str = ""
    branch: str = ""
    title: str = ""
    privacy: str = ""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Filled:
        def line(name: str) -> str:
            return " ".join(normalise(data.get(name) or "").split())

        return cls(*(line(name) for name in cls.__slots__))

    @classmethod
    def again(cls, kind: str, payload: Mapping[str, Any]) -> Filled:
        """As an intent has it."""
        place = f"{payload['team']}:" if payload.get("team") else ""
        url = payload.get("url", "")
        return cls(
            kind=kind,
            url=url if kind == "zip" else "",
            repository=url if kind == "repo" else "",
            branch=payload.get("branch", ""),
            title=payload.get("title", ""),
            privacy=place + payload.get("privacy", ""),
        )

    @property
    def address(self) -> str:
        """The repository's, written out."""
        short = SHORT.fullmatch(self.repository)
        return f"https://github.com/{short[1]}" if short else self.repository


def problem(filled: Filled, rows: Sequence[Attachment]) -> str:
    """Why this cannot be brought in, "" when it can. `rows` are the files that came along."""
    if len(filled.title) > TITLE:
        return LONG_TITLE
    match filled.kind:
        case "files":
            return problem_of_files(rows)
        case "zip":
            return _problem_of_archive(filled, rows)
        case "repo":
            return _problem_of_repository(filled)
        case _:
            return NO_KIND


def problem_of_files(rows: Sequence[Attachment]) -> str:
    if not rows:
        return NO_FILES
    if len(rows) > MOST_FILES:
        return MANY_FILES.format(len(rows))
    if odd := next((row for row in rows if row.content_type not in TEXT_TYPES), None):
        return NO_TEXT.format(odd.name)
    names = [row.name for row in rows]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        return TWICE.format(twice)
    return _too_large(rows)


def _too_large(rows: Iterable[Attachment]) -> str:
    most = settings.V0_ATTACHMENT_BYTES
    size = sum(row.size for row in rows)
    if size <= most:
        return ""
    return f"Together these files have {filesizeformat(size)}; {filesizeformat(most)} is the most."


def _problem_of_archive(filled: Filled, rows: Sequence[Attachment]) -> str:
    if rows and filled.url:
        return TWO_ARCHIVES
    if not rows and not filled.url:
        return NO_ARCHIVE
    if rows:
        return "" if rows[0].content_type == "application/zip" else NOT_ZIP.format(rows[0].name)
    return "" if is_address(filled.url) else NO_URL


def _problem_of_repository(filled: Filled) -> str:
    if not is_address(filled.address):
        return NO_REPOSITORY
    if len(filled.branch) > BRANCH:
        return LONG_BRANCH
    return ODD_BRANCH if " " in filled.branch or not filled.branch.isprintable() else ""


def payload(filled: Filled, rows: Sequence[Attachment]) -> dict[str, Any]:
    """What an intent's payload says of it, beside title and privacy."""
    match filled.kind:
        case "repo":
            branch = {"branch": filled.branch} if filled.branch else {}
            return {"url": filled.address, **branch}
        case "zip" if not rows:
            return {"url": filled.url}
        case _:
            return {"attachments": [str(row.pk) for row in rows]}


def file_name(name: str) -> str:
    """What a file is called in the project: its own name, a leading dot too, without what cannot be
    seen."""
    name = name.replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip()
    return "" if name in (".", "..") else name[:LONGEST_NAME]
