"""The message that a person typed, and the token of the form it came in.

Owns what counts as a message: line endings, characters that cannot be stored, length. What was typed
is kept in `kept`, valid or not, so that a refusal can give it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings

EMPTY = "Write something first."
EXPIRED = "This form was too old. Your text is still here: send it again."


def normalise(text: str) -> str:
    """`text` with `\\n` for every line ending, without NUL, lone surrogates and space at its ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.rstrip().lstrip("\n")


class MessageForm(forms.Form):
    """Fields `message` and `token`. Never raises over what it is given."""

    message = forms.CharField(strip=False, required=False)
    token = forms.UUIDField(error_messages={"required": EXPIRED, "invalid": EXPIRED})

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.kept = normalise(data.get("message") or "")
        super().__init__({"message": self.kept, "token": data.get("token") or ""})

    def clean_message(self) -> str:
        limit = settings.V0_MESSAGE_LIMIT
        if not self.kept.strip():
            raise forms.ValidationError(EMPTY)
        if len(self.kept) > limit:
            raise forms.ValidationError(
                f"This is {len(self.kept):,} characters long; {limit:,} is the most."
            )
        return self.kept

    @property
    def text(self) -> str:
        return str(self.cleaned_data["message"])

    @property
    def known_token(self) -> UUID | None:
        """The form's token, also when the rest of it was refused."""
        self.full_clean()
        token = self.cleaned_data.get("token")
        return token if isinstance(token, UUID) else None

    @property
    def given_token(self) -> UUID:
        token = self.cleaned_data["token"]
        assert isinstance(token, UUID)
        return token

    @property
    def sentence(self) -> str:
        """Why it was refused, in one sentence; "" when it was not."""
        return str(next((error for errors in self.errors.values() for error in errors), ""))
