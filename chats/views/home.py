"""The home page: one question, and the first message of a new chat."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from chats import permissions, relay
from chats.forms.attachments import GONE
from chats.forms.message import MessageForm, normalise
from chats.forms.options import OptionsForm
from chats.forms.visibility import VisibilityForm
from chats.models import Attachment, Chat, Membership, Message, Person
from chats.models.chats import Privacy, new_slug
from chats.permissions import Action, saved
from chats.relay import intents
from chats.relay.uploads import Missing, of_message
from chats.usage.refusals import Refused
from chats.views.access import Request, member, see_chat, signed_in, uuid_or_404
from chats.views.allowance import of_new, usual_of
from chats.views.attachments import attached
from chats.views.exposure import UNSEEN, Exposure, exposure_of_new, is_unseen
from chats.views.options import options_of, options_shown, remember
from chats.views.refusals import KEPT, NOT_FOR_ROLE, USED_FORM, not_now
from chats.views.shell import shell
from chats.views.spaces import new_place, place_shown

EXAMPLES = (
    ("Landing page", "A landing page for a small coffee roastery, with a warm palette and a form"),
    ("Dashboard", "A dashboard of weekly sales: three figures, a chart and a table"),
    ("To-do list", "A to-do list with due dates that remembers its items"),
    ("Pricing page", "A pricing page with three plans and a monthly or yearly switch"),
)


@require_safe
@signed_in
def home(request: Request, person: Person) -> HttpResponse:
    deleted = _deleted(request)
    text, asked = normalise(request.GET.get("prompt") or ""), _asked(request)
    text = text or _saved(request, person)
    if text or asked is None:
        return page(request, text=text, deleted=deleted)
    return page(request, text=asked.text, files=of_message(asked), deleted=deleted)


def _saved(request: Request, person: Person) -> str:
    """The text of the saved prompt that the address names."""
    try:
        id = uuid_or_404(request.GET.get("saved"))
    except Http404:
        return ""
    found = saved.prompts(person).filter(pk=id).first()
    return found.text if found else ""


def _asked(request: Request) -> Message | None:
    """What was asked in a chat that cannot go on: `ask` is the message, `chat` where it stands."""
    try:
        chat, ask = (uuid_or_404(request.GET.get(name)) for name in ("chat", "ask"))
        return permissions.message(request, chat, ask, Action.READ)
    except (Http404, PermissionDenied):
        return None


def _deleted(request: Request) -> Chat | None:
    """The chat that was deleted a moment ago and can still be brought back."""
    try:
        found = permissions.deleted_chat(request, uuid_or_404(request.GET.get("deleted")))
    except (Http404, PermissionDenied):
        return None
    return found if found.deleted_at else None


@require_POST
@signed_in
def create(request: Request, person: Person) -> HttpResponse:
    form = MessageForm(request.POST)
    place = new_place(request, person, request.POST.get("place"))
    brought = attached(request, person, form)
    options = options_of(request, person, None, place.team)
    give_back = partial(
        page, request, text=form.kept, files=brought.rows, options=options, place=place
    )
    if sentence := brought.refusal(form) or place.sentence or options.sentence:
        return give_back(refusal=sentence, status=422)
    exposed = exposure_of_new(form.text, brought.rows, place.privacy)
    if is_unseen(request, exposed):
        return give_back(refusal=UNSEEN, exposed=exposed, status=422)
    payload = {"message": form.text, **brought.payload, **options.options.payload()}
    fields = options.options.of_chat() | _in_place(place)
    try:
        answer = intents.create(person, form.given_token, payload, **fields)
    except intents.TokenReused:
        return give_back(refusal=USED_FORM, status=409)
    except intents.NotForRole as refusal:
        return give_back(refusal=NOT_FOR_ROLE.format(refusal), status=422)
    except Missing:
        return give_back(refusal=GONE, status=409)
    except Refused as error:
        no = not_now(request, error)
        return no.answer(
            give_back(refusal=f"{no.sentence} {KEPT}", again=no.again, status=no.status)
        )
    remember(person, options)
    _remember_place(person, place)
    relay.wake()
    return see_chat(answer.chat_id)


def _remember_place(person: Person, place: VisibilityForm) -> None:
    """The next chat in the same team begins with the same level."""
    if place.team is not None:
        held = Membership.objects.filter(person=person, team=place.team)
        held.exclude(last_privacy=place.privacy).update(last_privacy=place.privacy)


def _in_place(place: VisibilityForm) -> dict[str, Any]:
    """The new chat's fields. Others see it when v0 has agreed to that."""
    wider = {} if place.privacy == Privacy.PRIVATE else {"privacy_wanted": place.privacy}
    if place.privacy == Privacy.UNLISTED:
        wider["link_slug"] = new_slug()
    return {"team": place.team, **wider} if place.team else wider


def page(
    request: HttpRequest,
    *,
    text: str = "",
    files: Sequence[Attachment] = (),
    refusal: str = "",
    deleted: Chat | None = None,
    options: OptionsForm | None = None,
    place: VisibilityForm | None = None,
    exposed: Exposure | None = None,
    again: str = "",
    status: int = 200,
) -> HttpResponse:
    person = member(request)
    place = place or new_place(request, person, None)
    context = {"token": uuid4(), "text": text, "refusal": refusal, "examples": EXAMPLES}
    context |= {"exposed": exposed, "again": again}
    context |= {"attached": files, **options_shown(request, None, options, place.team)}
    context |= {
        "usual": usual_of(person, str(context["model"])),
        **of_new(request, person, place.team),
    }
    context |= place_shown(place)
    if deleted is not None and deleted.deleted_at is not None:
        left = deleted.deleted_at - permissions.undo_limit()
        context |= {"deleted": deleted, "undo": round(left.total_seconds(), 1)}
    return render(request, "chats/home.html", {**context, **shell(request)}, status=status)
