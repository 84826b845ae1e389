"""What people fill in to act on a chat: its title, where it lives, whose it is.

Owns the limits and sentences of these forms. Relies on whoever asks for the teams and the people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from chats.forms.message import normalise
from chats.models import Membership, Person, Team

NO_TITLE = "A title needs at least one character."
LONG_TITLE = "A title has at most 200 characters."
NO_PLACE = "Choose where the chat is to live."
NO_TAKER = "Choose who is to have the chat."
PERSONAL = "personal"


class TitleForm(forms.Form):
    """Field `title`: one line of 1 to 200 characters."""

    title = forms.CharField(
        max_length=200, error_messages={"required": NO_TITLE, "max_length": LONG_TITLE}
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({"title": " ".join(normalise(data.get("title") or "").split())})

    @property
    def given(self) -> str:
        return str(self.cleaned_data["title"])


class PlaceForm(forms.Form):
    """Field `place`: "personal", or the id of one of the teams in which the person may have chats."""

    place = forms.ChoiceField(
        error_messages={"required": NO_PLACE, "invalid_choice": NO_PLACE},
    )

    def __init__(self, data: Mapping[str, Any], teams: Sequence[Team]) -> None:
        super().__init__({"place": data.get("place") or ""})
        self.teams = teams
        choices = [(PERSONAL, ""), *((str(team.pk), team.name) for team in self.teams)]
        field = self.fields["place"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    @property
    def team(self) -> Team | None:
        """The team that was chosen; None for the person's own space."""
        place = self.cleaned_data["place"]
        return next((team for team in self.teams if str(team.pk) == place), None)


class TakerForm(forms.Form):
    """Field `person`: one of those who could have the chat."""

    def __init__(self, data: Mapping[str, Any], takers: QuerySet[Membership]) -> None:
        super().__init__({"person": data.get("person") or ""})
        self.takers = list(takers)
        self.fields["person"] = forms.ChoiceField(
            choices=[(str(each.person_id), "") for each in self.takers],
            error_messages={"required": NO_TAKER, "invalid_choice": NO_TAKER},
        )

    @property
    def person(self) -> Person:
        wanted = self.cleaned_data["person"]
        return next(each.person for each in self.takers if str(each.person_id) == wanted)

    @property
    def chosen(self) -> str:
        """What was sent, also where it cannot be."""
        return str(self.data["person"])


def sentence(form: forms.Form) -> str:
    """Why a form was refused, in one sentence; "" when it was not."""
    return str(next((error for errors in form.errors.values() for error in errors), ""))
