"""What waits for whom: the list of everything must say what each chat says of itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats import permissions
from chats.models import Chat, Decision, Message
from chats.models.messages import Task
from chats.permissions import Action
from chats.relay import decisions
from tests.people import Cast, cast
from tests.rights import LEVELS, PEOPLE, expected


@pytest.fixture
def people(db: None) -> Cast:
    return cast()


def ask(chat: Chat, kind: str = Task.PLAN, **fields: Any) -> Message:
    """An answer at the end of a chat that waits for somebody."""
    values = {"state": "finished", "v0_id": f"v0-{chat.pk}", "position": 2, **fields}
    return Message.objects.create(chat=chat, role="assistant", asks=kind, **values)


@pytest.mark.parametrize("kind", Task.values)
def test_it_waits_for_those_who_may_decide_it(people: Cast, kind: str) -> None:
    action = "SEND" if kind in (Task.QUESTIONS, Task.PLAN) else "GRANT"
    asked = {chat.pk: ask(chat, kind) for chat in people.chats.values()}
    for who in PEOPLE:
        found = set(permissions.waiting_for(people.visitor(who)))
        for level in LEVELS:
            waits = asked[people.chat(who, level).pk] in found
            assert waits == (expected(action)[who][level] == "+"), (who, level)


SETTLED: dict[str, dict[str, Any]] = {
    "it does not ask": {"asks": ""},
    "it runs": {"state": "streaming"},
    "it was stopped": {"state": "stopped"},
    "it failed": {"state": "failed"},
    "v0 does not have it": {"v0_id": ""},
}


@pytest.mark.parametrize("change", SETTLED.values(), ids=SETTLED)
def test_what_does_not_wait_is_not_listed(people: Cast, change: dict[str, Any]) -> None:
    asked = ask(people.chats["private of owner"])
    owner = people.visitor("owner")
    assert permissions.waiting_for(owner).get() == asked
    Message.objects.filter(pk=asked.pk).update(**change)
    assert not permissions.waiting_for(owner).exists()
    assert decisions.waiting(asked.chat) is None


AFTER: dict[str, tuple[dict[str, Any], bool]] = {
    "somebody wrote and v0 has it": ({"role": "user", "v0_id": "u", "state": "finished"}, False),
    "an answer runs": ({"role": "assistant", "state": "sending"}, False),
    "v0 did not take what came": ({"role": "user", "state": "failed"}, True),
}


@pytest.mark.parametrize(("fields", "waits"), AFTER.values(), ids=AFTER)
def test_what_came_later_settles_it_once_v0_has_it(
    people: Cast, fields: dict[str, Any], waits: bool
) -> None:
    asked = ask(people.chats["private of owner"])
    Message.objects.create(chat=asked.chat, position=3, **fields)
    assert permissions.waiting_for(people.visitor("owner")).exists() == waits


@pytest.mark.parametrize("failed", [False, True])
def test_a_decision_that_holds_settles_it(people: Cast, failed: bool) -> None:
    asked = ask(people.chats["private of owner"])
    said = Message.objects.create(chat=asked.chat, position=3, role="user", state="failed")
    Decision.objects.create(asked=asked, part=0, kind="plan", said=said, failed=failed)
    assert permissions.waiting_for(people.visitor("owner")).exists() == failed


@pytest.mark.parametrize(
    "change", [{"write_permission": False}, {"at_v0": "gone"}, {"deleted_at": timezone.now()}]
)
def test_where_nobody_may_write_nothing_waits(people: Cast, change: dict[str, Any]) -> None:
    asked = ask(people.chats["private of owner"])
    Chat.objects.filter(pk=asked.chat_id).update(**change)
    assert not permissions.waiting_for(people.visitor("owner")).exists()


def test_it_is_one_query_and_the_longest_wait_comes_first(people: Cast) -> None:
    now = timezone.now()
    for age, level in enumerate(LEVELS):
        ask(people.chats[f"{level} of owner"], ended_at=now - timedelta(hours=age))
    with CaptureQueriesContext(connection) as queries:
        found = list(permissions.waiting_for(people.visitor("owner")))
    assert len(queries) == 1
    assert [message.chat.privacy for message in found] == list(reversed(LEVELS))
    assert {m.chat for m in found} <= set(permissions.visible_chats(people.visitor("owner")))
    owner = people.visitor("owner")
    assert all(permissions.may(owner, m.chat, Action.SEND) for m in found)
