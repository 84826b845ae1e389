"""The admin: what staff see there, what they cannot change, and the text that nobody finds."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import models
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from chats import demo
from chats.models import Chat, Entry, Intent, Membership, Message, Note, Person, Team

ClientOf = Callable[[Person | None], Client]
CANARY = "canary-7f3a"
MODELS = ("person", "team", "membership", "chat", "entry")


@pytest.fixture
def chat(owner: Person, team: Team) -> Chat:
    """A chat with a canary wherever somebody's words, or what opens them, can stand."""
    chat = Chat.objects.create(owner=owner, team=team, title=CANARY, link_slug=f"slug-{CANARY}")
    message = Message.objects.create(
        chat=chat, position=1, role="user", state="finished", text=CANARY, detail=CANARY
    )
    answer = Message.objects.create(
        chat=chat, position=2, role="assistant", state="finished", content=CANARY, parts=[CANARY]
    )
    Intent.objects.create(
        token=uuid4(),
        person=owner,
        chat=chat,
        payload={"message": CANARY},
        message=message,
        answer=answer,
    )
    Entry.objects.create(
        message_id=answer.pk, person=owner, team=team, chat=chat, credits_total=42_100_000_000
    )
    return chat


@pytest.fixture
def superuser(admin: Person) -> Person:
    admin.is_superuser = True
    admin.save()
    return admin


def pages(of: type[models.Model]) -> list[str]:
    name = of._meta.model_name
    listed = reverse(f"admin:{of._meta.app_label}_{name}_changelist")
    each = [
        reverse(f"admin:{of._meta.app_label}_{name}_{page}", args=[row.pk])
        for row in of._default_manager.all()
        for page in ("change", "history", "delete")
    ]
    return [listed, reverse(f"admin:{of._meta.app_label}_{name}_add"), *each]


def every_page() -> list[str]:
    found = [reverse("admin:index"), reverse("admin:app_list", args=["chats"])]
    for registered in admin.site._registry:
        found += pages(registered)
    return found


def body(response: HttpResponseBase) -> str:
    return getattr(response, "content", b"").decode()


def test_no_model_that_holds_text_is_registered() -> None:
    holding = {
        f"{model.__name__}.{column.name}"
        for model in admin.site._registry
        for column in model._meta.get_fields()
        if isinstance(column, models.TextField | models.JSONField | models.FileField)
    }
    assert holding == set()
    assert {Message, Intent, Note} & set(admin.site._registry) == set()
    assert set(MODELS) == {model._meta.model_name for model in admin.site._registry}


@pytest.mark.parametrize("rank", ["staff", "superuser"])
def test_nobodys_words_stand_on_any_page(
    chat: Chat, admin: Person, client_of: ClientOf, rank: str
) -> None:
    Person.objects.filter(pk=admin.pk).update(is_superuser=rank == "superuser")
    client = client_of(admin)
    seen = 0
    for page in every_page():
        response = client.get(page)
        assert CANARY not in body(response), page
        seen += response.status_code == 200
    assert seen >= 2 + 2 * len(MODELS)


def test_searching_finds_no_chat_by_its_words(
    chat: Chat, admin: Person, client_of: ClientOf
) -> None:
    found = body(client_of(admin).get("/admin/chats/chat/", {"q": CANARY}))
    assert str(chat.pk) not in found
    assert str(chat.pk) in body(client_of(admin).get("/admin/chats/chat/", {"q": str(chat.pk)}))


@pytest.mark.parametrize("name", MODELS)
def test_staff_see_each_kind_and_change_none(
    chat: Chat, admin: Person, client_of: ClientOf, name: str
) -> None:
    client = client_of(admin)
    model = next(m for m in (Person, Team, Membership, Chat, Entry) if m._meta.model_name == name)
    row = model._default_manager.all()[0]
    before = list(model._default_manager.values())
    assert client.get(f"/admin/chats/{name}/").status_code == 200
    assert client.get(f"/admin/chats/{name}/{row.pk}/change/").status_code == 200
    fields = {"email": "x@example.com", "name": "x", "role": "owner", "is_superuser": "on"}
    assert client.post(f"/admin/chats/{name}/{row.pk}/change/", fields).status_code == 403
    assert client.post(f"/admin/chats/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/chats/{name}/add/", fields).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"}
    client.post(f"/admin/chats/{name}/", chosen)
    assert list(model._default_manager.values()) == before


def test_staff_cannot_set_anybodys_password(
    owner: Person, admin: Person, client_of: ClientOf
) -> None:
    fields = {"password1": "a-long-and-odd-one-7", "password2": "a-long-and-odd-one-7"}
    response = client_of(admin).post(f"/admin/chats/person/{owner.pk}/password/", fields)
    assert response.status_code == 403
    owner.refresh_from_db()
    assert owner.check_password(demo.PASSWORD)


