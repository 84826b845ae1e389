"""The forms of the first visit: the token that the server printed, and who the first person is.

Owns their fields and what they must hold.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import (
    password_validators_help_text_html,
    validate_password,
)
from django.core.exceptions import ValidationError

from chats.models import Person


class TokenForm(forms.Form):
    token = forms.CharField(
        max_length=200, widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"})
    )


class SetupForm(forms.Form):
    email = forms.EmailField(max_length=254, widget=forms.EmailInput({"autocomplete": "username"}))
    name = forms.CharField(max_length=100, widget=forms.TextInput({"autocomplete": "name"}))
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html(),
    )
    repeated = forms.CharField(
        strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if Person.objects.filter(email=email).exists():
            raise ValidationError("There is already an account with this address.")
        return email

    def clean(self) -> dict[str, Any]:
        data = dict(super().clean() or self.cleaned_data)
        password = data.get("password")
        if not password:
            return data
        if data.get("repeated") and data["repeated"] != password:
            self.add_error("repeated", "The two passwords are not the same.")
        try:
            validate_password(
                password, Person(email=data.get("email", ""), name=data.get("name", ""))
            )
        except ValidationError as error:
            self.add_error("password", error)
        return data
