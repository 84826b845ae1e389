"""A team's settings: what its chats begin with, which models they may use, who may invite, and to whom it
is told what the team may spend.

Owns the page, which members only read, and the transaction that changes and notes them. Relies on
`permissions.teams` for who may. The team's limits are staff's to set, in the admin area.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url

from chats import permissions
from chats.forms.team_settings import INVITERS, LEVELS, TeamSettings, TeamSettingsForm
from chats.models import Event, Limit, Membership, Person, Team, TeamRules
from chats.models.budgets import Scope
from chats.permissions import teams
from chats.permissions.teams import TeamAction
from chats.views.access import Request, form_methods, note, signed_in
from chats.views.meters import Meter, meters
from chats.views.shell import shell

CHANGED = (
    "Somebody has changed the settings meanwhile. This is what you filled in: save it to keep this."
)


@form_methods
@signed_in
def team_settings(request: Request, person: Person, id: int) -> HttpResponse:
    action = TeamAction.CONFIGURE if request.method == "POST" else TeamAction.SEE
    own = teams.membership(person, id, action)
    if request.method != "POST":
        return _page(request, own, TeamSettings.of(own.team))
    form = TeamSettingsForm(request.POST)
    if form.errors:
        return _page(request, own, form.kept, form.errors, status=422)
    if not _save(request, own.team, form.kept):
        team = Team.objects.select_related("rules").get(pk=own.team_id)
        own.team = team
        return _page(request, own, form.kept, {"": CHANGED}, status=409)
    return HttpResponseRedirect(f"{resolve_url('team_settings', id)}?saved", status=303)


def _save(request: HttpRequest, given: Team, new: TeamSettings) -> bool:
    """Whether they are what the form was filled in for, and therefore now as it says."""
    with transaction.atomic():
        # From here on nobody else changes them.
        Team.objects.filter(pk=given.pk).update(version=F("version") + 1)
        team = Team.objects.select_related("rules").get(pk=given.pk)
        old = TeamSettings.of(team)
        if request.POST.get("seen") != old.digest and old != new:
            return False
        if changes := old.changes(new):
            Team.objects.filter(pk=team.pk).update(
                name=new.name,
                default_privacy=new.default_privacy,
                default_model=new.default_model,
                who_may_invite=new.who_may_invite,
            )
            rules = {"models_by_role": new.models_by_role, "system_prompt": new.system_prompt}
            TeamRules.objects.update_or_create(team=team, defaults=rules)
            note(request, Event.TEAM_CHANGED, team=team, changed=changes)
    return True


def _page(
    request: HttpRequest,
    own: Membership,
    kept: TeamSettings,
    errors: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    offered = permissions.models()
    may_change = TeamAction.CONFIGURE in teams.actions(own)
    context = {
        "own": own,
        "kept": kept,
        "errors": errors or {},
        "refusal": (errors or {}).get(""),
        "seen": request.POST.get("seen") if status == 422 else TeamSettings.of(own.team).digest,
        "may_change": may_change,
        "meters": _budget(own.team) if may_change else [],
        "may_administer": own.person.is_staff,
        "is_saved": "saved" in request.GET,
        "levels": LEVELS,
        "inviters": INVITERS,
        "offered": offered,
        "ticked": kept.ticked() if len(offered) > 1 else (),
    }
    context |= shell(request)
    response = render(request, "teams/settings.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _budget(team: Team) -> list[Meter]:
    """How far the team's limits are used."""
    rows = Limit.objects.filter(scope=Scope.TEAM, key=str(team.pk))
    return meters(rows.order_by("period"))
