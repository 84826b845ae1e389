"""What an answer did, once it has ended: its time and its files.

Owns the context of templates/message/_work.html. Relies on `timeline` for every number, and says
nothing that the parts do not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chats.rendering import words
from chats.rendering.shown import Shown
from chats.rendering.timeline import SECOND, Bar, Timeline, timeline
from chats.v0api.types import FileEditPart, FileReadPart, Part

# Files that are listed, and what is listed of one file.
MOST_FILES, MOST_DONE = 200, 20


def work(id: str, shown: Shown) -> dict[str, Any]:
    """The context, {} for an answer that did nothing but write."""
    told = timeline(shown.parts, waited=shown.waited)
    files = touched(shown.parts)
    if not (told.steps or told.waited):
        return {}
    return {
        "id": id,
        "time": _time(told) if told.rows else None,
        "steps": told.steps,
        "files": files[:MOST_FILES],
        "more_files": max(0, len(files) - MOST_FILES),
        "changed": _changed(files),
    }


def _time(told: Timeline) -> dict[str, Any]:
    return {
        "total": words.took(told.total),
        "waited": words.took(told.waited) if told.waited else "",
        "is_shortened": told.is_shortened,
        "longest": _bar(told.longest) if told.longest else None,
        "rest": told.rest,
        "rows": [
            {
                "kind": row.kind,
                "name": words.KINDS[row.kind],
                "took": words.took(row.seconds),
                "bars": list(map(_bar, row.bars)),
            }
            for row in told.rows
        ],
        "bars": sorted(
            map(_bar, (bar for row in told.rows for bar in row.bars)), key=lambda bar: bar["index"]
        ),
    }


def _bar(bar: Bar) -> dict[str, Any]:
    return {
        "index": bar.index,
        "kind": words.KINDS[bar.kind],
        "name": bar.name,
        "after": words.took(max(0, bar.began) / SECOND),
        "took": words.took(bar.seconds),
        "x": bar.x,
        "width": bar.width,
    }


def touched(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """Each file once, those that were changed first, with what was done to it in which part."""
    files: dict[str, list[dict[str, Any]]] = {}
    for path, operation in _operations(parts):
        files.setdefault(path, []).append(operation)
    listed = [
        {
            "path": path,
            "operations": done[:MOST_DONE],
            "more": max(0, len(done) - MOST_DONE),
            "is_changed": any(each["changes"] for each in done),
        }
        for path, done in files.items()
    ]
    return sorted(listed, key=lambda file: not file["is_changed"])


def _operations(parts: Iterable[Part]) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, part in enumerate(parts):
        match part:
            case FileEditPart(operation=name, path=path, to_path=to_path) if path:
                verb = words.verb(words.EDITS, name, is_running=False).lower()
                done = f"{verb} to {to_path}" if to_path else verb
                yield path, {"index": index, "name": done, "changes": True}
            case FileReadPart(paths=paths):
                for path in dict.fromkeys(paths):
                    yield path, {"index": index, "name": "read", "changes": False}


def _changed(files: Sequence[dict[str, Any]]) -> str:
    changed = sum(file["is_changed"] for file in files)
    read = len(files) - changed
    told = [
        *([words.counted("edit", changed)] if changed else []),
        *([words.counted("read", read)] if read else []),
    ]
    return ", ".join(told).capitalize()
