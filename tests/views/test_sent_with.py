"""What a message was sent with is seen on it, by those who may send and by nobody else."""

from __future__ import annotations

import pytest
from django.test import Client

from chats.live.html import render
from chats.models import Chat, Instructions, Person, Team
from chats.relay.rows import shown
from chats.rendering.message import message_node
from tests.views.conftest import ChatOf, ClientOf

GIVEN = {
    "model": "v0-auto",
    "images": True,
    "mcp": ["mcp_gone"],
    "skills": [{"type": "remote", "id": "owner/skills/<one>"}],
    "system": "Secret <b>instructions</b>",
    "metadata": {"project": "hush"},
}


@pytest.fixture
def chat(chat_of: ChatOf, owner: Person, team: Team) -> Chat:
    chat = chat_of(owner, "Hello", privacy="team", team=team)
    chat.messages.filter(role="user").update(sent_with=GIVEN)
    return chat


def pages(client: Client, chat: Chat) -> str:
    answers = [client.get(f"/chats/{chat.id}/"), client.get(f"/chats/{chat.id}/own/")]
    assert [answer.status_code for answer in answers] == [200, 200]
    return "".join(answer.content.decode() for answer in answers)


def test_whoever_may_send_sees_it_on_the_message(
    chat: Chat, owner: Person, client_of: ClientOf
) -> None:
    found = pages(client_of(owner), chat)
    line = "v0-auto · images · 1 skill · 1 MCP server · instructions · metadata"
    for words in (
        line,
        "Allowed, where v0 lets v0-auto make them",
        "<dd>owner/skills/&lt;one&gt;</dd>",
        "<dd>mcp_gone</dd>",
        "Secret &lt;b&gt;instructions&lt;/b&gt;</dd>",
        "<dd>project=hush</dd>",
    ):
        assert found.count(words) == 2, words


def test_whoever_only_reads_sees_nothing_of_it(
    chat: Chat, mate: Person, client_of: ClientOf
) -> None:
    found = pages(client_of(mate), chat)
    for words in ("instructions", "hush", "mcp_gone", "v0-auto ·", "sent-with"):
        assert words not in found, words


def test_a_frame_has_nothing_of_it(chat: Chat) -> None:
    row = chat.messages.get(role="user")
    assert row.sent_with == GIVEN
    html = render(message_node(shown(row)))
    assert "Hello" in html
    for words in ("v0-auto", "instructions", "hush", "mcp_gone"):
        assert words not in html


def test_a_message_that_was_sent_with_nothing_says_nothing(
    chat: Chat, owner: Person, client_of: ClientOf
) -> None:
    chat.messages.update(sent_with={})
    assert "sent-with" not in pages(client_of(owner), chat)
    chat.messages.filter(role="user").update(sent_with={"mcp": []})
    assert "no MCP servers" in pages(client_of(owner), chat)


def test_a_message_is_edited_with_what_it_was_sent_with(
    chat: Chat, owner: Person, client_of: ClientOf
) -> None:
    asked = chat.messages.get(role="user")
    page = client_of(owner).get(f"/chats/{chat.id}/?edit={asked.id}").content.decode()
    assert '<option value="v0-auto" selected>' in page
    assert 'name="images" checked' in page
    assert 'value="mcp_gone" checked' in page
    assert 'value="owner/skills/&lt;one&gt;" checked' in page


def test_below_a_closed_chat_a_reader_finds_nothing_of_its_options(
    chat: Chat, mate: Person, client_of: ClientOf
) -> None:
    Chat.objects.filter(pk=chat.pk).update(at_v0="gone")
    Instructions.objects.create(chat=chat, text="Secret instructions")
    asked = chat.messages.get(role="user")
    page = client_of(mate).get(f"/chats/{chat.id}/?edit={asked.id}").content.decode()
    assert "Hello</textarea>" in page
    assert "instructions" not in page.replace("Instructions for this chat", "")
    assert "mcp_gone" not in page
