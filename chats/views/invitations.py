"""Invitations: those into a team or to the installation, and the page that each of them leads to.

Owns these pages. Relies on `chats.permissions.teams` for who may invite and whether an invitation still
counts, on `chats.models.invitations` for using one up, and on `chats.accounts.newcomers` for accounts and
mails. A token is shown once, in the answer to the form that made it, and is in no redirect.
"""

from __future__ import annotations

from typing import Any

from allauth.account.utils import perform_login
from allauth.core.ratelimit import respond_429
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from chats import permissions as of_chats
from chats import relay
from chats.accounts import address, newcomers, sign_up, throttle
from chats.forms.sign_up import AddressForm, NewPersonForm
from chats.forms.teams import MEANINGS, ROLES, InvitationForm
from chats.models import Invitation, Membership, Person
from chats.models import invitations as rows
from chats.models.invitations import Over
from chats.models.memberships import AlreadyMember
from chats.models.teams import Team
from chats.permissions import teams as permissions
from chats.permissions.teams import TeamAction
from chats.views.access import Request, form_methods, signed_in
from chats.views.access import person as person_of
from chats.views.shell import shell

PAGE = 30
TOO_MANY = "You have invited many people within an hour. Wait a while before the next ones."
ENDED = "That invitation has been used up or revoked meanwhile."


@form_methods
@signed_in
def team_invitations(request: Request, person: Person, id: int) -> HttpResponse:
    own = permissions.membership(person, id, TeamAction.INVITE)
    return _invitations(request, person, own)


@form_methods
@signed_in
def installation_invitations(request: Request, person: Person) -> HttpResponse:
    """Those to an account and to no team, by the staff."""
    of_chats.administrator(request)
    return _invitations(request, person, None)


@require_POST
@signed_in
def invitation_revoke(request: Request, person: Person, id: int, invitation: int) -> HttpResponse:
    own = permissions.membership(person, id, TeamAction.INVITE)
    return _revoke(request, person, own, permissions.invitation(own, invitation))


@require_POST
@signed_in
def invitation_resend(request: Request, person: Person, id: int, invitation: int) -> HttpResponse:
    own = permissions.membership(person, id, TeamAction.INVITE)
    return _resend(request, person, own, permissions.invitation(own, invitation))


@require_POST
@signed_in
def installation_revoke(request: Request, person: Person, invitation: int) -> HttpResponse:
    of_chats.administrator(request)
    return _revoke(request, person, None, permissions.installation_invitation(invitation))


@require_POST
@signed_in
def installation_resend(request: Request, person: Person, invitation: int) -> HttpResponse:
    of_chats.administrator(request)
    return _resend(request, person, None, permissions.installation_invitation(invitation))


@never_cache
@sensitive_post_parameters("password", "repeated")
@form_methods
def invitation(request: Request, token: str) -> HttpResponse:
    """What an invitation is for, and how whoever holds it takes it up."""
    found, email = newcomers.read(token)
    if found is None or not permissions.still_counts(found):
        return _over(request) if throttle.may_try_a_token(request) else _too_many(request)
    person = person_of(request)
    if person is not None:
        return _join(request, found, person, email)
    if not email:
        return _ask_address(request, found, token)
    if newcomers.has_account(email):
        return _page(request, "sign_in", found, email=email)
    return _make_account(request, found, email)


def _join(request: Request, found: Invitation, person: Person, email: str) -> HttpResponse:
    if found.team is None:
        return _page(request, "known", found)
    if email and email != person.email:
        return _page(request, "other", found, email=email, status=403)
    if Membership.objects.filter(team=found.team, person=person).exists():
        return _page(request, "member", found)
    if request.method != "POST":
        return _page(request, "join", found)
    try:
        rows.accept(found, person, address=address(request))
    except Over:
        return _over(request)
    except AlreadyMember:
        return _page(request, "member", found)
    relay.rights_changed()
    return HttpResponseRedirect(f"{resolve_url('team', found.team.pk)}?done=joined", status=303)


