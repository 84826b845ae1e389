"""`/chats/<uuid>/hand-over/` and `/chats/<uuid>/accept/`: a chat gets another owner, who wants it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from chats import permissions
from chats.accounts import standing
from chats.models import AuditEntry, Chat, Guest, Membership, Person, Queued, Team, memberships
from chats.models.offers import counting, offer
from chats.permissions import Action
from chats.relay import draining
from chats.views.entries import noted_name, sentence
from tests.views.conftest import ChatOf, ClientOf, no_writes


@pytest.fixture
def chat(owner: Person, team: Team, chat_of: ChatOf) -> Chat:
    return chat_of(owner, "canary", privacy="private", team=team)


@pytest.fixture
def offered(chat: Chat, mate: Person) -> Chat:
    assert offer(chat, mate, address=None)
    return chat


def owner_of(chat: Chat) -> int:
    return Chat.objects.get(pk=chat.pk).owner_id


def page(client: Client, chat: Chat, name: str) -> str:
    return client.get(f"/chats/{chat.pk}/{name}/").content.decode()


def told(chat: Chat) -> list[str]:
    entries = AuditEntry.objects.filter(chat=chat.pk).order_by("pk")
    return [
        f"{entry.actor_name.partition('@')[0]} {sentence(entry, noted_name(None, entry.person_name))}"
        for entry in entries
    ]


def test_a_mate_accepts_and_the_chat_is_theirs(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat: Chat
) -> None:
    form = page(client_of(owner), chat, "hand-over")
    assert "see the chat any more" in form
    assert mate.email in form
    sent = client_of(owner).post(f"/chats/{chat.pk}/hand-over/", {"person": mate.pk})
    assert (sent.status_code, sent["Location"]) == (303, f"/chats/{chat.pk}/")
    assert owner_of(chat) == owner.pk, "Nothing changes before it is accepted."
    assert "You offer this chat to" in page(client_of(owner), chat, "own")
    client = client_of(mate)
    with no_writes():
        assert "Accept the chat" in page(client, chat, "accept")
    taken = client.post(f"/chats/{chat.pk}/accept/", {"answer": "accept"})
    assert (taken.status_code, taken["Location"]) == (303, f"/chats/{chat.pk}/")
    assert owner_of(chat) == mate.pk
    assert client.get(f"/chats/{chat.pk}/share/").status_code == 200
    assert client_of(owner).get(f"/chats/{chat.pk}/").status_code == 404
    assert told(chat) == [
        f"owner offered mate@example.com a chat in {team.name}",
        f"mate became the owner of a chat in {team.name}",
    ]


def test_whoever_is_offered_a_chat_sees_nothing_of_it_before(
    client_of: ClientOf, owner: Person, mate: Person, offered: Chat
) -> None:
    client = client_of(mate)
    seen = [client.get("/needs-you/").content.decode(), page(client, offered, "accept")]
    seen.append(client.get("/sidebar/", headers={"HX-Request": "true"}).content.decode())
    assert not any("canary" in each for each in seen)
    assert f"{owner.shown_name} offers you a chat" in seen[0]
    assert f'href="/chats/{offered.pk}/accept/"' in seen[0]
    assert 'data-count="1"' in seen[2]
    for place in ("", "own/", "menu/", "hand-over/"):
        assert client.get(f"/chats/{offered.pk}/{place}").status_code == 404


def test_who_reads_the_chat_is_told_on_its_page(
    client_of: ClientOf, mate: Person, offered: Chat
) -> None:
    Chat.objects.filter(pk=offered.pk).update(privacy="team")
    assert "offers you this chat" in page(client_of(mate), offered, "own")
    assert "About canary" in page(client_of(mate), offered, "accept")


def test_an_offer_is_nobody_elses(
    client_of: ClientOf, owner: Person, stranger: Person, team: Team, offered: Chat
) -> None:
    other = Person.objects.create_user("other@example.com")
    Membership.objects.create(team=team, person=other, role="admin")
    unknown = uuid4()
    for person in (owner, stranger, other):
        client = client_of(person)
        for method in (client.get, client.post):
            hidden = method(f"/chats/{offered.pk}/accept/", {"answer": "accept"})
            none = method(f"/chats/{unknown}/accept/", {"answer": "accept"})
            assert hidden.status_code == none.status_code == 404
            assert hidden.content.decode().replace(str(offered.pk), "") == (
                none.content.decode().replace(str(unknown), "")
            )
    assert owner_of(offered) == owner.pk


def test_only_a_mate_who_may_have_chats_there_can_be_chosen(
    client_of: ClientOf, owner: Person, stranger: Person, team: Team, chat: Chat
) -> None:
    viewer = Person.objects.create_user("viewer@example.com")
    Membership.objects.create(team=team, person=viewer, role="viewer")
    for person in (viewer, stranger, owner):
        refused = client_of(owner).post(f"/chats/{chat.pk}/hand-over/", {"person": person.pk})
        assert refused.status_code == 422
        assert "Choose who is to have the chat." in refused.content.decode()
    assert not counting().exists()


def test_a_chat_of_ones_own_space_says_that_it_has_to_be_moved_first(
    client_of: ClientOf, owner: Person, mate: Person, chat_of: ChatOf
) -> None:
    own = chat_of(owner)
    assert "Move it to a team" in page(client_of(owner), own, "hand-over")
    refused = client_of(owner).post(f"/chats/{own.pk}/hand-over/", {"person": mate.pk})
    assert refused.status_code == 422


def test_it_can_be_taken_back_and_declined(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat: Chat
) -> None:
    for client, place, fields in (
        (client_of(owner), "hand-over", {"back": "yes"}),
        (client_of(mate), "accept", {"answer": "decline"}),
    ):
        client_of(owner).post(f"/chats/{chat.pk}/hand-over/", {"person": mate.pk})
        again = client_of(owner).post(f"/chats/{chat.pk}/hand-over/", {"person": mate.pk})
        assert again.status_code == 409, "It is offered already."
        assert client.post(f"/chats/{chat.pk}/{place}/", fields).status_code == 303
        late = client_of(mate).post(f"/chats/{chat.pk}/accept/", {"answer": "accept"})
        assert late.status_code == 404
    assert owner_of(chat) == owner.pk
    assert told(chat)[1::2] == [
        f"owner took the offer of a chat to mate@example.com back in {team.name}",
        f"mate declined the offer of a chat in {team.name}",
    ]


def leaves(mate: Person, chat: Chat) -> None:
    memberships.leave(mate.memberships.get(), actor=mate, address=None)
    assert chat.team
    Membership.objects.create(team=chat.team, person=mate, role="member")


def becomes_a_viewer(mate: Person, chat: Chat) -> None:
    for role in ("viewer", "member"):
        memberships.change_role(mate.memberships.get(), role, actor=None, address=None)


def is_deactivated(mate: Person, chat: Chat) -> None:
    actor = Person.objects.create_superuser("root@example.com")
    standing.deactivate(mate, actor=actor, address=None)
    standing.reactivate(mate, actor=actor, address=None)


def is_moved(mate: Person, chat: Chat) -> None:
    client = Client()
    client.force_login(chat.owner)
    for place in ("personal", chat.team_id):
        assert client.post(f"/chats/{chat.pk}/move/", {"place": place}).status_code == 303


def is_deleted(mate: Person, chat: Chat) -> None:
    client = Client()
    client.force_login(chat.owner)
    client.post(f"/chats/{chat.pk}/delete/", {"confirmed": "yes"})
    assert client.post(f"/chats/{chat.pk}/undelete/").status_code == 303


def its_owner_leaves(mate: Person, chat: Chat) -> None:
    Membership.objects.filter(person=mate).update(role="owner")
    memberships.leave(chat.owner.memberships.get(), actor=chat.owner, address=None)
    assert chat.team
    Membership.objects.create(team=chat.team, person=chat.owner, role="member")


ENDS = (leaves, becomes_a_viewer, is_deactivated, is_moved, is_deleted, its_owner_leaves)


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_an_offer_ends_by_itself_and_does_not_come_back(
    client_of: ClientOf,
    owner: Person,
    mate: Person,
    offered: Chat,
    end: Callable[[Person, Chat], None],
) -> None:
    end(mate, offered)
    mate.refresh_from_db()
    client = client_of(mate)
    late = client.post(f"/chats/{offered.pk}/accept/", {"answer": "accept"})
    assert late.status_code == 404
    assert owner_of(offered) == owner.pk
    assert not Chat.objects.filter(pk=offered.pk, offered_to=mate).exists()


def test_what_somebody_keeps_is_what_the_level_gives_and_is_said_before(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat: Chat
) -> None:
    left = {}
    for level in ("private", "team", "team-edit", "unlisted", "public"):
        now = {"owner": owner, "offered_to": None, "privacy": level}
        Chat.objects.filter(pk=chat.pk).update(**now)
        before = page(client_of(owner), chat, "hand-over")
        client_of(owner).post(f"/chats/{chat.pk}/hand-over/", {"person": mate.pk})
        client_of(mate).post(f"/chats/{chat.pk}/accept/", {"answer": "accept"})
        chat.refresh_from_db()
        allowed = permissions.actions(owner, chat)
        assert ("write in it" in before) == (Action.SEND in allowed)
        assert ("see the chat any more" in before) == (Action.READ not in allowed)
        left[level] = (
            "write" if Action.SEND in allowed else "read" if Action.READ in allowed else ""
        )
    assert left == {
        "private": "",
        "team": "read",
        "team-edit": "write",
        "unlisted": "",
        "public": "read",
    }


def test_guests_and_the_queue_stay_and_what_waits_follows(
    client_of: ClientOf, owner: Person, mate: Person, offered: Chat
) -> None:
    for person, role in ((mate, "reader"), (None, "editor")):
        email = person.email if person else "guest@example.com"
        Guest.objects.create(chat=offered, email=email, person=person, role=role)
    asks = {"asks": "plan", "v0_id": "a", "ended_at": timezone.now(), "state": "finished"}
    offered.messages.filter(role="assistant").update(**asks)
    row = {"person": owner, "token": uuid4(), "position": 1, "is_urgent": True}
    Queued.objects.create(chat=offered, payload={"message": "Later"}, **row)
    assert {each.pk for each in permissions.waiting_for(mate)} == set()
    client_of(mate).post(f"/chats/{offered.pk}/accept/", {"answer": "accept"})
    assert permissions.waiting_for(mate).exists()
    assert not permissions.waiting_for(owner).exists()
    # Whose it is now is no guest; the others are.
    assert [each.email for each in offered.guests.all()] == ["guest@example.com"]
    draining.drain()
    kept = Queued.objects.get(chat=offered)
    assert (kept.person, kept.problem) == (owner, "rights")


def test_of_two_answers_at_once_one_counts(
    client_of: ClientOf, owner: Person, mate: Person, offered: Chat
) -> None:
    client = client_of(mate)
    answers = [
        client.post(f"/chats/{offered.pk}/accept/", {"answer": "accept"}).status_code
        for _ in range(2)
    ]
    assert answers == [303, 404]
    assert AuditEntry.objects.filter(event="chat.passed-on").count() == 1
    back = client_of(owner).post(f"/chats/{offered.pk}/hand-over/", {"back": "yes"})
    assert back.status_code == 404
    assert owner_of(offered) == mate.pk
