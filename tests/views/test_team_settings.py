"""A team's settings, and what they mean where messages are sent."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client

from chats.models import (
    AuditEntry,
    Chat,
    Instructions,
    Intent,
    Membership,
    Message,
    Person,
    Queued,
    Team,
    TeamRules,
)
from chats.models.queue import Hindrance
from chats.relay import draining, intents
from tests.views.conftest import AddTurn, ChatOf, ClientOf
from tests.views.test_needs_you import asking

MODELS = ("v0-auto", "v0-mini", "v0-pro", "v0-max", "v0-max-fast")


def place(team: Team) -> str:
    return f"/teams/{team.pk}/settings/"


def filled(client: Client, team: Team, **fields: Any) -> dict[str, Any]:
    page = client.get(place(team)).content.decode()
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None
    return {
        "seen": seen[1],
        "name": team.name,
        "default_privacy": "private",
        "default_model": "",
        "who_may_invite": "admins",
        "system_prompt": "",
        **{f"models-{role}": MODELS for role in ("owner", "admin", "member")},
        **fields,
    }


@pytest.fixture
def limited(team: Team) -> Team:
    """Members may use two models only, and neither is v0's own choice."""
    TeamRules.objects.create(team=team, models_by_role={"member": ["v0-mini", "v0-max-fast"]})
    return team


def models(html: str) -> list[str]:
    select = re.search(r'<select[^>]*name="model".*?</select>', html, re.DOTALL)
    return re.findall(r'value="([^"]+)"', select[0]) if select else []


def send(client: Client, chat: Chat, text: str = "Kept text", **fields: Any) -> Any:
    data = {"message": text, "token": str(uuid4()), "options": "1", **fields}
    return client.post(f"/chats/{chat.pk}/messages/", data)


def test_every_setting_is_kept_and_its_change_is_noted(
    client_of: ClientOf, owner: Person, team: Team
) -> None:
    client = client_of(owner)
    new = filled(
        client,
        team,
        name=" New  name ",
        default_privacy="team-edit",
        default_model="v0-max",
        who_may_invite="members",
        system_prompt="A secret way of working.",
        **{"models-member": ["v0-mini", "v0-max"]},
    )
    response = client.post(place(team), new)
    assert response["Location"] == f"{place(team)}?saved"
    now = Team.objects.get()
    assert (now.name, now.default_privacy, now.default_model) == ("New name", "team-edit", "v0-max")
    assert now.who_may_invite == "members"
    assert now.models_by_role == {"member": ["v0-mini", "v0-max"]}
    assert now.system_prompt == "A secret way of working."
    entry = AuditEntry.objects.get(event="team.changed")
    assert (entry.actor, entry.team) == (owner.pk, team.pk)
    assert entry.details["changed"] == {
        "name": ["Example", "New name"],
        "default_privacy": ["private", "team-edit"],
        "default_model": ["", "v0-max"],
        "who_may_invite": ["admins", "members"],
        "models_by_role": [{}, {"member": ["v0-mini", "v0-max"]}],
        "system_prompt": "changed",
    }
    # The same again changes nothing, and there is nothing to note.
    assert client.post(place(team), new).status_code == 303
    assert AuditEntry.objects.filter(event="team.changed").count() == 1


def test_what_cannot_be_saved_says_why_at_its_field_and_loses_nothing(
    client_of: ClientOf, owner: Person, team: Team
) -> None:
    client = client_of(owner)
    for field, value, words in (
        ("name", "  ", "A team needs a name."),
        ("name", "x" * 101, "at most 100"),
        ("default_privacy", "public", "Choose one of the levels."),
        ("default_model", "v9", "cannot be chosen"),
        ("models-member", [], "Each role needs at least one model."),
        ("who_may_invite", "all", "Choose who may invite."),
        ("system_prompt", "x" * (settings.V0_MESSAGE_LIMIT + 1), "100,000 is the most"),
    ):
        typed: dict[str, Any] = {"system_prompt": "Typed words", field: value}
        response = client.post(place(team), filled(client, team, **typed))
        html = response.content.decode()
        assert (response.status_code, words in html) == (422, True), field
        assert field == "system_prompt" or "Typed words" in html
    assert not AuditEntry.objects.filter(event="team.changed").exists()


