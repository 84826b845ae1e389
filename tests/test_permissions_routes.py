"""The table of rights at every address: a new route without a line here fails.

Rows of `tests.rights` are played over HTTP: `4` is a 404 that tells nothing, `3` a 403, `+` neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django.fixtures import Settings

from chats.consumers import Socket
from chats.models import Chat, Person
from chats.routing import websocket_urlpatterns
from tests.rights import LEVELS, PEOPLE, READING_ON, expected
from tests.scene import Scene

# Each route of one chat: its methods, each with the row of the table that it has to follow.
OF_A_CHAT = {
    "chat": {"GET": "READ"},
    "own": {"GET": "READ"},
    "notes": {"GET": "NOTE"},
    "notes_people": {"GET": "NOTE"},
    "notes_seen": {"POST": "NOTE"},
    "here": {"GET": "HERE"},
    "actions": {"GET": "SEND"},
    "send": {"POST": "SEND"},
    "queue": {"GET": "SEND"},
    "stop": {"POST": "SEND"},
    "again": {"POST": "SEND"},
    "fix": {"POST": "SEND"},
    "decide": {"POST": "SEND"},
    "connect": {"GET": "GRANT"},
    "project": {"POST": "GRANT"},
    "menu": {"GET": "READ"},
    "search": {"GET": "READ"},
    "export_markdown": {"POST": "READ"},
    "export_json": {"POST": "READ"},
    "mute": {"POST": "LIST"},
    "follow": {"POST": "LIST"},
    "seen": {"GET": "READ", "POST": "READ"},
    "rename": {"GET": "RENAME", "POST": "RENAME"},
    "share": {"GET": "SET_PRIVATE", "POST": "SET_PRIVATE"},
    "link_rotate": {"GET": "MANAGE", "POST": "MANAGE"},
    "link_end": {"GET": "MANAGE", "POST": "MANAGE"},
    "guests": {"POST": "MANAGE"},
    "view_as": {"GET": "MANAGE"},
    "unshare": {"GET": "MANAGE", "POST": "MANAGE"},
    "move": {"GET": "MANAGE", "POST": "MANAGE"},
    "chat_budget": {"GET": "SEE_COST", "POST": "MANAGE"},
    "chat_costs": {"GET": "SEE_COST"},
    "hand_over": {"GET": "MANAGE", "POST": "MANAGE"},
    "repeat_privacy": {"POST": "MANAGE"},
    "delete": {"GET": "MANAGE", "POST": "MANAGE"},
    "undelete": {"POST": "MANAGE"},
    "duplicate": {"GET": "DUPLICATE", "POST": "DUPLICATE"},
    "rewind": {"GET": "RESTORE", "POST": "RESTORE"},
    "copying": {"GET": "READ"},
    "copy_again": {"POST": "MANAGE"},
    "look_again": {"POST": "MANAGE"},
    "chat_audit": {"GET": "MANAGE"},
    "open_chat": {"GET": "OPEN", "POST": "OPEN"},
    "close_chat": {"POST": "READ"},
}
# Routes of one message, looked up within its chat.
OF_A_MESSAGE = {
    "message": {"GET": "READ"},
    "message_markdown": {"GET": "READ"},
    "message_notes": {"GET": "NOTE", "POST": "NOTE"},
}
# Routes of one note, which the chat's owner has written: its author alone edits it.
OF_A_NOTE = {
    "note_edit": {"GET": "GRANT", "POST": "GRANT"},
    "note_delete": {"GET": "GRANT", "POST": "GRANT"},
}
# Routes of one file of a message: who may read its chat may read it, nobody can take it back.
OF_A_FILE = {"attachment": {"GET": "READ"}, "remove_attachment": {"POST": ""}}
# Routes of one message that waits, which the chat's owner has written: its author alone edits it.
OF_A_QUEUED = {
    "queue_edit": {"GET": "GRANT", "POST": "GRANT"},
    "queue_move": {"POST": "QUEUE"},
    "queue_now": {"POST": "QUEUE"},
    "queue_remove": {"GET": "QUEUE", "POST": "QUEUE"},
}
# Routes of one invitation, looked up within its chat.
OF_A_GUEST = {
    "guest_role": {"POST": "MANAGE"},
    "guest_withdraw": {"GET": "MANAGE", "POST": "MANAGE"},
}
# What a visitor without an account gets at every other route: a status, and where it leads.
SIGN_IN = "/accounts/login/"
ELSEWHERE = {
    "home": ("GET", 302, SIGN_IN),
    "create": ("POST", 302, SIGN_IN),
    "import": ("GET", 302, SIGN_IN),
    "sidebar": ("GET", 302, SIGN_IN),
    "space": ("POST", 302, SIGN_IN),
    "seen_all": ("POST", 302, SIGN_IN),
    "place": ("GET", 302, SIGN_IN),
    "usual": ("GET", 302, SIGN_IN),
    "mcp_servers": ("GET", 302, SIGN_IN),
    "mcp": ("GET", 302, SIGN_IN),
    "mcp_new": ("GET", 302, SIGN_IN),
    "mcp_edit": ("GET", 302, SIGN_IN),
    "mcp_enable": ("POST", 302, SIGN_IN),
    "mcp_remove": ("GET", 302, SIGN_IN),
    "health": ("GET", 302, SIGN_IN),
    "manage": ("GET", 302, SIGN_IN),
    "manage_people": ("GET", 302, SIGN_IN),
    "manage_person": ("GET", 302, SIGN_IN),
    "manage_act": ("GET", 302, SIGN_IN),
    "manage_teams": ("GET", 302, SIGN_IN),
    "manage_chats": ("GET", 302, SIGN_IN),
    "manage_limits": ("GET", 302, SIGN_IN),
    "manage_limit_new": ("GET", 302, SIGN_IN),
    "manage_limit": ("GET", 302, SIGN_IN),
    "manage_limit_remove": ("GET", 302, SIGN_IN),
    "manage_limit_raise": ("GET", 302, SIGN_IN),
    "manage_raise_end": ("POST", 302, SIGN_IN),
    "manage_levers": ("GET", 302, SIGN_IN),
    "manage_close": ("GET", 302, SIGN_IN),
    "manage_open": ("POST", 302, SIGN_IN),
    "manage_invitations": ("GET", 302, SIGN_IN),
    "manage_invitation_revoke": ("GET", 302, SIGN_IN),
    "manage_sessions": ("GET", 302, SIGN_IN),
    "manage_session_end": ("GET", 302, SIGN_IN),
    "needs_you": ("GET", 302, SIGN_IN),
    "accept": ("GET", 302, SIGN_IN),
    "prompts": ("GET", 302, SIGN_IN),
    "prompt_new": ("GET", 302, SIGN_IN),
    "prompt_edit": ("GET", 302, SIGN_IN),
    "prompt_remove": ("GET", 302, SIGN_IN),
    "profile": ("GET", 302, SIGN_IN),
    "what_you_share": ("GET", 302, SIGN_IN),
    "usage": ("GET", 302, SIGN_IN),
    "usage_review": ("GET", 302, SIGN_IN),
    "usage_elsewhere": ("GET", 302, SIGN_IN),
    "usage_runs": ("GET", 302, SIGN_IN),
    "usage_run": ("GET", 302, SIGN_IN),
    "usage_review_csv": ("GET", 302, SIGN_IN),
    "usage_review_json": ("GET", 302, SIGN_IN),
    "usage_own_runs": ("GET", 302, SIGN_IN),
    "usage_own_run": ("GET", 302, SIGN_IN),
    "usage_csv": ("GET", 302, SIGN_IN),
    "usage_json": ("GET", 302, SIGN_IN),
    "theme": ("POST", 302, SIGN_IN),
    "data": ("GET", 302, SIGN_IN),
    "delete_account": ("GET", 302, SIGN_IN),
    "account_deleted": ("GET", 200, ""),
    "notices": ("GET", 302, SIGN_IN),
    "teams": ("GET", 302, SIGN_IN),
    "team_settings": ("GET", 302, SIGN_IN),
    "team_new": ("GET", 302, SIGN_IN),
    "team": ("GET", 302, SIGN_IN),
    "member_role": ("POST", 302, SIGN_IN),
    "member_remove": ("GET", 302, SIGN_IN),
    "team_leave": ("GET", 302, SIGN_IN),
    "team_hand_over": ("GET", 302, SIGN_IN),
    "team_left_behind": ("GET", 302, SIGN_IN),
    "team_delete": ("GET", 302, SIGN_IN),
    "team_invitations": ("GET", 302, SIGN_IN),
    "invitation_revoke": ("POST", 302, SIGN_IN),
    "invitation_resend": ("POST", 302, SIGN_IN),
    "invitations": ("GET", 302, SIGN_IN),
    "installation_revoke": ("POST", 302, SIGN_IN),
    "installation_resend": ("POST", 302, SIGN_IN),
    "invitation": ("GET", 404, ""),
    "security": ("GET", 302, SIGN_IN),
    "email_change": ("GET", 302, SIGN_IN),
    "email_prove": ("POST", 302, SIGN_IN),
    "email_cancel": ("POST", 302, SIGN_IN),
    "email_confirm": ("GET", 404, ""),
    "email_cancel_by_link": ("GET", 404, ""),
    "mfa_activate_totp": ("GET", 302, SIGN_IN),
    "mfa_deactivate_totp": ("GET", 302, SIGN_IN),
    "mfa_view_recovery_codes": ("GET", 302, SIGN_IN),
    "mfa_generate_recovery_codes": ("GET", 302, SIGN_IN),
    "download_recovery_codes": ("GET", 302, SIGN_IN),
    "mfa_add_webauthn": ("GET", 302, SIGN_IN),
    "passkey_add_challenge": ("POST", 302, SIGN_IN),
    "mfa_edit_webauthn": ("GET", 302, SIGN_IN),
    "mfa_remove_webauthn": ("GET", 302, SIGN_IN),
    "mfa_authenticate": ("GET", 302, SIGN_IN),
    "mfa_login_webauthn": ("POST", 303, SIGN_IN),
    "passkey_challenge": ("POST", 200, ""),
    "sessions": ("GET", 302, SIGN_IN),
    "session_end": ("POST", 302, SIGN_IN),
    "sessions_end_others": ("POST", 302, SIGN_IN),
    "account_reauthenticate": ("GET", 302, SIGN_IN),
    "adopt": ("GET", 302, SIGN_IN),
    "audit": ("GET", 302, SIGN_IN),
    "audit_csv": ("POST", 404, ""),
    "attachments": ("GET", 302, SIGN_IN),
    "shared": ("GET", 404, ""),
    "setup": ("GET", 404, ""),
    "first_visit": ("GET", 404, ""),
    "healthz": ("GET", 200, ""),
    "readyz": ("GET", 200, ""),
    # Without the setting there is none.
    "gallery": ("GET", 404, ""),
    "robots": ("GET", 200, ""),
    "favicon": ("GET", 302, "/static/favicon.svg"),
    "account_login": ("GET", 200, ""),
    "account_logout": ("GET", 302, SIGN_IN),
    "oidc_login": ("POST", 404, ""),
    "oidc_callback": ("GET", 404, ""),
    "account_inactive": ("GET", 200, ""),
    "account_signup": ("GET", 200, ""),
    "sign_up_sent": ("GET", 200, ""),
    "sign_up_link": ("GET", 404, ""),
    "account_change_password": ("GET", 302, SIGN_IN),
    "account_set_password": ("GET", 302, SIGN_IN),
    "account_reset_password": ("GET", 200, ""),
    "account_reset_password_done": ("GET", 200, ""),
    "account_reset_password_from_key": ("GET", 200, ""),
    "account_reset_password_from_key_done": ("GET", 200, ""),
}
ARGUMENTS: dict[str, dict[str, object]] = {
    "mcp_edit": {"id": "mcp_1"},
    "manage_person": {"id": 1},
    "manage_act": {"id": 1, "name": "deactivate"},
    **{name: {"id": 1} for name in ("manage_limit", "manage_limit_remove", "manage_limit_raise")},
    "manage_raise_end": {"id": 1, "override": 1},
    "manage_invitation_revoke": {"id": 1},
    "manage_session_end": {"id": 1},
    "accept": {"id": UUID(int=1)},
    "usage_run": {"message": UUID(int=1)},
    "usage_own_run": {"message": UUID(int=1)},
    "prompt_edit": {"id": UUID(int=1)},
    "prompt_remove": {"id": UUID(int=1)},
    "mcp_enable": {"id": "mcp_1"},
    "mcp_remove": {"id": "mcp_1"},
    **{
        name: {"id": 1}
        for name in (
            *(
                "team",
                "team_leave",
                "team_hand_over",
                "team_left_behind",
                "team_delete",
                "team_settings",
            ),
            "team_invitations",
        )
    },
    **{name: {"id": 1, "member": 1} for name in ("member_role", "member_remove")},
    **{name: {"id": 1, "invitation": 1} for name in ("invitation_revoke", "invitation_resend")},
    **{name: {"invitation": 1} for name in ("installation_revoke", "installation_resend")},
    "invitation": {"token": "unknown"},
    "email_confirm": {"token": "unknown"},
    "email_cancel_by_link": {"token": "unknown"},
    "mfa_edit_webauthn": {"pk": 1},
    "mfa_remove_webauthn": {"pk": 1},
    "session_end": {"id": 1},
    "shared": {"slug": "unknown"},
    "setup": {"token": "unknown"},
    "sign_up_link": {"token": "unknown"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "unknown-key"},
}
OF_CHATS = OF_A_CHAT | OF_A_MESSAGE | OF_A_NOTE | OF_A_QUEUED | OF_A_GUEST
ROWS = [
    (name, method, action)
    for name, methods in OF_CHATS.items()
    for method, action in methods.items()
]
CALLS = [pytest.param(*row, id=f"{row[1]} {row[0]}") for row in ROWS]
# Those whose row is that of somebody else in every table: they walk through one route of each row.
TWINS = {"stranger with old link", "owner who left", "deactivated mate", "anonymous with link"}


def cells(name: str, method: str) -> dict[str, tuple[str, ...]]:
    """Who walks through a route, and at which levels. Through the first route of each row go all at each.
    Through the others everybody goes at each level at which they see something, and at one of those at which
    they see nothing, in turn: together they try every level of every route."""
    firsts = {action: (name, method) for name, method, action in reversed(ROWS)}
    if firsts[OF_CHATS[name][method]] == (name, method):
        return dict.fromkeys(PEOPLE, LEVELS)
    turn, walked = list(OF_CHATS).index(name), {}
    for number, who in enumerate(who for who in PEOPLE if who not in TWINS):
        closed = [level for level in LEVELS if expected("READ")[who][level] == "4"]
        one = closed[(turn + number) % len(closed)] if closed else ""
        walked[who] = tuple(level for level in LEVELS if level not in closed or level == one)
    return walked


def routes(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        elif pattern.namespace != "admin":
            yield from routes(pattern.url_patterns)


def body(response: HttpResponseBase, *masked: object) -> str:
    text = getattr(response, "content", b"").decode()
    for word in masked:
        text = text.replace(str(word), "MASKED")
    return re.sub(r'(csrfmiddlewaretoken" value=|X-CSRFToken&quot;: &quot;)"?\w+', "TOKEN", text)


def test_every_route_has_a_line_in_these_tables() -> None:
    """The admin's own routes are walked in tests/test_admin.py."""
    found = list(routes(get_resolver().url_patterns))
    of_chats = OF_CHATS.keys() | OF_A_FILE.keys()
    assert {route.name for route in found} == of_chats | ELSEWHERE.keys()
    with_an_id = {route.name for route in found if "uuid" in str(route.pattern)}
    of_rows = {"accept", "prompt_edit", "prompt_remove", "usage_run", "usage_own_run"}
    assert with_an_id - of_rows == of_chats