def _ask_address(request: Request, found: Invitation, token: str) -> HttpResponse:
    """A link proves no address: who is new here gets a mail that does."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return _page(request, "address", found, form=form, status=status)
    if not throttle.may_ask_for_mail(request):
        return _too_many(request)
    newcomers.prove(request, found, token, form.cleaned_data["email"])
    return _page(request, "sent", found, email=form.cleaned_data["email"])


def _make_account(request: Request, found: Invitation, email: str) -> HttpResponse:
    form = NewPersonForm(request.POST if request.method == "POST" else None, email=email)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return _page(request, "new", found, form=form, email=email, status=status)
    try:
        person = newcomers.take_up(
            found,
            email,
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password"],
            address=address(request),
        )
    except Over:
        return _over(request)
    except sign_up.LinkOver:
        # Made a moment ago, by the same person in another window.
        return _page(request, "sign_in", found, email=email)
    place = resolve_url("team", found.team.pk) if found.team else "/"
    response: HttpResponse = perform_login(
        request, person, email_verification="none", redirect_url=place
    )
    return response


def _over(request: Request) -> HttpResponse:
    return render(request, "invitations/over.html", status=404)


def _too_many(request: Request) -> HttpResponse:
    response: HttpResponse = respond_429(request)
    return response


def _page(
    request: Request, name: str, found: Invitation, *, status: int = 200, **context: Any
) -> HttpResponse:
    context |= {
        "invitation": found,
        "role": ROLES.get(found.role, ""),
        "meaning": MEANINGS.get(found.role, ""),
    }
    return render(request, f"invitations/{name}.html", context, status=status)


def _invitations(request: Request, person: Person, own: Membership | None) -> HttpResponse:
    team = own.team if own else None
    roles = permissions.roles_to_give(own) if own else ()
    form = InvitationForm(request.POST if request.method == "POST" else None, team, roles)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return _list(request, own, form, status=status)
    if not throttle.may_invite(request, person):
        return _list(request, own, form, refusal=TOO_MANY, status=429)
    made, token = rows.invite(
        team,
        form.cleaned_data.get("role", ""),
        inviter=person,
        email=form.cleaned_data["email"],
        days=form.cleaned_data["days"],
        uses=form.cleaned_data["uses"] or 1,
        address=address(request),
    )
    return _given(request, own, made, token)


def _given(request: Request, own: Membership | None, made: Invitation, token: str) -> HttpResponse:
    """303 when a mail has gone out; else the page with the link, which is never shown again."""
    if made.email:
        newcomers.send(request, made, token)
        return HttpResponseRedirect(f"{_place(own)}?done=sent", status=303)
    form = _empty_form(own)
    return _list(request, own, form, link=newcomers.place(token), made=made, status=201)


def _revoke(
    request: Request, person: Person, own: Membership | None, found: Invitation
) -> HttpResponse:
    try:
        rows.revoke(found, actor=person, address=address(request))
    except Over:
        return _list(request, own, _empty_form(own), refusal=ENDED, status=409)
    return HttpResponseRedirect(f"{_place(own)}?done=revoked", status=303)


def _resend(
    request: Request, person: Person, own: Membership | None, found: Invitation
) -> HttpResponse:
    if not throttle.may_invite(request, person):
        return _list(request, own, _empty_form(own), refusal=TOO_MANY, status=429)
    try:
        token = rows.renew(found, actor=person, address=address(request))
    except Over:
        return _list(request, own, _empty_form(own), refusal=ENDED, status=409)
    return _given(request, own, found, token)


def _empty_form(own: Membership | None) -> InvitationForm:
    roles = permissions.roles_to_give(own) if own else ()
    return InvitationForm(None, own.team if own else None, roles)


def _place(own: Membership | None) -> str:
    return resolve_url("team_invitations", own.team_id) if own else resolve_url("invitations")


def _list(
    request: Request,
    own: Membership | None,
    form: InvitationForm,
    *,
    link: str = "",
    made: Invitation | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    team: Team | None = own.team if own else None
    found = permissions.open_invitations(team)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    may_give = permissions.roles_to_give(own) if own else ()
    context = {
        "own": own,
        "page": page,
        "invitations": [
            (each, counts, ROLES.get(each.role, ""), own is None or each.role in may_give)
            for each, counts in permissions.counted(list(page), team)
        ],
        "form": form,
        "meanings": [(ROLES[role], MEANINGS[role]) for role in may_give],
        "link": link,
        "made": made,
        "refusal": refusal,
        "done": request.GET.get("done", ""),
    }
    return render(request, "invitations/list.html", {**context, **shell(request)}, status=status)