def test_of_two_who_change_the_settings_nobody_overwrites_the_other_unseen(
    client_of: ClientOf, owner: Person, team: Team
) -> None:
    client = client_of(owner)
    mine = filled(client, team, system_prompt="Mine")
    client.post(place(team), filled(client, team, system_prompt="Theirs"))
    refused = client.post(place(team), mine)
    html = refused.content.decode()
    assert (refused.status_code, ">Mine</textarea>" in html) == (409, True)
    assert Team.objects.get().system_prompt == "Theirs"
    seen = re.search(r'name="seen" value="(\w+)"', html)
    assert seen is not None
    assert client.post(place(team), {**mine, "seen": seen[1]}).status_code == 303
    assert Team.objects.get().system_prompt == "Mine"


def test_members_read_the_settings_and_strangers_do_not(
    client_of: ClientOf, mate: Person, stranger: Person, team: Team
) -> None:
    page = client_of(mate).get(place(team)).content.decode()
    assert "Owners and admins of the team change these." in page
    assert '<fieldset class="team-settings" disabled>' in page
    assert client_of(mate).post(place(team), {"name": "Taken"}).status_code == 403
    assert client_of(stranger).get(place(team)).status_code == 404
    assert Team.objects.get().name == "Example"


def test_the_menu_offers_only_what_a_role_may_use(
    client_of: ClientOf, owner: Person, mate: Person, limited: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=limited, privacy="team-edit")
    Chat.objects.filter(pk=chat.pk).update(model="v0-max")
    for person, expected in ((mate, ["v0-mini", "v0-max-fast"]), (owner, [*MODELS])):
        html = client_of(person).get(f"/chats/{chat.pk}/").content.decode()
        assert models(html) == expected
    alone = chat_of(mate)
    assert models(client_of(mate).get(f"/chats/{alone.pk}/").content.decode()) == [*MODELS]


def test_a_message_with_another_model_is_refused_with_nothing_lost(
    client_of: ClientOf, owner: Person, mate: Person, limited: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=limited, privacy="team-edit")
    client = client_of(mate)
    response = send(client, chat, model="v0-max")
    html = response.content.decode()
    assert response.status_code == 422
    assert "may not use v0-max" in html
    assert ">Kept text</textarea>" in html
    new = {"message": "Kept text", "token": str(uuid4()), "options": "1", "model": "v0-max"}
    response = client.post("/chats/", {**new, "place": f"{limited.pk}:private"})
    assert response.status_code == 422
    assert ">Kept text</textarea>" in response.content.decode()
    assert not Intent.objects.exists()
    assert send(client, chat, model="v0-mini").status_code == 303
    assert Intent.objects.get().payload["model"] == "v0-mini"


def test_without_a_choice_the_first_allowed_model_stands_in_for_v0s_own(
    client_of: ClientOf, owner: Person, mate: Person, limited: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=limited, privacy="team-edit")
    response = client_of(mate).post(
        f"/chats/{chat.pk}/messages/", {"message": "Hello", "token": str(uuid4())}
    )
    assert response.status_code == 303
    assert Intent.objects.get().payload["model"] == "v0-mini"


def test_the_same_message_again_is_refused_once_its_model_is_not_allowed(
    client_of: ClientOf, mate: Person, limited: Team, chat_of: ChatOf
) -> None:
    Membership.objects.filter(person=mate).update(role="admin")
    chat = chat_of(mate, team=limited)
    answer = intents.send(mate, uuid4(), {"message": "Again", "model": "v0-max"}, chat)
    Message.objects.filter(intent_of_message__answer=answer).update(state="failed")
    Message.objects.filter(pk=answer.pk).update(state="failed", problem="unsent")
    Membership.objects.filter(person=mate).update(role="member")
    client = client_of(mate)
    again = {"run": str(answer.pk), "token": str(uuid4())}
    response = client.post(f"/chats/{chat.pk}/again/", again)
    assert response.status_code == 422
    assert "may not use v0-max" in response.content.decode()
    assert Intent.objects.count() == 1
    asked = answer.chat.messages.filter(role="user").last()
    assert asked is not None
    composer = client.get(f"/chats/{chat.pk}/", {"edit": str(asked.pk)}).content.decode()
    assert models(composer) == ["v0-mini", "v0-max-fast"]
    assert ">Again</textarea>" in composer


