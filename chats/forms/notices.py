"""Who wants to be told, and whether a chat is muted or followed: boxes that are marked or not."""

from __future__ import annotations

from django import forms


class NoticesForm(forms.Form):
    in_browser = forms.BooleanField(required=False)
    by_mail = forms.BooleanField(required=False)

    @property
    def wishes(self) -> dict[str, bool]:
        """The person's fields. No box is required, so that nothing can be wrong with it."""
        self.full_clean()
        return {f"notices_{name}": bool(self.cleaned_data.get(name)) for name in self.fields}


class MuteForm(forms.Form):
    muted = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])


class FollowForm(forms.Form):
    followed = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
