"""Tasks: what a message waits for, whether an answer fits it, and how the answer reads.

Owns the rules of the blocked tasks. Relies on `wire`. Only a chat's newest message can wait, and
only once it is final; parts keep their data, so anything older is inert.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chats.sandbox import wire
from chats.sandbox.answers import Refusal

Json = Any
Wire = dict[str, Json]

CONNECTS = {
    "vercel-connect-setup": "setup-required",
    "vercel-connect-authorization": "authorization-required",
}
"""Type of the task → status of the part that asks for it."""
NAMES = {
    "ask_user_questions": "answered-questions",
    "exit_plan_mode": "plan-exit-response",
    "get_or_request_integration": "confirmed-steps",
}


def pending(newest: Wire | None, type: str) -> Wire:
    """The part that waits for a task of this type; refuses with 409 when it is not that."""
    parts = newest["parts"] if newest and newest["finishReason"] is not None else []
    for part in reversed(parts):
        wanted = _wanted(part)
        if wanted == type:
            return dict(part)
        if wanted is not None:
            raise Refusal(409, f"The chat is waiting for {wanted}")
    raise Refusal(409, "The chat is not waiting for a task")


def _wanted(part: Wire) -> str | None:
    """The type of the task that this part asks for."""
    if part["type"] == "tool-call" and part.get("suggestedPermissions"):
        return "confirmed-permissions"
    if part["type"] != "agent-action" or "data" not in part:
        return None
    if part["name"] == "configure_vercel_connect":
        status = part["data"]["status"]
        return next((task for task, asks in CONNECTS.items() if asks == status), None)
    return NAMES.get(part["name"])


def check(task: Wire, part: Wire) -> None:
    """Refuses with 422 what the part has not asked for, with 409 other permissions than its own."""
    judge = CHECKS.get(task["type"])
    if judge is not None:
        judge(task, part)


def _check_answers(task: Wire, part: Wire) -> None:
    questions = {question["id"]: question for question in part["data"]["questions"]}
    for at, answer in enumerate(task["answers"]):
        where = f"task.answers[{at}]"
        question = questions.pop(answer["questionId"], None)
        if question is None:
            raise Refusal(422, f"{where}.questionId: is no question that is open")
        labels = answer["selectedLabels"]
        if unknown := set(labels) - {option["label"] for option in question["options"]}:
            raise Refusal(422, f"{where}.selectedLabels: {min(unknown)} is no option")
        if len(labels) > 1 and not question["multiSelect"]:
            raise Refusal(422, f"{where}.selectedLabels: must hold at most 1 item")
        if not labels and not answer.get("customText", "").strip():
            raise Refusal(422, f"{where}.customText: is required without a selected label")


def _check_plan(task: Wire, part: Wire) -> None:
    if not task["content"].strip():
        raise Refusal(422, "task.content: must not be blank")


def _check_steps(task: Wire, part: Wire) -> None:
    for given, asked in (
        ("connectedIntegrationNames", "requestedIntegrations"),
        ("connectedMcpPresetNames", "requestedMcpPresets"),
    ):
        for at, name in enumerate(task.get(given, ())):
            if name not in part["data"][asked]:
                raise Refusal(422, f"task.{given}[{at}]: was not requested")


def _check_permissions(task: Wire, part: Wire) -> None:
    if task["permissions"] != part["suggestedPermissions"]:
        raise Refusal(409, "The permissions are not those that the chat is waiting for")


CHECKS: dict[str, Callable[[Wire, Wire], None]] = {
    "answered-questions": _check_answers,
    "plan-exit-response": _check_plan,
    "confirmed-steps": _check_steps,
    "confirmed-permissions": _check_permissions,
}


def granted(message: Wire) -> Wire:
    """`message` once its tool may run: it suggests no permissions any more."""
    parts = [
        {name: value for name, value in part.items() if name != "suggestedPermissions"}
        for part in message["parts"]
    ]
    return {**message, "parts": parts, "updatedAt": wire.now()}


def said(task: Wire) -> str:
    """The answer in words, as the question's own message shows it."""
    match task["type"]:
        case "answered-questions":
            return "\n\n".join(map(_said_answer, task["answers"]))
        case "plan-exit-response":
            return str(task["content"])
        case "confirmed-steps":
            return _said_steps(task)
        case "confirmed-permissions":
            tools = ", ".join(
                permission.get("toolDisplayName") or permission["toolName"]
                for permission in task["permissions"]
            )
            return f"Allowed: {tools}" + _below(task.get("userMessage", ""))
        case _:
            return "The connector is ready."


def _said_answer(answer: Wire) -> str:
    words = [*answer["selectedLabels"], *filter(None, [answer.get("customText")])]
    return f"{answer['questionText']}\n{', '.join(words)}"


def _said_steps(task: Wire) -> str:
    fields = (
        ("Connected", "connectedIntegrationNames"),
        ("Connected", "connectedMcpPresetNames"),
        ("Applied", "appliedScripts"),
        ("Added", "addedEnvVars"),
    )
    lines = [f"{verb} {', '.join(task[field])}" for verb, field in fields if task.get(field)]
    return "\n".join(lines) or "Skipped."


def _below(text: str) -> str:
    return f"\n\n{text}" if text else ""