def test_what_waits_is_checked_when_it_goes_out(
    client_of: ClientOf,
    owner: Person,
    mate: Person,
    limited: Team,
    chat_of: ChatOf,
    add_turn: AddTurn,
) -> None:
    chat = chat_of(owner, team=limited, privacy="team-edit", state="streaming")
    client = client_of(mate)
    assert send(client, chat, "Waits", model="v0-mini").status_code == 303
    TeamRules.objects.update(models_by_role={"member": ["v0-max"]})
    Message.objects.filter(chat=chat, role="assistant").update(state="finished")
    assert draining.drain() == [chat.pk]
    row = Queued.objects.get()
    assert (row.problem, row.text) == (Hindrance.MODEL, "Waits")
    assert not Intent.objects.exists()
    page = client.get(f"/chats/{chat.pk}/").content.decode()
    assert "may not use its model in this team any more" in page
    edit = f"/chats/{chat.pk}/queue/{row.pk}/edit/"
    form = client.get(edit).content.decode()
    seen = re.search(r'name="seen" value="([^"]+)"', form)
    assert seen is not None
    changed = {"message": "Waits", "seen": seen[1], "options": "1", "model": "v0-max"}
    assert client.post(edit, changed).status_code == 303
    assert draining.drain() == [chat.pk]
    assert Intent.objects.get().payload["model"] == "v0-max"


def test_a_copy_takes_no_model_along_that_its_place_does_not_have(
    client_of: ClientOf, owner: Person, mate: Person, limited: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=limited, privacy="team")
    Chat.objects.filter(pk=chat.pk).update(model="v0-max")
    client = client_of(mate)
    for privacy, model in ((f"{limited.pk}:private", ""), ("private", "v0-max")):
        client.post(f"/chats/{chat.pk}/duplicate/", {"token": str(uuid4()), "privacy": privacy})
        assert Chat.objects.latest("created_at").model == model


def test_a_decision_goes_on_with_a_model_of_the_role(
    client_of: ClientOf, owner: Person, mate: Person, limited: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=limited, privacy="team-edit")
    Chat.objects.filter(pk=chat.pk).update(model="v0-max")
    chat.messages.filter(role="assistant").update(**asking("plan"))
    client, place = client_of(mate), f"/chats/{chat.pk}/"
    card = re.search(r"<form[^>]*decide/.*?</form>", client.get(place).content.decode(), re.DOTALL)
    assert card is not None
    assert models(card[0]) == ["v0-mini", "v0-max-fast"]
    names = re.findall(r'name="(seen|token)" value="([^"]+)"', card[0])
    given = {**dict(names), "choice": "approved"}
    refused = client.post(f"{place}decide/", {**given, "model": "v0-max"})
    assert refused.status_code == 422
    assert "may not use v0-max" in refused.content.decode()
    assert not Intent.objects.exists()
    assert client.post(f"{place}decide/", given).status_code == 303
    assert Intent.objects.get().payload["model"] == "v0-mini"


def test_copies_and_imports_take_their_teams_instructions_along(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf
) -> None:
    TeamRules.objects.create(team=team, system_prompt="Widgets.")
    chat = chat_of(owner)
    for privacy, expected in ((f"{team.pk}:private", "Widgets."), ("private", "")):
        copy = {"token": str(uuid4()), "privacy": privacy}
        client_of(owner).post(f"/chats/{chat.pk}/duplicate/", copy)
        assert Chat.objects.latest("created_at").team_system == expected


def test_a_chat_keeps_the_instructions_that_it_was_made_with(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    rules = TeamRules.objects.create(team=team, system_prompt="Use our <widgets>.")
    client, token = client_of(owner), str(uuid4())
    home = client.get("/").content.decode()
    assert "widgets" not in home
    new = {"message": "Hello", "token": token, "options": "1", "system": "Be brief."}
    client.post("/chats/", {**new, "place": f"{team.pk}:private"})
    rules.system_prompt = "Later."
    rules.save()
    chat = Chat.objects.get()
    kept = Instructions.objects.get(chat=chat)
    assert (kept.of_team, kept.text) == ("Use our <widgets>.", "Be brief.")
    page = client.get(f"/chats/{chat.pk}/").content.decode()
    assert "instructions go along" in page
    assert "Use our &lt;widgets&gt;." in page
    # One's own can go; those of the team stay.
    Message.objects.filter(chat=chat).update(state="finished")
    assert send(client, chat, system="").status_code == 303
    kept.refresh_from_db()
    assert (kept.of_team, kept.text) == ("Use our <widgets>.", "")
    # Who only reads is told nothing of them.
    Chat.objects.filter(pk=chat.pk).update(privacy="team")
    assert "widgets" not in client_of(mate).get(f"/chats/{chat.pk}/").content.decode()
