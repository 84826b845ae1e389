"""The MCP servers that the agent may use: for administrators, since they are the whole installation's.

Owns the list, the form of one, its switch and its removal, and the sentences when v0 does not agree.
Relies on `relay.servers`, which waits for v0. What authenticates comes in by the form and goes to v0:
it is never shown again, kept here or logged, and sent only when it was given anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from chats import permissions
from chats.forms.mcp import BEARER, HEADERS, KEEP, NONE, Described, Secrets, ServerForm
from chats.models import Composer, Event, Person
from chats.relay import servers
from chats.v0api import errors, limits
from chats.v0api.client import Client
from chats.v0api.mcp_servers import Auth, BearerAuth, HeaderAuth, McpServer, NoAuth, OAuth
from chats.views.access import Request, form_methods, note, signed_in
from chats.views.shell import shell

ID = re.compile(r"[\w-]{1,128}", re.ASCII)
MANY = f"There are {limits.MCP_SERVERS} servers, which is the most that v0 takes. Remove one first."
AWAY = "v0 did not give its list of MCP servers."
NOT_SENT = "v0 cannot be reached. Nothing was changed; what you typed is still here."
IN_DOUBT = "v0 did not say whether it has done this. Look at the list before you do it again."
GONE = "v0 does not have this server any more."
Work = Callable[[Client], Coroutine[Any, Any, object]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why v0 has not done it."""

    sentence: str
    status: int


@require_safe
@signed_in
def mcp(request: Request, person: Person) -> HttpResponse:
    permissions.administrator(request)
    try:
        found = servers.every()
    except (errors.V0Error, TimeoutError):
        return _page(request, "chats/mcp.html", refusal=AWAY, servers=None)
    context: dict[str, Any] = {
        "servers": [(server, *_auth_words(server)) for server in found],
        "is_full": len(found) >= limits.MCP_SERVERS,
        "many": MANY,
        "done": request.GET.get("done", ""),
    }
    return _page(request, "chats/mcp.html", **context)


@sensitive_post_parameters("token", "headers")
@form_methods
@signed_in
def mcp_new(request: Request, person: Person) -> HttpResponse:
    permissions.administrator(request)
    if request.method != "POST":
        return _form(request, Described())
    form = ServerForm(request.POST)
    given = form.described
    if form.errors:
        return _form(request, given, form, status=422)
    auth = _auth(form.secrets or Secrets())

    async def create(client: Client) -> None:
        if len(await client.list_mcp_servers()) >= limits.MCP_SERVERS:
            raise errors.Conflict(MANY)
        await client.create_mcp_server(
            name=given.name,
            url=given.url,
            description=given.description,
            auth=auth,
            scope=given.scope,
        )

    return _changed(request, create, "added", given, form)


@sensitive_post_parameters("token", "headers")
@form_methods
@signed_in
def mcp_edit(request: Request, person: Person, id: str) -> HttpResponse:
    permissions.administrator(request)
    try:
        server = _server(id)
    except (errors.V0Error, TimeoutError):
        return _page(request, "chats/mcp.html", refusal=AWAY, servers=None)
    before = _described(server)
    if request.method != "POST":
        return _form(request, before, server=server)
    form = ServerForm(request.POST, before)
    given = form.described
    if form.errors:
        return _form(request, given, form, server=server, status=422)
    changes: dict[str, Any] = {
        name: getattr(given, name)
        for name in ("name", "url", "description", "scope")
        if getattr(given, name) != getattr(before, name)
    }
    if form.secrets is not None:
        changes["auth"] = _auth(form.secrets)
    if not changes:
        return _back("")

    def update(client: Client) -> Coroutine[Any, Any, object]:
        return client.update_mcp_server(id, **changes)

    return _changed(request, update, "changed", given, form, server, tuple(changes))


@require_POST
@signed_in
def mcp_enable(request: Request, person: Person, id: str) -> HttpResponse:
    """Field `enabled`: "yes" or "no"."""
    permissions.administrator(request)
    _known_id(id)
    wanted = request.POST.get("enabled")
    if wanted not in ("yes", "no"):
        return HttpResponse("Say whether it is to be enabled: yes or no.", status=422)

    def update(client: Client) -> Coroutine[Any, Any, object]:
        return client.update_mcp_server(id, enabled=wanted == "yes")

    return _listed(request, update, "enabled" if wanted == "yes" else "disabled", id)


@form_methods
@signed_in
def mcp_remove(request: Request, person: Person, id: str) -> HttpResponse:
    permissions.administrator(request)
    if request.method != "POST":
        try:
            return _page(request, "chats/mcp_remove.html", server=_server(id))
        except (errors.V0Error, TimeoutError):
            return _page(request, "chats/mcp.html", refusal=AWAY, servers=None)
    _known_id(id)

    def delete(client: Client) -> Coroutine[Any, Any, object]:
        return client.delete_mcp_server(id)

    answer = _listed(request, delete, "removed", id)
    if answer.status_code == 303:
        _forget(id)
    return answer


