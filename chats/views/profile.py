"""A person's own profile: the name that others see, the colours of their pages, their time zone.

Owns these fields of the person alone, whom nobody else changes here. The address and how they sign in
have pages of their own.
"""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_POST

from chats.forms.profile import THEMES, Kept, ProfileForm, zones
from chats.models import Person
from chats.views.access import Request, form_methods, signed_in
from chats.views.shell import shell


@form_methods
@signed_in
def profile(request: Request, person: Person) -> HttpResponse:
    form = ProfileForm(request.POST) if request.method == "POST" else None
    if form and not form.errors:
        Person.objects.filter(pk=person.pk).update(**asdict(form.kept))
        return HttpResponseRedirect(f"{resolve_url('profile')}?saved", status=303)
    context = {
        "kept": form.kept if form else Kept.of(person),
        "errors": form.errors if form else {},
        "is_saved": "saved" in request.GET,
        "themes": [(theme.value, theme.label) for theme in THEMES],
        "zones": zones(),
        **shell(request),
    }
    return render(request, "settings/profile.html", context, status=422 if form else 200)


@require_POST
@signed_in
def theme(request: Request, person: Person) -> HttpResponse:
    """The switch in the menu: one of the three words, and nothing to show for it."""
    chosen = request.POST.get("theme")
    if chosen not in THEMES:
        return HttpResponse("Choose system, light or dark.", status=422)
    Person.objects.filter(pk=person.pk).update(theme=chosen)
    return HttpResponse(status=204)
