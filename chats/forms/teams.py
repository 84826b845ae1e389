"""What people fill in around a team: its name, an invitation, and who takes it over.

Owns the limits and sentences. What was typed stays in each form, valid or not. Which roles may be given
comes from `chats.permissions.teams`; which addresses may be invited is asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from chats.forms.message import normalise
from chats.models import Membership, Team
from chats.models.teams import Role
from chats.permissions import teams

NO_NAME = "A team needs a name."
LONG_NAME = "A name has at most 100 characters."
NO_ROLE = "Choose a role that you may give."
NO_EMAIL = "Enter the address of whoever you invite."
BAD_EMAIL = "This is not an e-mail address."
IS_MEMBER = "Somebody with this address belongs to the team already."
IS_INVITED = "This address is invited already. Send that invitation again, or revoke it."
NO_DAYS = "An invitation can be open for 1 to 90 days."
NO_USES = "A link can be used by 1 to 500 people."
NO_TAKER = "Choose who takes the team over."
NOT_SURE = "Say that this is what you want."
DAYS, USES = 7, 10
ROLES: dict[str, str] = {
    Role.OWNER: "Owner",
    Role.ADMIN: "Admin",
    Role.MEMBER: "Member",
    Role.VIEWER: "Viewer",
}
MEANINGS: dict[str, str] = {
    Role.OWNER: "decides everything, also who else is an owner",
    Role.ADMIN: "invites people, manages members and viewers, and sees what the team costs",
    Role.MEMBER: "has chats in the team, and reads and writes in others as far as they are shared",
    Role.VIEWER: "reads what the team can see",
}


class TeamForm(forms.Form):
    name = forms.CharField(
        max_length=100, error_messages={"required": NO_NAME, "max_length": LONG_NAME}
    )

    def clean_name(self) -> str:
        return " ".join(normalise(self.cleaned_data["name"]).split())


class RoleForm(forms.Form):
    """Field `role`: one of `roles`."""

    role = forms.ChoiceField(error_messages={"required": NO_ROLE, "invalid_choice": NO_ROLE})

    def __init__(self, data: Mapping[str, Any] | None, roles: Iterable[Role]) -> None:
        super().__init__(data)
        _choices(self.fields["role"], [(role, ROLES[role]) for role in roles])


class InvitationForm(forms.Form):
    """`way` is "email" or "link"; `uses` counts for links, `email` for the other way alone."""

    way = forms.ChoiceField(choices=[("email", "By e-mail"), ("link", "By a link")])
    email = forms.EmailField(max_length=254, required=False, error_messages={"invalid": BAD_EMAIL})
    role = forms.ChoiceField(error_messages={"required": NO_ROLE, "invalid_choice": NO_ROLE})
    days = forms.IntegerField(min_value=1, max_value=90)
    uses = forms.IntegerField(min_value=1, max_value=500, required=False)

    def __init__(
        self, data: Mapping[str, Any] | None, team: Team | None, roles: Iterable[Role]
    ) -> None:
        super().__init__(
            data, initial={"way": "email", "role": Role.MEMBER, "days": DAYS, "uses": USES}
        )
        self.team = team
        if team is None:
            del self.fields["role"]
        else:
            _choices(self.fields["role"], [(role, ROLES[role]) for role in roles])
        _say(self.fields["days"], NO_DAYS)
        _say(self.fields["uses"], NO_USES)

    def clean(self) -> dict[str, Any]:
        data = dict(super().clean() or self.cleaned_data)
        data["email"] = data.get("email", "").lower() if data.get("way") == "email" else ""
        if data.get("way") == "email" and "email" not in self.errors:
            self._check(data["email"])
        if data.get("way") == "link" and data.get("uses") is None and "uses" not in self.errors:
            self.add_error("uses", NO_USES)
        return data

    def _check(self, email: str) -> None:
        if not email:
            self.add_error("email", NO_EMAIL)
            return
        open_ones = teams.open_invitations(self.team).filter(email=email)
        if any(each.state == "open" for each in open_ones):
            self.add_error("email", IS_INVITED)
        members = Membership.objects.filter(team=self.team, person__email=email)
        if self.team is not None and members.exists():
            self.add_error("email", IS_MEMBER)


class HandOverForm(forms.Form):
    """Who takes the team, and that one is sure: it cannot be taken back."""

    member = forms.ModelChoiceField(
        Membership.objects.none(),
        error_messages={"required": NO_TAKER, "invalid_choice": NO_TAKER},
    )
    sure = forms.BooleanField(error_messages={"required": NOT_SURE})

    def __init__(self, data: Mapping[str, Any] | None, own: Membership) -> None:
        super().__init__(data)
        others = Membership.objects.filter(team=own.team_id, person__is_active=True)
        others = others.exclude(pk=own.pk).select_related("person").order_by("person__name", "pk")
        self.others = others
        field = self.fields["member"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = others


def _choices(field: forms.Field, choices: list[tuple[Any, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def _say(field: forms.Field, sentence: str) -> None:
    """One sentence for everything that can be wrong with it."""
    for code in ("required", "invalid", "min_value", "max_value"):
        field.error_messages[code] = sentence
    for validator in field.validators:
        if hasattr(validator, "message"):
            validator.message = sentence
