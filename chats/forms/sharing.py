"""What people fill in to share a chat: who is invited to it, and when its link ends.

Owns the limits and sentences of these forms. Whether an address has an account is not asked here, and
never said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from django import forms
from django.utils import timezone

from chats.models import GuestRole

NO_EMAIL = "Enter the address of whoever you invite."
BAD_EMAIL = "This is not an e-mail address."
NO_ROLE = "Choose what they may do."
NO_END = "Choose when the link ends."
NO_DATE = "Enter the last day on which the link works."
PAST = "That day is over. Choose today or a later one."
FAR = "Choose a day within the next five years, or no end."
LONGEST = timedelta(days=5 * 365)
NEVER, DATE, KEPT = "never", "date", "kept"
DAYS = {"1": "1 day", "7": "7 days", "30": "30 days"}


class RoleForm(forms.Form):
    """Field `role`: what a guest may do."""

    role = forms.ChoiceField(
        choices=GuestRole.choices,
        error_messages={"required": NO_ROLE, "invalid_choice": NO_ROLE},
    )


class GuestForm(RoleForm):
    """Field `email` beside it; the address is in small letters."""

    email = forms.EmailField(
        max_length=254,
        error_messages={"required": NO_EMAIL, "invalid": BAD_EMAIL, "max_length": BAD_EMAIL},
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class EndForm(forms.Form):
    """`ends`: never, after some days, with the day `until`, or as it is; `moment` is what was chosen. Days
    are those of `zone`."""

    ends = forms.ChoiceField(
        choices=[(NEVER, ""), *DAYS.items(), (DATE, ""), (KEPT, "")],
        error_messages={"required": NO_END, "invalid_choice": NO_END},
    )
    until = forms.DateField(required=False, error_messages={"invalid": NO_DATE})

    def __init__(
        self, data: Mapping[str, Any] | None, *, present: datetime | None, zone: tzinfo
    ) -> None:
        super().__init__(data, initial={"ends": KEPT if present else NEVER})
        self.present, self.zone = present, zone

    def clean(self) -> dict[str, Any]:
        data = dict(super().clean() or self.cleaned_data)
        if data.get("ends") == DATE and "until" not in self.errors:
            self._check(data.get("until"))
        elif data.get("ends") != DATE:
            self.errors.pop("until", None)
        return data

    def _check(self, day: Any) -> None:
        today = timezone.now().astimezone(self.zone).date()
        if day is None:
            self.add_error("until", NO_DATE)
        elif day < today:
            self.add_error("until", PAST)
        elif day > today + LONGEST:
            self.add_error("until", FAR)

    @property
    def moment(self) -> datetime | None:
        ends = self.cleaned_data["ends"]
        if ends in DAYS:
            return timezone.now() + timedelta(days=int(ends))
        if ends == DATE:
            day = self.cleaned_data["until"] + timedelta(days=1)
            return datetime.combine(day, time.min, self.zone)
        return self.present if ends == KEPT else None
