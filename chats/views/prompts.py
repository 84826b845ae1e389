"""Saved prompts: the page on which people keep them, and the list that `/` opens in the composer.

Owns the list, the form of one and its removal. Relies on permissions for whose they are; a prompt is
only ever text in somebody's own field, and is sent by nobody but them.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_safe

from chats.forms.prompts import Kept, PromptForm
from chats.models import Person, Prompt
from chats.permissions import saved
from chats.views.access import Request, form_methods, signed_in
from chats.views.shell import shell

# More than these nobody finds anything among.
MOST = 200
FULL = f"You have {MOST} prompts, which is the most. Remove one first."


@require_safe
@signed_in
def prompts(request: Request, person: Person) -> HttpResponse:
    """The page; with htmx, the list for the composer."""
    found = list(saved.prompts(person)[: 2 * MOST])
    if request.htmx:
        return render(request, "chats/_prompts.html", {"prompts": found})
    mine = saved.changeable(person, found)
    context = {
        "prompts": [(each, each.pk in mine) for each in found],
        "done": request.GET.get("done", ""),
        **shell(request),
    }
    return render(request, "chats/prompts.html", context)


@form_methods
@signed_in
def prompt_new(request: Request, person: Person) -> HttpResponse:
    """Field `text` of the address is where the form begins."""
    if request.method != "POST":
        return _form(request, person, Kept(text=request.GET.get("text") or ""))
    form = PromptForm(request.POST, saved.teams(person))
    if form.errors:
        return _form(request, person, form.kept, form)
    if Prompt.objects.filter(person=person).count() >= MOST:
        return _form(request, person, form.kept, refusal=FULL)
    Prompt.objects.create(person=person, team=form.team, name=form.kept.name, text=form.kept.text)
    return _list("added")


@form_methods
@signed_in
def prompt_edit(request: Request, person: Person, id: UUID) -> HttpResponse:
    found = saved.prompt(person, id)
    if request.method != "POST":
        return _form(request, person, Kept.of(found), prompt=found)
    teams = saved.teams(person)
    form = PromptForm(request.POST, teams)
    if form.errors:
        return _form(request, person, form.kept, form, prompt=found)
    if form.team is None and found.person_id != person.pk:
        # What was a team's and becomes somebody's own is whose who made it so.
        found.person = person
    found.team, found.name, found.text = form.team, form.kept.name, form.kept.text
    found.save()
    return _list("changed")


@form_methods
@signed_in
def prompt_remove(request: Request, person: Person, id: UUID) -> HttpResponse:
    found = saved.prompt(person, id)
    if request.method != "POST":
        context = {"prompt": found, **shell(request)}
        return render(request, "chats/prompt_remove.html", context)
    found.delete()
    return _list("removed")


def _list(done: str) -> HttpResponse:
    return HttpResponseRedirect(f"{resolve_url('prompts')}?done={done}", status=303)


def _form(
    request: Request,
    person: Person,
    kept: Kept,
    form: PromptForm | None = None,
    *,
    prompt: Prompt | None = None,
    refusal: str = "",
) -> HttpResponse:
    context = {
        "kept": kept,
        "errors": form.errors if form else {},
        "prompt": prompt,
        "refusal": refusal,
        "teams": saved.teams(person),
        **shell(request),
    }
    status = 422 if refusal or (form and form.errors) else 200
    return render(request, "chats/prompt.html", context, status=status)