def test_staff_see_no_password_not_even_hashed(
    owner: Person, admin: Person, client_of: ClientOf
) -> None:
    page = body(client_of(admin).get(f"/admin/chats/person/{owner.pk}/change/"))
    assert owner.email in page
    assert owner.password.split("$")[0] not in page
    assert owner.password.rpartition("$")[2] not in page


def test_the_ledger_is_shown_in_credits(chat: Chat, admin: Person, client_of: ClientOf) -> None:
    assert "0.0421" in body(client_of(admin).get("/admin/chats/entry/"))


@pytest.mark.parametrize("name", ["chat", "entry"])
def test_not_even_a_superuser_changes_chats_or_the_ledger(
    chat: Chat, superuser: Person, client_of: ClientOf, name: str
) -> None:
    client = client_of(superuser)
    row = Chat.objects.get() if name == "chat" else Entry.objects.get()
    for page in ("change", "delete"):
        assert (
            client.post(f"/admin/chats/{name}/{row.pk}/{page}/", {"post": "yes"}).status_code == 403
        )
    assert (Chat.objects.count(), Entry.objects.count()) == (1, 1)


def test_a_superuser_makes_an_account_that_signs_in(superuser: Person, client_of: ClientOf) -> None:
    fields = {
        "email": "New@Example.com",
        "name": "New Person",
        "password1": "a-long-and-odd-one-7",
        "password2": "a-long-and-odd-one-7",
    }
    response = client_of(superuser).post("/admin/chats/person/add/", fields)
    assert response.status_code == 302, body(response)
    person = Person.objects.get(email="new@example.com")
    assert (person.is_staff, person.is_superuser) == (False, False)
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": fields["password1"]})
    assert client.session["_auth_user_id"] == str(person.pk)


def test_a_superuser_who_ends_a_membership_passes_on_what_the_team_saw(
    owner: Person, mate: Person, team: Team, superuser: Person, client_of: ClientOf
) -> None:
    chat = Chat.objects.create(owner=mate, team=team, privacy="team")
    membership = Membership.objects.get(person=mate)
    chosen = {"action": "delete_selected", "_selected_action": str(membership.pk), "post": "yes"}
    client_of(superuser).post("/admin/chats/membership/", chosen)
    chat.refresh_from_db()
    assert not Membership.objects.filter(person=mate).exists()
    assert chat.owner == owner


def test_a_team_with_members_and_a_person_cannot_be_deleted(
    owner: Person, team: Team, superuser: Person, client_of: ClientOf
) -> None:
    client = client_of(superuser)
    for place in (f"team/{team.pk}", f"person/{owner.pk}"):
        assert client.post(f"/admin/chats/{place}/delete/", {"post": "yes"}).status_code == 403
    for name, row in (("team", team.pk), ("person", owner.pk)):
        chosen = {"action": "delete_selected", "_selected_action": str(row), "post": "yes"}
        client.post(f"/admin/chats/{name}/", chosen)
    assert Team.objects.filter(pk=team.pk).exists()
    assert Person.objects.filter(pk=owner.pk).exists()


@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_whoever_is_no_staff_finds_nothing(
    who: str, request: pytest.FixtureRequest, client_of: ClientOf
) -> None:
    client = client_of(request.getfixturevalue(who))
    for page in every_page():
        response = client.get(page, follow=True)
        assert response.status_code == 404, page


def test_nobody_is_led_to_the_one_way_in_and_back(db: None, admin: Person) -> None:
    client = Client()
    response = client.get("/admin/chats/entry/", follow=True)
    assert response.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2Fchats%2Fentry%2F"
    assert client.get("/admin/login/")["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    fields = {"login": admin.email, "password": demo.PASSWORD, "next": "/admin/chats/entry/"}
    assert client.post("/accounts/login/", fields)["Location"] == "/admin/chats/entry/"


def test_the_admins_login_takes_no_password(owner: Person, admin: Person) -> None:
    client = Client()
    fields = {"username": admin.email, "password": demo.PASSWORD, "login": admin.email}
    assert client.post("/admin/login/", fields).status_code == 302
    assert "_auth_user_id" not in client.session


def test_pages_hold_nothing_that_a_strict_policy_forbids(
    chat: Chat, admin: Person, client_of: ClientOf
) -> None:
    client = client_of(admin)
    for page in every_page():
        response = client.get(page)
        if response.status_code == 200:
            assert "unsafe" not in response["Content-Security-Policy"]
            assert not re.search(
                r"<script(?![^>]*(src|json))|<style|\sstyle=|\son\w+=", body(response)
            )
