"""Where chats belong: the switcher of the sidebar, and the place of a new chat.

Owns which space somebody looks at and whose chats in it, which each of their devices shows, and what the composer says of the
place that a new chat goes to. Relies on permissions for the teams of whoever asks.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from chats import permissions
from chats.forms.visibility import VisibilityForm, start_in, words
from chats.models import Chat, Person, Team
from chats.models.chats import Privacy
from chats.models.people import Whose
from chats.permissions import Action, spaces
from chats.views.access import Request, allowed_actions, signed_in
from chats.views.allowance import of_new, usual_of
from chats.views.options import options_shown

BADGES: dict[str, str] = {
    Privacy.PRIVATE: "",
    Privacy.TEAM: "Team",
    Privacy.TEAM_EDIT: "Team, writing",
    Privacy.UNLISTED: "Unlisted",
    Privacy.PUBLIC: "Public",
}
ALL, PERSONAL = "all", "personal"
LISTS = {each.value or ALL: each for each in Whose}
NO_SPACE = "This is not one of your spaces or lists. Go back and choose another one."


@require_POST
@signed_in
def switch(request: Request, person: Person) -> HttpResponse:
    """Shows the space `space` from now on (all, personal, or the id of a team), or in whatever space the
    chats of `whose` list: all, mine, team or shared."""
    changed = _list(request) if "whose" in request.POST else _space(request)
    if changed is None:
        return HttpResponse(NO_SPACE, status=422, content_type="text/plain; charset=utf-8")
    Person.objects.filter(pk=person.pk).update(**changed)
    back = request.POST.get("back") or ""
    safe = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return HttpResponseRedirect(back if safe else resolve_url("home"), status=303)


def _space(request: Request) -> dict[str, Any] | None:
    """What changes of the person, None for no space of theirs."""
    space = request.POST.get("space") or ""
    held = {str(each.team_id): each for each in permissions.memberships(request)}
    if space not in (ALL, PERSONAL, *held):
        return None
    return {"shows_personal": space == PERSONAL, "shows_team": held.get(space)}


def _list(request: Request) -> dict[str, Any] | None:
    whose = LISTS.get(request.POST["whose"])
    return None if whose is None else {"shows_whose": whose}


@require_safe
@signed_in
def place(request: Request, person: Person) -> HttpResponse:
    """What a page shows anew when somebody has chosen another place for a new chat."""
    chosen = new_place(request, person, request.GET.get("place"))
    context = options_shown(request, None, None, chosen.team)
    if request.GET.get("model") in context["models"] and not _has_default(chosen.team):
        context["model"] = request.GET["model"]
    context |= {"usual": usual_of(person, context["model"]), **of_new(request, person, chosen.team)}
    return render(request, "chats/_place_chosen.html", {**context, **place_shown(chosen)})


def _has_default(team: Team | None) -> bool:
    return bool(team and team.default_model)


def switcher(request: HttpRequest, person: Person) -> dict[str, Any] | None:
    """The context of `chats/_switcher.html`; None for who has nothing to switch."""
    held = permissions.memberships(request)
    if not held:
        return None
    shown = spaces.shown_team(request, person)
    chosen = str(shown.team_id) if shown else PERSONAL if person.shows_personal else ALL
    return {
        "chosen": chosen,
        "name": shown.team.name if shown else "Personal" if person.shows_personal else "All chats",
        "team": shown.team if shown else None,
        "teams": [each.team for each in held],
        "back": request.path if request.method == "GET" else "",
    }


def new_place(request: HttpRequest, person: Person, given: str | None) -> VisibilityForm:
    """Where a new chat goes: as `given`, else into the space that is looked at."""
    teams = spaces.teams(request)
    shown = spaces.shown_team(request, person)
    if shown is None or shown.team not in teams:
        return VisibilityForm(given, teams)
    return VisibilityForm(given, teams, start=start_in(shown.team, shown.last_privacy))


def place_shown(form: VisibilityForm) -> dict[str, Any]:
    """The context of the composer of a new chat."""
    return {"place": form, "team": form.team, "team_system": _system(form.team)}


def _system(team: Team | None) -> str:
    return team.system_prompt if team else ""


def shares(found: Chat) -> dict[str, str]:
    """The context of `chats/_share_button.html`: how far the chat is shared, in a word or two; what v0 has
    not agreed to, or does not, has a tone."""
    tone = "warn" if found.privacy_refused else "pending" if found.privacy_wanted else ""
    return {"level": BADGES[found.privacy_wanted or found.privacy], "tone": tone}


def where(request: HttpRequest, found: Chat) -> dict[str, Any] | None:
    """The context of `chats/_where.html`: in which space a chat is and who may see it, for those who
    have it in their list."""
    if Action.LIST not in allowed_actions(request, found):
        return None
    is_own = found.owner_id == request.user.pk
    level = words(found.privacy) if is_own or found.privacy != "private" else "Private"
    return {
        "name": found.team.name if found.team else "Personal" if is_own else "Shared with you",
        "level": level,
        "wanted": words(found.privacy_wanted) if found.privacy_wanted else "",
        "is_refused": is_own and bool(found.privacy_refused),
    }
