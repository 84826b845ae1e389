"""What an answer waits for, and what each way of resolving it leads to."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.asking import Client, folded, objects

Json = Any


def waiting(client: Client, scenario: str, **fields: Json) -> tuple[str, Json]:
    """A chat that waits, and the part that says for what."""
    chat_id = client.new_chat(f"Please build a page for a bakery.\nscenario: {scenario}", **fields)
    message = client.newest(chat_id)
    assert message["finishReason"] == "tool-calls"
    return chat_id, message["parts"][-1]


def resolve(client: Client, chat_id: str, type: str, **task: Json) -> httpx.Response:
    return client.post(f"/chats/{chat_id}/messages/resolve", {"task": {"type": type, **task}})


def resolved(client: Client, chat_id: str, type: str, **task: Json) -> Json:
    """The message that the answer led to."""
    answer = resolve(client, chat_id, type, **task)
    assert answer.status_code == 200, answer.text
    assert answer.json() == client.newest(chat_id)
    return answer.json()


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["message"]


def test_one_question_has_one_answer(client: Client) -> None:
    chat_id, part = waiting(client, "ask-questions n=1")
    assert part["name"] == "ask_user_questions"
    (question,) = part["data"]["questions"]
    assert question["multiSelect"] is False
    answer = {"questionId": question["id"], "questionText": question["question"]}
    message = resolved(
        client, chat_id, "answered-questions", answers=[{**answer, "selectedLabels": ["Dark"]}]
    )
    assert message["finishReason"] == "stop"
    assert "color-scheme: dark" in client.files(chat_id)["styles.css"]
    assert client.messages(chat_id)[1]["content"] == f"{question['question']}\nDark"


def test_several_questions_have_labels_words_or_both(client: Client) -> None:
    chat_id, part = waiting(client, "ask-questions n=3")
    look, sections, audience = part["data"]["questions"]
    assert sections["multiSelect"] is True
    answers = [
        answered(look, custom="Like a newspaper"),
        answered(sections, "Contact form", "FAQ"),
        answered(audience, "Customers", custom="mostly young"),
    ]
    message = resolved(client, chat_id, "answered-questions", answers=answers)
    told = message["parts"][0]["text"]
    for words in ("Like a newspaper", "Contact form, FAQ", "Customers, mostly young"):
        assert words in told
    html = client.files(chat_id)["index.html"]
    assert 'id="contact"' in html
    assert 'id="faq"' in html


def answered(question: Json, *labels: str, custom: str = "") -> Json:
    answer = {"questionId": question["id"], "questionText": question["question"]}
    words = {"customText": custom} if custom else {}
    return {**answer, "selectedLabels": list(labels), **words}


def test_an_answer_that_does_not_fit_its_question_is_refused(client: Client) -> None:
    chat_id, part = waiting(client, "ask-questions")
    look, _ = part["data"]["questions"]
    for answers, field in (
        ([{**answered(look, "Bold"), "questionId": "q9"}], "task.answers[0].questionId"),
        ([answered(look, "Bold"), answered(look, "Bold")], "task.answers[1].questionId"),
        ([answered(look, "Loud")], "task.answers[0].selectedLabels"),
        ([answered(look, "Bold", "Dark")], "task.answers[0].selectedLabels"),
        ([answered(look)], "task.answers[0].customText"),
        ([answered(look, custom="  ")], "task.answers[0].customText"),
    ):
        status, words = refusal(resolve(client, chat_id, "answered-questions", answers=answers))
        assert (status, words.partition(": ")[0]) == (422, field)
    assert len(client.messages(chat_id)) == 2


def test_an_approved_plan_is_carried_out(client: Client) -> None:
    chat_id, part = waiting(client, "plan")
    assert part["name"] == "exit_plan_mode"
    assert part["data"]["plan"].startswith("## The plan")
    assert client.files(chat_id) == {}
    resolved(client, chat_id, "plan-exit-response", status="approved", content="Proceed.")
    assert "<h1>Bakery</h1>" in client.files(chat_id)["index.html"]


def test_a_plan_is_proposed_anew_until_it_is_right(client: Client) -> None:
    chat_id, first = waiting(client, "plan")
    wish = "No script, please."
    asked = {"status": "request-changes", "content": wish}
    second = resolved(client, chat_id, "plan-exit-response", **asked)["parts"][-1]
    assert second["name"] == "exit_plan_mode"
    assert wish in second["data"]["plan"]
    assert wish not in first["data"]["plan"]
    resolved(client, chat_id, "plan-exit-response", status="approved", content="Yes.")
    assert "index.html" in client.files(chat_id)
    assert client.ledger()["resolves"] == 2


def test_a_rejected_plan_changes_nothing(client: Client) -> None:
    chat_id, _ = waiting(client, "plan")
    blank = resolve(client, chat_id, "plan-exit-response", status="rejected", content=" ")
    assert refusal(blank) == (422, "task.content: must not be blank")
    resolved(client, chat_id, "plan-exit-response", status="rejected", content="Do not proceed.")
    assert client.files(chat_id) == {}
    done = resolve(client, chat_id, "plan-exit-response", status="approved", content="Do.")
    assert refusal(done) == (409, "The chat is not waiting for a task")


def test_an_integration_is_connected_in_whole_in_part_or_not_at_all(client: Client) -> None:
    for connected, told in (
        ({"connectedIntegrationNames": ["Supabase"]}, "Supabase"),
        ({"connectedMcpPresetNames": ["Linear", "Notion"]}, "Linear, Notion"),
        ({}, "Nothing was connected"),
    ):
        chat_id, part = waiting(client, "integration")
        assert part["data"] == {
            "requestedIntegrations": ["Supabase"],
            "requestedMcpPresets": ["Linear", "Notion"],
        }
        project = client.post(f"/chats/{chat_id}/vercel-project", {}).json()["vercelProjectId"]
        message = resolved(client, chat_id, "confirmed-steps", **connected)
        assert told in message["content"]
        assert (project in message["content"]) == bool(connected)


def test_only_what_was_requested_can_be_connected(client: Client) -> None:
    chat_id, _ = waiting(client, "integration")
    answer = resolve(client, chat_id, "confirmed-steps", connectedIntegrationNames=["Neon"])
    assert refusal(answer) == (422, "task.connectedIntegrationNames[0]: was not requested")
    answer = resolve(client, chat_id, "confirmed-steps", connectedMcpPresetNames=["Sentry"])
    assert refusal(answer) == (422, "task.connectedMcpPresetNames[0]: was not requested")


def test_a_tool_runs_once_it_may(client: Client) -> None:
    chat_id, part = waiting(client, "permission n=2")
    permissions = part["suggestedPermissions"]
    assert permissions[0]["input"] == part["input"]
    assert sorted(client.files(chat_id)) == ["scripts/seed-1.sql", "scripts/setup-db.sql"]
    granted = {"permissions": permissions, "userMessage": "Only this once."}
    message = resolved(client, chat_id, "confirmed-permissions", **granted)
    ran = [item for item in message["parts"] if item["type"] == "tool-call"]
    assert [item["input"] for item in ran] == [item["input"] for item in permissions]
    assert all("output" in item and "suggestedPermissions" not in item for item in ran)
    assert "Only this once." in message["content"]
    before = client.messages(chat_id)[2]["parts"][-1]
    assert before == {key: part[key] for key in part if key != "suggestedPermissions"}


def test_permissions_are_granted_as_they_were_asked_for_or_not_at_all(client: Client) -> None:
    chat_id, part = waiting(client, "permission n=2")
    first, second = part["suggestedPermissions"]
    for permissions in (
        [first],
        [second, first],
        [first, second, second],
        [first, {**second, "input": {"systemAction": "dropDatabase"}}],
        [first, {key: second[key] for key in second if key != "taskNameActive"}],
    ):
        answer = resolve(client, chat_id, "confirmed-permissions", permissions=permissions)
        assert answer.status_code == 409
    assert client.ledger()["resolves"] == 0
    resolved(client, chat_id, "confirmed-permissions", permissions=[first, second])


def test_an_integration_leads_to_a_permission_and_that_to_the_end(client: Client) -> None:
    chat_id, part = waiting(client, "neon")
    assert part["data"]["requestedIntegrations"] == ["Neon"]
    blocked = resolved(client, chat_id, "confirmed-steps", connectedIntegrationNames=["Neon"])
    (permission,) = blocked["parts"][-1]["suggestedPermissions"]
    assert blocked["finishReason"] == "tool-calls"
    again = resolve(client, chat_id, "confirmed-steps", connectedIntegrationNames=["Neon"])
    assert refusal(again) == (409, "The chat is waiting for confirmed-permissions")
    last = resolved(client, chat_id, "confirmed-permissions", permissions=[permission])
    assert last["finishReason"] == "stop"
    assert [message["role"] for message in client.messages(chat_id)] == ["assistant", "user"] * 3
    ledger = client.ledger()
    assert (ledger["posts"], ledger["user_messages"], ledger["resolves"]) == (4, 1, 2)


def status(client: Client, chat_id: str, part: Json) -> Json:
    request = part["data"]["requestId"]
    return client.get(f"/chats/{chat_id}/connect/status", requestId=request).json()


def test_a_connector_is_set_up_in_the_browser(client: Client) -> None:
    chat_id, part = waiting(client, "connect")
    data, task = part["data"], "vercel-connect-setup"
    chat = client.get(f"/chats/{chat_id}").json()
    assert data["createdProject"]["id"] == chat["vercelProjectId"]
    assert status(client, chat_id, part) == {"status": "pending"}
    assert refusal(resolve(client, chat_id, task)) == (404, "The setup has not been started")
    page = httpx.get(data["setupUrl"])
    assert "<button" in page.text
    assert status(client, chat_id, part)["progress"]
    assert refusal(resolve(client, chat_id, task)) == (409, "The setup is pending")
    assert "Connected" in press(data["setupUrl"], "ready").text
    ready = status(client, chat_id, part)
    assert (ready["status"], ready["connector"]["attachedToProject"]) == ("ready", False)
    assert resolved(client, chat_id, task)["finishReason"] == "stop"
    assert status(client, chat_id, part)["connector"]["attachedToProject"] is True


def press(url: str, result: str) -> httpx.Response:
    """The page that a button of the setup page leads to."""
    pressed = httpx.post(url, data={"result": result})
    assert pressed.status_code == 303
    return httpx.get(pressed.url.join(pressed.headers["location"]))


def test_a_connector_may_be_refused(client: Client) -> None:
    chat_id, part = waiting(client, "connect")
    pressed = press(part["data"]["setupUrl"], "error")
    told = status(client, chat_id, part)
    assert told["status"] == "error"
    assert told["message"] in pressed.text
    failed = resolve(client, chat_id, "vercel-connect-setup")
    assert refusal(failed) == (409, "The setup has failed")
    assert httpx.post(part["data"]["setupUrl"], data={"result": "x"}).status_code == 422
    assert httpx.get(part["data"]["setupUrl"] + "0").status_code == 404


@pytest.mark.parametrize("end", ["ready", "error"])
def test_a_connector_may_get_there_by_itself(client: Client, end: str) -> None:
    chat_id, part = waiting(client, f"connect polls=2 end={end}")
    told = [status(client, chat_id, part) for _ in range(4)]
    assert [item["status"] for item in told] == ["pending", "pending", end, end]
    assert told[0]["progress"] != told[1]["progress"]


def test_the_newer_form_of_a_connector_has_a_task_of_its_own(client: Client) -> None:
    chat_id, part = waiting(client, "connect-authorization polls=0")
    assert part["data"]["status"] == "authorization-required"
    assert part["data"]["authorizationUrl"].startswith(client.sandbox.origin)
    status(client, chat_id, part)
    older = resolve(client, chat_id, "vercel-connect-setup")
    assert refusal(older) == (409, "The chat is waiting for vercel-connect-authorization")
    resolved(client, chat_id, "vercel-connect-authorization")


def test_a_connect_request_belongs_to_its_chat(client: Client) -> None:
    _, part = waiting(client, "connect")
    other = client.new_chat()
    request = part["data"]["requestId"]
    answer = client.get(f"/chats/{other}/connect/status", requestId=request)
    assert refusal(answer) == (404, "Connect request not found")


def test_resolving_streams_a_new_message(client: Client) -> None:
    chat_id, _ = waiting(client, "plan")
    path = f"/chats/{chat_id}/messages/resolve/stream"
    task = {"type": "plan-exit-response", "status": "approved", "content": "Go."}
    stream = client.events(path, {"task": task})
    assert objects(stream) == ["message", "message.parts.chunk", "message.usage", "message"]
    assert stream[0]["parts"] == []
    assert folded(stream) == stream[-1]["parts"] == client.newest(chat_id)["parts"]
    assert len({message["id"] for message in client.messages(chat_id)}) == 4


def test_resolving_may_go_on_behind_ones_back(client: Client) -> None:
    chat_id, _ = waiting(client, "plan")
    task = {"type": "plan-exit-response", "status": "approved", "content": "Go."}
    answer = client.post(f"/chats/{chat_id}/messages/resolve/async", {"task": task})
    assert answer.status_code == 202
    client.events(f"/chats/{chat_id}/resume")
    assert client.newest(chat_id)["id"] == answer.json()["messageId"]


def test_the_model_of_a_resolve_is_its_own_or_the_one_before(client: Client) -> None:
    model = {"modelId": "v0-max", "imageGenerations": False}
    chat_id, _ = waiting(client, "plan", modelConfiguration=model)
    task = {"type": "plan-exit-response", "status": "request-changes", "content": "Else."}
    path = f"/chats/{chat_id}/messages/resolve"
    client.post(path, {"task": task})
    client.post(path, {"task": task, "modelConfiguration": {"modelId": "v0-mini"}})
    events = client.get("/usage/events", chatId=chat_id).json()["data"]
    assert [event["model"] for event in events] == ["v0-mini", "v0-max", "v0-max"]


def test_an_ordinary_message_passes_a_task_by(client: Client) -> None:
    chat_id, _ = waiting(client, "permission")
    message = client.send(chat_id, "Do not run this action. Continue without it.")[-1]
    assert message["finishReason"] == "stop"
    answer = resolve(client, chat_id, "vercel-connect-setup")
    assert refusal(answer) == (409, "The chat is not waiting for a task")


def test_a_task_of_another_type_is_refused(client: Client) -> None:
    chat_id, _ = waiting(client, "plan")
    answer = resolve(client, chat_id, "confirmed-steps")
    assert refusal(answer) == (409, "The chat is waiting for plan-exit-response")
    assert client.ledger()["posts"] == 2


def test_an_answer_that_waits_may_end_for_any_reason(client: Client) -> None:
    chat_id = client.new_chat("scenario: plan finish=stop")
    assert client.newest(chat_id)["finishReason"] == "stop"
    resolved(client, chat_id, "plan-exit-response", status="rejected", content="No.")


def test_nothing_can_be_resolved_while_an_answer_runs(client: Client) -> None:
    with client.streaming("/chats/stream", {"message": "scenario: long\npace: 1"}) as events:
        chat_id = next(events)["id"]
        assert resolve(client, chat_id, "confirmed-steps").status_code == 409
        client.http.delete(f"/chats/{chat_id}")
