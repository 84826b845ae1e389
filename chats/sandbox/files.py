"""The files of a chat: bytes by path, on the wire, in the database and as an archive.

Owns what counts as a path and as a text, and how a ZIP is written and read. Relies on the standard
library. The same files give the same archive, byte for byte; reading one never writes to disk and
never unpacks more than `LARGEST`.
"""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

Json = Any
Files = dict[str, bytes]

LARGEST = 32 * 1024 * 1024
MOST_FILES = 1_000
LONGEST_PATH = 1_024
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a ZIP can tell: files of a chat have none."""


class BadArchive(ValueError):
    """Why an archive cannot be taken, in words."""


def of_text(text: str) -> bytes:
    """UTF-8; what JavaScript takes for half a character becomes U+FFFD, as it does there."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def of_texts(texts: dict[str, str]) -> Files:
    return {path: of_text(text) for path, text in texts.items()}


def text_of(data: bytes) -> str | None:
    """None when the bytes are no text."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def to_wire(files: Files) -> list[dict[str, str]]:
    return [{"path": path, **_encoded(files[path])} for path in sorted(files)]


def _encoded(data: bytes) -> dict[str, str]:
    text = text_of(data)
    if text is None:
        return {"content": base64.b64encode(data).decode(), "encoding": "base64"}
    return {"content": text, "encoding": "utf8"}


def to_rest(files: Files) -> dict[str, Json]:
    """For the database: texts as they are, anything else in base64; sorted, so equals are equal."""
    resting: dict[str, Json] = {}
    for path in sorted(files):
        encoded = _encoded(files[path])
        is_text = encoded["encoding"] == "utf8"
        resting[path] = encoded["content"] if is_text else {"base64": encoded["content"]}
    return resting


def from_rest(resting: dict[str, Json]) -> Files:
    return {
        path: of_text(value) if isinstance(value, str) else base64.b64decode(value["base64"])
        for path, value in resting.items()
    }


def path_problem(path: str) -> str:
    """What is wrong with a path inside a project; "" when nothing is."""
    if len(path) > LONGEST_PATH:
        return f"must have at most {LONGEST_PATH} characters"
    if path.startswith("/") or "\\" in path or any(not letter.isprintable() for letter in path):
        return "must be relative, with / between its names"
    if any(name in ("", ".", "..") for name in path.split("/")):
        return "must stay inside the project"
    return ""


def zipped(files: Files) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writing:
        for path in sorted(files):
            writing.writestr(_entry(path), files[path])
    return archive.getvalue()


def _entry(path: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, EPOCH)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    return entry


def unzipped(data: bytes) -> Files:
    """Raises `BadArchive`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as reading:
            entries = [entry for entry in reading.infolist() if not entry.is_dir()]
            _check(entries)
            return {entry.filename: _read(reading, entry) for entry in entries}
    except BadArchive:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError) as problem:
        raise BadArchive("is no ZIP archive") from problem
    except (EOFError, NotImplementedError, RuntimeError) as problem:
        raise BadArchive("is a ZIP archive that cannot be read") from problem


def _check(entries: list[zipfile.ZipInfo]) -> None:
    if not entries:
        raise BadArchive("is an empty ZIP archive")
    if len(entries) > MOST_FILES:
        raise BadArchive(f"must hold at most {MOST_FILES} files")
    if sum(entry.file_size for entry in entries) > LARGEST:
        raise BadArchive(f"must hold at most {LARGEST} bytes")
    for entry in entries:
        if problem := path_problem(entry.filename):
            raise BadArchive(f"holds {entry.filename!r}, which {problem}")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Not a byte more than the archive itself says: sizes in it may lie."""
    with archive.open(entry) as reading:
        data = reading.read(entry.file_size + 1)
    if len(data) > entry.file_size:
        raise BadArchive("holds more than it says")
    return data
