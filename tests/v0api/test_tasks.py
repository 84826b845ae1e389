"""What a message waits for, and what is sent in answer."""

from __future__ import annotations

from typing import Any

import pytest

from chats.v0api.errors import InvalidRequest
from chats.v0api.pending import (
    ConnectOutcome,
    PendingConnect,
    PendingIntegration,
    PendingPermissions,
    PendingPlan,
    PendingQuestions,
    PendingTask,
    connect_outcome,
    pending_task,
)
from chats.v0api.tasks import (
    Answer,
    AnsweredQuestions,
    ConfirmedPermissions,
    ConfirmedSteps,
    PlanResponse,
    VercelConnectAuthorization,
    VercelConnectSetup,
)
from chats.v0api.types import part_from_wire, parts_from_wire

QUESTION = {
    "id": "q1",
    "question": "Which database?",
    "header": "Database",
    "multiSelect": True,
    "options": [{"id": "a", "label": "Neon", "description": "Postgres"}, {"label": "Other"}],
}
PERMISSION = {
    "type": "ALLOW_DYNAMIC_TOOL_STRICT",
    "toolName": "system_action",
    "toolDisplayName": "SystemAction",
    "input": {"executeScript": "/a.sql"},
    "newer": [1],
}
SETUP = {
    "status": "setup-required",
    "requestId": "r1",
    "service": "linear",
    "connectorName": "Linear",
    "setupUrl": "https://a.b/setup",
    "environments": ["preview"],
}
AUTHORIZATION = {
    "status": "authorization-required",
    "requestId": "r2",
    "service": "linear",
    "connectorName": "Linear",
    "authorizationUrl": "https://a.b/authorize",
}
TEXT = {"type": "text", "text": "Hello"}


def action(name: str, data: Any) -> dict[str, Any]:
    return {"type": "agent-action", "name": name, "summary": "Asks", "data": data}


QUESTIONS = action("ask_user_questions", {"questions": [QUESTION]})
PLAN = action("exit_plan_mode", {"plan": "# Do", "summary": "Do", "path": "plan.md"})
INTEGRATION = action(
    "get_or_request_integration",
    {"requestedIntegrations": ["Neon"], "requestedMcpPresets": ["Linear", "Brand New"]},
)
CONNECT = action("configure_vercel_connect", SETUP)
AUTHORIZE = action("configure_vercel_connect", AUTHORIZATION)
DONE = action(
    "configure_vercel_connect",
    {
        "status": "completed",
        "action": "attach",
        "summary": "Attached",
        "connectors": [{"id": "c", "name": "Linear", "attachedToProject": True}, "odd"],
        "createdProject": {"id": "p", "name": "Page"},
    },
)
TOOL = {
    "type": "tool-call",
    "name": "system_action",
    "status": "error",
    "suggestedPermissions": [PERMISSION],
}


def pending(*parts: Any) -> PendingTask | None:
    return pending_task(parts_from_wire(list(parts)))


def test_questions_are_read_and_answered_by_their_labels() -> None:
    found = pending(TEXT, QUESTIONS, TEXT)

    assert isinstance(found, PendingQuestions)
    assert (found.index, found.wire) == (1, QUESTIONS)
    [question] = found.questions
    assert (question.header, question.multi_select) == ("Database", True)
    assert [option.label for option in question.options] == ["Neon", "Other"]
    answers = (question.answer("Neon", "Other", custom_text="Small"), question.answer("Neon"))
    assert AnsweredQuestions(answers).wire() == {
        "type": "answered-questions",
        "answers": [
            {
                "questionId": "q1",
                "questionText": "Which database?",
                "selectedLabels": ["Neon", "Other"],
                "customText": "Small",
            },
            {
                "questionId": "q1",
                "questionText": "Which database?",
                "selectedLabels": ["Neon"],
            },
        ],
    }


def test_an_answer_may_be_all_in_own_words() -> None:
    assert Answer("q", "What?", custom_text="This").wire()["selectedLabels"] == []


@pytest.mark.parametrize(
    ("response", "content"),
    [
        (PlanResponse("approved"), "Proceed with this plan."),
        (PlanResponse("rejected"), "Do not proceed with this plan."),
        (PlanResponse("approved", "Quickly"), "Quickly"),
        (PlanResponse("request-changes", "Use blue"), "Use blue"),
    ],
)
def test_a_plan_is_read_and_answered(response: PlanResponse, content: str) -> None:
    found = pending(PLAN)

    assert isinstance(found, PendingPlan)
    assert (found.plan, found.summary, found.path) == ("# Do", "Do", "plan.md")
    assert response.wire() == {
        "type": "plan-exit-response",
        "status": response.status,
        "content": content,
    }


def test_integrations_are_read_and_confirmed_without_presets_that_v0_does_not_take() -> None:
    found = pending(INTEGRATION)

    assert isinstance(found, PendingIntegration)
    assert found.mcp_presets == ("Linear", "Brand New")
    empty = {"type": "confirmed-steps", "appliedScripts": [], "addedEnvVars": []}
    assert found.confirmed.wire() == {
        **empty,
        "connectedIntegrationNames": ["Neon"],
        "connectedMcpPresetNames": ["Linear"],
    }
    assert found.skipped.wire() == {
        **empty,
        "connectedIntegrationNames": [],
        "connectedMcpPresetNames": [],
    }


