"""Files and addresses that came in a form, as attachments that are not sent yet.

Owns the limits of one file, of one message and of what somebody may leave unsent, in words. Relies on
`contents` for what a file is. An address is only looked at: nothing here asks the network for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Count, Sum
from django.template.defaultfilters import filesizeformat

from chats.forms.contents import NotAccepted, content_of, fitting, label
from chats.models import Attachment, Person

LONGEST_URL = 2048
# What one person may have uploaded and not sent, so that no disk fills; a day frees it.
MOST_UNSENT = 100
MOST_UNSENT_MESSAGES = 16

GONE = (
    "A file that you had attached is not here any more. Attach it again, or send this without it."
)
NO_WORDS = "Write a few words, too: v0 takes no files without a message."
TOO_MANY_UNSENT = (
    "Too many files of yours wait to be sent. Send or remove some, or come back tomorrow."
)
NO_URL = "That is no address of a file on the web: it has to begin with https://."


def made(person: Person, given: UploadedFile[Any] | str, token: UUID | None) -> Attachment:
    """The file, or the address of one, as a row; NotAccepted says why not. A form's `token` gives it
    the same id each time that the form comes: one that is sent twice brings no file twice."""
    id = _id(token, person, given) if token else uuid4()
    if token and (known := Attachment.objects.filter(id=id, person=person).first()):
        return known
    row = _address(given) if isinstance(given, str) else _file(given)
    _check_unsent(person, row.size)
    row.id, row.person = id, person
    if not isinstance(given, str):
        given.seek(0)
        row.file.save(id.hex, given, save=False)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # The same form came twice at once.
        row.drop_file()
        return Attachment.objects.get(id=id, person=person)
    return row


def _id(token: UUID, person: Person, given: UploadedFile[Any] | str) -> UUID:
    if isinstance(given, str):
        return uuid5(token, f"{person.pk} {given}")
    mark = hashlib.sha256(given.read()).hexdigest()
    return uuid5(token, f"{person.pk} {mark} {label(given.name or '')}")


def _file(given: UploadedFile[Any]) -> Attachment:
    name = label(given.name or "")
    if (given.size or 0) > settings.V0_ATTACHMENT_BYTES:
        raise NotAccepted(_too_large(f"“{name}” has", given.size or 0))
    given.seek(0)
    data = given.read()
    content = content_of(name, data)
    return Attachment(
        name=fitting(name, content),
        content_type=content.type,
        size=len(data),
        width=content.width,
        height=content.height,
    )


def _address(url: str) -> Attachment:
    """A file that v0 fetches itself."""
    url = url.strip()
    if not is_address(url):
        raise NotAccepted(NO_URL)
    parts = urlsplit(url)
    name = label(parts.path) if parts.path.strip("/") else label(parts.hostname or "")
    return Attachment(name=name, url=url)


def forget(rows: Iterable[Attachment]) -> None:
    """Take back what was not sent, with its bytes."""
    for row in rows:
        if Attachment.objects.filter(pk=row.pk, taken_at=None, queued=None).delete()[0]:
            row.drop_file()


def problem(rows: Sequence[Attachment]) -> str:
    """Why these cannot be sent together, "" when they can."""
    if len(rows) > settings.V0_ATTACHMENTS:
        return f"{len(rows)} files are too many: {settings.V0_ATTACHMENTS} is the most for one message."
    size = total(rows)
    if size > settings.V0_ATTACHMENT_BYTES:
        return _too_large("Together these files have", size)
    return ""


def total(rows: Iterable[Attachment]) -> int:
    return sum(row.size for row in rows)


def is_address(url: str) -> bool:
    """Whether `url` leads to a public host by https, and says nothing of who asks."""
    if not (url.isascii() and url.isprintable()) or set(url) & set(' "<>\\^`{|}'):
        return False
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    return (
        len(url) <= LONGEST_URL
        and parts.scheme == "https"
        and "@" not in parts.netloc
        and port != 0
        and _is_public(host)
    )


def _is_public(host: str) -> bool:
    """A name with a dot whose last part is no number: no address of a machine, however it is spelled."""
    last = host.rpartition(".")[2]
    private = last in ("localhost", "local", "internal", "lan", "home", "arpa")
    return "." in host and ":" not in host and last[:1].isalpha() and not private


def _check_unsent(person: Person, size: int) -> None:
    unsent = Attachment.objects.filter(person=person, taken_at=None)
    held = unsent.aggregate(count=Count("id"), size=Sum("size"))
    most = MOST_UNSENT_MESSAGES * settings.V0_ATTACHMENT_BYTES
    if held["count"] >= MOST_UNSENT or (held["size"] or 0) + size > most:
        raise NotAccepted(TOO_MANY_UNSENT)


def _too_large(what: str, size: int) -> str:
    most = filesizeformat(settings.V0_ATTACHMENT_BYTES)
    return f"{what} {filesizeformat(size)}; {most} is the most for one message."
