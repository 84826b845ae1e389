"""Teams: one's own, the members of one, and every way of leaving it or handing it on.

Owns these pages and the words for what happened. Relies on `chats.permissions.teams` for who may do
what, and on `chats.models.memberships` for doing it; says afterwards that rights have changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Count, Max, Min
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.views.decorators.http import require_POST, require_safe

from chats import relay
from chats.accounts import address, newcomers, recently
from chats.forms.teams import MEANINGS, ROLES, HandOverForm, RoleForm, TeamForm
from chats.models import Membership, Person, memberships
from chats.models.memberships import Changed, HasChats, LastOwner
from chats.models.teams import Role
from chats.permissions import teams as permissions
from chats.permissions.teams import TeamAction
from chats.views.access import Request, form_methods, signed_in
from chats.views.shell import shell

PAGE = 30
LAST_OWNER = "A team keeps an owner. Make somebody else one first, or hand the team over."
CHANGED = "That has changed meanwhile. This is how it is now."
HAS_CHATS = "The team has chats again. Only a team without any can be deleted."


@require_safe
@signed_in
def teams(request: Request, person: Person) -> HttpResponse:
    found = permissions.memberships(person).annotate(members=Count("team__memberships"))
    context = {"memberships": found, "roles": ROLES, "done": request.GET.get("done", "")}
    return render(request, "teams/teams.html", {**context, **shell(request)})


@form_methods
@signed_in
def team_new(request: Request, person: Person) -> HttpResponse:
    form = TeamForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        form = form if request.method != "POST" else TeamForm(request.POST)
        return render(request, "teams/new.html", {"form": form, **shell(request)}, status=status)
    made = memberships.make_team(form.cleaned_data["name"], owner=person, address=address(request))
    relay.rights_changed()
    return _team(made.pk, "made")


@require_safe
@signed_in
def team(request: Request, person: Person, id: int) -> HttpResponse:
    return _members(request, permissions.membership(person, id, TeamAction.SEE))


@require_POST
@signed_in
def member_role(request: Request, person: Person, id: int, member: int) -> HttpResponse:
    own = permissions.membership(person, id, TeamAction.MANAGE)
    other = permissions.managed(own, member)
    form = RoleForm(request.POST, permissions.roles_to_give(own))
    if not form.is_valid():
        return _members(request, own, refusal=str(form.errors["role"][0]), status=422)
    try:
        memberships.change_role(
            other, form.cleaned_data["role"], actor=person, address=address(request)
        )
    except (LastOwner, Changed) as refused:
        return _members(request, own, refusal=_words(refused), status=409)
    relay.rights_changed()
    return _team(id, "role")


@form_methods
@signed_in
def member_remove(request: Request, person: Person, id: int, member: int) -> HttpResponse:
    own = permissions.membership(person, id, TeamAction.MANAGE)
    other = permissions.managed(own, member)
    if other.pk == own.pk:
        return HttpResponseRedirect(resolve_url("team_leave", id), status=303)
    if request.method != "POST":
        return _ending(request, own, other)
    try:
        passed = memberships.remove(other, actor=person, address=address(request))
    except (LastOwner, Changed) as refused:
        return _members(request, own, refusal=_words(refused), status=409)
    _tell(passed)
    return _team(id, "removed")


@form_methods
@signed_in
def team_leave(request: Request, person: Person, id: int) -> HttpResponse:
    own = permissions.membership(person, id, TeamAction.SEE)
    if request.method != "POST":
        return _ending(request, own, own)
    try:
        passed = memberships.leave(own, actor=person, address=address(request))
    except (LastOwner, Changed) as refused:
        return _ending(request, own, own, refusal=_words(refused), status=409)
    _tell(passed)
    return HttpResponseRedirect(f"{resolve_url('teams')}?done=left", status=303)


@form_methods
@signed_in
def team_hand_over(request: Request, person: Person, id: int) -> HttpResponse:
    own = permissions.membership(person, id, TeamAction.HAND_OVER)
    form = HandOverForm(request.POST if request.method == "POST" else None, own)
    if request.method != "POST" or not form.is_valid():
        return _hand_over(request, own, form, status=422 if request.method == "POST" else 200)
    if not recently.is_recent(request):
        return recently.ask(request)
    other: Membership = form.cleaned_data["member"]
    try:
        memberships.hand_over(own, other, address=address(request))
    except Changed as refused:
        return _hand_over(request, own, form, refusal=_words(refused), status=409)
    relay.rights_changed()
    url = newcomers.whole(resolve_url("team", id))
    context = {"team": own.team, "giver": person, "url": url}
    newcomers.mail(request, "handed_over", other.person.email, **context)
    return _team(id, "handed-over")


@form_methods
@signed_in
def team_delete(request: Request, person: Person, id: int) -> HttpResponse:
    own = permissions.membership(person, id, TeamAction.DELETE)
    if request.method != "POST":
        return _delete(request, own)
    if not recently.is_recent(request):
        return recently.ask(request)
    try:
        memberships.delete_team(own.team, actor=person, address=address(request))
    except (HasChats, Changed) as refused:
        return _delete(request, own, refusal=_words(refused), status=409)
    relay.rights_changed()
    return HttpResponseRedirect(f"{resolve_url('teams')}?done=deleted", status=303)


@form_methods
@signed_in
def team_left_behind(request: Request, person: Person, id: int) -> HttpResponse:
    """What nobody sees since somebody left: numbers and dates, and never a title."""
    own = permissions.membership(person, id, TeamAction.TAKE_OVER)
    if request.method == "POST":
        leavers = permissions.people_left_behind(own.team)
        wanted = request.POST.get("person", "")
        leaver = get_object_or_404(leavers, pk=int(wanted) if wanted.isdecimal() else 0)
        _tell(memberships.take_over(own.team, leaver, actor=person, address=address(request)))
        return HttpResponseRedirect(f"{request.path}?done", status=303)
    counted = memberships.left_behind(own.team).values("owner").order_by("owner")
    counts = counted.annotate(chats=Count("pk"), since=Min("created_at"), until=Max("updated_at"))
    people = permissions.people_left_behind(own.team).in_bulk()
    context = {
        "own": own,
        "left": [(people[row["owner"]], row) for row in counts if row["owner"] in people],
        "is_done": "done" in request.GET,
    }
    return render(request, "teams/left_behind.html", {**context, **shell(request)})


def _members(
    request: Request, own: Membership, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    rows = Membership.objects.filter(team=own.team_id).select_related("person")
    page = Paginator(rows.order_by("person__name", "person__email", "pk"), PAGE).get_page(
        request.GET.get("page")
    )
    allowed = permissions.actions(own)
    context = {
        "own": own,
        "page": page,
        "members": [(each, permissions.may_manage(own, each)) for each in page],
        "may": {action.name.lower() for action in allowed},
        "roles": ROLES,
        "meanings": [(ROLES[role], meaning) for role, meaning in MEANINGS.items()],
        "to_give": [(role.value, ROLES[role]) for role in permissions.roles_to_give(own)],
        "left_behind": memberships.left_behind(own.team).count()
        if TeamAction.TAKE_OVER in allowed
        else 0,
        "refusal": refusal,
        "done": request.GET.get("done", ""),
    }
    return render(request, "teams/team.html", {**context, **shell(request)}, status=status)


def _ending(
    request: Request, own: Membership, other: Membership, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    """Before a membership ends: what becomes of the chats then."""
    heir = memberships.other_owners(other).select_related("person").first()
    is_last = other.role == Role.OWNER and heir is None
    context = {
        "own": own,
        "other": other,
        "is_self": own.pk == other.pk,
        "heir": heir.person if heir else None,
        "passing_on": memberships.passing_on(other).count(),
        "staying": memberships.staying(other).count(),
        "refusal": refusal or (LAST_OWNER if is_last else ""),
        "is_possible": not is_last,
    }
    return render(request, "teams/end.html", {**context, **shell(request)}, status=status)


def _hand_over(
    request: Request, own: Membership, form: HandOverForm, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {"own": own, "form": form, "others": form.others, "refusal": refusal}
    return render(request, "teams/hand_over.html", {**context, **shell(request)}, status=status)


def _delete(
    request: Request, own: Membership, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "own": own,
        "members": own.team.memberships.count(),
        "chats": own.team.chats.count(),
        "refusal": refusal,
    }
    return render(request, "teams/delete.html", {**context, **shell(request)}, status=status)


def _team(id: int, done: str) -> HttpResponse:
    return HttpResponseRedirect(f"{resolve_url('team', id)}?done={done}", status=303)


def _tell(chats: Iterable[UUID]) -> None:
    """Everybody's sockets and lists follow what was done."""
    relay.rights_changed()
    for chat in chats:
        relay.changed(chat)


def _words(refused: memberships.NotPossible) -> str:
    match refused:
        case LastOwner():
            return LAST_OWNER
        case HasChats():
            return HAS_CHATS
        case _:
            return CHANGED
