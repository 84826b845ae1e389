"""The audit log: what is noted, and that nothing changes it."""

from __future__ import annotations

from chats.models import AuditEntry, Event, Person, Team, record


def test_an_entry_keeps_the_names_of_what_it_speaks_of(owner: Person, mate: Person) -> None:
    team = Team.objects.create(name="Web")
    record(
        Event.ROLE_CHANGED,
        actor=owner,
        address="203.0.113.7",
        person=mate,
        team=team,
        before="member",
        after="viewer",
    )
    team.delete()
    entry = AuditEntry.objects.get()
    assert (entry.event, entry.actor, entry.actor_name) == ("team.role", owner.pk, owner.email)
    assert (entry.person, entry.person_name, entry.team_name) == (mate.pk, mate.email, "Web")
    assert entry.address == "203.0.113.7"
    assert entry.details == {"before": "member", "after": "viewer"}
    assert entry.chat is None
