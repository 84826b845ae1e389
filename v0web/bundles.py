"""The few files that a page asks for, made of the many that they are written in.

Owns which sources stand in which bundle and in which order, how they are joined, and that Django finds the
bundles like any other file: `collectstatic` takes them along, and with DEBUG each is made anew when one of its
sources has changed. A source that a few pages alone need is no part of one; they ask for it themselves.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

# In the order in which rules override each other. All are one folder below `static`, as their sources are:
# an address in a sheet means the same in its bundle.
FRAME = ("tokens", "base")
SHELL = (
    *("shell", "people", "health", "needs", "spaces", "gallery", "acts", "meters", "sharing"),
    *("shared-with", "composer", "queue", "options", "prompts", "chat", "here", "message"),
    *(
        "notes",
        "seen",
        "search",
        "attachments",
        "parts",
        "work",
        "asks",
        "prose",
        "code",
        "shortcuts",
    ),
)
# In the order in which they run.
SCRIPTS = (
    *("acts", "live", "marks", "gone", "copy", "message", "search", "composer", "queue", "options"),
    *("prompts", "notes", "mentions", "text", "attachments", "reading", "seen", "steps", "asks"),
    *("clocks", "announcer", "tab", "sidebar", "notices", "theme", "shortcuts"),
)
BUNDLES = {
    # Of errors and of the ways in.
    "styles/frame.css": [f"css/{name}.css" for name in (*FRAME, "accounts")],
    "styles/shell.css": [f"css/{name}.css" for name in (*FRAME, *SHELL)],
    "scripts/shell.js": [f"js/{name}.js" for name in SCRIPTS],
}


def joined(name: str, folder: Path) -> str:
    """What the bundle of that name is, of the sources in `folder`."""
    texts = ((source, (folder / source).read_text("utf-8")) for source in BUNDLES[name])
    if name.endswith(".css"):
        return "".join(f"/* {source} */\n{text}\n" for source, text in texts)
    # Each has names of its own, and one that fails is told of and keeps no other one from running.
    return "".join(
        f"// {source}\ntry {{\n{text}\n}} catch (error) {{\n  reportError(error);\n}}\n"
        for source, text in texts
    )


class Bundles(BaseFinder):
    """Writes them into the folder for data of this machine, where WhiteNoise reads them."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.sources = Path(settings.BASE_DIR) / "static"
        self.storage = FileSystemStorage(location=Path(settings.VAR_DIR) / "bundles")

    def check(self, **_: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **_: Any) -> str | list[str]:  # type: ignore[override]
        found = [self.made(path)] if path in BUNDLES else []
        return found if find_all else "".join(found)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        for name in BUNDLES:
            self.made(name)
            yield name, self.storage

    def made(self, name: str) -> str:
        """The path of the bundle, which is as its sources are. Several processes may make it at once."""
        file, text = Path(self.storage.path(name)), joined(name, self.sources)
        if not file.is_file() or file.read_text("utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
            unfinished.write_text(text, "utf-8")
            unfinished.replace(file)
        return str(file)
