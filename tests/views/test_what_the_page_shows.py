"""For each scenario of the sandbox: what the page must show, as the server renders it.

Every scenario is played through the app, all of them at once; the tables say what a reader must see
then, and what nobody may. That an open page comes to show the same is `tests/browser/test_runs.py`.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from chats.sandbox.agent.scenarios import SCENARIOS
from tests.app_server import wait_until
from tests.rendering.documents import has, levelled, rendered
from tests.rendering.shape import shape_of_whole
from tests.views.told import Pages, Row, card, check, ended, page
from tests.world import World

Fields = dict[str, str | list[str]]

ALL_PARTS = """
    thinking text file-read*2 search*2 file-edit*6 bash*2 bash! tool-call tool-call! tool-call
    agent-action*5 hologram text
"""
BUILT = "text thinking text file-read search*2 file-edit*3 bash text"

# By what stands behind "scenario:".
SHOWS = {
    # Texts
    "long size=6000 chunk=40": Row(
        parts="thinking text",
        shows=("A long answer was asked for", "A long answer of 6,000 characters", "Part 1"),
        never=("**", "```", "](http", "## "),
        title="A long answer",
    ),
    "code": Row(
        parts="text",
        shows=(
            "Four ways to say it",
            "def total(prices: list[Decimal], *, rate: Decimal) -> Decimal:",
            "export function debounce<T extends unknown[]>",
            "curl -fsS http://localhost:8000/healthz | jq .",
            '<button class="primary" type="submit" disabled>Save &amp; close</button>',
            "four spaces make a block",
            "Inline it is const a = 1 or a `tick` inside.",
        ),
        never=("```", "~~~", "## "),
    ),
    "table": Row(
        parts="text",
        shows=(
            "Plan Seats Price Notes",
            "Regular 3 $9.00 popular",
            "shared | split",
            "Key Value a 1 b 2",
        ),
        never=("---", "**", "]("),
    ),
    "list": Row(
        parts="text",
        shows=(
            "Read the brief Draw the page heading list one entry another entry footer Write it",
            "A second paragraph of the third step.",
            "a bold code mix",
            "A quote with a list: first second Done.",
        ),
        never=("**", "> "),
    ),
    "markdown-hostile": Row(
        parts="thinking file-edit*2 bash text",
        shows=(
            "Markup that must stay text",
            '<script>document.title = "ran"</script>',
            "Created <img src=x onerror=alert(1)>.html",
            'Created a" onmouseover="alert(1)',
            "{{ 7*7 }} {% debug %} ${7*7}",
            "<!-- a comment -->",
        ),
        never=(" 49 ",),
        title='<b>Hostile</b> & "quoted" <script>title</script>',
    ),
    "unicode": Row(
        parts="text",
        shows=(
            "😀 👩‍💻 🏳️‍🌈 🇩🇪",
            "\U0001d4b3 \U00020bb7",
            "עברית ואז English",
            "日本語の文章です。",
            "nul: a\ufffdb",
            "ß ẞ \U0001d518 ½",
        ),
        never=("\0", "\ud83d"),
        title="Zeichen 😀",
    ),
    "empty": Row(end="empty answer"),
    # Parts
    "all-parts": Row(
        parts=ALL_PARTS,
        shows=(
            "First I look around, then I change everything once.",
            "Read app/page.tsx",
            "Read 3 files",
            "lib/a very long/path with spaces/and-ümlauts.ts",
            "Searched the codebase useState <Suspense>",
            "Searched the web accessible tabs & keyboard",
            "Created app/new.tsx",
            "Updated app/page.tsx",
            "Patched app/globals.css",
            "Deleted app/old.tsx",
            "Renamed lib/a.ts → lib/b.ts",
            "Transmogrify app/odd.tsx",
            "Ran npm test exit 0",
            "✓ renders",
            "199 line of a long output",
            "install.sh | sh Dangerous exit 1",
            "Used Linear: list issues",
            '"title": "Menu <closes> too early"',
            "Failed to use sentry_get_event",
            "Event 12 was not found",
            "Used ping",
            "Generated an image of a lighthouse",
            "Updated 2 to-dos",
            "Checked diagnostics: no problems",
            "Team Slack",
            "Did something that nobody knows yet",
            '"cups": 2',
            "Did something new hologram",
            "A type of the future",
            "That was one of each, the unknown ones included.",
        ),
        offers=("Fix with v0",),
        never=("\x1b", "[32m", "None"),
        title="Every kind of part",
    ),
    "steps": Row(
        parts="thinking agent-action file-read*3 search bash file-edit bash! agent-action thinking"
        " file-edit*2 bash agent-action bash text",
        shows=(
            "Read 3 files, searched once, changed 1 file, ran 1 command",
            "Ran npm test -- menu exit 1",
            "1 error app/menu.tsx:7 'open' is not defined 1 warning",
            "Changed 2 files, ran 1 command",
            "Updated the to-do list Going on 3 of 3",
            "Run the tests (done)",
        ),
        offers=("Fix with v0",),
    ),
    "many-parts n=60": Row(
        parts="text file-read bash thinking " * 15,
        shows=("Paragraph 0.", "Read app/file-29.ts", "Ran echo 58", "Thought 59."),
    ),
    "rewrite": Row(
        parts="bash text",
        shows=("Ran ls", "It ended as something else, shorter."),
        never=("Draft one", "Inserted in front", "It began", "a.css"),
        title="Rewritten",
    ),
    "failing-tool": Row(
        parts="thinking tool-call! text",
        shows=(
            "Failed to use Neon: run SQL",
            "SELECT count(*) FROM people",
            "connection refused (SQLSTATE 08006)",
            "I went on without the count.",
        ),
        offers=("Fix with v0",),
    ),
    "image": Row(
        parts="thinking text",
        shows=("Image generation is off for this message, so I drew nothing.",),
    ),
    "mcp": Row(
        parts="thinking tool-call text",
        shows=("Used Linear: list issues", '"limit": 5', "One issue is open at Linear"),
        never=("linear_list_issues",),
    ),
    # Ends
    "refusal": Row(parts="text", shows=("I'm sorry, but I can't help with that.",)),
    "length": Row(
        parts="text",
        shows=("And this is the sentence in the middle of whi",),
        end="length limit",
        offers=("Continue",),
    ),
    "content-filter": Row(
        parts="text",
        shows=("The recipe starts with",),
        end="content filter",
        offers=("Edit and ask again",),
    ),
    "error": Row(
        parts="thinking text",
        shows=("So far so good.", "I start with the heading, and then"),
        state="failed",
        end="The model is overloaded. Try again.",
        offers=("Fix with v0",),
    ),
    "tool-calls": Row(
        parts="thinking tool-call",
        shows=("Used count_rows", '"rows": 3'),
        never=("Waiting",),
        offers=("Continue",),
    ),
    "other": Row(parts="text", shows=("I came as far as this line.",), end="Ended early"),
    # Time
    "slow-first-byte seconds=0.3": Row(parts="text", shows=("Sorry for the wait.",)),
    "silence seconds=0.3": Row(parts="text", shows=("Before the silence, and after it.",)),
    # Tasks for a person
    "ask-questions n=3": Row(
        parts="thinking agent-action",
        shows=(
            "Which look should the page have?",
            "Quiet Much white, one accent",
            "Which sections do you want?",
            "More than one may be chosen.",
            "Who is it for?",
        ),
        asks="questions",
        choices=("answered",),
    ),
    "plan": Row(
        parts="thinking search agent-action",
        shows=("The plan", "Check that they work", "index.html styles.css script.js"),
        never=("## ", "```"),
        asks="plan",
        choices=("approved", "request-changes", "rejected"),
    ),
    "plan finish=stop": Row(
        parts="thinking search agent-action",
        shows=("The plan", "Check that they work"),
        asks="plan",
        choices=("approved", "request-changes", "rejected"),
    ),
    "integration": Row(
        parts="thinking agent-action",
        shows=("Supabase", "Linear", "Notion"),
        asks="integration",
        choices=("connected", "skipped"),
    ),
    "neon": Row(
        parts="thinking agent-action",
        shows=("Neon",),
        asks="integration",
        choices=("connected", "skipped"),
    ),
    "permission n=2": Row(
        parts="thinking file-edit*2 tool-call",
        shows=(
            "Created scripts/setup-db.sql",
            "Wants to use Run a script",
            '"executeScript": "/scripts/setup-db.sql"',
            '"executeScript": "/scripts/seed-1.sql"',
        ),
        never=("Used Run a script",),
        asks="permission",
        choices=("allowed", "denied"),
    ),
    "connect": Row(
        parts="thinking agent-action",
        shows=("Asked to set up Linear", "production, preview"),
        asks="connect",
        choices=("ready",),
    ),
    "connect-authorization": Row(
        parts="thinking agent-action",
        shows=("Asked to authorize Linear", "production, preview"),
        asks="connect",
        choices=("ready",),
    ),
}

# What the same scenarios go on with, once a person has filled in their card (each time, in order).
DECIDED: dict[str, tuple[str, list[Fields], Row]] = {
    "questions, answered": (
        "ask-questions n=3",
        [{"choice": "answered", "option-0": "1", "option-1": ["0", "2"], "text-2": "Everybody"}],
        Row(
            parts=BUILT,
            shows=(
                "Which look should the page have? Bold",
                "Which sections do you want? Contact form, FAQ",
                "Who is it for? Everybody",
                "Created index.html",
                "The page is ready.",
            ),
            says="Bold",
        ),
    ),
    "a plan, approved": (
        "plan",
        [{"choice": "approved", "text-content": "Mind the colours"}],
        Row(
            parts=BUILT,
            shows=("The plan stands (Mind the colours).", "The page is ready."),
            says="Mind the colours",
        ),
    ),
    "a plan, to be changed": (
        "plan",
        [{"choice": "request-changes", "text-content": "Use blue"}],
        replace(
            SHOWS["plan"],
            parts="thinking agent-action",
            shows=("The plan has to change: Use blue", "As you asked: Use blue"),
            says="Use blue",
        ),
    ),
    "a plan, changed and approved": (
        "plan",
        [{"choice": "request-changes", "text-content": "Use blue"}, {"choice": "approved"}],
        Row(parts=BUILT, shows=("The plan stands", "The page is ready.")),
    ),
    "a plan, rejected": (
        "plan",
        [{"choice": "rejected"}],
        Row(parts="text", shows=("I leave everything as it is.",)),
    ),
    "an integration, connected": (
        "integration",
        [{"choice": "connected", "connected": ["Supabase", "Linear"]}],
        Row(parts="text", shows=("Connected to", "Supabase, Linear"), says="Supabase and Linear"),
    ),
    "an integration, skipped": (
        "integration",
        [{"choice": "skipped"}],
        Row(parts="text", shows=("Nothing was connected, so I go on without.",)),
    ),
    "a database, connected": (
        "neon",
        [{"choice": "connected", "connected": "Neon"}],
        replace(
            SHOWS["permission n=2"],
            parts="text file-edit tool-call",
            shows=("Connected to", "Wants to use Run a script", "/scripts/setup-db.sql"),
        ),
    ),
    "a database, connected and its script allowed": (
        "neon",
        [{"choice": "connected", "connected": "Neon"}, {"choice": "allowed"}],
        Row(
            parts="thinking tool-call text",
            shows=("Used Run a script", "CREATE TABLE", "The table is there."),
            never=("Wants to use",),
        ),
    ),
    "a permission, given": (
        "permission n=2",
        [{"choice": "allowed", "text-reason": "Go ahead"}],
        Row(
            parts="thinking tool-call*2 text",
            shows=("Used Run a script", "/scripts/seed-1.sql", "And I heard: Go ahead"),
            never=("Wants to use",),
            says="Go ahead",
        ),
    ),
    "a connector, set up": (
        "connect polls=1",
        [{"choice": "ready"}],
        Row(parts="thinking text", shows=("Linear is connected to this project.",), says="Linear"),
    ),
    "a connector, authorized": (
        "connect-authorization polls=1",
        [{"choice": "ready"}],
        Row(parts="thinking text", shows=("Linear is connected to this project.",), says="Linear"),
    ),
}


@pytest.fixture(scope="module")
def played(world: World) -> Pages:
    """The page of each scenario, by the line that asks for it."""
    return ended(world, {line: world.ask(f"Play this.\nscenario: {line}") for line in SHOWS})


@pytest.fixture(scope="module")
def decided(world: World) -> Pages:
    """The page of each decision, once what follows it has ended."""
    chats = {name: world.ask(f"A page about tea\nscenario: {DECIDED[name][0]}") for name in DECIDED}
    pages = ended(world, chats)
    for turn in range(max(len(steps) for _, steps, _ in DECIDED.values())):
        deciding = {name: chat for name, chat in chats.items() if len(DECIDED[name][1]) > turn}
        for name, chat in deciding.items():
            decide(world, chat, pages[name], DECIDED[name][1][turn])
        pages |= ended(world, deciding)
    return pages


def decide(world: World, chat: str, html: str, fields: Fields) -> None:
    data = world.answer(chat)["parts"][-1].get("data") or {}
    if "requestId" in data:
        status = f"/chats/{world.chat(chat)['v0_id']}/connect/status?requestId={data['requestId']}"
        assert any(world.at_v0(status)["status"] == "ready" for _ in range(5))
    answer = world.client.post(f"/chats/{chat}/decide/", data={**card(html), **fields})
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("line", SHOWS)
def test_each_scenario_shows_what_it_must(played: Pages, line: str) -> None:
    found = check(played[line], SHOWS[line])
    assert line in found.messages[0].said


@pytest.mark.parametrize("name", DECIDED)
def test_each_decision_shows_what_follows_it(decided: Pages, name: str) -> None:
    _, steps, row = DECIDED[name]
    found = check(decided[name], row, turns=len(steps) + 1)
    asked = [told for told in found.messages[:-1] if told.role == "assistant"]
    assert not any(told.asks for told in asked), "what was decided cannot be decided again"
    assert all("Olivia Owner" in told.own for told in asked), "nobody is said to have decided"


def test_each_of_them_is_exported_as_it_is_stored(
    played: Pages, decided: Pages, world: World
) -> None:
    """From the app as it is served: in pieces, without a length."""
    chats = [str(UUID(row["id"])) for row in world.rows("SELECT id FROM chats_chat")]
    assert len(chats) >= len(played) + len(decided)
    for chat in chats:
        place, stored = f"/chats/{chat}/export", world.messages(chat)
        answer, page = world.post(f"{place}.json"), world.post(f"{place}.md").text
        assert answer.headers.get("transfer-encoding") == "chunked"
        exported = answer.json()["messages"]
        for name in ("parts", "text", "content", "finish_reason"):
            assert [row[name] for row in exported] == [row[name] for row in stored]
        parts = [part for row in stored if row["role"] == "assistant" for part in row["parts"]]
        texts = [part["text"] for part in parts if part["type"] == "text"]
        assert has(rendered(page), [levelled(shape_of_whole(text)) for text in texts]), chat


def test_who_allowed_it_is_still_said_when_v0_has_dropped_what_was_asked(world: World) -> None:
    chats = {"chat": world.ask("A page about tea\nscenario: permission")}
    decide(world, chats["chat"], ended(world, chats)["chat"], {"choice": "allowed"})
    ended(world, chats)

    def is_dropped() -> bool:
        shown(world, chats["chat"])
        return not world.messages(chats["chat"], role="assistant")[0]["asks"]

    wait_until(is_dropped, what="v0's own copy of the answer that asked")
    assert "Olivia Owner" in page(shown(world, chats["chat"])).messages[1].own


def test_images_that_were_drawn_show_as_what_was_done(world: World) -> None:
    """They are wanted elsewhere: this page has no field for it."""
    chat = world.ask("scenario: refusal")
    world.finished(chat)
    httpx.post(
        f"{world.sandbox.base_url}/chats/{world.chat(chat)['v0_id']}/messages",
        headers={"Authorization": f"Bearer {world.app.key}"},
        json={
            "message": "Play this.\nscenario: image n=2",
            "modelConfiguration": {"modelId": "v0-pro", "imageGenerations": True},
        },
        trust_env=False,
    ).raise_for_status()
    pages: list[str] = []

    def has_come() -> bool:
        pages.append(world.client.get(f"/chats/{chat}/").text)
        found = page(pages[-1])
        return len(found.messages) == 4 and found.answer.state == "finished"

    wait_until(has_come, what="the images")
    row = Row(
        parts="thinking agent-action file-edit agent-action file-edit text",
        shows=("Generated an image of a", "Created public/", "The pictures are in the project:"),
    )
    check(pages[-1], row, turns=2, is_ours=False)


def test_an_answer_shows_what_there_is_of_it_and_then_that_it_was_stopped(world: World) -> None:
    chat = world.ask("Play this.\nscenario: silence seconds=300")
    world.growing(chat)
    wait_until(lambda: "Before the" in shown(world, chat), what="the first words")
    running = Row(parts="text(running)", shows=("Before the",), state="streaming")
    check(shown(world, chat), running)
    assert world.stop(chat).status_code == 303
    world.until(chat, "stopped")
    stopped = replace(running, parts="text", state="stopped", end="Stopped.")
    check(shown(world, chat), replace(stopped, never=("after it",)))


def shown(world: World, chat: str) -> str:
    return world.client.get(f"/chats/{chat}/").text


def test_no_scenario_is_without_a_row() -> None:
    assert {line.partition(" ")[0] for line in SHOWS} == set(SCENARIOS)
