"""Signing out: asked first, done by POST, and nothing left behind in the browser."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from chats.models import Person

LOGOUT = "/accounts/logout/"
ClientOf = Callable[[Person | None], Client]


def test_opening_the_page_asks_and_signs_nobody_out(owner: Person, client_of: ClientOf) -> None:
    client = client_of(owner)
    response = client.get(LOGOUT)
    assert "Sign out?" in response.content.decode()
    assert "Clear-Site-Data" not in response
    assert "_auth_user_id" in client.session


def test_it_ends_the_session_and_tells_the_browser_to_forget(
    owner: Person, client_of: ClientOf
) -> None:
    client = client_of(owner)
    key = client.session.session_key
    response = client.post(LOGOUT)
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert "_auth_user_id" not in client.session
    assert not client.session.exists(key or "")


def test_it_needs_the_forms_token(owner: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.post(LOGOUT).status_code == 403
    assert "_auth_user_id" in client.session


def test_the_admins_own_door_out_is_the_same(admin: Person, client_of: ClientOf) -> None:
    client = client_of(admin)
    response = client.post("/admin/logout/", follow=True)
    assert response.redirect_chain[0] == (LOGOUT, 307)
    assert "_auth_user_id" not in client.session


def test_nobody_is_led_to_sign_in(db: None) -> None:
    assert Client().get(LOGOUT)["Location"] == "/accounts/login/"
