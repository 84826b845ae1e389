"""What a reader gets for the position it names: nothing, the difference, everything, or "fetch"."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import Chat, Message, Person
from chats.relay import store
from chats.relay.hub import Hub, LiveChat, Reader
from chats.relay.rows import shown
from chats.relay.threads import Threads
from chats.rendering import frames
from chats.rendering.message import message_node
from chats.rendering.shown import Shown
from chats.v0api.types import part_from_wire

T = TypeVar("T")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(transactional_db: None, owner: Person) -> Chat:
    return Chat.objects.create(owner=owner, title="Tea", v0_id="abc")


@pytest.fixture
def threads() -> Iterator[Threads]:
    threads = Threads(1)
    yield threads
    threads.close()


def run(threads: Threads, play: Callable[[Hub], Awaitable[T]]) -> T:
    async def inside() -> T:
        return await play(Hub(threads))

    return asyncio.run(inside())


def add(chat: Chat, *texts: str, state: str = "finished", ended: float = 3600) -> list[Message]:
    """Answers that ended some seconds ago, or run."""
    first = chat.messages.count() + 1
    moment = None if state == "streaming" else timezone.now() - timedelta(seconds=ended)
    rows = [
        Message.objects.create(
            chat=chat,
            position=first + offset,
            role="assistant",
            state=state,
            ended_at=moment,
            parts=[{"type": "text", "text": text}],
        )
        for offset, text in enumerate(texts)
    ]
    store.bump(chat.id)
    chat.refresh_from_db()
    return rows


async def join(
    hub: Hub, chat: Chat, at: str, *, after: str = "", version: int | None = None
) -> tuple[Reader, str]:
    known = chat.version if version is None else version
    return await hub.join(chat.id, at, after, known, asyncio.Event())


def streamed(live: LiveChat, row: Message, text: str) -> None:
    parts = (part_from_wire({"type": "text", "text": text}),)
    node = message_node(Shown(id=str(row.id), role="assistant", state="streaming", parts=parts))
    live.show(str(row.id), row.position, node)


def test_the_version_of_a_chat_in_which_nothing_runs_is_up_to_date(
    threads: Threads, chat: Chat
) -> None:
    add(chat, "one", "two")

    async def play(hub: Hub) -> str:
        return (await join(hub, chat, f"v{chat.version}"))[1]

    frame = run(threads, play)
    assert frame.count("hx-swap-oob") == 1
    assert 'id="at"' in frame


def test_an_older_version_gets_each_message_after_the_last_one_it_showed(
    threads: Threads, chat: Chat
) -> None:
    rows = add(chat, "first words")
    at = f"v{chat.version}"
    add(chat, "second words", "third words")

    async def play(hub: Hub) -> str:
        return (await join(hub, chat, at, after=str(rows[0].id), version=1))[1]

    frame = run(threads, play)
    assert "first words" not in frame
    assert frame.index("second words") < frame.index("third words")


@pytest.mark.parametrize("after", ["", "nonsense", "00000000-0000-4000-8000-000000000000"])
def test_more_than_a_frame_should_carry_is_stale(threads: Threads, chat: Chat, after: str) -> None:
    add(chat, *(f"answer {number}" for number in range(21)))

    async def play(hub: Hub) -> str:
        return (await join(hub, chat, "gone.7", after=after, version=1))[1]

    frame = run(threads, play)
    assert "data-stale" in frame
    assert "answer" not in frame


def test_everything_beyond_a_mebibyte_is_stale(threads: Threads, chat: Chat) -> None:
    add(chat, "word " * 150_000, "word " * 150_000)

    async def play(hub: Hub) -> str:
        return (await join(hub, chat, "gone.7", version=1))[1]

    frame = run(threads, play)
    assert "data-stale" in frame
    assert len(frame) < 2000


def test_a_page_older_than_a_change_of_history_is_stale(threads: Threads, chat: Chat) -> None:
    rows = add(chat, "one", "two")
    Chat.objects.filter(id=chat.id).update(rewritten=chat.version + 1, version=chat.version + 1)

    async def play(hub: Hub) -> str:
        return (await join(hub, chat, f"v{chat.version}", after=str(rows[1].id)))[1]

    assert "data-stale" in run(threads, play)


def test_a_held_position_gets_the_difference(threads: Threads, chat: Chat) -> None:
    (row,) = add(chat, "", state="streaming")

    async def play(hub: Hub) -> tuple[str, str]:
        live = await hub.load(chat.id)
        streamed(live, row, "One paragraph.\n\nAnother")
        _, at = hub.page(chat.id)
        streamed(live, row, "One paragraph.\n\nAnother one.")
        reader, frame = await join(hub, chat, at)
        assert reader.at == live.at
        return frame, at

    frame, at = run(threads, play)
    assert "Another one." in frame
    assert "One paragraph." not in frame
    assert at not in frame


def test_a_frame_is_made_once_for_all_who_stand_at_the_same_place(
    threads: Threads, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = add(chat, "", state="streaming")
    made: list[str] = []
    original = frames.frame

    def counted(*given: Any) -> str:
        made.append(original(*given))
        return made[-1]

    monkeypatch.setattr(frames, "frame", counted)

    async def play(hub: Hub) -> None:
        live = await hub.load(chat.id)
        readers = [(await join(hub, chat, live.at))[0] for _ in range(50)]
        made.clear()
        streamed(live, row, "Words.")
        sent = {live.frame(reader) for reader in readers}
        assert len(sent) == 1

    run(threads, play)
    assert len(made) == 1


def test_a_slow_reader_gets_one_frame_with_all_it_missed(threads: Threads, chat: Chat) -> None:
    (row,) = add(chat, "", state="streaming")

    async def play(hub: Hub) -> tuple[str, int]:
        live = await hub.load(chat.id)
        slow, _ = await join(hub, chat, live.at)
        quick, _ = await join(hub, chat, live.at)
        for number in range(100):
            streamed(live, row, "".join(f"Line {line}.\n\n" for line in range(number + 1)))
            live.frame(quick)
        return live.frame(slow), len(live.held)

    frame, held = run(threads, play)
    assert all(f"Line {number}." in frame for number in range(100))
    assert held <= 3


def test_states_that_nobody_stands_on_are_let_go(
    threads: Threads, chat: Chat, settings: Settings
) -> None:
    settings.V0_POSITION_KEEP = 0
    (row,) = add(chat, "", state="streaming")

    async def play(hub: Hub) -> int:
        live = await hub.load(chat.id)
        for number in range(100):
            streamed(live, row, f"Text {number}")
            hub.page(chat.id)
        return len(live.held)

    assert run(threads, play) <= 2


def test_a_message_that_ended_leaves_the_state_and_stays_on_the_page(
    threads: Threads, chat: Chat, settings: Settings
) -> None:
    add(chat, "just ended", ended=0)

    async def play(hub: Hub) -> tuple[int, str]:
        live = await hub.load(chat.id)
        reader, _ = await join(hub, chat, live.at)
        assert len(live.state.messages) == 1
        settings.V0_ENDED_KEEP = 0
        hub.sweep()
        return len(live.state.messages), live.frame(reader)

    messages, frame = run(threads, play)
    assert messages == 0
    assert "delete" not in frame
    assert "stale" not in frame


def test_a_final_row_outranks_the_run_and_a_running_one_does_not(
    threads: Threads, chat: Chat
) -> None:
    (row,) = add(chat, "saved a while ago", state="streaming")

    async def play(hub: Hub) -> list[str]:
        live = await hub.load(chat.id)
        streamed(live, row, "newer than what was saved")
        await live.refresh()
        seen = [str(live.state.messages[0])]
        await threads.write(_end, row)
        await live.refresh()
        return [*seen, str(live.state.messages[0])]

    during, after = run(threads, play)
    assert "newer than what was saved" in during
    assert "the final words" in after


def _end(row: Message) -> None:
    row.state, row.ended_at = "finished", timezone.now()
    row.parts = [{"type": "text", "text": "the final words"}]
    row.save()
    store.bump(row.chat_id)


def test_a_hint_that_was_lost_is_made_good_by_comparing_versions(
    threads: Threads, chat: Chat
) -> None:
    async def play(hub: Hub) -> str:
        live = await hub.load(chat.id)
        reader, _ = await join(hub, chat, live.at)
        await threads.write(Chat.objects.filter(id=chat.id).update, title="Coffee", version=99)
        await hub.compare()
        await asyncio.wait_for(reader.news.wait(), 5)
        return live.frame(reader)

    assert "Coffee" in run(threads, play)


def test_a_chat_without_readers_runs_or_pages_is_forgotten(
    threads: Threads, chat: Chat, settings: Settings
) -> None:
    settings.V0_POSITION_KEEP = 0

    async def play(hub: Hub) -> int:
        live = await hub.load(chat.id)
        reader, _ = await join(hub, chat, live.at)
        hub.sweep()
        assert chat.id in hub.chats
        hub.leave(reader)
        hub.sweep()
        return len(hub.chats)

    assert run(threads, play) == 0


def test_a_row_and_the_run_that_wrote_it_are_the_same_node(chat: Chat) -> None:
    (row,) = add(chat, "# Words\n\n- a\n- b\n\n```py\nx = 1\n```\n")
    assert message_node(shown(row)) == message_node(shown(Message.objects.get(id=row.id)))
