"""What happens to a team, its chats and the audit log when somebody joins, leaves or changes a role."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection

from chats.models import AuditEntry, Chat, Membership, Person, Team, memberships
from chats.models.chats import Privacy
from chats.models.memberships import AlreadyMember, Changed, HasChats, LastOwner

FROM = "192.0.2.7"


def of(person: Person) -> Membership:
    return Membership.objects.select_related("team", "person").get(person=person)


def noted() -> list[tuple[str, str, str]]:
    """Each entry as event, actor and person, by the names before the @."""
    found = AuditEntry.objects.order_by("pk").values_list("event", "actor_name", "person_name")
    return [(event, a.partition("@")[0], p.partition("@")[0]) for event, a, p in found]


@pytest.fixture
def mates_chats(mate: Person, team: Team) -> dict[str, Chat]:
    """One of the mate's at each level, in the team, and one of their own."""
    made = {
        level: Chat.objects.create(
            owner=mate, team=team, privacy=level, v0_id=level, title="Told to nobody"
        )
        for level in Privacy.values
    }
    return made | {"personal": Chat.objects.create(owner=mate, title="Told to nobody")}


def owners_of(chats: dict[str, Chat]) -> dict[str, str]:
    return {name: Chat.objects.get(pk=chat.pk).owner.shown_name for name, chat in chats.items()}


@pytest.mark.parametrize("end", [memberships.leave, memberships.remove])
def test_what_the_team_could_see_passes_to_its_owner(
    end: Callable[..., list[object]],
    owner: Person,
    mate: Person,
    team: Team,
    mates_chats: dict[str, Chat],
) -> None:
    versions = {name: chat.version for name, chat in mates_chats.items()}
    passed = end(of(mate), actor=owner, address=FROM)
    seen = {"team", "team-edit", "public"}
    assert set(passed) == {mates_chats[name].pk for name in seen}
    for name, who in owners_of(mates_chats).items():
        assert who == (owner if name in seen else mate).shown_name, name
        raised = Chat.objects.get(pk=mates_chats[name].pk).version - versions[name]
        assert raised == (1 if name in seen else 0)
    assert not Membership.objects.filter(person=mate).exists()
    entry = AuditEntry.objects.last()
    assert entry
    assert entry.details == {"role": "member", "passed_on": 3, "left_behind": 2}
    assert entry.address == FROM
    assert [event for event, *_ in noted()].count("chat.passed-on") == 3
    assert "Told to nobody" not in str(list(AuditEntry.objects.values()))


def test_what_is_left_behind_is_seen_by_nobody_until_an_owner_takes_it_over(
    owner: Person, mate: Person, team: Team, mates_chats: dict[str, Chat]
) -> None:
    memberships.leave(of(mate), actor=mate, address=FROM)
    left = memberships.left_behind(team)
    assert {chat.privacy for chat in left} == {"private", "unlisted"}
    taken = memberships.take_over(team, mate, actor=owner, address=FROM)
    assert len(taken) == 2
    assert noted()[-2:] == [("chat.taken-over", "owner", "mate")] * 2
    assert owners_of(mates_chats)["private"] == owner.shown_name
    assert owners_of(mates_chats)["personal"] == mate.shown_name
    assert memberships.take_over(team, mate, actor=owner, address=FROM) == []


def test_who_comes_back_before_that_has_their_chats_again(
    owner: Person, mate: Person, team: Team, mates_chats: dict[str, Chat]
) -> None:
    memberships.leave(of(mate), actor=mate, address=FROM)
    memberships.join(team, mate, "viewer", actor=mate, address=FROM)
    assert memberships.take_over(team, mate, actor=owner, address=FROM) == []
    assert owners_of(mates_chats)["private"] == mate.shown_name


def test_the_last_owner_stays_one(owner: Person, mate: Person, team: Team) -> None:
    own = of(owner)
    for ended in (memberships.leave, memberships.remove):
        with pytest.raises(LastOwner):
            ended(own, actor=owner, address=FROM)
    with pytest.raises(LastOwner):
        memberships.change_role(own, "admin", actor=owner, address=FROM)
    # Somebody who cannot sign in could not act for the team.
    memberships.change_role(of(mate), "owner", actor=owner, address=FROM)
    Person.objects.filter(pk=mate.pk).update(is_active=False)
    with pytest.raises(LastOwner):
        memberships.leave(own, actor=owner, address=FROM)
    Person.objects.filter(pk=mate.pk).update(is_active=True)
    memberships.leave(own, actor=owner, address=FROM)
    assert [event for event, *_ in noted()] == ["team.role", "team.left"]


def test_joining_is_once_and_keeps_the_role(owner: Person, mate: Person, team: Team) -> None:
    with pytest.raises(AlreadyMember):
        memberships.join(team, mate, "owner", actor=owner, address=FROM)
    assert of(mate).role == "member"
    assert noted() == []


def test_a_change_of_what_has_changed_meanwhile_does_nothing(
    owner: Person, mate: Person, team: Team
) -> None:
    old = of(mate)
    memberships.change_role(of(mate), "owner", actor=owner, address=FROM)
    with pytest.raises(Changed):
        memberships.remove(old, actor=owner, address=FROM)
    with pytest.raises(Changed):
        memberships.change_role(old, "viewer", actor=owner, address=FROM)
    assert of(mate).role == "owner"


def test_handing_over_makes_one_an_owner_and_the_other_an_admin(
    owner: Person, mate: Person, team: Team
) -> None:
    given, taken = of(owner), of(mate)
    memberships.hand_over(given, taken, address=FROM)
    assert (of(owner).role, of(mate).role) == ("admin", "owner")
    assert noted()[-1] == ("team.transferred", "owner", "mate")
    with pytest.raises(Changed):
        memberships.hand_over(given, taken, address=FROM)


def test_only_a_team_without_chats_is_deleted(owner: Person, mate: Person, team: Team) -> None:
    hidden = Chat.objects.create(owner=mate, team=team)
    with pytest.raises(HasChats):
        memberships.delete_team(team, actor=owner, address=FROM)
    Chat.objects.filter(pk=hidden.pk).update(team=None)
    memberships.delete_team(team, actor=owner, address=FROM)
    assert not Team.objects.exists()
    assert noted() == [("team.deleted", "owner", "")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["leave", "lower", "each other"])
def test_of_two_last_owners_who_go_at_once_one_stays(act: str) -> None:
    team = Team.objects.create(name="Team")
    people = [Person.objects.create_user(f"{name}@example.com") for name in ("one", "two")]
    held = [Membership.objects.create(team=team, person=each, role="owner") for each in people]
    barrier, refused = Barrier(2), []

    def go(own: Membership, other: Membership) -> None:
        barrier.wait()
        try:
            if act == "leave":
                memberships.leave(own, actor=own.person, address=None)
            elif act == "lower":
                memberships.change_role(own, "member", actor=own.person, address=None)
            else:
                memberships.remove(other, actor=own.person, address=None)
        except LastOwner:
            refused.append(own)
        finally:
            connection.close()

    threads = [Thread(target=go, args=pair) for pair in (held, held[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert Membership.objects.filter(team=team, role="owner").count() == 1
