"""Two at once on PostgreSQL: a team keeps an owner, and an invitation is used as often as it may be."""

from __future__ import annotations

from collections.abc import Callable

from chats.models import Invitation, Membership, Person, Team, invitations, memberships
from chats.models.invitations import Over
from chats.models.memberships import Changed, LastOwner
from tests.scale.test_standing import at_once

ROUNDS = 10


def test_of_two_last_owners_who_go_at_once_one_stays(transactional_db: None) -> None:
    team = Team.objects.create(name="Team")
    people = [Person.objects.create_user(f"{name}@example.com") for name in ("one", "two")]

    def works(kind: str, own: Membership, other: Membership) -> Callable[[], None]:
        def work() -> None:
            try:
                if kind == "leave":
                    memberships.leave(own, actor=own.person, address=None)
                elif kind == "lower":
                    memberships.change_role(own, "member", actor=own.person, address=None)
                else:
                    memberships.remove(other, actor=own.person, address=None)
            except (LastOwner, Changed):
                return

        return work

    for kind in ("leave", "lower", "each other") * ROUNDS:
        Membership.objects.all().delete()
        one, other = (
            Membership.objects.create(team=team, person=each, role="owner") for each in people
        )
        at_once(works(kind, one, other), works(kind, other, one))
        assert Membership.objects.filter(role="owner").count() == 1, kind


def test_the_last_use_of_an_invitation_is_one_persons(transactional_db: None) -> None:
    team = Team.objects.create(name="Team")
    boss = Person.objects.create_user("boss@example.com")
    people = [Person.objects.create_user(f"{number}@example.com") for number in range(4)]

    def accepts(made: Invitation, person: Person) -> Callable[[], None]:
        def work() -> None:
            try:
                invitations.accept(made, person, address=None)
            except Over:
                return

        return work

    for _ in range(ROUNDS):
        Membership.objects.all().delete()
        made, _ = invitations.invite(team, "member", inviter=boss, uses=2, address=None)
        at_once(*[accepts(made, person) for person in people])
        assert Membership.objects.count() == 2
