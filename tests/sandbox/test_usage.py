"""Summary, events and activity are the same figures, and those are what the messages say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.asking import Client
from tests.sandbox_server import Sandbox, running_sandbox

Json = Any

IMAGES = {"modelId": "v0-max", "imageGenerations": True}


def exact(client: Client, path: str, **params: Json) -> Json:
    """An answer whose fractions are the decimals that were written."""
    answer = client.get(path, **params)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def all_events(client: Client, **params: Json) -> list[Json]:
    found: list[Json] = []
    cursor: str | None = None
    while True:
        only = {"cursor": cursor} if cursor else params
        page = exact(client, "/usage/events", **only)
        found += page["data"]
        cursor = page["pagination"]["cursor"]
        assert page["pagination"]["hasMore"] == (cursor is not None)
        if cursor is None:
            return found


def costs(usages: list[Json], field: str = "total") -> Decimal:
    return sum((Decimal(usage["creditsCost"][field]) for usage in usages), Decimal(0))


def answers(client: Client, *chats: str) -> list[Json]:
    return [
        message
        for chat_id in chats
        for message in exact(client, f"/chats/{chat_id}/messages")["messages"]
        if message["role"] == "assistant"
    ]


def test_everything_adds_up_to_what_the_messages_say(client: Client) -> None:
    client.sandbox.set_plan(client.key, "0.02")
    first = client.new_chat("Build a page for a bakery")
    client.send(first, "Make it dark", modelConfiguration=IMAGES)
    client.send(first, "scenario: image n=3", modelConfiguration=IMAGES)
    second = client.new_chat("scenario: error")
    messages = answers(client, first, second)
    spent = costs([message["usage"] for message in messages])
    events = all_events(client)
    assert costs(events) == spent > 0
    assert Decimal(client.ledger()["credits"]) == spent
    for message in messages:
        own = [event for event in events if event["messageId"] == message["id"]]
        for field in ("input", "output", "cacheRead", "cacheWrite", "total"):
            assert costs(own, field) == Decimal(message["usage"]["creditsCost"][field])
            assert sum(event["tokens"][field] for event in own) == message["usage"]["tokens"][field]
    credits = exact(client, "/usage/summary")["credits"]
    charged = costs(events, "charged")
    assert credits["plan"] == Decimal("0.02")
    assert credits["plan"] + credits["onDemand"] == credits["total"] == charged
    waived = [event for event in events if event["waived"]]
    assert [event["chatId"] for event in waived] == [second]
    assert charged + costs(waived) == spent


def test_an_event_says_where_its_credits_come_from(client: Client) -> None:
    client.sandbox.set_plan(client.key, "0.011")
    for _ in range(3):
        client.new_chat("Hello")
    events = all_events(client)
    assert [event["sources"] for event in reversed(events)] == [
        ["plan"],
        ["plan", "on-demand"],
        ["on-demand"],
    ]


def test_images_are_events_of_their_own(client: Client) -> None:
    chat_id = client.new_chat("scenario: image n=2", modelConfiguration=IMAGES)
    events = all_events(client, chatId=chat_id)
    assert sorted(event["type"] for event in events) == ["image_generation", "message"]
    assert {event["model"] for event in events} == {"v0-max"}
    assert len({event["messageId"] for event in events}) == 1
    without = client.new_chat("scenario: image n=2")
    assert [event["type"] for event in all_events(client, chatId=without)] == ["message"]


def test_a_fix_of_v0s_own_error_is_waived(tmp_path: Path) -> None:
    with (
        running_sandbox(tmp_path / "s.sqlite3", revision="reference") as sandbox,
        Client(sandbox) as client,
    ):
        chat_id = client.new_chat("Hello", type="prompt")
        client.send(chat_id, "Fix it", action={"type": "fix-with-v0"})
        newest, older = all_events(client)
        assert (newest["waived"], older["waived"]) == (True, False)
        assert newest["sources"] == []
        assert newest["creditsCost"]["charged"] == 0 < newest["creditsCost"]["total"]


def test_a_copy_an_edit_and_a_restore_cost_nothing(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    client.send(chat_id, "Make it dark")
    before = client.ledger()["credits"]
    client.post(f"/chats/{chat_id}/duplicate")
    oldest = client.messages(chat_id)[2]["id"]
    client.post(f"/chats/{chat_id}/restore-message", {"messageId": oldest})
    assert client.ledger()["credits"] == before
    assert len(all_events(client)) == 2


def test_events_come_newest_first_and_page_by_page(client: Client) -> None:
    for number in range(5):
        client.new_chat(f"Hello {number}")
    whole = all_events(client)
    assert [event["createdAt"] for event in whole] == sorted(
        (event["createdAt"] for event in whole), reverse=True
    )
    assert all_events(client, limit=2) == whole
    assert len(exact(client, "/usage/events", limit=2)["data"]) == 2


def test_a_limit_counts_a_record_for_each_source(client: Client) -> None:
    client.sandbox.set_plan(client.key, "0.004")
    for _ in range(3):
        client.new_chat("Hello")
    sizes = []
    page = exact(client, "/usage/events", limit=2)
    while True:
        sizes.append(len(page["data"]))
        if not page["pagination"]["hasMore"]:
            break
        page = exact(client, "/usage/events", limit=2, cursor=page["pagination"]["cursor"])
    assert sizes == [2, 1]
    assert len(exact(client, "/usage/events", limit=1)["data"]) == 1


def test_a_cursor_carries_the_range_and_the_filters(client: Client) -> None:
    chat_id = client.new_chat("Hello")
    client.send(chat_id, "And?")
    client.new_chat("Hello")
    first = exact(client, "/usage/events", chatId=chat_id, limit=1)
    cursor = first["pagination"]["cursor"]
    second = exact(client, "/usage/events", cursor=cursor)
    assert second["range"] == first["range"]
    assert [event["chatId"] for event in second["data"]] == [chat_id]
    refused = client.get("/usage/events", cursor=cursor, chatId="another")
    assert refused.status_code == 422


def test_events_can_be_narrowed_to_a_chat_and_a_message(client: Client) -> None:
    chat_id = client.new_chat("Hello")
    client.send(chat_id, "And?")
    client.new_chat("Hello")
    newest = client.newest(chat_id)["id"]
    assert len(all_events(client)) == 3
    assert len(all_events(client, chatId=chat_id)) == 2
    assert [event["messageId"] for event in all_events(client, messageId=newest)] == [newest]


def test_what_a_colleague_did_is_theirs(client: Client) -> None:
    chat_id = client.new_chat("Hello")
    client.sandbox.write(chat_id, "And?", run=False)
    mine, theirs = sorted(
        {event["userId"] for event in all_events(client)},
        key=lambda user: user != client.get(f"/chats/{chat_id}").json()["authorId"],
    )
    whole = exact(client, "/usage/summary")
    parts = [exact(client, "/usage/summary", userId=user) for user in (mine, theirs)]
    assert sum(part["credits"]["total"] for part in parts) == whole["credits"]["total"]
    assert [part["scope"].get("userId") for part in (whole, *parts)] == [None, mine, theirs]
    assert [part["scope"]["isTeamWide"] for part in (whole, *parts)] == [True, False, False]
    assert client.get("/usage/summary", userId="user_of_another_team").status_code == 403
    activity = exact(client, "/usage/activity")["summary"]
    assert (activity["activeUsers"], activity["messageCount"]) == (2, 2)


def test_activity_groups_by_project_and_chat(client: Client) -> None:
    with_project = client.new_chat("Build a page for a bakery")
    path = f"/chats/{with_project}/vercel-project"
    project = client.post(path, {"name": "bakery"}).json()["vercelProjectId"]
    draft = client.new_chat("Hello")
    client.send(draft, "And?")
    gone = client.new_chat("Hello")
    client.http.delete(f"/chats/{gone}")
    activity = exact(client, "/usage/activity")
    assert activity["summary"] == {
        "activeUsers": 1,
        "activeDays": 1,
        "chatCount": 3,
        "messageCount": 4,
    }
    chats = {item["chatId"]: item for item in activity["chats"]}
    assert {id: item["messageCount"] for id, item in chats.items()} == {
        with_project: 1,
        draft: 2,
        gone: 1,
    }
    assert chats[with_project]["projectName"] == "bakery"
    assert (chats[gone]["kind"], chats[gone]["title"]) == ("unavailable", "Unavailable chat")
    projects = {item["kind"]: item for item in activity["projects"]}
    assert projects["project"]["vercelProjectId"] == project
    assert (projects["drafts"]["chatCount"], projects["drafts"]["messageCount"]) == (1, 2)
    assert projects["unavailable"]["chatCount"] == 1


def test_the_books_outlive_a_chat(client: Client) -> None:
    chat_id = client.new_chat("Hello")
    before = all_events(client)
    client.http.delete(f"/chats/{chat_id}")
    (event,) = all_events(client)
    assert event == {**before[0], "tokens": None}


def test_the_usual_range_is_the_last_week(client: Client) -> None:
    client.new_chat("Hello")
    told = exact(client, "/usage/summary")["range"]
    start, end = (datetime.fromisoformat(told[name]) for name in ("start", "end"))
    assert end - start == timedelta(days=7)
    assert datetime.now(UTC) - end < timedelta(minutes=1)


def test_a_range_begins_with_its_start_and_ends_before_its_end(client: Client) -> None:
    client.new_chat("Hello")
    (event,) = all_events(client)
    at = datetime.fromisoformat(event["createdAt"])
    later = (at + timedelta(milliseconds=1)).isoformat().replace("+00:00", "Z")
    long_ago = "2020-01-01T00:00Z"
    assert len(all_events(client, start=event["createdAt"], end=later)) == 1
    assert all_events(client, start=long_ago, end=event["createdAt"]) == []
    summary = exact(client, "/usage/summary", start=event["createdAt"], end=later)
    assert [day["date"] for day in summary["daily"]] == [event["createdAt"][:10]]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"start": "2026-01-02T00:00Z", "end": "2026-01-01T00:00Z"}, "start"),
        ({"start": "2026-01-01T00:00:00+00:00"}, "start"),
        ({"end": "0000-01-01T00:00Z"}, "end"),
        ({"end": "0001-01-01T00:00Z"}, "end"),
    ],
)
@pytest.mark.parametrize("path", ["summary", "events", "activity"])
def test_a_range_that_makes_no_sense_is_refused(
    client: Client, path: str, params: dict[str, str], field: str
) -> None:
    answer = client.get(f"/usage/{path}", **params)
    assert (answer.status_code, answer.json()["message"].partition(":")[0]) == (422, field)


def test_a_world_sees_its_own_usage_alone(client: Client, sandbox: Sandbox) -> None:
    client.new_chat("Hello")
    with Client(sandbox) as other:
        assert all_events(other) == []
        assert exact(other, "/usage/summary")["credits"]["total"] == 0
        assert exact(other, "/usage/activity")["chats"] == []
