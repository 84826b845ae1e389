"""The dialog of a chat in which its owner says who may see it: `/chats/<uuid>/share/`."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from chats.models import AuditEntry, Chat, Guest, Membership, Person, Team
from chats.relay import levels
from tests.views.conftest import ChatOf, ClientOf

Htmx = Callable[[Client], Client]


def shown(client: Client, chat: Chat, level: str = "") -> str:
    """The dialog, or the step before a level, as words."""
    html = client.get(f"/chats/{chat.id}/share/", {"privacy": level} if level else {})
    assert html.status_code == 200
    main = html.content.decode().partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def seen(chat: Chat) -> str:
    return f"{chat.privacy}.{chat.privacy_wanted}.{chat.team_id or ''}"


def choose(client: Client, chat: Chat, level: str, seen_before: str | None = None) -> int:
    """As a page without scripts sends it; the chat is read again."""
    given = {"privacy": level, "seen": seen(chat) if seen_before is None else seen_before}
    response = client.post(f"/chats/{chat.id}/share/", given)
    if response.status_code == 303:
        assert response["Location"] == f"/chats/{chat.id}/share/"
    chat.refresh_from_db()
    return response.status_code


def test_each_level_is_one_sentence_and_those_of_teams_are_only_in_a_team(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf, settings: Settings
) -> None:
    client = client_of(owner)
    ours = shown(client, chat_of(owner, team=team))
    for sentence in (
        "Private now Only you can see it, and people you invite.",
        "Team can read Everybody in Example can read it. You write.",
        "Team can read and write Everybody in Example can read it, and all but viewers can write",
        "Unlisted Whoever has its link and signs in can read it.",
        "Public Everybody who signs in can read it.",
    ):
        assert sentence in ours
    mine = shown(client, chat_of(owner))
    assert "Team can" not in mine
    assert "Public" in mine
    settings.V0_ANONYMOUS_READING = True
    told = shown(client, chat_of(owner))
    assert told.count("also without an account") == 2


def test_before_it_is_set_a_level_says_who_gains_and_who_loses_here_and_at_v0(
    client_of: ClientOf,
    owner: Person,
    mate: Person,
    team: Team,
    chat_of: ChatOf,
    settings: Settings,
) -> None:
    client = client_of(owner)
    chat = chat_of(owner, team=team)
    told = shown(client, chat, "team")
    assert "As soon as v0 agrees Mateo Mate can read and copy it" in told
    assert "At once" not in told
    assert "There everybody in the Vercel team behind this installation can read it." in told
    told = shown(client, chat_of(owner, team=team, privacy="team-edit"), "public")
    assert "At once Mateo Mate can no longer write in it, or find it in their lists" in told
    assert "As soon as v0 agrees Everybody who signs in can read and copy it" in told
    told = shown(client, chat_of(owner, team=team, privacy="public"), "team")
    assert "At once Everybody who is not in Example cannot open it any more" in told
    assert "Mateo Mate can find it in their lists, with its notes and costs" in told
    told = shown(client, chat_of(owner, team=team, privacy="public"), "unlisted")
    assert "At once Everybody without its link cannot open it any more At v0" in told
    told = shown(client, chat_of(owner, privacy="unlisted"), "private")
    assert "At once Whoever has only its link cannot open it any more At v0" in told
    settings.V0_ANONYMOUS_READING = True
    told = shown(client, chat_of(owner), "public")
    assert "Everybody who signs in can read and copy it People without an account can read" in told


def test_whoever_is_invited_keeps_what_another_level_takes_from_the_others(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    third = Person.objects.create_user("third@example.com", name="Thea Third")
    Membership.objects.create(team=team, person=third)
    chat = chat_of(owner, team=team, privacy="team-edit")
    Guest.objects.create(chat=chat, email=mate.email, person=mate, role="editor")
    told = shown(client_of(owner), chat, "private")
    assert "Thea Third cannot open it any more" in told
    assert "Mateo Mate" not in told


def test_what_only_takes_counts_at_once_and_is_told_to_v0(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=team, privacy="team")
    version, mates = chat.version, client_of(mate)
    assert mates.get(f"/chats/{chat.id}/").status_code == 200
    client = client_of(owner)
    assert choose(client, chat, "private") == 303
    assert (chat.privacy, chat.privacy_unsaid, chat.version) == ("private", True, version + 1)
    assert mates.get(f"/chats/{chat.id}/").status_code == 404
    assert "“Private” counts here already. v0 is told until it agrees" in shown(client, chat)
    [level] = levels.due()
    assert (level.privacy, level.gives) == ("private", False)


def test_what_gives_counts_when_v0_agrees_and_can_be_taken_back_till_then(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=team)
    client, mates = client_of(owner), client_of(mate)
    assert choose(client, chat, "team-edit") == 303
    assert (chat.privacy, chat.privacy_wanted) == ("private", "team-edit")
    assert mates.get(f"/chats/{chat.id}/").status_code == 404
    told = shown(client, chat)
    assert "counts as soon as v0 agrees. Until then nothing changes: it is “Private”." in told
    assert "waits for v0: Team, writing…" in button(client, chat)
    assert choose(client, chat, "private") == 303
    # Nobody knows what v0 has heard: it is told.
    assert (chat.privacy_wanted, chat.privacy_unsaid) == ("", True)
    choose(client, chat, "team")
    told_first, *rest = levels.due()
    assert (told_first.privacy, rest) == ("private", [])
    levels.heard(told_first, "private")
    [asked] = levels.due()
    assert levels.agreed(asked, "team")
    assert mates.get(f"/chats/{chat.id}/").status_code == 200
    entry = AuditEntry.objects.filter(event="chat.privacy").order_by("-pk")[0]
    assert (entry.actor, entry.details["new"], entry.details["by"]) == (
        *(owner.pk, "team", "v0, which agreed"),
    )


def button(client: Client, chat: Chat) -> str:
    html = client.get(f"/chats/{chat.id}/").content.decode()
    found = html.partition('id="share-slot"')[2].partition("</a>")[0]
    return re.sub(r"<[^>]+>", "", found)


def test_what_does_both_is_at_once_what_both_levels_allow(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=team, privacy="team")
    client, mates = client_of(owner), client_of(mate)
    assert choose(client, chat, "unlisted") == 303
    assert (chat.privacy, chat.privacy_wanted) == ("team", "unlisted")
    assert chat.link_slug
    assert mates.get(f"/chats/{chat.id}/").status_code == 404
    assert client_of(None).get(f"/shared/{chat.link_slug}/").status_code == 404
    [asked] = levels.due()
    levels.refused(asked, "team", "v0 does not take this level for the chat.")
    told = shown(client, chat)
    assert "v0 has not agreed to “Unlisted”. v0 does not take this level for the chat." in told
    assert "Try again Back to “Team can read” Make it private" in told
    assert "v0 has not agreed: Unlisted!" in button(client, chat)
    assert mates.get(f"/chats/{chat.id}/").status_code == 404
    slug = chat.link_slug
    chat.refresh_from_db()
    assert choose(client, chat, "unlisted") == 303
    assert (chat.privacy_refused, chat.link_slug, len(levels.due())) == ("", slug, 1)


def test_what_took_something_comes_back_when_v0_has_agreed_to_that(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=team, privacy="team")
    client, mates = client_of(owner), client_of(mate)
    choose(client, chat, "unlisted")
    [asked] = levels.due()
    # Nobody knows whether v0 has heard of it.
    for _ in range(2):
        assert choose(client, chat, "team") == 303
        assert mates.get(f"/chats/{chat.id}/").status_code == 404
    assert "Back to “Team can read” as soon as v0 agrees. You took it back." in shown(client, chat)
    levels.agreed(asked, "unlisted")
    levels.refused(asked, "team", "Too late.")
    [told] = levels.due()
    assert (told.privacy, told.gives) == ("team", False)
    assert mates.get(f"/chats/{chat.id}/").status_code == 404
    levels.heard(told, "team")
    assert mates.get(f"/chats/{chat.id}/").status_code == 200
    chat.refresh_from_db()
    assert (chat.privacy, chat.privacy_wanted, chat.privacy_refused) == ("team", "", "")
    assert not levels.due()


def test_the_same_form_sent_twice_is_one_change(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf
) -> None:
    chat, client = chat_of(owner, team=team), client_of(owner)
    before = seen(chat)
    assert [choose(client, chat, "team", before) for _ in range(2)] == [303, 303]
    assert (chat.privacy_wanted, chat.version) == ("team", 2)
    entry = AuditEntry.objects.get(event="chat.privacy")
    assert (entry.details["old"], entry.details["new"]) == ("private", "team")


def test_a_form_of_a_chat_that_has_changed_meanwhile_shows_how_it_is_now(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf
) -> None:
    chat, client = chat_of(owner, team=team), client_of(owner)
    Chat.objects.filter(pk=chat.pk).update(privacy="public")
    response = client.post(f"/chats/{chat.id}/share/", {"privacy": "unlisted", "seen": seen(chat)})
    html = response.content.decode()
    assert response.status_code == 409
    assert "The chat has changed meanwhile." in html
    assert re.search(r'aria-current="true"><span class="share-title">Public', html)
    chat.refresh_from_db()
    assert (chat.privacy, chat.privacy_wanted, chat.version) == ("public", "", 1)


@pytest.mark.parametrize("level", ["", "everybody", "team"])
def test_a_level_that_there_is_not_is_refused(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, level: str
) -> None:
    chat, client = chat_of(owner), client_of(owner)
    assert choose(client, chat, level) == 422
    assert chat.version == 1
    # A link to a level that there is not is the dialog itself.
    assert "Share “About Hello”" in shown(client, chat, level)


def test_an_owner_or_admin_of_the_team_sets_a_chat_back_to_private_and_nothing_else(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf, htmx: Htmx
) -> None:
    chat = chat_of(mate, team=team, privacy="team")
    client = client_of(owner)
    assert "Set back to private…" in client.get(f"/chats/{chat.id}/menu/").content.decode()
    told = shown(client, chat, "public")
    assert "Make it private" in told
    assert "Public" not in told
    assert choose(client, chat, "public") == 403
    response = client.post(f"/chats/{chat.id}/share/", {"privacy": "private", "seen": seen(chat)})
    assert (response.status_code, response["Location"]) == (303, "/")
    assert client.get(f"/chats/{chat.id}/").status_code == 404
    chat.refresh_from_db()
    assert (chat.privacy, chat.privacy_unsaid, chat.owner) == ("private", True, mate)
    Chat.objects.filter(pk=chat.pk).update(privacy="team")
    chat.refresh_from_db()
    told_htmx = htmx(client).post(
        f"/chats/{chat.id}/share/", {"privacy": "private", "seen": seen(chat)}
    )
    assert told_htmx["HX-Redirect"] == "/"


def test_in_the_dialog_what_is_sent_is_answered_with_the_dialog(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, htmx: Htmx
) -> None:
    chat, client = chat_of(owner), htmx(client_of(owner))
    response = client.post(f"/chats/{chat.id}/share/", {"privacy": "public", "seen": seen(chat)})
    html = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in html
    assert 'hx-trigger="mark:own from:body, mark:sidebar from:body"' in html
    assert "Take it back" in html


def test_a_new_unlisted_chat_has_a_link_and_waits_for_v0(
    client_of: ClientOf, owner: Person
) -> None:
    home = client_of(owner)
    page = home.get("/").content.decode()
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert token
    home.post("/chats/", {"message": "A page", "token": token[1], "place": "unlisted"})
    chat = Chat.objects.get()
    assert (chat.privacy, chat.privacy_wanted, bool(chat.link_slug)) == (
        "private",
        "unlisted",
        True,
    )
