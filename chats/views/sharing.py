"""Sharing a chat: the dialog in which its owner says who may see it.

Owns the dialog, the step that says who gains and who loses by another level, and the rows that change, in
one conditional UPDATE. Relies on permissions for the chat and on `permissions.levels` for what a change
means. What only takes counts at once; what gives somebody something is wanted, and counts here when v0
has agreed to it, which the relay hears.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from chats import permissions, relay
from chats.forms.sharing import GuestForm
from chats.models import Chat, Event
from chats.models.chats import TAKEN_BACK, Privacy, new_slug
from chats.permissions import Action, levels
from chats.views.access import Request, allowed_actions, form_methods, note
from chats.views.acts import shown_act
from chats.views.consequences import AT_V0, TITLES, consequences, sentences
from chats.views.exposure import UNSEEN, Exposure, exposure, is_unseen
from chats.views.shares import sections

VERBS: dict[str, str] = {
    Privacy.PRIVATE: "Make it private",
    Privacy.TEAM: "Let the team read",
    Privacy.TEAM_EDIT: "Let the team write",
    Privacy.UNLISTED: "Make it unlisted",
    Privacy.PUBLIC: "Make it public",
}
NO_LEVEL = "Choose who can see the chat."
CHANGED = (
    "The chat has changed meanwhile. This is how it is now: choose again if you still mean it."
)


@form_methods
def share(request: Request, id: UUID) -> HttpResponse:
    """The dialog; with `privacy`, the step before that level; what is sent sets it."""
    found = permissions.chat(request, id, Action.SET_PRIVATE)
    given = request.POST if request.method == "POST" else request.GET
    new, offered = given.get("privacy") or "", sentences(found)
    if Action.MANAGE not in allowed_actions(request, found):
        # An owner or admin of the team may do this one thing.
        offered = {Privacy.PRIVATE: offered[Privacy.PRIVATE]}
        new = Privacy.PRIVATE if request.method != "POST" else new
        if new in Privacy.values and new not in offered:
            raise PermissionDenied
    if request.method != "POST":
        if new not in offered:
            return shown(request, found)
        return _change(request, found, new, exposure(found, new))
    if new not in offered:
        return shown(request, found, NO_LEVEL, status=422)
    seen = request.POST.get("seen") or ""
    if seen == _seen(found) and not _stands(found, new):
        exposed = exposure(found, new)
        if is_unseen(request, exposed):
            return _change(request, found, new, exposed, refusal=UNSEEN)
    if not _set(request, found, new, seen=seen):
        return shown(request, _again(request, id), CHANGED, status=409)
    return _done(request, id)


def shown(
    request: Request,
    found: Chat,
    refusal: str = "",
    *,
    done: str = "",
    form: GuestForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The whole dialog: a page by itself, a fragment in the dialog. Every section of it ends here after
    a change, and after a refusal, which is said above. `done` is what a section has just changed, `form`
    what somebody filled in to invite."""
    may_manage = Action.MANAGE in allowed_actions(request, found)
    context = {"refusal": refusal, "may_manage": may_manage, **_now(found)}
    if may_manage:
        context |= sections(request, found, done=done or request.GET.get("done", ""), form=form)
    return shown_act(request, found, "share", context, status=status)


def make_private(request: Request, found: Chat) -> bool:
    """Whether it is, for everybody at once: not when it has become another one meanwhile."""
    return _set(request, found, Privacy.PRIVATE, seen=_seen(found))


def answered(request: Request, found: Chat, done: str) -> HttpResponse:
    """The dialog after a change in one of its sections; without scripts 303 to its page."""
    if request.htmx:
        return shown(request, found, done=done)
    return HttpResponseRedirect(f"{resolve_url('share', found.pk)}?done={done}", status=303)


def _now(found: Chat) -> dict[str, Any]:
    """The context of `chats/_share_now.html`: the levels, how far v0 agrees, and what can be done."""
    wanted, has_lost = found.privacy_wanted, _has_taken(found)
    return {
        "levels": [
            {"value": level, "title": TITLES[level], "sentence": sentence}
            for level, sentence in sentences(found).items()
        ],
        "seen": _seen(found),
        "here": TITLES[found.privacy],
        "wanted": TITLES.get(wanted, ""),
        "is_taken_back": found.privacy_refused == TAKEN_BACK,
        "has_lost": has_lost,
        "waits": found.privacy_unsaid or bool(wanted and not found.privacy_refused),
        "there": AT_V0.get(found.privacy_at_v0, "") if found.is_wider_at_v0 else "",
    }


