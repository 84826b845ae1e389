"""The bodies of create and send, in both revisions, and against v0's published rules."""

from __future__ import annotations

from typing import Any

import pytest

from chats.v0api.requests import CreateChat, Revision, SendMessage, Skill

FULL: dict[str, Any] = {
    "message": "Make a page",
    "system_prompt": "Be brief",
    "model": "v0-max",
    "image_generations": True,
    "attachments": ("https://example.com/a.png",),
    "mcp_server_ids": ("mcp_1",),
    "skills": (Skill(id="skill_1"),),
    "fix_with_v0": True,
}
COMMON = {
    "message": "Make a page",
    "systemPrompt": "Be brief",
    "modelConfiguration": {"modelId": "v0-max", "imageGenerations": True},
    "attachments": [{"url": "https://example.com/a.png"}],
    "mcpServerIds": ["mcp_1"],
}


def test_a_full_message_in_ga() -> None:
    skills = [{"type": "remote", "id": "skill_1"}]

    assert SendMessage(**FULL).wire("ga") == {**COMMON, "skills": skills}


def test_a_full_message_in_reference() -> None:
    assert SendMessage(**FULL).wire("reference") == {
        **COMMON,
        "skillIds": ["skill_1"],
        "action": {"type": "fix-with-v0"},
    }


@pytest.mark.parametrize("revision", ["ga", "reference"])
def test_a_plain_message_says_nothing_else(revision: Revision) -> None:
    assert SendMessage(message="hi").wire(revision) == {"message": "hi"}


def test_a_create_always_says_privacy_and_metadata() -> None:
    chat = CreateChat(message="hi", privacy="private", metadata={})

    assert chat.wire("ga") == {"message": "hi", "privacy": "private", "metadata": {}}
    assert chat.wire("reference")["type"] == "prompt"
    with pytest.raises(TypeError):
        CreateChat(message="hi")  # type: ignore[call-arg]


def test_a_title_is_sent_when_a_person_typed_one() -> None:
    chat = CreateChat(message="hi", privacy="team", metadata={"ours": "7"}, title="Mine")

    assert chat.wire("ga") == {
        "message": "hi",
        "privacy": "team",
        "metadata": {"ours": "7"},
        "title": "Mine",
    }


@pytest.mark.parametrize(
    ("model", "images", "revision", "expected"),
    [
        ("", False, "ga", None),
        ("", True, "ga", {"modelId": "v0-pro", "imageGenerations": True}),
        ("v0-mini", False, "ga", {"modelId": "v0-mini", "imageGenerations": False}),
        ("v0-mini", False, "reference", {"modelId": "v0-mini", "imageGenerations": False}),
        ("v0-auto", False, "ga", None),
        ("v0-auto", True, "ga", None),
        ("v0-auto", False, "reference", {"modelId": "v0-auto", "imageGenerations": False}),
    ],
)
def test_a_model_configuration_has_both_keys_or_is_not_there(
    model: str, images: bool, revision: Revision, expected: dict[str, Any] | None
) -> None:
    body = SendMessage(message="hi", model=model, image_generations=images).wire(revision)

    assert body.get("modelConfiguration") == expected


def test_no_servers_is_not_the_same_as_the_enabled_ones() -> None:
    assert SendMessage(message="hi", mcp_server_ids=()).wire("ga")["mcpServerIds"] == []


def test_skills_of_every_kind_in_ga() -> None:
    skills = (
        Skill("memory", scope="team", name="brand"),
        Skill("project", name="tests"),
    )

    assert SendMessage(message="hi", skills=skills).wire("ga")["skills"] == [
        {"type": "memory", "scope": "team", "skillName": "brand"},
        {"type": "project", "skillName": "tests"},
    ]


def test_reference_has_no_words_for_other_than_remote_skills() -> None:
    body = SendMessage(message="hi", skills=(Skill("project", name="tests"),))

    with pytest.raises(ValueError, match="project"):
        body.wire("reference")