def _forget(id: str) -> None:
    """Nobody's next message names a server that is gone: v0 would refuse it."""
    for kept in Composer.objects.all():
        chosen = kept.options.get("mcp") or ()
        if id in chosen:
            left = {**kept.options, "mcp": [each for each in chosen if each != id]}
            Composer.objects.filter(pk=kept.pk, options=kept.options).update(options=left)


def _listed(request: HttpRequest, work: Work, done: str, id: str) -> HttpResponse:
    name = _name_of(id)
    refusal = _try(work)
    if refusal is None:
        note(request, Event.SETTINGS_CHANGED, what="MCP server", done=done, name=name)
        return _back(done)
    return _page(
        request, "chats/mcp.html", refusal=refusal.sentence, servers=None, status=refusal.status
    )


def _name_of(id: str) -> str:
    """For the audit log: of a server that is removed nobody can tell it any more."""
    try:
        return servers.name_of(id, servers.names())
    except (errors.V0Error, TimeoutError):
        return id


def _changed(
    request: HttpRequest,
    work: Work,
    done: str,
    given: Described,
    form: ServerForm,
    server: McpServer | None = None,
    changed: tuple[str, ...] = (),
) -> HttpResponse:
    secrets = form.secrets.words() if form.secrets else ()
    refusal = _try(work, *secrets)
    if refusal is None:
        of = {"done": done, "name": given.name, "fields": list(changed)}
        note(request, Event.SETTINGS_CHANGED, what="MCP server", **of)
        return _back(done)
    return _form(
        request, given, form, server=server, refusal=refusal.sentence, status=refusal.status
    )


def _try(work: Work, *secrets: str) -> Refusal | None:
    """Why it was not done, None when it was. v0's own words lose the secrets that it was just given."""
    try:
        servers.change(work)
    except errors.NotSent:
        return Refusal(NOT_SENT, 503)
    except errors.NotFound:
        return Refusal(GONE, 409)
    except errors.Conflict as error:
        return Refusal(_said(error, secrets), 409)
    except errors.RateLimited:
        return Refusal("v0 asks to slow down. Try again in a moment.", 503)
    except (errors.V0Error, TimeoutError) as error:
        if isinstance(error, TimeoutError) or error.in_doubt:
            return Refusal(IN_DOUBT, 503)
        return Refusal(f"v0 refused this. It says: {_said(error, secrets)}", 422)
    return None


def _said(error: errors.V0Error, secrets: tuple[str, ...]) -> str:
    # Words that were cut short may end in half a secret, which is not recognised.
    if secrets and error.message.endswith("…"):
        return "nothing that can be shown here."
    return errors.redacted(error.message, *secrets)


def _back(done: str) -> HttpResponse:
    place = resolve_url("mcp")
    return HttpResponseRedirect(f"{place}?done={done}" if done else place, status=303)


def _form(
    request: HttpRequest,
    given: Described,
    form: ServerForm | None = None,
    *,
    server: McpServer | None = None,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    auth = server.auth if server else None
    context = {
        "given": given,
        "errors": form.errors if form else {},
        "server": server,
        "stands": _described(server).auth if server else "",
        "header_names": ", ".join(auth.headers) if isinstance(auth, HeaderAuth) else "",
        "auth_words": _auth_words(server)[0] if server else "",
        "again": bool(form and form.had_secrets),
        "refusal": refusal,
    }
    return _page(request, "chats/mcp_server.html", status=status, **context)


def _page(
    request: HttpRequest, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    response = render(request, template, {**context, **shell(request)}, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _server(id: str) -> McpServer:
    """Http404 where v0 has none."""
    _known_id(id)
    found = next((server for server in servers.every() if server.id == id), None)
    if found is None:
        raise Http404
    return found


def _known_id(id: str) -> None:
    if not ID.fullmatch(id):
        raise Http404


def _described(server: McpServer) -> Described:
    match server.auth:
        case NoAuth():
            auth = NONE
        case BearerAuth():
            auth = BEARER
        case HeaderAuth():
            auth = HEADERS
        case _:
            auth = KEEP
    return Described(
        name=server.name,
        url=server.url,
        description=server.description,
        scope=server.scope,
        auth=auth,
    )


def _auth_words(server: McpServer) -> tuple[str, str]:
    """How it authenticates, in words, and whether something about that is amiss ("warn")."""
    match server.auth:
        case NoAuth():
            return "No authentication", ""
        case BearerAuth():
            return "Bearer token", ""
        case HeaderAuth(headers):
            return f"Headers: {', '.join(headers)}", ""
        case OAuth(connected=True):
            return "OAuth, connected", ""
        case OAuth():
            return "OAuth, not connected yet", "warn"
        case other:
            return f"Set up at v0 ({other.type or 'unknown'})", ""


def _auth(secrets: Secrets) -> Auth:
    if secrets.token:
        return BearerAuth(secrets.token)
    return HeaderAuth(secrets.headers) if secrets.headers else NoAuth()
