"""A run and its readers: who leaves, who comes late, who does not read, and what each is given."""

from __future__ import annotations

import httpx

from tests.sandbox.asking import Client, folded, objects

GOING = "scenario: long size=6000 pace=0.2"


def test_resuming_gives_one_catch_up_delta_and_then_what_happens(client: Client) -> None:
    with client.streaming("/chats/stream", {"message": GOING}) as events:
        chat_id = next(events)["id"]
        for _ in range(40):
            next(events)
        resumed = client.events(f"/chats/{chat_id}/resume")
        rest = list(events)
    message = client.newest(chat_id)
    assert objects(resumed) == ["chat", "message.parts.chunk", "message.usage", "chat"]
    catch_up = resumed[1]["delta"]
    assert all(len(change) == 1 for key, change in catch_up.items() if key != "_t")
    assert len(folded(resumed[:2])) == 2
    assert len(resumed) > 20
    assert folded(resumed) == message["parts"]
    assert resumed[-1] == rest[-1]


def test_resuming_what_is_over_gives_the_chat_alone(client: Client) -> None:
    chat_id = client.new_chat()
    chat = client.get(f"/chats/{chat_id}").json()
    assert client.events(f"/chats/{chat_id}/resume") == [{"object": "chat", **chat}]
    assert client.ledger()["posts"] == 1


def test_a_run_goes_on_when_its_client_leaves(client: Client) -> None:
    with client.streaming("/chats/stream", {"message": GOING}) as events:
        chat_id = next(events)["id"]
    assert client.newest(chat_id)["finishReason"] is None
    resumed = client.events(f"/chats/{chat_id}/resume")
    message = client.newest(chat_id)
    assert message["finishReason"] == "stop"
    assert len(message["content"]) == 6000
    assert folded(resumed) == message["parts"]
    assert client.ledger()["posts"] == 1


def test_an_unfinished_message_shows_what_there_is_so_far(client: Client) -> None:
    with client.streaming("/chats/stream", {"message": GOING}) as events:
        chat_id = next(events)["id"]
        for _ in range(60):
            next(events)
        message = client.newest(chat_id)
    assert message["finishReason"] is None
    assert message["usage"]["tokens"]["total"] == 0
    assert [part["type"] for part in message["parts"]] == ["thinking", "text"]
    assert message["parts"][1]["text"].startswith("# A long answer")
    client.events(f"/chats/{chat_id}/resume")


def test_a_client_that_does_not_read_gets_one_large_delta_and_holds_nobody_up(
    client: Client,
) -> None:
    """More is sent than sockets buffer: the reader falls behind and is given the difference."""
    body = {"message": "scenario: long size=30000 chunk=24"}
    with client.streaming("/chats/stream", body) as lagging:
        chat_id = next(lagging)["id"]
        with Client(client.sandbox, client.key) as other:
            other.http.timeout = httpx.Timeout(20)
            other.events(f"/chats/{chat_id}/resume")
        message = client.newest(chat_id)
        assert message["finishReason"] == "stop"
        late = [{"object": "chat"}, *lagging]
    assert folded(late) == message["parts"]
    assert len(late) < 1250


def test_a_title_that_a_person_gives_during_a_run_stays(client: Client) -> None:
    prompt = "Build a page for a coffee roaster\npace: 0.3"
    with client.streaming("/chats/stream", {"message": prompt}) as events:
        chat_id = next(events)["id"]
        client.http.patch(f"/chats/{chat_id}", json={"title": "Mine"})
        stream = list(events)
    assert stream[-1]["title"] == "Mine"
    assert [event for event in stream if event["object"] == "chat.title"] == []