def _change(
    request: Request, found: Chat, new: str, exposed: Exposure | None, *, refusal: str = ""
) -> HttpResponse:
    """What follows from the level, and what it would show to everybody, before it is set."""
    context = {
        "new": new,
        "title": TITLES[new],
        "sentence": sentences(found)[new],
        "follows": consequences(found, new),
        "verb": VERBS[new],
        "exposed": exposed,
        "refusal": refusal,
        "seen": _seen(found),
        "may_manage": Action.MANAGE in allowed_actions(request, found),
    }
    return shown_act(request, found, "share_change", context, status=422 if refusal else 200)


def _seen(found: Chat) -> str:
    """How the chat stood when a form was made: what is sent from it is for this state alone."""
    return f"{found.privacy}.{found.privacy_wanted}.{found.team_id or ''}"


def _stands(found: Chat, new: str) -> bool:
    """Whether that is so already, or on its way."""
    wanted = found.privacy_wanted or found.privacy
    return wanted == new and not found.privacy_refused


def _set(request: Request, found: Chat, new: str, *, seen: str) -> bool:
    """Whether the chat is at the level now, or will be when v0 agrees."""
    if _stands(found, new):
        return True
    if seen != _seen(found):
        return False
    fields, in_team = _fields(found, new), found.team is not None
    rows = Chat.objects.filter(
        id=found.id,
        owner=found.owner_id,
        team=found.team_id,
        privacy=found.privacy,
        privacy_wanted=found.privacy_wanted,
        deleted_at=None,
    )
    with transaction.atomic():
        if not rows.update(**fields, version=F("version") + 1):
            return False
        # A level that counts later is noted a second time when it does.
        waits = {"counts": "when v0 agrees"} if fields.get("privacy_wanted") else {}
        old = found.privacy_wanted or found.privacy
        event = Event.PRIVACY_CHANGED
        note(request, event, chat=found, team=found.team, old=old, new=str(new), **waits)
    relay.changed(found.id)
    if levels.takes(found.privacy, new, wanted=found.privacy_wanted, in_team=in_team):
        relay.rights_changed(_listing(found))
    return True


def _fields(found: Chat, new: str) -> dict[str, Any]:
    slug = {"link_slug": new_slug()} if new == Privacy.UNLISTED and not found.link_slug else {}
    gives = levels.gives(found.privacy, new, in_team=found.team is not None)
    if gives:
        return {"privacy_wanted": new, "privacy_refused": "", **slug}
    # What was wanted before may have reached v0, whatever it answered: v0 is told, unless it is known.
    has_refused = found.privacy_refused not in ("", TAKEN_BACK)
    is_known = new == found.privacy_at_v0 == found.privacy and has_refused
    if new == found.privacy and not is_known and _has_taken(found):
        return {"privacy_refused": TAKEN_BACK, "privacy_unsaid": True}
    untold = found.privacy_unsaid or not is_known
    return {
        "privacy": new,
        "privacy_wanted": "",
        "privacy_refused": "",
        "privacy_unsaid": untold,
        **slug,
    }


def _has_taken(found: Chat) -> bool:
    """Whether the level that is wanted takes something from somebody, who lacks it already."""
    in_team = found.team is not None
    wanted = found.privacy_wanted
    return bool(wanted and levels.takes(found.privacy, wanted, in_team=in_team))


def _listing(found: Chat) -> list[int]:
    """Those in whose lists the chat may be by its team."""
    if found.team is None:
        return []
    return list(found.team.memberships.values_list("person", flat=True))


def _again(request: Request, id: UUID) -> Chat:
    return permissions.chat(request, id, Action.SET_PRIVATE)


def _done(request: Request, id: UUID) -> HttpResponse:
    """The dialog as it is now; home for somebody to whom the chat is none any more."""
    try:
        found = permissions.chat(request, id, Action.MANAGE)
    except (Http404, PermissionDenied):
        home = resolve_url("home")
        if request.htmx:
            return HttpResponseClientRedirect(home)
        return HttpResponseRedirect(home, status=303)
    if request.htmx:
        return shown(request, found)
    return HttpResponseRedirect(resolve_url("share", id), status=303)
