"""The options beside the text somebody types: what they show, and what is remembered of them.

Owns their context on both composers and the fragment of MCP servers, which is fetched when somebody
opens the options: no page waits for v0 but the one that is asked for with `?options`, for a browser
without scripts. Relies on `forms.options` for what may be sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chats.forms.options import Filled, Options, OptionsForm
from chats.models import Chat, Composer, Message, Person, Team
from chats.relay import servers
from chats.relay.servers import Server
from chats.v0api.errors import V0Error
from chats.v0api.types import DEFAULT_MODEL, model_among
from chats.views.access import Request, signed_in

# Boxes beyond what can be sent are shown too, so that a refusal gives back what was chosen.
MOST_BOXES = 50


def options_of(
    request: HttpRequest, person: Person, chat: Chat | None, team: Team | None = None
) -> OptionsForm:
    """What the form of a request says, for a chat or for a new one in a team; one that v0 has never
    accepted is not a new one here."""
    return OptionsForm(request.POST, Options.start(person, chat, team), is_new=chat is None)


def options_again(user: object, chat: Chat, sent: Message) -> OptionsForm | None:
    """What an earlier message was sent with, as far as it can still be chosen."""
    if not isinstance(user, Person):
        return None
    start = Options.start(user, chat)
    return OptionsForm(QueryDict(), start.again(sent.sent_with), is_new=False)


def remember(person: Person, form: OptionsForm) -> None:
    """The next message of this person begins with what the last one was sent with."""
    found = form.options.remembered(person)
    if form.given and found != person.composer:
        Composer.objects.update_or_create(person=person, defaults={"options": found})


def options_shown(
    request: HttpRequest,
    chat: Chat | None,
    form: OptionsForm | None = None,
    team: Team | None = None,
) -> dict[str, Any]:
    """The context of `chats/_options.html`, for a chat or for a new one in a team; nothing for a
    visitor, who has no composer either."""
    person = request.user
    if not isinstance(person, Person):
        return {}
    start = Options.start(person, chat, team)
    filled = form.filled if form else Filled.of(start)
    is_asked = "options" in request.GET
    return {
        "options": filled,
        "options_open": is_asked or bool(form and form.sentence),
        "models": start.allowed,
        "model": selected_model(filled.model, start.allowed),
        "skills": list(dict.fromkeys((*filled.skills, *person.composer.get("known_skills", ()))))[
            :MOST_BOXES
        ],
        **_servers(filled.servers, ask=is_asked),
    }


@require_safe
@signed_in
def mcp_servers(request: Request, person: Person) -> HttpResponse:
    chosen = request.GET.getlist("server")[:MOST_BOXES]
    return render(request, "chats/_options_servers.html", _servers(chosen, ask=True))


def selected_model(chosen: str, allowed: tuple[str, ...]) -> str:
    """What is selected: the chosen one, else what v0 takes by itself, else the first there is."""
    return model_among(allowed, chosen) or DEFAULT_MODEL


def _servers(chosen: Iterable[str], *, ask: bool) -> dict[str, Any]:
    """Every server that can be chosen. Until v0 is asked it is those that were, by what is known."""
    ids = list(dict.fromkeys(chosen))
    try:
        known = servers.names() if ask else servers.known()
    except (V0Error, TimeoutError):
        known = None
    missing = [id for id in ids if id not in {each.id for each in known or ()}]
    # A server that was removed cannot be chosen again; one that is not known stays as it was.
    kept = [] if known is not None and ask else [Server(id, id, enabled=True) for id in missing]
    return {
        "servers": [(each, each.id in ids) for each in (*(known or ()), *kept)],
        "servers_known": known is not None,
        "servers_asked": ask,
    }
