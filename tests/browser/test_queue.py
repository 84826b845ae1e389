"""Messages that wait, as two people who may send see and change them, with scripts and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.app_server import AppServer, wait_until
from tests.browser.faultless import faults
from tests.browser.seen import ANSWER, OWNER, PATIENCE, QUICK, RUNNING, is_live, mode, send
from tests.conftest import PageOf
from tests.relay.test_decisions import share_with_team
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

MATE = "mate@example.com"
PHONE: ViewportSize = {"width": 390, "height": 844}
TEXTS = ".queue-text"


def row(page: Page, text: str) -> str:
    """The start of the ids of this row's buttons."""
    return f"#{page.locator('.queue-row', has_text=text).get_attribute('id')}"


def in_chat(page_of: PageOf, app: AppServer, email: str, chat: str) -> Page:
    page = page_of(app, email, path=f"/chats/{chat}/")
    is_live(page)
    return page


def test_two_people_queue_order_and_change_what_waits(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask(RUNNING)
    world.until(chat, "streaming")
    share_with_team(world)
    page, other = (in_chat(page_of, app, email, chat) for email in (OWNER, MATE))
    mode(page, "running")
    send(page, "First")
    expect(page.locator(TEXTS)).to_have_text(["First"])
    expect(page.locator("#message")).to_have_value("")
    expect(page.locator("#message")).to_be_focused()
    expect(other.locator(TEXTS)).to_have_text(["First"])
    send(other, "Second")
    expect(page.locator(TEXTS)).to_have_text(["First", "Second"])
    expect(page.locator("#queue-said")).to_contain_text("2 messages waiting.")
    expect(page.locator("#waiting-slot")).to_be_hidden()
    assert not faults(page, "queue")

    # By the keyboard, which stays where it is; the other page follows.
    page.focus(f"{row(page, 'Second')}-up")
    page.keyboard.press("Enter")
    expect(page.locator(TEXTS)).to_have_text(["Second", "First"])
    expect(other.locator(TEXTS)).to_have_text(["Second", "First"])
    assert page.evaluate("document.activeElement.closest('.queue-row')?.innerText")

    # Escape closes the dialog, stops nothing and loses nothing.
    page.click(f"{row(page, 'First')}-edit")
    expect(page.locator("#queued-text")).to_have_value("First")
    assert not faults(page, "queue-edit")
    page.fill("#queued-text", "First, but better")
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    mode(page, "running")
    page.click(f"{row(page, 'First')}-edit")
    expect(page.locator("#queued-text")).to_have_value("First, but better")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#dialog")).to_be_hidden()
    for each in (page, other):
        expect(each.locator(TEXTS)).to_have_text(["Second", "First, but better"])

    # Somebody folds the list: it stays folded while it changes.
    other.click(".queue-summary")
    page.click(f"{row(page, 'Second')}-remove")
    page.get_by_role("button", name="Remove").click()
    for each in (page, other):
        expect(each.locator(".queue-row")).to_have_count(1)
    expect(other.locator(TEXTS)).to_be_hidden()
    expect(page.locator(TEXTS)).to_be_visible()

    page.set_viewport_size(PHONE)
    ends = """() => [".composer", "#queue-button"].map(
        at => document.querySelector(at).getBoundingClientRect().right)"""
    composer, button = page.evaluate(ends)
    assert button <= composer - 4
    page.get_by_role("button", name="Stop and send now").click()
    for each in (page, other):
        expect(each.locator(ANSWER)).to_have_count(2, timeout=PATIENCE)
        expect(each.locator("#queue")).to_be_hidden()
    world.finished(chat)
    assert world.ledger == {"posts": 2, "user_messages": 2, "stops": 1}


def test_what_an_ended_edit_or_a_reload_finds_is_what_was_typed(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask(RUNNING)
    world.until(chat, "streaming")
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed="409|ERR_FAILED|htmx:")
    is_live(page)
    # The answer to the form is lost, and the page is loaded again: the message waits, once.
    page.route("**/messages/", lambda route: (route.fetch(), route.abort()))
    send(page, QUICK)
    wait_until(lambda: bool(world.rows("SELECT 1 FROM chats_queued")), what="the message")
    expect(page.locator("#refusal")).to_be_visible()
    page.unroute("**/messages/")
    page.press("#message", "Enter")
    expect(page.locator("#message")).to_have_value("")
    expect(page.locator(TEXTS)).to_have_text([QUICK])

    # While somebody edits it, it goes out.
    page.click(f"{row(page, QUICK)}-edit")
    page.fill("#queued-text", QUICK + "\nAnd in blue")
    with app.client_of(OWNER) as client:
        id = page.locator(".queue-row").get_attribute("id") or ""
        assert client.post(f"/chats/{chat}/queue/{id[1:]}/now/").status_code == 303
    expect(page.locator(ANSWER)).to_have_count(2, timeout=PATIENCE)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#dialog [role=alert]")).to_contain_text("has gone out already")
    expect(page.locator("#queued-text")).to_have_value(QUICK + "\nAnd in blue")
    page.locator("#dialog").get_by_role("button", name="Send").click()
    expect(page.locator(ANSWER)).to_have_count(3, timeout=PATIENCE)
    world.finished(chat)
    assert world.ledger["posts"] == 3


def test_without_scripts_every_act_is_a_form(app: AppServer, page_of: PageOf, world: World) -> None:
    chat = world.ask(RUNNING)
    world.until(chat, "streaming")
    page = page_of(app, OWNER, java_script_enabled=False, viewport=PHONE)
    for text in ("One\npace: 0", "Two\npace: 0", "Three\npace: 0"):
        page.goto(f"/chats/{chat}/?write=1")
        page.fill("#message", text)
        page.click("#queue-button")
    page.click(".queue-summary")
    page.click(f"{row(page, 'Two')}-up")
    page.click(".queue-summary")
    page.click(f"{row(page, 'One')}-remove")
    expect(page.locator(".queue-quote")).to_contain_text("One")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(TEXTS)).to_have_text(["Two\npace: 0", "Three\npace: 0"])
    page.click(f"{row(page, 'Three')}-edit")
    page.fill("#queued-text", "Three, edited\npace: 0")
    page.select_option("#model", "v0-mini")
    page.set_input_files(
        "#queued-files", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"}
    )
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".queue-note").last).to_contain_text("edited · v0-mini")
    expect(page.locator(".queue-file")).to_have_text("a.txt")
    page.click(f"{row(page, 'Three, edited')}-now")
    wait_until(lambda: len(world.messages(chat)) == 6, within=30, what="the end of the queue")
    world.finished(chat)
    texts = [each["text"].partition("\n")[0] for each in world.messages(chat, role="user")]
    assert texts[1:] == ["Three, edited", "Two"]