def test_permissions_go_back_as_they_came() -> None:
    found = pending(TOOL)

    assert isinstance(found, PendingPermissions)
    [permission] = found.permissions
    assert permission.tool_display_name == "SystemAction"
    assert permission.input == {"executeScript": "/a.sql"}
    assert found.confirmed("Go on").wire() == {
        "type": "confirmed-permissions",
        "permissions": [PERMISSION],
        "userMessage": "Go on",
    }
    assert "userMessage" not in found.confirmed().wire()


def test_a_connection_is_read_in_both_forms() -> None:
    setup, authorization = pending(CONNECT), pending(AUTHORIZE)

    assert isinstance(setup, PendingConnect)
    assert isinstance(authorization, PendingConnect)
    assert (setup.url, setup.request_id) == ("https://a.b/setup", "r1")
    assert (setup.environments, setup.created_project) == (("preview",), None)
    assert setup.ready == VercelConnectSetup()
    assert (authorization.url, authorization.request_id) == ("https://a.b/authorize", "r2")
    assert authorization.ready == VercelConnectAuthorization()
    assert authorization.ready.wire() == {"type": "vercel-connect-authorization"}


def test_a_connection_that_is_done_waits_for_nobody() -> None:
    outcome = connect_outcome(part_from_wire(DONE))

    assert pending(DONE) is None
    assert isinstance(outcome, ConnectOutcome)
    assert (outcome.action, outcome.summary) == ("attach", "Attached")
    assert [one.name for one in outcome.connectors] == ["Linear"]
    assert outcome.created_project is not None
    assert connect_outcome(part_from_wire(CONNECT)) is None
    assert connect_outcome(part_from_wire(TEXT)) is None


def test_the_last_one_counts() -> None:
    assert isinstance(pending(PLAN, QUESTIONS, TEXT), PendingQuestions)
    assert isinstance(pending(QUESTIONS, PLAN), PendingPlan)
    assert isinstance(pending(PLAN, TOOL), PendingPermissions)
    assert isinstance(pending(TOOL, DONE), PendingPermissions)


ODD: list[Any] = [
    None,
    {"type": "agent-action"},
    {**TOOL, "suggestedPermissions": []},
    {**TOOL, "suggestedPermissions": "x"},
    action("ask_user_questions", None),
    action("ask_user_questions", []),
    action("ask_user_questions", {"questions": {}}),
    action("exit_plan_mode", {"plan": None}),
    action("get_or_request_integration", {"requestedIntegrations": "Neon"}),
    action("configure_vercel_connect", {"status": ["setup-required"]}),
    action("configure_vercel_connect", {"status": {}}),
    action("brew_coffee", {"questions": [QUESTION], "plan": "x"}),
]


@pytest.mark.parametrize("part", ODD, ids=str)
def test_what_does_not_ask_in_a_known_way_waits_for_nothing(part: Any) -> None:
    assert pending(part) is None
    assert isinstance(pending(PLAN, part), PendingPlan)


@pytest.mark.parametrize(
    "data",
    [
        {"questions": [None, 1, {"id": 1, "options": {}}]},
        {"questions": [{"options": [1, {"label": None}]}]},
    ],
    ids=str,
)
def test_odd_questions_are_borne(data: Any) -> None:
    assert isinstance(pending(action("ask_user_questions", data)), PendingQuestions)


@pytest.mark.parametrize(
    ("task", "field"),
    [
        (AnsweredQuestions(()), "task.answers"),
        (AnsweredQuestions((Answer("", "What?", ("A",)),)), "task.answers.questionId"),
        (AnsweredQuestions((Answer("q", "", ("A",)),)), "task.answers.questionText"),
        (AnsweredQuestions((Answer("q", "What?", ("",)),)), "task.answers.selectedLabels"),
        (AnsweredQuestions((Answer("q", "What?"),)), "task.answers.customText"),
        (AnsweredQuestions((Answer("q", "What?", (), " \n"),)), "task.answers.customText"),
        (PlanResponse("request-changes"), "task.content"),
        (PlanResponse("approved", "  "), "task.content"),
        (PlanResponse("maybe"), "task.status"),  # type: ignore[arg-type]
        (ConfirmedSteps(("x",) * 101), "task.connectedIntegrationNames"),
        (ConfirmedSteps(("x" * 65,)), "task.connectedIntegrationNames"),
        (ConfirmedSteps((), ("Neon",)), "task.connectedMcpPresetNames"),
        (ConfirmedSteps(scripts=("",)), "task.appliedScripts"),
        (ConfirmedSteps(env_vars=("",)), "task.addedEnvVars"),
        (ConfirmedPermissions(()), "task.permissions"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_an_answer_that_v0_would_refuse_names_the_field(task: Any, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        task.wire()

    assert caught.value.field == field
