"""What is done to a whole chat: `/chats/<uuid>/menu/`, `rename/`, `move/`, `delete/`, `undelete/`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats import permissions
from chats.models import AuditEntry, Chat, Intent, Membership, Person, Team
from chats.permissions import Action
from chats.permissions.doors import Door, Ended, codes
from chats.relay import errands, levels
from chats.relay.levels import Level
from tests.views.conftest import ChatOf, ClientOf

Htmx = Callable[[Client], Client]


def delete(client: Client, chat: Chat) -> str:
    """Deletes the chat; where the browser is led."""
    response = client.post(f"/chats/{chat.id}/delete/", {"confirmed": "yes"})
    assert response.status_code == 303
    return response["Location"]


# Rename


def test_a_new_title_is_kept_as_given_and_waits_to_be_told(
    client_of: ClientOf, owner: Person, chat_of: ChatOf
) -> None:
    chat = chat_of(owner)
    response = client_of(owner).post(f"/chats/{chat.id}/rename/", {"title": "  Tea \n shop <b> "})
    assert (response.status_code, response["Location"]) == (303, f"/chats/{chat.id}/")
    before = chat.version
    chat.refresh_from_db()
    assert (chat.title, chat.title_given, chat.title_unsaid) == ("Tea shop <b>", True, True)
    assert chat.version == before + 1
    assert "Tea shop &lt;b&gt;</h1>" in client_of(owner).get(f"/chats/{chat.id}/").content.decode()


@pytest.mark.parametrize("title", ["", "  \n", "\0", "x" * 201])
def test_a_title_that_is_none_is_refused_and_kept_in_the_form(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, title: str
) -> None:
    chat = chat_of(owner)
    response = client_of(owner).post(f"/chats/{chat.id}/rename/", {"title": title})
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    chat.refresh_from_db()
    assert (chat.title, chat.title_given) == ("About Hello", False)


def test_the_longest_title_is_taken(client_of: ClientOf, owner: Person, chat_of: ChatOf) -> None:
    chat = chat_of(owner)
    client_of(owner).post(f"/chats/{chat.id}/rename/", {"title": "x" * 200})
    chat.refresh_from_db()
    assert chat.title == "x" * 200


def test_the_same_form_is_a_page_and_a_fragment(
    client_of: ClientOf, htmx: Htmx, owner: Person, chat_of: ChatOf
) -> None:
    chat = chat_of(owner)
    for name in ("menu", "rename", "move", "delete"):
        page = client_of(owner).get(f"/chats/{chat.id}/{name}/").content.decode()
        fragment = htmx(client_of(owner)).get(f"/chats/{chat.id}/{name}/").content.decode()
        assert "<html" in page, name
        assert "<html" not in fragment, name
        assert f'action="/chats/{chat.id}/{name}/"' in fragment or name == "menu"
    answer = htmx(client_of(owner)).post(f"/chats/{chat.id}/rename/", {"title": "Tea"})
    assert (answer.status_code, answer.content) == (204, b"")


# The menu


def test_the_menu_shows_only_what_one_may_do(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    links = {"rename", "duplicate", "move", "delete"}

    def menu(person: Person, chat: Chat) -> set[str]:
        html = client_of(person).get(f"/chats/{chat.id}/menu/").content.decode()
        return {name for name in links if f'href="/chats/{chat.id}/{name}/"' in html}

    shared = chat_of(owner, privacy="team-edit", team=team)
    assert menu(owner, shared) == links
    assert menu(mate, shared) == {"rename", "duplicate"}
    seen = chat_of(owner, privacy="team", team=team)
    assert menu(mate, seen) == {"duplicate"}
    Chat.objects.filter(id=shared.id).update(write_permission=False)
    assert menu(owner, shared) == {"duplicate", "move", "delete"}


def test_every_row_of_the_list_leads_to_its_menu(
    client_of: ClientOf, owner: Person, chat_of: ChatOf
) -> None:
    chats = [chat_of(owner, f"Number {n}") for n in range(3)]
    html = client_of(owner).get("/").content.decode()
    for chat in chats:
        assert f'href="/chats/{chat.id}/menu/"' in html


# Duplicate


def test_a_copy_is_private_and_ones_own_and_wanted_once(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat, client = chat_of(owner, privacy="team", team=team), client_of(mate)
    token = str(uuid4())
    places = {
        client.post(f"/chats/{chat.id}/duplicate/", {"token": token})["Location"] for _ in range(2)
    }
    intent = Intent.objects.get()
    copy = intent.chat
    assert places == {f"/chats/{copy.id}/"}
    assert (copy.owner, copy.team, copy.privacy, copy.v0_id) == (mate, None, "private", None)
    assert (copy.title, copy.copied_from) == ("About Hello (copy)", chat)
    assert intent.payload == {"source": chat.v0_id, "title": "About Hello (copy)"}
    html = client.get(f"/chats/{copy.id}/").content.decode()
    assert "Copying…" in html
    assert 'id="message"' not in html
    assert client_of(owner).get(f"/chats/{copy.id}/").status_code == 404
    other = chat_of(owner, "Other", privacy="team", team=team)
    assert client.post(f"/chats/{other.id}/duplicate/", {"token": token}).status_code == 409
    assert client.post("/chats/", {"message": "Hello", "token": token}).status_code == 409


def test_nothing_is_copied_without_a_form_of_its_own(
    client_of: ClientOf, owner: Person, chat_of: ChatOf
) -> None:
    client, running = client_of(owner), chat_of(owner, "Runs", state="streaming")
    unsent, chat = Chat.objects.create(owner=owner), chat_of(owner)
    assert client.post(f"/chats/{chat.id}/duplicate/", {"token": "x"}).status_code == 422
    for other in (running, unsent):
        answer = client.post(f"/chats/{other.id}/duplicate/", {"token": str(uuid4())})
        assert answer.status_code == 409
    assert not Intent.objects.exists()


def test_nobody_writes_into_a_copy_that_is_not_complete(
    client_of: ClientOf, owner: Person, chat_of: ChatOf
) -> None:
    chat, client = chat_of(owner), client_of(owner)
    client.post(f"/chats/{chat.id}/duplicate/", {"token": str(uuid4())})
    copy = Intent.objects.get().chat
    fields = {"message": "Hello", "token": str(uuid4())}
    assert client.post(f"/chats/{copy.id}/messages/", fields).status_code == 409
    assert not copy.messages.exists()


@pytest.mark.parametrize(
    ("state", "words", "again"),
    [
        ("waiting", "Copying…", False),
        ("posting", "Copying…", False),
        ("checking", "Checking whether v0 made the copy…", False),
        ("unknown", "It could not be found out", False),
        ("unsent", "it could not be reached", True),
        ("refused", "v0 did not make the copy", True),
    ],
)
def test_the_page_of_a_copy_says_how_it_stands(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, state: str, words: str, again: bool
) -> None:
    chat, client = chat_of(owner), client_of(owner)
    client.post(f"/chats/{chat.id}/duplicate/", {"token": str(uuid4())})
    intent = Intent.objects.get()
    intent.payload["problem"] = state
    intent.state = state
    intent.save()
    for path in ("", "copying/"):
        html = client.get(f"/chats/{intent.chat_id}/{path}").content.decode()
        assert words in html
        assert ("copy-again" in html) == again
    client.post(f"/chats/{intent.chat_id}/copy-again/")
    intent.refresh_from_db()
    assert intent.state == ("waiting" if again else state)


# Delete and undo


def test_deleting_asks_first(client_of: ClientOf, owner: Person, chat_of: ChatOf) -> None:
    chat = chat_of(owner, title := "Hello", state="streaming")
    html = client_of(owner).get(f"/chats/{chat.id}/delete/").content.decode()
    assert f"Delete “About {title}”?" in html
    assert "The answer that is running is stopped after that." in html
    assert client_of(owner).post(f"/chats/{chat.id}/delete/").status_code == 422
    chat.refresh_from_db()
    assert chat.deleted_at is None


def test_a_deleted_chat_is_seen_by_nobody(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, privacy="team-edit", team=team)
    Chat.objects.filter(id=chat.id).update(link_slug="a-slug")
    place = delete(client_of(owner), chat)
    assert place == f"/?deleted={chat.id}"
    for person in (owner, mate):
        client = client_of(person)
        assert str(chat.id) not in client.get("/").content.decode()
        for name in ("", "menu/", "rename/", "own/", "actions/"):
            assert client.get(f"/chats/{chat.id}/{name}").status_code == 404
        for name in ("messages", "stop", "rename", "move", "delete"):
            assert client.post(f"/chats/{chat.id}/{name}/").status_code == 404
        assert client.get("/shared/a-slug/").status_code == 404
        assert not permissions.readable(person).filter(id=chat.id).exists()


def test_its_run_goes_on_until_it_cannot_come_back(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, settings: Settings
) -> None:
    chat, other = chat_of(owner, state="streaming"), chat_of(owner, state="streaming")
    delete(client_of(owner), chat)
    assert not errands.runs_of_deleted()
    over = timezone.now() - timedelta(seconds=settings.V0_UNDO) - 2 * errands.CLOCKS
    Chat.objects.filter(id=chat.id).update(deleted_at=over)
    assert errands.runs_of_deleted()
    errands.stop_deleted()
    assert chat.messages.get(role="assistant").stop_asked_by == owner
    assert other.messages.get(role="assistant").stop_asked_at is None
    assert not errands.runs_of_deleted()


def test_its_open_sockets_are_closed_as_gone(owner: Person, chat_of: ChatOf) -> None:
    client = Client()
    client.force_login(owner)
    chat = chat_of(owner)
    door = Door(client.session.session_key or "", owner.pk, chat.id)
    assert codes([door]) == {}
    delete(client, chat)
    assert codes([door]) == {door: Ended.GONE}


def test_home_offers_the_undo_to_who_deleted_and_to_nobody_else(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, "<b>", privacy="team-edit", team=team)
    place = delete(client_of(owner), chat)
    html = client_of(owner).get(place).content.decode()
    assert "Deleted “About &lt;b&gt;”." in html
    assert f'action="/chats/{chat.id}/undelete/"' in html
    assert "undelete" not in client_of(mate).get(place).content.decode()
    for nonsense in ("", "x", "0" * 32):
        response = client_of(owner).get("/", {"deleted": nonsense})
        assert response.status_code == 200
        assert "undelete" not in response.content.decode()


def test_undo_brings_back_all_of_it(client_of: ClientOf, owner: Person, chat_of: ChatOf) -> None:
    chat, client = chat_of(owner), client_of(owner)
    delete(client, chat)
    response = client.post(f"/chats/{chat.id}/undelete/")
    assert (response.status_code, response["Location"]) == (303, f"/chats/{chat.id}/")
    html = client.get(f"/chats/{chat.id}/").content.decode()
    assert "The answer to Hello" in html
    assert client.post(f"/chats/{chat.id}/undelete/").status_code == 303, "again changes nothing"


def test_only_who_may_delete_may_undo(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, privacy="team-edit", team=team)
    assert client_of(mate).post(f"/chats/{chat.id}/undelete/").status_code == 403
    delete(client_of(owner), chat)
    assert client_of(mate).post(f"/chats/{chat.id}/undelete/").status_code == 404
    chat.refresh_from_db()
    assert chat.deleted_at is not None


def test_after_its_time_there_is_no_undo(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, settings: Settings
) -> None:
    chat, client = chat_of(owner), client_of(owner)
    place = delete(client, chat)
    late = timezone.now() - timedelta(seconds=settings.V0_UNDO)
    Chat.objects.filter(id=chat.id).update(deleted_at=late)
    assert "undelete" not in client.get(place).content.decode()
    assert client.post(f"/chats/{chat.id}/undelete/").status_code == 404


# Move


def test_a_move_out_of_a_team_ends_what_the_team_could_see(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, privacy="team-edit", team=team)
    html = client_of(owner).get(f"/chats/{chat.id}/move/").content.decode()
    assert "it becomes private" in html
    assert "Lose access at once: Mateo Mate" in html
    response = client_of(owner).post(f"/chats/{chat.id}/move/", {"place": "personal"})
    assert response.status_code == 303
    chat.refresh_from_db()
    assert (chat.team, chat.privacy, chat.owner) == (None, "private", owner)
    assert client_of(mate).get(f"/chats/{chat.id}/").status_code == 404


@pytest.mark.parametrize("privacy", ["private", "unlisted", "public"])
def test_a_move_into_a_team_shows_it_to_nobody_new(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf, privacy: str
) -> None:
    chat = chat_of(owner, privacy=privacy)
    client_of(owner).post(f"/chats/{chat.id}/move/", {"place": str(team.pk)})
    chat.refresh_from_db()
    assert (chat.team, chat.privacy) == (team, privacy)


@pytest.mark.parametrize("agreed", [True, False])
def test_between_teams_the_level_goes_along_once_v0_has_agreed_to_it(
    client_of: ClientOf,
    owner: Person,
    mate: Person,
    stranger: Person,
    team: Team,
    chat_of: ChatOf,
    agreed: bool,
) -> None:
    other = Team.objects.create(name="Others")
    for person, role in ((owner, "member"), (stranger, "viewer")):
        Membership.objects.create(team=other, person=person, role=role)
    chat = chat_of(owner, privacy="team", team=team)
    Chat.objects.filter(id=chat.id).update(privacy_at_v0="team" if agreed else "private")
    client, place = client_of(owner), f"/chats/{chat.id}/move/"
    html = client.get(place).content.decode()
    assert f"Gain access{'' if agreed else ' when v0 agrees'}: Sasha Stranger" in html
    assert "Lose access at once: Mateo Mate" in html
    assert client.post(place, {"place": str(other.pk)}).status_code == 303
    chat.refresh_from_db()
    assert (chat.team, chat.privacy, chat.privacy_wanted) == (
        (other, "team", "") if agreed else (other, "private", "team")
    )
    opened = {who: client_of(who).get(f"/chats/{chat.id}/").status_code for who in (mate, stranger)}
    assert opened == {mate: 404, stranger: 200 if agreed else 404}
    if not agreed:
        [errand] = errands.due_errands()
        assert isinstance(errand, Level)
        assert levels.agreed(errand, "team")
        assert client_of(stranger).get(f"/chats/{chat.id}/").status_code == 200
        assert not errands.due_errands()
    entry = AuditEntry.objects.get(event="chat.moved")
    assert (entry.details["old"], entry.details["new"]) == ("Example", "Others")


def test_nothing_new_is_given_in_the_name_of_an_owner_who_has_left(
    owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(mate, team=team)
    Chat.objects.filter(id=chat.id).update(privacy_wanted="team")
    [errand] = errands.due_errands()
    Membership.objects.filter(person=mate).delete()
    assert isinstance(errand, Level)
    levels.agreed(errand, "team")
    chat.refresh_from_db()
    assert (chat.privacy, chat.privacy_wanted, chat.privacy_unsaid) == ("private", "", True)


def test_a_viewer_of_a_team_has_no_chats_in_it(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf
) -> None:
    other = Team.objects.create(name="Only seen")
    Membership.objects.create(team=other, person=owner, role="viewer")
    chat = chat_of(owner)
    place = f"/chats/{chat.id}/move/"
    form = client_of(owner).get(place, headers={"HX-Request": "true"}).content.decode()
    assert "Only seen" not in form
    assert client_of(owner).post(place, {"place": str(other.pk)}).status_code == 422


def test_a_chat_that_stays_where_it_is_keeps_its_level(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, privacy="team", team=team)
    client_of(owner).post(f"/chats/{chat.id}/move/", {"place": str(team.pk)})
    before = chat.version
    chat.refresh_from_db()
    assert (chat.team, chat.privacy, chat.version) == (team, "team", before)


def test_nobody_moves_a_chat_to_a_team_that_is_not_theirs(
    client_of: ClientOf, owner: Person, chat_of: ChatOf, stranger: Person
) -> None:
    other = Team.objects.create(name="Others")
    Membership.objects.create(team=other, person=stranger, role="owner")
    chat = chat_of(owner)
    for place in (str(other.pk), "", "x", "-1"):
        response = client_of(owner).post(f"/chats/{chat.id}/move/", {"place": place})
        assert response.status_code == 422
        assert "Others" not in response.content.decode()
    chat.refresh_from_db()
    assert chat.team is None
    assert permissions.may(owner, chat, Action.MANAGE)


@pytest.mark.parametrize("said", ["private", "team", "something new"])
def test_a_level_counts_as_told_only_when_v0_says_the_same(
    client_of: ClientOf, owner: Person, team: Team, chat_of: ChatOf, said: str
) -> None:
    chat = chat_of(owner, privacy="team", team=team)
    Chat.objects.filter(id=chat.id).update(v0_id="v0-chat", privacy_at_v0="team")
    client_of(owner).post(f"/chats/{chat.id}/move/", {"place": "personal"})
    [errand] = errands.due_errands()
    assert isinstance(errand, Level)
    assert (errand.v0_chat, errand.privacy) == ("v0-chat", "private")
    levels.heard(errand, said)
    chat.refresh_from_db()
    assert (chat.privacy_at_v0, chat.privacy_unsaid) == (said, said != "private")
    assert bool(errands.due_errands()) == (said != "private")
    html = client_of(owner).get(f"/chats/{chat.id}/").content.decode()
    assert ("At v0 this chat is" in html) == (said != "private")


def test_only_who_decides_who_sees_a_chat_is_told_of_its_level_at_v0(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, privacy="team-edit", team=team)
    Chat.objects.filter(id=chat.id).update(privacy_at_v0="public")
    said = "At v0 this chat is public; here it is for the team to edit."
    for person, told in ((owner, True), (mate, False)):
        for path in ("", "own/"):
            html = client_of(person).get(f"/chats/{chat.id}/{path}").content.decode()
            assert (said in html) == told, path
