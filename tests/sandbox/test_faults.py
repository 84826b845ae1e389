"""Every kind of fault, as a client sees it: by status, by what its socket does, by odd frames."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import httpx
import pytest

from chats.sandbox.faults import KINDS
from chats.sandbox.rates import NO_USAGE
from chats.sandbox.wire import dumps, loads
from tests.sandbox.asking import Client, folded

Json = Any

CREATE = {"message": "Build a page for a coffee roaster"}


def exchange(client: Client) -> tuple[bytes, bool]:
    """The raw bytes of a create's answer up to its end, and whether that was a reset."""
    body = json.dumps(CREATE).encode()
    head = (
        f"POST /v2/chats/stream HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {client.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    received = b""
    with socket.create_connection(("127.0.0.1", client.sandbox.port), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            return received, True
    return received, False


def chunked_body(answer: bytes) -> tuple[bytes, bool]:
    """The body of a chunked answer, and whether it was ended in good order."""
    rest = answer.partition(b"\r\n\r\n")[2]
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return body, True
        body, rest = body + rest[:length], rest[length + 2 :]
    return body, False


@pytest.mark.parametrize("status", [401, 402, 403, 404, 409, 413, 422, 429, 500])
def test_a_status_comes_before_anything_is_written(client: Client, status: int) -> None:
    client.sandbox.fault(path="chats.createStream", kind="status", status=status)
    answer = client.post("/chats/stream", CREATE)
    assert answer.status_code == status
    assert list(answer.json()) == ["message"]
    assert client.get("/chats").json()["chats"] == []
    assert client.ledger() == {
        "posts": 1,
        "user_messages": 0,
        "stops": 0,
        "resolves": 0,
        "credits": "0",
        "chats": {},
    }
    assert client.create("Hello")[0]["object"] == "chat"


def test_a_status_may_come_after_the_message_was_written(client: Client) -> None:
    chat_id = client.new_chat()
    client.sandbox.fault(path="messages.sendStream", kind="status", when="after", message="boom")
    answer = client.post(f"/chats/{chat_id}/messages/stream", {"message": "Again"})
    assert (answer.status_code, answer.json()) == (500, {"message": "boom"})
    client.events(f"/chats/{chat_id}/resume")
    newest, question, *_ = client.messages(chat_id)
    assert (question["content"], newest["finishReason"]) == ("Again", "stop")
    assert client.ledger()["chats"][chat_id]["posts"] == 2


def test_too_many_requests_may_say_when_to_come_back(client: Client) -> None:
    client.sandbox.fault(path="/chats", kind="status", status=429, retry_after=7)
    assert client.get("/chats").headers["retry-after"] == "7"
    assert "retry-after" not in client.get("/chats").headers


def test_after_and_times_choose_the_requests(client: Client) -> None:
    client.sandbox.fault(path="chats.list", kind="status", status=500, after=1, times=2)
    assert [client.get("/chats").status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert client.sandbox.faults() == [
        {"path": "chats.list", "kind": "status", "after": 1, "times": 2, "seen": 5, "used": 2}
    ]


def test_without_a_number_of_times_a_fault_stays_until_it_is_cleared(client: Client) -> None:
    client.sandbox.fault(path="chats.list", kind="status", status=500, times=None)
    assert {client.get("/chats").status_code for _ in range(5)} == {500}
    client.sandbox.clear_faults()
    assert client.get("/chats").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["chats.get", "/chats/{chatId}", "/v2/chats/{id}", "/v2/chats/*", "/chats/*", "*"],
)
def test_a_path_is_an_operation_a_template_or_a_pattern(client: Client, path: str) -> None:
    chat_id = client.new_chat()
    client.sandbox.fault(path=path, kind="status", status=500)
    assert client.get(f"/chats/{chat_id}").status_code == 500


@pytest.mark.parametrize("path", ["chats.list", "/chats", "/chats/{id}/messages", "/chats/x", "x"])
def test_a_path_that_is_another_one_spares_the_request(client: Client, path: str) -> None:
    chat_id = client.new_chat()
    client.sandbox.fault(path=path, kind="status", status=500)
    assert client.get(f"/chats/{chat_id}").status_code == 200


def test_a_fault_may_be_for_one_key_and_one_method(client: Client) -> None:
    client.sandbox.fault(path="/chats", kind="status", key="another", times=None)
    client.sandbox.fault(path="*", kind="status", method="DELETE", key=client.key)
    assert client.get("/chats").status_code == 200
    assert client.http.delete("/chats/x").status_code == 500
    assert client.http.delete("/chats/x").status_code == 404
    assert "another" not in json.dumps(client.sandbox.faults())


def test_the_published_spec_may_fail_too(client: Client) -> None:
    client.sandbox.fault(path="/openapi/json", kind="status", status=500)
    assert client.get("/openapi/json").status_code == 500
    assert client.get("/openapi/json").status_code == 200


def test_an_answer_that_hangs_never_begins(client: Client) -> None:
    client.sandbox.fault(path="chats.createStream", kind="hang")
    with pytest.raises(httpx.ReadTimeout):
        client.http.post("/chats/stream", json=CREATE, timeout=0.3)
    assert client.get("/chats").json()["chats"] == []


def test_an_answer_may_hang_after_the_chat_was_made(client: Client) -> None:
    client.sandbox.fault(path="chats.createStream", kind="hang", when="after")
    with pytest.raises(httpx.ReadTimeout):
        client.http.post("/chats/stream", json=CREATE, timeout=0.3)
    [chat] = client.get("/chats").json()["chats"]
    client.events(f"/chats/{chat['id']}/resume")
    assert client.newest(chat["id"])["finishReason"] == "stop"


@pytest.mark.parametrize("kind", ["hang", "stall"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_answer_that_hangs_for_a_while_comes_late(client: Client, kind: str, when: str) -> None:
    client.sandbox.fault(path="chats.list", kind=kind, when=when, seconds=0.3)
    began = time.monotonic()
    assert client.get("/chats").status_code == 200
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(("when", "chats"), [("before", 0), ("after", 1)])
def test_a_connection_may_be_reset_before_a_byte(client: Client, when: str, chats: int) -> None:
    client.sandbox.fault(path="chats.createStream", kind="reset", when=when)
    assert exchange(client) == (b"", True)
    assert len(client.get("/chats").json()["chats"]) == chats


@pytest.mark.parametrize("size", [0, 1, 100, 1_000])
def test_a_reset_comes_after_exactly_so_many_bytes_of_the_body(client: Client, size: int) -> None:
    client.sandbox.fault(path="chats.createStream", kind="reset", bytes=size)
    received, was_reset = exchange(client)
    assert was_reset
    assert received.startswith(b"HTTP/1.1 200")
    assert len(chunked_body(received)[0]) == size


@pytest.mark.parametrize("complete", [False, True])
def test_a_close_is_an_orderly_end_of_the_connection_or_of_the_body(
    client: Client, complete: bool
) -> None:
    client.sandbox.fault(path="chats.createStream", kind="close", bytes=500, complete=complete)
    if complete:
        answer = client.http.post("/chats/stream", json=CREATE)
        assert len(answer.content) == 500
    else:
        received, was_reset = exchange(client)
        body, ended = chunked_body(received)
        assert (len(body), ended, was_reset) == (500, False, False)


def test_a_closed_connection_may_say_nothing_at_all(client: Client) -> None:
    client.sandbox.fault(path="chats.createStream", kind="close")
    assert exchange(client) == (b"", False)


def test_a_stalled_answer_stops_in_the_middle_and_may_go_on(client: Client) -> None:
    client.sandbox.fault(path="chats.createStream", kind="stall", bytes=700)
    with pytest.raises(httpx.ReadTimeout):
        client.http.post("/chats/stream", json=CREATE, timeout=0.3)
    client.sandbox.fault(path="chats.createStream", kind="stall", bytes=700, seconds=0.2)
    stream = client.events("/chats/stream", CREATE)
    assert folded(stream) == client.newest(stream[0]["id"])["parts"]


def test_a_slow_answer_takes_its_time(client: Client) -> None:
    client.sandbox.fault(path="chats.list", kind="slow", rate=100)
    began = time.monotonic()
    assert client.get("/chats").json() == {"chats": [], "cursor": None}
    assert time.monotonic() - began >= 0.2


def test_a_redirect_points_elsewhere_and_writes_nothing(client: Client) -> None:
    client.sandbox.fault(path="chats.createStream", kind="redirect", location="http://localhost:1/")
    answer = client.post("/chats/stream", CREATE)
    assert (answer.status_code, answer.headers["location"]) == (307, "http://localhost:1/")
    assert client.get("/chats").json()["chats"] == []


def test_the_content_type_may_be_wrong(client: Client) -> None:
    client.sandbox.fault(path="chats.createStream", kind="wrong-content-type")
    answer = client.post("/chats/stream", CREATE)
    assert answer.headers.get_list("content-type") == ["text/html; charset=utf-8"]
    assert answer.content.startswith(b"data: ")


def frames(client: Client, **fault: Json) -> list[bytes]:
    """The frames of a create, the fault among them."""
    client.sandbox.fault(path="chats.createStream", **fault)
    return client.post("/chats/stream", CREATE).content.split(b"\n\n")[:-1]


def test_a_broken_frame_stands_among_good_ones(client: Client) -> None:
    got = frames(client, kind="malformed", frame=3)
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(got[3].removeprefix(b"data: "))
    assert [json.loads(frame[6:])["object"] for frame in got[:3] + got[4:]][-1] == "chat"


def test_any_text_may_stand_among_the_frames(client: Client) -> None:
    got = frames(client, kind="malformed", text=": a comment\n\nevent: x\nid: 7\ndata: {}\n\n")
    assert got[2:4] == [b": a comment", b"event: x\nid: 7\ndata: {}"]


def test_an_unknown_object_stands_among_the_events(client: Client) -> None:
    event = json.loads(frames(client, kind="unknown-object", frame=4)[4][6:])
    assert event["object"] == "message.mood"


def test_a_delta_may_fit_nothing(client: Client) -> None:
    given = {"_t": "a", "_9": ["", 0, 3]}
    assert json.loads(frames(client, kind="wrong-delta", delta=given)[2][6:])["delta"] == given
    default = json.loads(frames(client, kind="wrong-delta", frame=9)[9][6:])
    assert default["delta"] == {"999": {"text": ["a", "b"]}, "_t": "a"}


def test_a_delta_may_be_lost(client: Client) -> None:
    whole = [json.loads(frame[6:]) for frame in frames(client, kind="lost-delta", frame=10_000)]
    short = [json.loads(frame[6:]) for frame in frames(client, kind="lost-delta", frame=12)]
    assert len(short) == len(whole) - 1
    assert [event["object"] for event in short] == [
        event["object"] for at, event in enumerate(whole) if at != 12
    ]


def test_the_usage_may_be_missing(client: Client) -> None:
    events = [json.loads(frame[6:])["object"] for frame in frames(client, kind="no-usage")]
    assert "message.usage" not in events
    assert events[-1] == "chat"


def test_the_usage_may_come_late_in_every_answer_that_tells_of_it(client: Client) -> None:
    late = frames(client, kind="late-usage")
    (told,) = [event for frame in late if (event := json.loads(frame[6:])).get("usage")]
    assert (told["object"], told["usage"]) == ("message.usage", loads(dumps(NO_USAGE)))
    chat_id = json.loads(late[0][6:])["id"]
    path = f"/chats/{chat_id}/messages"
    client.sandbox.fault(path=f"{path}*", kind="late-usage", times=2)
    answer = client.newest(chat_id)
    assert answer["usage"] == told["usage"]
    assert client.get(f"{path}/{answer['id']}").json()["usage"] == told["usage"]
    assert client.newest(chat_id)["usage"]["tokens"]["total"] > 0


def test_the_usage_may_come_more_than_once(client: Client) -> None:
    got = [json.loads(frame[6:]) for frame in frames(client, kind="duplicate-usage")]
    told = [event for event in got if event["object"] == "message.usage"]
    assert told == [told[0]] * 3
    client.sandbox.fault(path="usage.listEvents", kind="duplicate-usage")
    events = client.get("/usage/events").json()["data"]
    assert [event["id"] for event in events] == [events[0]["id"]] * 2


@pytest.mark.parametrize("amount", ["-1", "NaN", "1e999", '"a lot"', "null"])
def test_an_amount_may_be_anything_that_is_written(client: Client, amount: str) -> None:
    got = frames(client, kind="odd-usage", amount=amount)[-2].decode()
    amounts = ("input", "output", "cacheRead", "cacheWrite", "total")
    told = "{" + ",".join(f'"{name}":{amount}' for name in amounts) + "}"
    assert f'"usage":{{"tokens":{told},"creditsCost":{told}}}' in got
    client.sandbox.fault(path="usage.listEvents", kind="odd-usage", amount=amount)
    assert f'"total":{amount},"charged":{amount}' in client.get("/usage/events").text


def test_amounts_may_be_left_out(client: Client) -> None:
    client.sandbox.fault(path="usage.getSummary", kind="odd-usage", amount="")
    assert client.get("/usage/summary").json()["credits"] == {}


def test_the_closing_snapshot_may_be_missing(client: Client) -> None:
    events = [json.loads(frame[6:])["object"] for frame in frames(client, kind="no-closing")]
    assert events.count("chat") == 1
    assert events[-1] == "message.usage"


def test_the_closing_snapshot_may_differ(client: Client) -> None:
    last = json.loads(frames(client, kind="different-closing")[-1][6:])
    chat_id = last["id"]
    assert last["title"] == client.get(f"/chats/{chat_id}").json()["title"] + " (amended)"
    client.sandbox.fault(path="messages.sendStream", kind="different-closing")
    closing = client.send(chat_id, "Make it dark")[-1]
    assert closing["parts"][:-1] == client.newest(chat_id)["parts"]


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"path": "*"}, "kind"),
        ({"kind": "hang"}, "path"),
        ({"path": "*", "kind": "flood"}, "kind"),
        ({"path": "*", "kind": "hang", "times": 0}, "times"),
        ({"path": "*", "kind": "hang", "after": -1}, "after"),
        ({"path": "*", "kind": "status", "status": 200}, "status"),
        ({"path": "*", "kind": "hang", "colour": "red"}, "colour"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(client: Client, rule: Json, field: str) -> None:
    answer = httpx.post(f"{client.sandbox.origin}/_sandbox/faults", json=rule)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(f"{field}: ")


def test_every_kind_is_told_in_the_help() -> None:
    assert all(words and words[0].islower() for words in KINDS.values())


def test_a_list_may_lag_behind_what_was_sent(client: Client) -> None:
    chat_id = client.new_chat("one")
    client.send(chat_id, "two")
    client.sandbox.fault(path="messages.list", kind="lag", times=2)
    for contents in (["one"], ["one"], ["two", "one"]):
        questions = [item for item in client.messages(chat_id) if item["role"] == "user"]
        assert [item["content"] for item in questions] == contents
    client.sandbox.fault(path="chats.list", kind="lag", newest=1)
    assert client.get("/chats").json()["chats"] == []
    assert len(client.get("/chats").json()["chats"]) == 1


def test_a_resume_may_replay_a_run_chunk_by_chunk(client: Client) -> None:
    client.sandbox.fault(path="chats.resume", kind="replay")
    body = {"message": "Build a page for a coffee roaster\npace: 0.2"}
    with client.streaming("/chats/stream", body) as events:
        first = next(events)
        seen = [next(events) for _ in range(40)]
        resumed = client.events(f"/chats/{first['id']}/resume")
        whole = [*seen, *events]
    assert resumed[1:-2] == whole[:-2]
    assert folded(resumed) == client.newest(first["id"])["parts"]
    assert [event["delta"] for event in resumed if event["object"] == "chat.title"] == [
        "Coffee",
        "Coffee Roaster",
    ]


def test_a_resume_may_give_the_chat_alone_although_a_run_goes_on(client: Client) -> None:
    client.sandbox.fault(path="chats.resume", kind="only-chat")
    body = {"message": "scenario: silence seconds=600"}
    with client.streaming("/chats/stream", body) as events:
        chat = next(events)
        path = f"/chats/{chat['id']}/resume"
        assert [event["object"] for event in client.events(path)] == ["chat"]
        message = client.newest(chat["id"])
        assert message["finishReason"] is None
        client.post(f"/chats/{chat['id']}/messages/{message['id']}/stop")


@pytest.mark.parametrize("status", [404, 500])
def test_a_resume_may_be_refused_although_a_run_goes_on(client: Client, status: int) -> None:
    client.sandbox.fault(path="chats.resume", kind="status", status=status)
    body = {"message": "scenario: long size=3000 pace=0.2"}
    with client.streaming("/chats/stream", body) as events:
        chat_id = next(events)["id"]
        path = f"/chats/{chat_id}/resume"
        assert client.post(path).status_code == status
        assert client.events(path)[-1]["object"] == "chat"


def test_files_may_not_be_ready_and_a_preview_may_take_its_time(client: Client) -> None:
    chat_id = client.new_chat("Build a page for a bakery")
    client.sandbox.fault(path="chats.getFiles", kind="status", status=409)
    assert client.get(f"/chats/{chat_id}/files").status_code == 409
    assert client.get(f"/chats/{chat_id}/files").status_code == 200
    client.sandbox.fault(path="chats.getPreview", kind="starting", times=4)
    path = f"/chats/{chat_id}/preview"
    assert [client.get(path).json() is None for _ in range(5)] == [True] * 4 + [False]
