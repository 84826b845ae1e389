"""Who is invited to a single chat: the forms in its share dialog.

Owns inviting, another role and taking an invitation back. Relies on `models.guests` for the change, on
`accounts.guests` for whom an address counts and for the mail. Never says whether an address has an
account: the answer and the row are the same.
"""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from chats import accounts, permissions, relay
from chats.accounts import guests as known
from chats.accounts import throttle
from chats.forms.acts import sentence
from chats.forms.sharing import GuestForm, RoleForm
from chats.models import Chat, Guest
from chats.models import guests as rows
from chats.permissions import Action
from chats.views.access import Request, form_methods, member
from chats.views.acts import shown_act
from chats.views.sharing import answered, shown

TOO_MANY = "You have invited many people within an hour. Wait a while before the next ones."
CHANGED = "That invitation is another one by now, or has been withdrawn. This is how it is."
# Of what `models.guests` refuses.
REFUSALS: dict[type[rows.NotPossible], str] = {
    rows.IsOwner: "This is the address of whoever owns the chat.",
    rows.IsGuest: "This address is invited already. What it may do is changed in the list.",
    rows.TooMany: f"A chat has at most {rows.MOST_GUESTS} invitations. Withdraw one first.",
    rows.Changed: "The chat has changed meanwhile. This is how it is now.",
}


@require_POST
def invite(request: Request, id: UUID) -> HttpResponse:
    found = permissions.chat(request, id, Action.MANAGE)
    person = member(request)
    form = GuestForm(request.POST)
    if not form.is_valid():
        return shown(request, found, form=form, status=422)
    if not throttle.may_invite(request, person):
        form.add_error(None, TOO_MANY)
        return shown(request, found, form=form, status=422)
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    try:
        guest = rows.invite(
            found,
            email,
            role,
            person=known.proved_by(email),
            actor=person,
            address=accounts.address(request),
        )
    except rows.NotPossible as error:
        form.add_error("email", REFUSALS[type(error)])
        return shown(request, found, form=form, status=422)
    known.tell(request, guest)
    relay.rights_changed(_people(guest))
    return answered(request, found, "invited")


@require_POST
def role(request: Request, id: UUID, guest: int) -> HttpResponse:
    found, held = _guest(request, id, guest)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return shown(request, found, sentence(form), status=422)
    given = form.cleaned_data["role"]
    try:
        if given != held.role:
            rows.change_role(held, given, actor=member(request), address=accounts.address(request))
    except rows.Changed:
        return shown(request, found, CHANGED, status=409)
    relay.rights_changed(_people(held))
    return answered(request, found, "role")


@form_methods
def withdraw(request: Request, id: UUID, guest: int) -> HttpResponse:
    found, held = _guest(request, id, guest)
    if request.method != "POST" or request.POST.get("confirmed") != "yes":
        status = 422 if request.method == "POST" else 200
        return shown_act(request, found, "guest_withdraw", {"guest": held}, status=status)
    try:
        rows.withdraw(held, actor=member(request), address=accounts.address(request))
    except rows.Changed:
        return shown(request, found, CHANGED, status=409)
    _let_others_count(held)
    relay.rights_changed(_people(held))
    return answered(request, found, "withdrawn")


def _guest(request: Request, id: UUID, guest: int) -> tuple[Chat, Guest]:
    found = permissions.chat(request, id, Action.MANAGE)
    held = found.guests.select_related("chat__team", "person").filter(pk=guest).first()
    if held is None:
        raise Http404
    return found, held


def _let_others_count(guest: Guest) -> None:
    """Somebody who was invited by two of their addresses still is by the other one."""
    if guest.person is not None and known.proved_by(guest.person.email) == guest.person:
        rows.recognise(guest.person)


def _people(guest: Guest) -> set[int]:
    return set() if guest.person_id is None else {guest.person_id}
