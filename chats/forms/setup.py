"""The forms of the first visit: the token that the server printed, and who the first person is.

Owns their fields and what they must hold.
"""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

from chats.forms.sign_up import NewPersonForm
from chats.models import Person


class TokenForm(forms.Form):
    token = forms.CharField(
        max_length=200, widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"})
    )


class SetupForm(NewPersonForm):
    """As for whoever signs up, and with the address: the token in the link proves the rest."""

    field_order = ("email", "name", "password", "repeated")

    email = forms.EmailField(max_length=254, widget=forms.EmailInput({"autocomplete": "username"}))

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if Person.objects.filter(email=email).exists():
            raise ValidationError("There is already an account with this address.")
        self.proven = email
        return email
