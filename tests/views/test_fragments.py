"""What a page fetches again when a mark changes: the composer's buttons and each reader's own slots."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chats.models import Chat, Entry, Message, Person, Team
from tests.views.conftest import AddTurn, ChatOf, ClientOf, no_writes

CostOf = Callable[[Message], Entry]


def test_who_gets_which_fragment(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, stranger: Person, team: Team
) -> None:
    chat = chat_of(owner, privacy="team", team=team)
    statuses = {
        name: [
            client_of(person).get(f"/chats/{chat.id}/{name}/").status_code
            for person in (owner, mate, stranger, None)
        ]
        for name in ("actions", "own", "queue")
    }
    assert statuses == {
        "actions": [200, 403, 404, 404],
        "own": [200, 200, 404, 404],
        "queue": [200, 403, 404, 404],
    }


@pytest.mark.parametrize(
    ("state", "mode"),
    [("finished", "ready"), ("failed", "ready"), ("sending", "running"), ("streaming", "running")],
)
def test_the_button_is_send_or_stop(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, state: str, mode: str
) -> None:
    chat, client = chat_of(owner, state=state), client_of(owner)
    with no_writes():
        fragment = client.get(f"/chats/{chat.id}/actions/").content.decode()
    assert f'data-mode="{mode}"' in fragment
    assert ('aria-label="Send"' in fragment) == (mode == "ready")
    assert ('id="queue-button"' in fragment) == (mode == "running")
    assert "token" not in fragment


def test_the_cost_is_told_to_those_who_may_see_it(
    client_of: ClientOf, chat_of: ChatOf, cost_of: CostOf, owner: Person, stranger: Person
) -> None:
    chat = chat_of(owner, privacy="public")
    answer = chat.messages.get(role="assistant")
    cost_of(answer)
    path, client = f"/chats/{chat.id}/own/", client_of(owner)
    with no_writes():
        fragment = client.get(path).content.decode()
    assert f'<div id="m{answer.id}-own">' in fragment
    assert "0.0421 credits · 12,345 tokens" in fragment
    assert "-own" not in client_of(stranger).get(path).content.decode()


def test_the_last_failure_can_be_tried_again_by_those_who_may_send(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, team: Team
) -> None:
    chat = chat_of(owner, state="failed", problem="unsent", privacy="team", team=team)
    path = f"/chats/{chat.id}/own/"
    assert "Try again" in client_of(owner).get(path).content.decode()
    assert "-own" not in client_of(mate).get(path).content.decode()


def test_a_running_answer_has_nothing_of_its_own(
    client_of: ClientOf, chat_of: ChatOf, owner: Person
) -> None:
    chat = chat_of(owner, state="streaming")
    answer = chat.messages.get(role="assistant")
    assert (
        f"m{answer.id}-own" not in client_of(owner).get(f"/chats/{chat.id}/own/").content.decode()
    )


def test_slots_are_one_question_to_the_ledger(
    client_of: ClientOf, chat_of: ChatOf, add_turn: AddTurn, cost_of: CostOf, owner: Person
) -> None:
    chat, client = chat_of(owner), client_of(owner)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/chats/{chat.id}/own/")
        counts.append(len(queries))
        for number in range(5):
            cost_of(add_turn(chat, f"turn {number}"))
    assert counts[0] == counts[1]


def test_who_may_do_less_than_before_keeps_nothing_of_what_others_may(
    client_of: ClientOf, owner: Person, mate: Person, team: Team, chat_of: ChatOf, cost_of: CostOf
) -> None:
    chat = chat_of(owner, privacy="team-edit", team=team)
    asked, answer = chat.messages.order_by("position")
    cost_of(answer)
    client = client_of(mate)
    place = f"/chats/{chat.id}/own/"
    rights = re.search(
        r'name="rights" value="(\d+)"', client.get(f"/chats/{chat.id}/").content.decode()
    )
    assert rights
    same = client.get(place, {"rights": rights[1]}).content.decode()
    assert "credits" in same
    assert 'id="queue"' not in same
    Chat.objects.filter(pk=chat.pk).update(privacy="public")
    mate.memberships.all().delete()
    less = client.get(place, {"rights": rights[1]}).content.decode()
    assert "credits" not in less
    emptied = {f'<div id="m{row.id}-own"></div>' for row in (asked, answer)}
    assert all(slot in less for slot in emptied | {'<div id="queue"></div>'})
