"""Files of messages: uploaded, taken away again, and read by those who may read their chat.

Owns the three routes and what a composer's form brings along. Relies on permissions for each file,
and on the forms for its limits. What is served cannot run here: pictures of four kinds are shown, all
else is a download, and each answer is in a sandbox of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from chats.forms.attachments import GONE, NO_WORDS, forget, made, problem
from chats.forms.contents import NotAccepted
from chats.forms.message import MessageForm
from chats.models import Attachment, Person
from chats.permissions import belongings
from chats.views.access import Request, form_methods, signed_in

logger = logging.getLogger(__name__)

# Shown in a page; a browser may not look for anything else in them.
SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp")
# Styles are those by which a browser sets a picture that is opened by itself.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(slots=True)
class Attached:
    """What a form has with it; `sentence` says why that cannot be sent, "" when it can."""

    rows: list[Attachment] = field(default_factory=list)
    sentence: str = ""

    @property
    def payload(self) -> dict[str, list[str]]:
        """What an intent says of them."""
        return {"files": [str(row.id) for row in self.rows]} if self.rows else {}

    def refusal(self, form: MessageForm) -> str:
        """Why this and the message cannot be sent, "" when they can."""
        if self.rows and not form.kept.strip():
            return NO_WORDS
        return form.sentence or self.sentence


@form_methods
@signed_in
def attachments(request: Request, person: Person) -> HttpResponse:
    """GET: the rows of those named by `attachment` that were not sent. POST: a row for each `file` and `url`; those
    named count towards the limits of one message, and are not shown again."""
    if request.method != "POST":
        asked = named(request, request.GET.getlist("attachment")).rows
        return _rows(
            request, [row for row in asked if row.message_id is None and row.queued_id is None]
        )
    before = named(request, request.POST.getlist("attachment")).rows
    found = _given(request, person, None)
    if not found.rows and not found.sentence:
        found.sentence = "Choose a file first."
    if problem([*before, *found.rows]):
        found.sentence = found.sentence or problem([*before, *found.rows])
        forget(found.rows)
        found.rows = []
    return _rows(request, found.rows, found.sentence)


def _rows(request: Request, rows: Iterable[Attachment], sentence: str = "") -> HttpResponse:
    status = 422 if sentence else 200
    context = {"attached": rows, "attached_problem": sentence}
    return render(request, "chats/_attachments.html", context, status=status)


@require_safe
def attachment(request: Request, id: UUID) -> HttpResponse:
    found = belongings.attachment(request, id)
    if not found.file:
        raise Http404
    try:
        with found.file.open("rb") as file:
            data = file.read()
    except OSError:
        logger.exception("the file of attachment %s cannot be read", id)
        raise Http404 from None
    is_shown = found.is_image and found.content_type in SHOWN
    kind = found.content_type if is_shown else "application/octet-stream"
    response = HttpResponse(data, content_type=kind)
    response["Content-Disposition"] = content_disposition_header(not is_shown, found.name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = POLICY
    return response


@require_POST
def remove(request: Request, id: UUID) -> HttpResponse:
    """Takes back what was not sent."""
    forget([belongings.unsent_attachment(request, id)])
    return HttpResponse(status=200)


def attached(request: Request, person: Person, form: MessageForm) -> Attached:
    """What the composer's form brings: rows that it names, and files of its own. What can be kept is
    kept whatever the form says otherwise, so that a refusal can give it back."""
    found = named(request, request.POST.getlist("attachment"))
    given = _given(request, person, form.known_token)
    rows = [*found.rows, *(row for row in given.rows if row not in found.rows)]
    return Attached(rows, found.sentence or given.sentence or problem(rows))


def named(request: Request, ids: Iterable[str]) -> Attached:
    """Those that somebody has uploaded, or may read with the message that has them."""
    found = Attached()
    for id in dict.fromkeys(ids):
        if len(found.rows) > MOST_NAMED:
            break
        try:
            found.rows.append(belongings.attachment(request, UUID(id)))
        except (ValueError, Http404):
            found.sentence = GONE
    return found


MOST_NAMED = 100


def _given(request: Request, person: Person, token: UUID | None) -> Attached:
    found = Attached()
    uploaded = cast("list[UploadedFile[Any]]", request.FILES.getlist("file"))
    files: list[UploadedFile[Any] | str] = [*uploaded]
    for given in (*files, *filter(str.strip, request.POST.getlist("url"))):
        try:
            found.rows.append(made(person, given, token))
        except NotAccepted as error:
            found.sentence = found.sentence or str(error)
    return found
