"""The table of rights at every address: a new route without a line here fails.

Rows of `tests.rights` are played over HTTP: `4` is a 404 that tells nothing, `3` a 403, `+` neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from chats.consumers import Socket
from chats.models import Attachment, Chat, Entry, Intent, Message, Person
from chats.routing import websocket_urlpatterns
from tests.people import SLUG
from tests.rights import LEVELS, PEOPLE, READING_ON, expected
from tests.scene import Scene, stage

# Each route of one chat: its methods, each with the row of the table that it has to follow.
OF_A_CHAT = {
    "chat": {"GET": "READ"},
    "own": {"GET": "READ"},
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
    "rename": {"GET": "RENAME", "POST": "RENAME"},
    "share": {"GET": "SET_PRIVATE", "POST": "SET_PRIVATE"},
    "move": {"GET": "MANAGE", "POST": "MANAGE"},
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
OF_A_MESSAGE = {"message": {"GET": "READ"}, "message_markdown": {"GET": "READ"}}
# Routes of one file of a message: who may read its chat may read it, nobody can take it back.
OF_A_FILE = {"attachment": {"GET": "READ"}, "remove_attachment": {"POST": ""}}
# Routes of one message that waits, which the chat's owner has written: its author alone edits it.
OF_A_QUEUED = {
    "queue_edit": {"GET": "GRANT", "POST": "GRANT"},
    "queue_move": {"POST": "QUEUE"},
    "queue_now": {"POST": "QUEUE"},
    "queue_remove": {"GET": "QUEUE", "POST": "QUEUE"},
}
# What a visitor without an account gets at every other route: a status, and where it leads.
SIGN_IN = "/accounts/login/"
ELSEWHERE = {
    "home": ("GET", 302, SIGN_IN),
    "create": ("POST", 302, SIGN_IN),
    "import": ("GET", 302, SIGN_IN),
    "sidebar": ("GET", 302, SIGN_IN),
    "space": ("POST", 302, SIGN_IN),
    "place": ("GET", 302, SIGN_IN),
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
    "manage_invitation_revoke": {"id": 1},
    "manage_session_end": {"id": 1},
    "accept": {"id": UUID(int=1)},
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
CALLS = [
    pytest.param(name, method, action, id=f"{method} {name}")
    for name, methods in (OF_A_CHAT | OF_A_MESSAGE | OF_A_QUEUED).items()
    for method, action in methods.items()
]


@pytest.fixture(scope="module")
def staged(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Scene]:
    """One scene for all tests of this file, each of which is rolled back to it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield stage()
        transaction.set_rollback(True)


@pytest.fixture
def scene(staged: Scene, db: None) -> Scene:
    return replace(staged, answers=dict(staged.answers), queued=dict(staged.queued))


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
    of_chats = OF_A_CHAT.keys() | OF_A_MESSAGE.keys() | OF_A_QUEUED.keys() | OF_A_FILE.keys()
    assert {route.name for route in found} == of_chats | ELSEWHERE.keys()
    with_an_id = {route.name for route in found if "uuid" in str(route.pattern)}
    assert with_an_id - {"accept", "prompt_edit", "prompt_remove"} == of_chats


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
    got: dict[str, dict[str, str]] = {}
    for who in PEOPLE:
        settings.V0_ANONYMOUS_READING = who in READING_ON
        client = scene.client(who)
        got[who] = {}
        for level in LEVELS:
            status = scene.call(client, name, method, scene.people.chat(who, level)).status_code
            assert status < 500
            got[who][level] = {404: "4", 403: "3"}.get(status, "+")
    assert got == {who: expected(action)[who] for who in PEOPLE}


@pytest.mark.parametrize(("name", "method", "action"), CALLS)
def test_a_hidden_chat_looks_like_one_that_does_not_exist(
    scene: Scene, name: str, method: str, action: str
) -> None:
    """Status, headers, body and number of queries."""
    hidden, unknown = scene.people.chats["private of owner"], Chat(pk=uuid4())
    scene.answers[unknown.pk] = scene.answers[hidden.pk]
    scene.queued[unknown.pk] = scene.queued[hidden.pk]
    for who in ("stranger", "mate", "anonymous"):
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


@pytest.mark.parametrize("id", ["{0}/x", "{1}", "prefix:{0}", "{0},{0}", " {0}", "{0}%00", "{2}"])
def test_odd_spellings_of_an_id_are_no_chat(scene: Scene, id: str) -> None:
    chat = scene.people.chats["private of owner"]
    odd = id.format(chat.pk, str(chat.pk).upper(), chat.pk.hex)
    client = scene.client("owner")
    for route in ("", "own/", "actions/"):
        assert client.get(f"/chats/{odd}/{route}").status_code == 404
    for route in ("messages/", "stop/", "again/", "decide/"):
        assert client.post(f"/chats/{odd}/{route}").status_code == 404


@pytest.mark.parametrize("name", ["stop", "again"])
def test_a_run_is_looked_up_within_its_own_chat(scene: Scene, name: str) -> None:
    client = scene.client("owner")
    mine = [scene.people.chats[f"{level} of owner"] for level in LEVELS]
    for chat in mine:
        for other in (other for other in mine if other != chat):
            fields = {"run": str(scene.answers[other.pk].pk), "token": str(uuid4())}
            assert client.post(reverse(name, args=[chat.pk]), fields).status_code == 404
    assert not Intent.objects.exists()


