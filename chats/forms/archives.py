"""Whether an archive that somebody uploads is one that v0 may be handed.

Owns the limits and the sentences. Relies on the standard library, and unpacks nothing: the archive's own
list of its files is read, and no more of that than a small archive needs. v0 unpacks it.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Iterable

from django.template.defaultfilters import filesizeformat

from chats.forms.contents import NotAccepted

MOST_FILES = 2_000
# Of all files in it together, as it says itself.
LARGEST = 100 * 1024 * 1024
LONGEST_LIST = 512 * 1024
ENCRYPTED = 0x1
END, END_SIZE, LONGEST_COMMENT = b"PK\x05\x06", 22, 65_535
END_OF_LARGE = b"PK\x06\x07"


def check(name: str, data: bytes) -> None:
    """NotAccepted says what is wrong with the archive `name`."""
    size = _size_of_list(data)
    if size is None:
        raise NotAccepted(f"“{name}” is no ZIP archive that can be read.")
    if size > LONGEST_LIST:
        raise NotAccepted(_too_many(name))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error):
        raise NotAccepted(f"“{name}” is no ZIP archive that can be read.") from None
    _check_entries(name, entries)


def _size_of_list(data: bytes) -> int | None:
    """Bytes that the list of files has; None for what ends as no small archive does."""
    at = data.rfind(END, max(0, len(data) - END_SIZE - LONGEST_COMMENT))
    if at < 0 or at + END_SIZE > len(data) or data[max(0, at - 20) : at].startswith(END_OF_LARGE):
        return None
    size: int = struct.unpack_from("<L", data, at + 12)[0]
    return size


def _check_entries(name: str, entries: list[zipfile.ZipInfo]) -> None:
    if not entries:
        raise NotAccepted(f"There are no files in “{name}”.")
    if len(entries) > MOST_FILES:
        raise NotAccepted(_too_many(name))
    if sum(entry.file_size for entry in entries) > LARGEST:
        most = filesizeformat(LARGEST)
        raise NotAccepted(f"The files in “{name}” are too large: {most} together is the most.")
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise NotAccepted(f"“{name}” needs a password. v0 cannot open it.")
    if _leads_out(entries):
        raise NotAccepted(f"A file in “{name}” leads out of the archive. Pack it again without it.")


def _leads_out(entries: Iterable[zipfile.ZipInfo]) -> bool:
    """Whether one would be unpacked elsewhere, or is a link to somewhere."""
    for entry in entries:
        path = entry.filename.replace("\\", "/")
        is_link = stat.S_ISLNK(entry.external_attr >> 16)
        has_drive = path[1:2] == ":"
        if is_link or has_drive or path.startswith("/") or ".." in path.split("/"):
            return True
    return False


def _too_many(name: str) -> str:
    return f"There are too many files in “{name}”: {MOST_FILES:,} is the most."
