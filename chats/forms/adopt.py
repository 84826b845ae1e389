"""Which of v0's chats are brought in, and whose they become. Owns its fields; the offers are signed
texts that the relay reads."""

from __future__ import annotations

from django import forms

from chats.models import Person


class AdoptForm(forms.Form):
    """Fields `owner` (an e-mail address) and `chat` (one signed offer or many)."""

    owner = forms.EmailField(
        max_length=254, error_messages={"required": "Say who becomes their owner."}
    )

    def clean_owner(self) -> Person:
        email = self.cleaned_data["owner"]
        found = Person.objects.filter(email__iexact=email, is_active=True).first()
        if found is None:
            raise forms.ValidationError("There is no active account with this address.")
        return found

    @property
    def person(self) -> Person:
        person = self.cleaned_data["owner"]
        assert isinstance(person, Person)
        return person

    @property
    def sentence(self) -> str:
        """Why it was refused, in one sentence; "" when it was not."""
        return str(next((error for errors in self.errors.values() for error in errors), ""))
