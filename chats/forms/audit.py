"""What somebody looks for in the audit log, and the reason for which a superuser opens a chat.

Owns the limits and sentences of these forms. Relies on models for the words of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q

from chats.forms.message import normalise

AREAS = {
    "sign-in": "Signing in",
    "account": "Accounts",
    "mfa": "Second factors",
    "team": "Teams",
    "invitation": "Invitations",
    "chat": "Chats",
    "tool": "Tools of the agent",
    "limit": "Limits and levers",
    "settings": "Settings and the log",
}
SHORTEST_REASON, LONGEST_REASON = 10, 500
NO_REASON = f"Say why, in {SHORTEST_REASON} characters or more: the owner of the chat can read it."
LONG_REASON = f"A reason has at most {LONGEST_REASON} characters."


class FilterForm(forms.Form):
    """Every field may be empty. `person` and `team` are parts of names; days are those of UTC."""

    area = forms.ChoiceField(
        choices=[*AREAS.items()],
        required=False,
        error_messages={"invalid_choice": "Choose one of these."},
    )
    person = forms.CharField(max_length=254, required=False)
    team = forms.CharField(max_length=100, required=False)
    chat = forms.UUIDField(required=False, error_messages={"invalid": "This is no id of a chat."})
    since = forms.DateField(required=False, error_messages={"invalid": "Write it as 2026-01-31."})
    until = forms.DateField(required=False, error_messages={"invalid": "Write it as 2026-01-31."})

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({name: data.get(name) or "" for name in self.base_fields})

    @property
    def given(self) -> dict[str, str]:
        """What was filled in, as it was typed."""
        return {name: str(value) for name, value in self.data.items() if value}

    @property
    def rows(self) -> Q:
        """The entries that are looked for; none where the form cannot be read."""
        if not self.is_valid():
            return Q(pk__in=[])
        found, asked = Q(), self.cleaned_data
        if asked["area"]:
            found &= Q(event__startswith=f"{asked['area']}.")
        if name := asked["person"]:
            found &= Q(actor_name__icontains=name) | Q(person_name__icontains=name)
        if asked["team"]:
            found &= Q(team_name__icontains=asked["team"])
        if asked["chat"]:
            found &= Q(chat=asked["chat"])
        if day := asked["since"]:
            found &= Q(at__gte=datetime.combine(day, time(), UTC))
        if (day := asked["until"]) and day.year < datetime.max.year:
            found &= Q(at__lt=datetime.combine(day, time(), UTC) + timedelta(days=1))
        return found


class ReasonForm(forms.Form):
    """Field `reason`: why somebody has to read what is not theirs."""

    reason = forms.CharField(
        min_length=SHORTEST_REASON,
        max_length=LONGEST_REASON,
        error_messages={
            "required": NO_REASON,
            "min_length": NO_REASON,
            "max_length": LONG_REASON,
        },
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({"reason": " ".join(normalise(data.get("reason") or "").split())})
