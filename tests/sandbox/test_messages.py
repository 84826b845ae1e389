"""A turn over HTTP: the order of events in both families, what is stored of it, and its stop."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.asking import Client, folded, objects


def test_creating_streams_chat_titles_chunks_usage_and_chat(client: Client) -> None:
    stream = client.create("Build a page for a coffee roaster")
    kinds = [event["object"] for event in stream]
    assert objects(stream)[0] == "chat"
    assert kinds[-2:] == ["message.usage", "chat"]
    assert kinds.count("message.usage") == 1
    assert set(kinds[1:-2]) == {"chat.title", "message.parts.chunk"}
    titles = [event["delta"] for event in stream if event["object"] == "chat.title"]
    assert titles == ["Coffee", "Coffee Roaster"]
    assert "title" not in stream[0]
    assert stream[-1]["title"] == "Coffee Roaster"
    message = client.newest(stream[0]["id"])
    assert {event["id"] for event in stream if "message" in event["object"]} == {message["id"]}
    assert folded(stream) == message["parts"]
    assert stream[-2]["usage"] == message["usage"]


def test_sending_streams_message_chunks_usage_and_message(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a coffee roaster")
    stream = client.send(chat_id, "Make it dark")
    assert objects(stream) == ["message", "message.parts.chunk", "message.usage", "message"]
    assert (stream[0]["parts"], stream[0]["finishReason"]) == ([], None)
    assert stream[-1] == {"object": "message", **client.newest(chat_id)}
    assert folded(stream) == stream[-1]["parts"]


def test_text_grows_by_its_old_and_new_text_in_full(client: Client) -> None:
    stream = client.create("scenario: long size=2000")
    growth = [
        change["text"]
        for event in stream
        if event["object"] == "message.parts.chunk"
        for change in event["delta"].values()
        if isinstance(change, dict) and isinstance(change.get("text"), list)
    ]
    assert len(growth) > 20
    assert all(new.startswith(old) and len(new) > len(old) for old, new in growth)


def test_a_turn_is_a_question_and_its_answer(client: Client) -> None:
    chat_id = client.new_chat("Hello there")
    answer, question = client.messages(chat_id)
    assert (question["role"], answer["role"]) == ("user", "assistant")
    assert question["content"] == "Hello there"
    assert question["finishReason"] == "stop"
    assert question["authorId"] == client.get(f"/chats/{chat_id}").json()["authorId"]
    assert question["usage"]["tokens"]["total"] == 0
    assert answer["authorId"] is None
    assert answer["content"] == answer["parts"][-1]["text"]
    assert answer["chatId"] == question["chatId"] == chat_id
    assert len(answer["id"]) == 32
    assert client.get(f"/chats/{chat_id}/messages/{question['id']}").json() == question


def test_attachments_stay_with_the_question(client: Client) -> None:
    chat_id = client.new_chat("Look", attachments=[{"url": "https://example.com/a.png"}])
    answer, question = client.messages(chat_id)
    assert question["attachments"] == [{"url": "https://example.com/a.png"}]
    assert "attachments" not in answer


def test_messages_come_newest_first_and_page_by_page(client: Client) -> None:
    chat_id = client.new_chat("one")
    client.send(chat_id, "two")
    client.send(chat_id, "three")
    everything = [message["id"] for message in client.messages(chat_id)]
    first = client.get(f"/chats/{chat_id}/messages", limit=4).json()
    rest = client.get(f"/chats/{chat_id}/messages", limit=4, cursor=first["cursor"]).json()
    assert [message["id"] for message in first["messages"] + rest["messages"]] == everything
    assert [message["content"] for message in first["messages"]][1::2] == ["three", "two"]
    assert rest["cursor"] is None


def test_the_same_question_in_the_same_place_gets_the_same_answer(client: Client) -> None:
    def told(chat_id: str) -> list[tuple[str, object]]:
        parts = client.newest(chat_id)["parts"]
        return [(part["type"], part.get("text")) for part in parts]

    prompt = "Build a page for a travel club in teal"
    assert told(client.new_chat(prompt)) == told(client.new_chat(prompt))


def test_a_second_question_during_an_answer_is_refused(client: Client) -> None:
    with client.streaming("/chats/stream", {"message": "scenario: long\npace: 1"}) as events:
        chat_id = next(events)["id"]
        answer = client.post(f"/chats/{chat_id}/messages/stream", {"message": "And?"})
        assert answer.status_code == 409
        assert len(client.messages(chat_id)) == 2


def test_stop_answers_at_once_and_the_stream_closes_with_what_there_is(client: Client) -> None:
    with client.streaming("/chats/stream", {"message": "scenario: long\npace: 1"}) as events:
        chat_id = next(events)["id"]
        message_id = next(event["id"] for event in events if event["object"] != "chat.title")
        path = f"/chats/{chat_id}/messages/{message_id}/stop"
        assert client.post(path).json() == {"messageId": message_id}
        assert client.post(path).status_code in (200, 409)
        kinds = [event["object"] for event in events]
    assert kinds[-2:] == ["message.usage", "chat"]
    message = client.newest(chat_id)
    assert message["finishReason"] == "stop"
    assert all("finishedAt" in part for part in message["parts"])
    assert client.post(path).status_code == 409
    assert client.ledger()["stops"] == 1


def test_there_is_nothing_to_stop_in_a_question_or_a_finished_answer(client: Client) -> None:
    chat_id = client.new_chat()
    for message in client.messages(chat_id):
        path = f"/chats/{chat_id}/messages/{message['id']}/stop"
        assert client.post(path).status_code == 409
    assert client.post(f"/chats/{chat_id}/messages/nobody/stop").status_code == 404
    assert client.ledger()["stops"] == 0


@pytest.mark.parametrize("model", ["v0-mini", "v0-max-fast"])
def test_the_model_decides_what_an_answer_costs(client: Client, model: str) -> None:
    plain = client.newest(client.new_chat("Hello"))["usage"]
    configuration = {"modelId": model, "imageGenerations": False}
    other = client.newest(client.new_chat("Hello", modelConfiguration=configuration))["usage"]
    assert other["tokens"] == plain["tokens"]
    assert other["creditsCost"]["total"] != plain["creditsCost"]["total"]


def test_sending_may_wait_for_the_answer(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    answer = client.post(f"/chats/{chat_id}/messages", {"message": "Make it dark"})
    assert answer.json() == client.newest(chat_id)
    assert answer.json()["finishReason"] == "stop"
    assert client.ledger()["posts"] == 2


def test_sending_may_go_on_behind_ones_back(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    body = {"message": "Make it dark\npace: 0.2"}
    answer = client.post(f"/chats/{chat_id}/messages/async", body)
    message_id = answer.json()["messageId"]
    assert answer.status_code == 202
    assert client.get(f"/chats/{chat_id}/messages/{message_id}").json()["finishReason"] is None
    client.events(f"/chats/{chat_id}/resume")
    assert client.newest(chat_id)["id"] == message_id
    assert client.newest(chat_id)["finishReason"] == "stop"


def test_whoever_leaves_a_send_that_waits_changes_nothing(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    client.http.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        client.post(f"/chats/{chat_id}/messages", {"message": "Make it dark\npace: 0.2"})
    client.http.timeout = httpx.Timeout(20)
    client.events(f"/chats/{chat_id}/resume")
    assert client.newest(chat_id)["finishReason"] == "stop"
