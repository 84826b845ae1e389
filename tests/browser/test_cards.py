"""The card of everything that an agent waits for, pressed by a person: each button, with and without
scripts, by keyboard alone, and as axe-core sees it.

What the cards send to v0 in every odd case is `tests/relay/test_decisions.py`; how a set-up is asked
about is `tests/relay/test_setups.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.app_server import AppServer
from tests.browser.faultless import faults
from tests.browser.seen import ANSWER, OWNER, PATIENCE, has_state, is_live, send
from tests.conftest import PageOf
from tests.relay.test_decisions import decide, share_with_team
from tests.sandbox_server import Sandbox
from tests.world import World
from tests.world import world as world_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

MATE = "mate@example.com"
PHONE = {"width": 390, "height": 844}
# Statuses of forms that are answered with their page.
REFUSED = r"status of (409|422)"
WAITS = "Waiting for an answer from a person."
Fill = tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_CONNECT_EVERY": "0.3", "V0_LOOK_EVERY": "0.2"}


@dataclass(frozen=True, slots=True)
class Press:
    """One button of one card: the scenario that shows it, labels to tick and fields to fill before it
    is pressed, the words it leaves behind, and some of what v0 was sent."""

    line: str
    button: str
    tells: str
    task: Mapping[str, Any]
    ticks: tuple[str, ...] = ()
    fills: Fill = ()


PRESSES = {
    "one question": Press(
        "ask-questions n=1",
        "Send the answer",
        "Answered",
        {"answers": [{"questionId": "q1", "questionText": "Which look should the page have?", "selectedLabels": ["Bold"]}]},
        ticks=("Bold",),
    ),
    "several questions": Press(
        "ask-questions n=3",
        "Send the answers",
        "Answered",
        {
            "answers": [
                {"questionId": "q1", "questionText": "Which look should the page have?", "selectedLabels": ["Dark"]},
                {"questionId": "q2", "questionText": "Which sections do you want?", "selectedLabels": ["Contact form", "FAQ"], "customText": "And a map"},
                {"questionId": "q3", "questionText": "Who is it for?", "selectedLabels": [], "customText": "Everybody"},
            ]
        },
        ticks=("Quiet", "Dark", "Contact form", "FAQ"),
        fills=(("text-1", "And a map"), ("text-2", "Everybody")),
    ),
    "a plan approved": Press("plan", "Approve", "Approved", {"status": "approved"}),
    "a plan to change": Press("plan", "Request changes", "Changes were asked for", {"status": "request-changes", "content": "Use blue"}, fills=(("text-content", "Use blue"),)),
    "a plan rejected": Press("plan", "Reject", "Rejected", {"status": "rejected"}),
    "services connected": Press(
        "integration",
        "I connected these",
        "Connected",
        {"connectedIntegrationNames": ["Supabase"], "connectedMcpPresetNames": ["Linear"]},
        ticks=("Supabase", "Linear"),
    ),
    "services skipped": Press("integration", "Skip", "Skipped", {"connectedIntegrationNames": [], "connectedMcpPresetNames": []}),
    "a tool allowed": Press("permission n=2", "Allow", "Allowed", {"type": "confirmed-permissions", "userMessage": "Go on"}, fills=(("text-reason", "Go on"),)),
    "a tool denied": Press("permission", "Deny", "Denied", {}, fills=(("text-reason", "Not today"),)),
    "a connector": Press("connect polls=0", "Check and go on", "Set up", {"type": "vercel-connect-setup"}),
    "an authorization": Press("connect-authorization polls=0", "Check and go on", "Set up", {"type": "vercel-connect-authorization"}),
}  # fmt: skip
# With scripts these go on by themselves: `test_a_set_up_…`.
BY_HAND = ("a connector", "an authorization")
PRESSED = {
    True: [name for name in PRESSES if name not in BY_HAND],
    False: list(PRESSES),
}
KINDS = ("ask-questions n=3", "plan", "integration", "permission n=2", "connect")


@pytest.fixture(scope="module")
def chats(app: AppServer, sandbox: Sandbox) -> Iterator[dict[str, str]]:
    """A chat that waits, for each press with and without scripts and for each kind of card."""
    with world_of(app, sandbox) as world:
        lines = {f"{name} {scripts}": PRESSES[name].line for scripts in (True, False) for name in PRESSED[scripts]}  # fmt: skip
        lines |= {f"kind {line}": line for line in KINDS}
        made = {name: world.ask(f"A page\nscenario: {line}\npace: 0") for name, line in lines.items()}  # fmt: skip
        for chat in made.values():
            assert world.finished(chat)["asks"]
        yield made


def open_card(page: Page, chat: str, *, scripts: bool = True) -> None:
    page.goto(f"/chats/{chat}/")
    expect(page.locator("#ask")).to_be_visible()
    if scripts:
        is_live(page)


def fill(page: Page, press: Press) -> None:
    for label in press.ticks:
        page.locator("#ask").get_by_label(label).check()
    for name, text in press.fills:
        page.fill(f"#ask [name={name}]", text)


def tasks_sent(world: World) -> list[dict[str, Any]]:
    """What v0 was sent for each decision with the model that was chosen at its card."""
    bodies = [request["body"] for request in world.sandbox.requests(world.app.key)]
    chosen = {"modelId": "v0-max", "imageGenerations": False}
    return [body.get("task", {}) for body in bodies if body.get("modelConfiguration") == chosen]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_each_button_of_each_card_decides(
    app: AppServer, page_of: PageOf, world: World, chats: dict[str, str], scripts: bool
) -> None:
    page = page_of(app, OWNER, java_script_enabled=scripts)
    posts = world.ledger["posts"]
    for name in PRESSED[scripts]:
        press = PRESSES[name]
        open_card(page, chats[f"{name} {scripts}"], scripts=scripts)
        # What the card asks is not told a second time beside it.
        expect(page.locator(".part-asks:visible"), name).to_have_count(0)
        fill(page, press)
        page.select_option("#ask [name=model]", "v0-max")
        page.locator("#ask").get_by_role("button", name=press.button, exact=True).click()
        told = page.locator(".own-told").first
        expect(told, name).to_have_text(re.compile(f"{press.tells} by Olivia Owner"))
        assert WAITS not in page.content(), name
    for name in PRESSED[scripts]:
        assert world.finished(chats[f"{name} {scripts}"])["state"] == "finished"
    assert world.ledger["posts"] == posts + len(PRESSED[scripts])
    sent = tasks_sent(world)
    for name in PRESSED[scripts]:
        wanted = PRESSES[name].task.items()
        assert any(task.items() >= wanted for task in sent), (name, sent)


def test_a_card_is_filled_in_and_sent_by_keyboard_alone(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask("A page\nscenario: ask-questions\npace: 0")
    world.finished(chat)
    page = page_of(app, OWNER)
    open_card(page, chat)
    button = page.get_by_role("button", name="Send the answers")
    button.focus()
    page.keyboard.press("Enter")
    quiet = page.get_by_label("Quiet")
    expect(quiet).to_be_focused()
    expect(page.locator("#ask:invalid")).to_have_count(1)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Bold")).to_be_checked()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("With serifs")
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.type("Only a map")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    assert page.url.endswith(f"/chats/{chat}/"), "Enter in a box decides nothing"
    page.keyboard.press("Enter")
    expect(page.locator(".own-told").first).to_have_text(re.compile("Answered by Olivia"))
    said = world.messages(chat, role="user")[-1]["text"]
    assert "Bold, With serifs" in said
    assert "Only a map" in said
    world.finished(chat)


REACHED = """() => {
  const at = document.activeElement;
  return at.closest("#ask") ? (at.name ? `${at.name} ${at.type === "submit" ? at.value : ""}` : at.textContent).trim() : "";
}"""
CONTROLS = {
    "ask-questions n=3": ["option-0", "text-0", "option-1", "option-1", "option-1", "text-1", "option-2", "text-2", "choice answered", "model"],
    "plan": ["text-content", "choice approved", "choice request-changes", "choice rejected", "model"],
    "integration": ["Create the Vercel project", "connected", "connected", "connected", "choice connected", "choice skipped", "model"],
    "permission n=2": ["", "", "text-reason", "choice allowed", "choice denied", "model"],
    "connect": ["Open the set-up page", "choice ready", "model"],
}  # fmt: skip


@pytest.mark.parametrize("line", KINDS)
def test_axe_finds_nothing_on_a_card_and_every_control_is_reached(
    app: AppServer, page_of: PageOf, chats: dict[str, str], line: str
) -> None:
    chat = chats[f"kind {line}"]
    page = page_of(app, OWNER, allowed=REFUSED, viewport=PHONE)
    open_card(page, chat)
    found = faults(page, f"card-{line.split()[0]}", drawn=True)
    page.locator("#ask").evaluate("form => { form.tabIndex = -1; form.focus(); }")
    reached = []
    for _ in CONTROLS[line]:
        page.keyboard.press("Tab")
        reached.append(page.evaluate(REACHED))
    assert [name if "{" not in name else "" for name in reached] == CONTROLS[line]
    # Nothing is decided by what is not filled in; the page says so where it can be put right.
    press = {"integration": "I connected these", "connect": "Check and go on", "plan": "Request changes"}  # fmt: skip
    if line in press:
        page.locator("#ask").get_by_role("button", name=press[line]).click()
        expect(page.locator("#ask [role=alert]")).to_be_focused()
        # What can be reloaded without sending a form again.
        page.wait_for_url(f"**/chats/{chat}/")
        found += faults(page, f"card-{line}-refused", drawn=True)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_on_what_a_mate_sees_and_on_what_was_decided(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chats = {
        line: world.ask(f"A page\nscenario: {line}\npace: 0")
        for line in ("integration", "permission", "connect")
    }
    for chat in chats.values():
        world.finished(chat)
    share_with_team(world)
    page, found = page_of(app, MATE), []
    for line, chat in chats.items():
        open_card(page, chat)
        assert not page.locator("#ask [value=connected], #ask [value=allowed], #ask [value=ready]").count()  # fmt: skip
        found += faults(page, f"card-{line}-mate")
    open_card(page, chats["permission"])
    page.get_by_role("button", name="Deny").click()
    expect(page.locator(".own-told").first).to_have_text(re.compile("Denied by"))
    has_state(page, "finished")
    found += faults(page, "card-decided")
    assert not found, "\n".join(found)


def test_a_set_up_is_followed_and_gone_on_with_by_itself(
    app: AppServer, sandbox: Sandbox, page_of: PageOf, world: World
) -> None:
    chat = world.ask("A page\nscenario: connect\npace: 0")
    world.finished(chat)
    posts = world.ledger["posts"]
    # Both go on by themselves, and the second learns that the first has.
    page, other = (page_of(app, OWNER, allowed="409") for _ in range(2))
    for each in (page, other):
        open_card(each, chat)
        expect(each.locator("#ask-setup")).to_contain_text("Waiting for the page at Vercel")
    page.select_option("#ask [name=model]", "v0-max")
    other.select_option("#ask [name=model]", "v0-max")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the set-up page").click()
    vercel = opened.value
    for each in (page, other):
        expect(each.locator("#ask-setup")).to_contain_text("Waiting for Linear")
    found = faults(page, "card-connect-progress")
    vercel.get_by_role("button", name="Connect").click()
    for each in (page, other):
        expect(each.locator(".own-told").first).to_have_text(re.compile("Set up by Olivia"), timeout=PATIENCE)  # fmt: skip
        has_state(each, "finished")
        expect(each.locator("#setup[hx-get], #setup[hx-post]")).to_have_count(0)
    assert world.ledger["posts"] == posts + 1
    assert {"type": "vercel-connect-setup"} in tasks_sent(world)
    assert not found, "\n".join(found)


def test_a_page_that_was_open_before_the_card_came_follows_it_too(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask("scenario: empty")
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/")
    is_live(page)
    send(page, "A page\nscenario: connect-authorization polls=2\npace: 0")
    told = page.locator(".own-told")
    expect(told).to_have_text(re.compile("Set up by Olivia"), timeout=PATIENCE)
    has_state(page, "finished")
    assert {"type": "vercel-connect-authorization"} in [
        request["body"].get("task") for request in world.sandbox.requests(world.app.key)
    ]


def test_a_set_up_that_fails_is_told_and_asked_about_no_more(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask("A page\nscenario: connect polls=1 end=error\npace: 0")
    world.finished(chat)
    page = page_of(app, OWNER)
    open_card(page, chat)
    expect(page.locator("#ask-setup")).to_contain_text("Linear refused the connection.")
    expect(page.locator("#setup[hx-get], #setup[hx-post]")).to_have_count(0)
    assert not faults(page, "card-connect-error", drawn=True)
    page.reload()
    expect(page.locator("#ask-setup")).to_contain_text("Linear refused the connection.")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_project_is_made_from_the_card(
    app: AppServer, page_of: PageOf, world: World, scripts: bool
) -> None:
    chat = world.ask("A page\nscenario: integration\npace: 0")
    world.finished(chat)
    page = page_of(app, OWNER, java_script_enabled=scripts)
    open_card(page, chat, scripts=scripts)
    page.get_by_role("button", name="Create the Vercel project").click()
    expect(page.locator("#ask code")).to_have_text(re.compile(r"^prj_\w+$"))
    assert world.chat(chat)["vercel_project"] == page.locator("#ask code").inner_text()
    assert not scripts or not faults(page, "card-integration-project", drawn=True)


def test_what_v0_does_not_take_comes_back_to_the_card_of_an_open_page(
    app: AppServer, sandbox: Sandbox, page_of: PageOf, world: World
) -> None:
    chat = world.ask("A page\nscenario: plan\npace: 0")
    world.finished(chat)
    sandbox.fault(path="messages.resolveStream", kind="status", status=409, message="Not any more")
    page = page_of(app, OWNER)
    open_card(page, chat)
    page.fill("#ask [name=text-content]", "Use a calm blue")
    page.get_by_role("button", name="Request changes").click()
    alert = page.locator("#ask [role=alert]")
    expect(alert).to_contain_text("it no longer waited for exactly that", timeout=PATIENCE)
    expect(alert).to_contain_text("Not any more")
    expect(page.locator("#ask [name=text-content]")).to_have_value("Use a calm blue")
    found = faults(page, "card-reopened", drawn=True)
    page.get_by_role("link", name="Back to what v0 asks").click()
    page.get_by_role("button", name="Request changes").click()
    expect(page.locator(f"{ANSWER} .own-told").first).to_have_text(re.compile("Changes were asked for by"), timeout=PATIENCE)  # fmt: skip
    assert not found, "\n".join(found)


def test_what_is_being_written_in_a_card_that_somebody_else_decides_is_kept(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask("A page\nscenario: plan\npace: 0")
    world.finished(chat)
    page = page_of(app, OWNER)
    open_card(page, chat)
    page.fill("#ask [name=text-content]", "Use a calm blue")
    assert decide(world, chat, choice="approved").status_code == 303
    expect(page.locator("#refusal")).to_contain_text("decided while you were writing")
    expect(page.locator("#message")).to_have_value("Use a calm blue")
    has_state(page, "finished")


HEAR = """() => {
  window.heard = [];
  const note = (element) => {
    const words = element.textContent.trim();
    if (words && words !== window.heard.at(-1)) window.heard.push(words);
  };
  const announcer = document.getElementById("announcer");
  new MutationObserver(() => note(announcer)).observe(announcer, {childList: true, characterData: true, subtree: true});
}"""
STATES = """() => {
  window.states = [];
  new MutationObserver((records) => {
    for (const {type, target, addedNodes} of records) {
      for (const node of type === "attributes" ? [target] : addedNodes) {
        const state = node.dataset?.state;
        if (state) window.states.push(`${node.dataset.part ?? node.dataset.role} ${state}`);
      }
    }
  }).observe(document.getElementById("messages"), {attributes: true, attributeFilter: ["data-state"], childList: true, subtree: true});
}"""


def test_a_screen_reader_hears_one_sentence_for_a_change_and_no_tokens(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask("scenario: empty")
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/")
    is_live(page)
    page.evaluate(HEAR)
    page.evaluate(STATES)
    sentences = page.locator("#announcer").evaluate("it => Object.values(it.dataset)")
    send(page, "A page about tea\nscenario: plan\npace: 0.2")
    expect(page.locator("#ask")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#announcer")).to_have_text("v0 asks something and waits for an answer")
    heard, states = page.evaluate("[window.heard, window.states]")
    assert heard[-1] == "v0 asks something and waits for an answer"
    assert heard.count(heard[-1]) == 1
    assert set(heard) <= set(sentences), "never what the answer says"
    assert len(heard) <= len(states)