def test_every_socket_is_admitted_by_the_same_class() -> None:
    consumers = [vars(route.callback)["consumer_class"] for route in websocket_urlpatterns]
    assert len(consumers) == len(websocket_urlpatterns) == 3
    for consumer in consumers:
        assert issubclass(consumer, Socket)
        assert consumer.connect is Socket.connect
        assert consumer.receive is Socket.receive
        assert consumer.admit is not Socket.admit


@pytest.mark.parametrize(("name", "method", "action"), CALLS)
def test_every_cell_holds_over_http(
    scene: Scene, settings: Settings, name: str, method: str, action: str
) -> None:
    """As htmx asks, which gets what a page would have inside of its frame, in a fifth of the time."""
    got: dict[str, dict[str, str]] = {}
    walked = cells(name, method)
    for who, levels in walked.items():
        settings.V0_ANONYMOUS_READING = who in READING_ON
        client = scene.client(who, hx_request="true")
        got[who] = {}
        for level in levels:
            status = scene.call(client, name, method, scene.people.chat(who, level)).status_code
            assert status < 500
            got[who][level] = {404: "4", 403: "3"}.get(status, "+")
    due = expected(action)
    assert got == {who: {level: due[who][level] for level in of} for who, of in walked.items()}


@pytest.mark.parametrize(("name", "method", "action"), CALLS)
def test_a_hidden_chat_looks_like_one_that_does_not_exist(
    scene: Scene, name: str, method: str, action: str
) -> None:
    """Status, headers, body and number of queries."""
    hidden, unknown = scene.people.chats["private of owner"], Chat(pk=uuid4())
    scene.answers[unknown.pk] = scene.answers[hidden.pk]
    scene.queued[unknown.pk] = scene.queued[hidden.pk]
    scene.notes[unknown.pk] = scene.notes[hidden.pk]
    scene.guests[unknown.pk] = scene.guests[hidden.pk]
    for who in ("mate", "anonymous"):
        client, answers = scene.client(who), []
        for chat in (hidden, unknown):
            with CaptureQueriesContext(connection) as queries:
                response = scene.call(client, name, method, chat)
            shown = (response.status_code, dict(response.headers), body(response, chat.pk))
            answers.append((*shown, len(queries)))
        assert answers[0][0] == 404
        lengths = [answer[1].pop("Content-Length", None) for answer in answers]
        assert lengths[0] == lengths[1]
        assert answers[0] == answers[1], who


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_visitor_without_an_account_gets_no_further(owner: Person, name: str) -> None:
    method, status, place = ELSEWHERE[name]
    response = Client().generic(method, reverse(name, kwargs=ARGUMENTS.get(name)))
    assert response.status_code == status
    assert response.headers.get("Location", "").split("?")[0] == place
