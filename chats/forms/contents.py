"""What the bytes of a file are, and what it may be called.

Owns the list of types that v0 is sent, told by content and never by what a browser says, and the
words for a file that is none of them. Relies on nothing and unpacks nothing: an archive is passed on
as it is. A name is a label, cleaned for showing, and never a path.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_NAME = 120
LONGEST_ENDING = 16
# A file may be made of nothing but the beginnings of segments.
MOST_SEGMENTS = 2000
# A browser that shows a picture needs four bytes for each of its points.
MOST_POINTS = 50_000_000

# What a text is by the end of its name, so that v0 reads it as such. It is served as none of these.
TEXTS = {
    "css": "text/css",
    "csv": "text/csv",
    "htm": "text/html",
    "html": "text/html",
    "js": "text/javascript",
    "json": "application/json",
    "md": "text/markdown",
    "mjs": "text/javascript",
    "svg": "image/svg+xml",
    "xml": "application/xml",
}
TEXT = "text/plain"
ENDINGS = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
}
BEGINNINGS = ((b"%PDF-", "application/pdf"), (b"PK\x03\x04", "application/zip"))

# Control characters but for white space and the escapes in what a terminal has shown.
NO_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")

ACCEPTED = "only pictures (PNG, JPEG, GIF, WebP), PDF, ZIP and text in UTF-8 can."


class NotAccepted(Exception):
    """The file is not taken; the argument says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Content:
    """`width` and `height` are an image's, in points, and None for anything else."""

    type: str
    width: int | None = None
    height: int | None = None


def content_of(name: str, data: bytes) -> Content:
    """What `data` is; `name` only tells one text from another. NotAccepted for what v0 cannot read."""
    if not data:
        raise NotAccepted(f"“{name}” is empty.")
    for begins, kind, size in IMAGES:
        if begins(data):
            return _image(name, kind, size(data))
    for beginning, kind in BEGINNINGS:
        if data.startswith(beginning):
            return Content(kind)
    if _is_text(data):
        return Content(TEXTS.get(_ending(name).lower(), TEXT))
    raise NotAccepted(f"“{name}” cannot be sent: {ACCEPTED}")


def label(name: str) -> str:
    """`name` without folders, without what cannot be seen, short, with its ending; never empty."""
    name = name.replace("\\", "/").rpartition("/")[2]
    name = name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    # Categories C: control characters, and those that turn the direction of writing.
    seen = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in name)
    name = " ".join(seen.split()).lstrip(".")
    if len(name) > LONGEST_NAME:
        ending = _ending(name)
        kept = f".{ending}" if ending else ""
        name = name[: LONGEST_NAME - len(kept) - 1] + "…" + kept
    return name or "file"


def fitting(name: str, content: Content) -> str:
    """`name` with an ending by which a machine that keeps the picture takes it for nothing else."""
    endings = ENDINGS.get(content.type)
    if endings is None or _ending(name).lower() in endings:
        return name
    return f"{name[: LONGEST_NAME - LONGEST_ENDING]}.{endings[0]}"


def _ending(name: str) -> str:
    ending = name.rpartition(".")[2] if "." in name else ""
    return ending if len(ending) <= LONGEST_ENDING else ""


def _image(name: str, kind: str, size: tuple[int, int] | None) -> Content:
    if size is None or 0 in size:
        raise NotAccepted(f"“{name}” begins like a picture and is none.")
    width, height = size
    if width * height > MOST_POINTS:
        raise NotAccepted(
            f"“{name}” is {width:,} by {height:,} points; {MOST_POINTS // 1_000_000} million is the most."
        )
    return Content(kind, width, height)


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return not NO_TEXT.search(data) and not text.isspace()


def _png(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _gif(data: bytes) -> tuple[int, int] | None:
    if len(data) < 13:
        return None
    width, height = struct.unpack("<HH", data[6:10])
    return width, height


def _webp(data: bytes) -> tuple[int, int] | None:
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8X":
        return _three(body[4:7]) + 1, _three(body[7:10]) + 1
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _three(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """The size in the frame's header, found by stepping over what comes before it."""
    at = 2
    for _ in range(MOST_SEGMENTS):
        if at + 9 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


Size = Callable[[bytes], tuple[int, int] | None]
IMAGES: tuple[tuple[Callable[[bytes], bool], str, Size], ...] = (
    (lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"), "image/png", _png),
    (lambda data: data.startswith(b"\xff\xd8\xff"), "image/jpeg", _jpeg),
    (lambda data: data.startswith((b"GIF87a", b"GIF89a")), "image/gif", _gif),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", "image/webp", _webp),
)