def test_every_form_needs_its_token(scene: Scene) -> None:
    client = Client(enforce_csrf_checks=True)
    owner, chat = scene.people.people["owner"], scene.people.chats["private of owner"]
    assert owner
    client.force_login(owner)
    fields = {"message": "Hello", "token": str(uuid4()), "run": str(scene.answers[chat.pk].pk)}
    of_chats = (OF_A_CHAT | OF_A_QUEUED).items()
    posts = [scene.place(name, chat) for name, of in of_chats if "POST" in of]
    for place in (*posts, reverse("create"), reverse("account_logout")):
        for more in ({}, {"Origin": "https://elsewhere.example"}, {"HX-Request": "true"}):
            response = client.post(place, fields, headers=more)
            assert response.status_code == 403, (place, more)
    assert not Intent.objects.exists()


def test_reading_writes_nothing(scene: Scene) -> None:
    client, chat = scene.client("owner"), scene.people.chats["private of owner"]
    of_chats = OF_A_CHAT | OF_A_MESSAGE | OF_A_QUEUED
    gets = [scene.place(name, chat) for name, of in of_chats.items() if "GET" in of]
    gets += [
        reverse(name) for name, of in ELSEWHERE.items() if of[0] == "GET" and name not in ARGUMENTS
    ]
    posts = [reverse(name, args=[chat.pk]) for name, of in OF_A_CHAT.items() if {*of} == {"POST"}]
    # The readiness probe writes, as that is what it probes.
    for place in [*gets, *posts, reverse("create")]:
        for method in ("GET", "HEAD", "OPTIONS"):
            with CaptureQueriesContext(connection) as queries:
                response = client.generic(method, place)
            written = [q["sql"] for q in queries if not q["sql"].startswith("SELECT")]
            assert written == [] or place == reverse("readyz"), (method, place)
            assert place not in posts or method == "OPTIONS" or response.status_code == 405


def test_a_link_is_opened_by_its_address_and_by_nothing_else(scene: Scene) -> None:
    chat = scene.people.chats["unlisted of owner"]
    client = scene.client("stranger")
    assert client.get(f"/chats/{chat.pk}/").status_code == 404
    response = client.get(f"/shared/{chat.link_slug}/")
    assert (response.status_code, response["Location"]) == (302, f"/chats/{chat.pk}/")
    assert client.get(f"/chats/{chat.pk}/").status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/shared/{chat.link_slug}/")
    assert all(query["sql"].startswith("SELECT") for query in queries), (
        "only the first visit writes"
    )
    Chat.objects.filter(pk=chat.pk).update(link_slug="rotated")
    assert client.get(f"/chats/{chat.pk}/").status_code == 404
    assert client.get(f"/shared/{chat.link_slug}/").status_code == 404
    assert SLUG in (chat.link_slug or "")


def test_form_fields_of_the_models_name_change_nothing(scene: Scene) -> None:
    client, mate = scene.client("owner"), scene.people.people["mate"]
    assert mate
    stolen = {
        field.name: str(mate.pk)
        for model in (Chat, Message, Intent, Person, Entry)
        for field in model._meta.get_fields()
        if field.concrete
    } | {"privacy": "public", "is_staff": "on", "is_superuser": "on", "owner_id": str(mate.pk)}
    client.post("/chats/", {**stolen, "message": "Hello", "token": str(uuid4())})
    intent = Intent.objects.select_related("chat", "person", "message").get()
    chat, owner = intent.chat, scene.people.people["owner"]
    assert (chat.owner, chat.privacy, chat.team, chat.v0_id) == (owner, "private", None, None)
    assert (intent.person, intent.message and intent.message.author) == (owner, owner)
    assert owner
    owner.refresh_from_db()
    assert (owner.is_staff, owner.is_superuser, owner.is_active) == (False, False, True)


@pytest.mark.parametrize("who", PEOPLE)
def test_no_page_tells_of_a_chat_that_is_not_in_the_list(
    scene: Scene, settings: Settings, who: str
) -> None:
    settings.V0_ANONYMOUS_READING = who in READING_ON
    titles = {}
    for chat in scene.people.chats.values():
        titles[chat.pk] = f"canary {chat.pk.hex}"
        Chat.objects.filter(pk=chat.pk).update(title=titles[chat.pk])
    client = scene.client(who)
    pages = [reverse("home"), reverse("sidebar"), f"{reverse('sidebar')}?shown=300"]
    found = "".join(
        body(client.get(page, headers=headers))
        for page in pages
        for headers in (
            {},
            {"HX-Request": "true"},
        )
    )
    for level in LEVELS:
        chat = scene.people.chat(who, level)
        assert (titles[chat.pk] in found) == (expected("LIST")[who][level] == "+"), level


def test_a_file_is_read_by_whoever_reads_its_chat(
    scene: Scene, settings: Settings, tmp_path: Path
) -> None:
    kept = {"BACKEND": settings.STORAGES["default"]["BACKEND"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": kept}
    (tmp_path / "kept").write_bytes(b"text")
    files = {}
    for chat in scene.people.chats.values():
        message = chat.messages.get(role="user")
        files[chat.pk] = Attachment.objects.create(message=message, name="a.txt", file="kept")
    got: dict[str, dict[str, str]] = {}
    for who in PEOPLE:
        settings.V0_ANONYMOUS_READING = who in READING_ON
        client, got[who] = scene.client(who), {}
        for level in LEVELS:
            file = files[scene.people.chat(who, level).pk]
            status = client.get(f"/attachments/{file.pk}/").status_code
            got[who][level] = {404: "4", 403: "3"}.get(status, "+")
            assert client.post(f"/attachments/{file.pk}/remove/").status_code == 404
    assert got == {who: expected("READ")[who] for who in PEOPLE}
