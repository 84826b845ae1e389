"""What v0 takes and what it does not, at each edge, and what a refusal says."""

from __future__ import annotations

from typing import Any

import pytest

from chats.v0api import limits
from chats.v0api.errors import Invalid, InvalidRequest, V0Error
from chats.v0api.requests import (
    CreateChat,
    CreateFromFiles,
    CreateFromRepo,
    CreateFromZip,
    SendMessage,
    Skill,
    zip_url,
)
from tests.v0api.exchange import exchanging
from tests.v0api.operations import Call
from tests.v0api.wire_server import answer

AROUND: dict[str, Any] = {"privacy": "private", "metadata": {}}


def create(**values: Any) -> Any:
    return CreateChat(**{"message": "x", **AROUND, **values})


# A request at its edge, one beyond it, and the field that is named.
EDGES: list[tuple[Any, Any, str]] = [
    (create(message="x"), create(message=""), "message"),
    (create(metadata={str(at): "" for at in range(50)}),
     create(metadata={str(at): "" for at in range(51)}), "metadata"),
    (create(metadata={"k" * 40: ""}), create(metadata={"k" * 41: ""}), "metadata"),
    (create(metadata={"k": ""}), create(metadata={"": ""}), "metadata"),
    (create(metadata={"k": "v" * 500}), create(metadata={"k": "v" * 501}), "metadata"),
    (create(metadata={"k": "😀" * 250}), create(metadata={"k": "😀" * 251}), "metadata"),
    (create(privacy="team-edit"), create(privacy="secret"), "privacy"),
    (create(model="v0-max-fast"), create(model="v0-huge"), "modelConfiguration.modelId"),
    (create(skills=(Skill(id="a"),) * 3), create(skills=(Skill(id="a"),) * 4), "skills"),
    (create(skills=(Skill("memory", scope="user", name="a"),)),
     create(skills=(Skill("memory", scope="all", name="a"),)), "skills"),
    (SendMessage(message=" "), SendMessage(message=""), "message"),
    (CreateFromFiles(files={"a": ""}, **AROUND), CreateFromFiles(files={}, **AROUND), "files"),
    (CreateFromFiles(files={str(at): "" for at in range(20)}, **AROUND),
     CreateFromFiles(files={str(at): "" for at in range(21)}, **AROUND), "files"),
    (CreateFromFiles(files={"a": ""}, **AROUND),
     CreateFromFiles(files={"": ""}, **AROUND), "files.name"),
    (CreateFromZip(url=zip_url(b"x"), **AROUND), CreateFromZip(url="x", **AROUND), "url"),
    (CreateFromZip(url="https://a.b/c", **AROUND), CreateFromZip(url="file:///c", **AROUND), "url"),
    (CreateFromRepo(url="x", **AROUND), CreateFromRepo(url="", **AROUND), "repo.url"),
    (CreateFromRepo(url="x", branch="b" * 250, **AROUND),
     CreateFromRepo(url="x", branch="b" * 251, **AROUND), "repo.branch"),
]  # fmt: skip


@pytest.mark.parametrize(("within", "beyond", "field"), EDGES)
def test_a_request_in_words_is_refused_just_beyond_its_edge(
    within: Any, beyond: Any, field: str
) -> None:
    assert within.wire("ga")
    with pytest.raises(InvalidRequest) as caught:
        beyond.wire("ga")

    assert caught.value.field == field


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("get_chat", ("",), {}, "id"),
    ("get_message", ("c", ".."), {}, "id"),
    ("update_chat", ("c",), {"privacy": "x"}, "privacy"),
    ("update_chat", ("c",), {"metadata": {"k" * 51: None}}, "metadata"),
    ("update_chat", ("c",), {"metadata": {str(at): "" for at in range(51)}}, "metadata"),
    ("list_chats", (), {"metadata": {"a": "v" * 501}}, "metadata"),
    ("duplicate_chat", ("c",), {"privacy": ""}, "privacy"),
    ("update_files", ("c", {}), {}, "files"),
    ("update_files", ("c", {"": None}), {}, "files.path"),
    ("restore_message", ("c", ""), {}, "messageId"),
    ("get_connect_status", ("c", ""), {}, "requestId"),
    ("get_connect_status", ("c", "r" * 129), {}, "requestId"),
    ("set_preview_hosts", (["a"] * 6,), {}, "hosts"),
    ("set_preview_hosts", (["a" * 257],), {}, "hosts"),
    ("create_mcp_server", (), {"name": "", "url": "https://a.b"}, "name"),
    ("create_mcp_server", (), {"name": "n" * 101, "url": "https://a.b"}, "name"),
    ("create_mcp_server", (), {"name": "n", "url": "a.b"}, "url"),
    ("create_mcp_server", (), {"name": "n", "url": f"https://a.b/{'c' * 489}"}, "url"),
    ("update_mcp_server", ("s",), {"description": "d" * 501}, "description"),
    ("update_mcp_server", ("s",), {"scope": "all"}, "scope"),
    ("create_webhook", (), {"name": "n", "url": "data:x", "events": ()}, "url"),
    ("update_webhook", ("h",), {"events": ("chat.brewed",)}, "events"),
]  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "values", "named", "field"), CALLS, ids=lambda one: str(one)[:30])
async def test_a_call_beyond_its_edge_sends_nothing(
    name: str, values: tuple[Any, ...], named: dict[str, Any], field: str
) -> None:
    async with exchanging() as exchange:
        with pytest.raises(InvalidRequest) as caught:
            await exchange.call(lambda v0: getattr(v0, name)(*values, **named), b"")

        assert caught.value.field == field
        assert exchange.requests == []


