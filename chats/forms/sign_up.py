"""The forms of signing up: the address, and behind the link in the mail the rest.

Own their fields and what they must hold; whether an address may sign up is said by whoever makes them.
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


class AddressForm(forms.Form):
    email = forms.EmailField(max_length=254, widget=forms.EmailInput({"autocomplete": "email"}))


class NewPersonForm(forms.Form):
    """`email` is the address that is proven: no password may be too like it."""

    name = forms.CharField(max_length=100, widget=forms.TextInput({"autocomplete": "name"}))
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html(),
    )
    repeated = forms.CharField(
        strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, email: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.proven = email

    def clean(self) -> dict[str, Any]:
        data = dict(super().clean() or self.cleaned_data)
        password = data.get("password")
        if not password:
            return data
        if data.get("repeated") and data["repeated"] != password:
            self.add_error("repeated", "The two passwords are not the same.")
        try:
            validate_password(password, Person(email=self.proven, name=data.get("name", "")))
        except ValidationError as error:
            self.add_error("password", error)
        return data
