"""The form of another e-mail address. Owns its field; whether the address has an account is not said here."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from chats.models import Person


class EmailForm(forms.Form):
    email = forms.EmailField(max_length=254, widget=forms.EmailInput({"autocomplete": "email"}))

    def __init__(self, person: Person, data: object = None) -> None:
        self.person = person
        super().__init__(data)  # type: ignore[arg-type]

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if email == self.person.email:
            raise ValidationError("This is your address already.")
        return email