@pytest.mark.anyio
async def test_a_stream_that_v0_would_refuse_is_not_opened() -> None:
    async with exchanging() as exchange:
        with pytest.raises(InvalidRequest, match="message"):
            async with exchange.v0.send_stream("c", SendMessage(message="")):
                pass

        assert exchange.requests == []


@pytest.mark.anyio
async def test_changed_metadata_takes_longer_keys_and_deletions_beyond_the_count() -> None:
    metadata: dict[str, str | None] = {str(at): "" for at in range(49)}
    metadata |= {"k" * 50: "v"} | {f"gone-{at}": None for at in range(10)}
    async with exchanging() as exchange:
        await exchange.call(
            lambda v0: v0.update_chat("c", metadata=metadata), answer(200, {"id": "c"})
        )

        [request] = exchange.requests
        assert request.json == {"metadata": metadata}


@pytest.mark.anyio
async def test_clearing_metadata_is_not_the_same_as_leaving_it() -> None:
    changes: tuple[Call, Call] = (
        lambda v0: v0.update_chat("c"),
        lambda v0: v0.update_chat("c", clear_metadata=True),
    )
    async with exchanging() as exchange:
        for clear, body in ((False, {}), (True, {"metadata": None})):
            await exchange.call(changes[clear], answer(200, {"id": "c"}))
            assert exchange.requests[0].json == body


def test_a_refusal_is_caught_as_what_it_is_as_a_422_and_as_a_value_error() -> None:
    for kind in (InvalidRequest, Invalid, V0Error, ValueError):
        with pytest.raises(kind, match="metadata") as caught:
            create(metadata={"k": "canary" * 100}).wire("ga")
        assert isinstance(caught.value, InvalidRequest)
        assert (caught.value.problem, caught.value.status) == ("invalid", None)
        assert not caught.value.retryable
        assert not caught.value.in_doubt
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "length"), [("", 0), ("abc", 3), ("é", 1), ("😀", 2), ("\ud83d", 1), ("a😀", 3)]
)
def test_characters_are_counted_as_v0_does(text: str, length: int) -> None:
    assert limits.length(text) == length


@pytest.mark.parametrize(
    "url",
    ["https://a.b", "http://localhost:8000/x?y#z", "https://[::1]/", "https://u:p@a.b/%20"],
)
def test_urls_that_are_taken(url: str) -> None:
    assert limits.url("url", url) == url


@pytest.mark.parametrize(
    "url",
    ["", "a", "a.b/c", "//a.b", "https:", "https://", "https:///x", "https://a.b:99999", "ftp://a.b",
     "https://a b", "https://a.b/\n", " https://a.b", "https://é.b", "https://[", "javascript:x",
     "data:,x"],
)  # fmt: skip
def test_urls_that_are_not(url: str) -> None:
    with pytest.raises(InvalidRequest, match="url: must be a URL"):
        limits.url("url", url)


def test_words_are_singular_for_one() -> None:
    with pytest.raises(InvalidRequest, match=r"at least 1 character$"):
        limits.text("a", "", least=1)
    with pytest.raises(InvalidRequest, match=r"at most 5 entries$"):
        limits.count("a", range(6), most=5)
