"""Notes between two people on one answer: written, named, read and answered while both look, and never v0's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from playwright.sync_api import expect

from tests.app_server import AppServer, wait_until
from tests.browser.faultless import faults
from tests.browser.seen import OWNER, PATIENCE, QUICK, is_live
from tests.conftest import PageOf
from tests.relay.test_decisions import share_with_team
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

MATE = "mate@example.com"
PHONE: ViewportSize = {"width": 390, "height": 844}
CANARY = "canary-between-us"
NOTES = ".message .notes-text"
FITS = "document.documentElement.scrollWidth <= innerWidth"


def heard(page: Page) -> list[str]:
    """Everything that comes over the sockets of the page from now on."""
    frames: list[str] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))),
    )
    return frames


def test_two_people_write_notes_to_each_other_while_both_look(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    share_with_team(world)
    page = page_of(app, OWNER, allowed="ERR_FAILED|htmx:")
    phone = page_of(app, MATE, viewport=PHONE)
    frames = heard(phone)
    for each in (page, phone):
        each.goto(f"/chats/{chat}/")
        is_live(each)

    # By the keyboard alone: a name is chosen from the list, and the dialog stays for the next note.
    page.locator(".notes-add").last.focus()
    page.keyboard.press("Enter")
    field = page.locator("#note-text")
    expect(field).to_be_focused()
    page.keyboard.type(f"{CANARY} @ma")
    expect(page.locator("#mentions [aria-selected=true]")).to_contain_text("Mateo Mate")
    assert field.get_attribute("aria-activedescendant")
    assert not faults(page, "notes")
    page.keyboard.press("Escape")
    expect(page.locator("#mentions-box")).to_be_hidden()
    expect(page.locator("#dialog")).to_be_visible()
    page.keyboard.type("t")
    expect(page.locator("#mentions-box")).to_be_visible()
    page.keyboard.press("Enter")
    expect(field).to_have_value(f"{CANARY} @Mateo Mate ")
    page.keyboard.type("https://v0.app <b>plain</b>")
    page.route("**/notes/on/**", lambda route: route.abort())
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".note-form [data-failed]")).to_have_text(
        "This was not saved. Your text is still here: try again."
    )
    page.unroute("**/notes/on/**")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#notes-thread .notes-text")).to_have_count(1)
    expect(field).to_have_value("")
    expect(field).to_be_focused()

    # What is being typed stays while others write; a draft stays when the dialog is closed.
    page.keyboard.type("half a")
    said = phone.locator(NOTES)
    expect(said).to_have_text(f"{CANARY} @Mateo Mate https://v0.app <b>plain</b>")
    expect(phone.locator(".needs-you-count")).to_have_text("1")
    phone.locator(".notes-more a").click()
    phone.fill("#note-text", "@owner Yes.")
    phone.get_by_role("button", name="Add note").click()
    expect(page.locator("#notes-thread .notes-text")).to_have_count(2)
    expect(field).to_have_value("half a")
    page.keyboard.press("Escape")
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator(NOTES).last).to_have_text("@owner Yes.")
    expect(page.locator(NOTES).last).to_be_visible()
    page.locator(".notes-more a").click()
    expect(page.locator("#dialog")).to_be_visible()
    expect(field).to_have_value("half a")
    page.keyboard.press("Escape")

    # It was on the mate's screen, and waits for them no more; for the owner it does the same.
    for each in (phone, page):
        expect(each.locator(".needs-you-count")).to_have_count(0, timeout=PATIENCE)
    assert phone.evaluate(FITS)
    phone.keyboard.press("Escape")
    expect(phone.locator("#dialog")).to_be_hidden()
    assert phone.evaluate(FITS)
    assert not faults(phone, "notes-phone")

    # Gone for both, after a question.
    own = page.locator(".message .notes-one").first
    own.hover()
    own.get_by_label("Delete this note").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    for each in (page, phone):
        expect(each.locator(NOTES)).to_have_text(["@owner Yes."])
    phone.goto(f"/chats/{chat}/notes/")
    expect(phone.locator(".notes-section")).to_have_count(1)
    assert phone.evaluate(FITS)
    assert not faults(phone, "notes-all")
    assert frames
    assert CANARY not in "".join(frames), "frames are the same for every reader"


def test_nothing_that_reaches_v0_has_a_note_in_it(world: World) -> None:
    chat = world.ask(f"Hello from a person\n{QUICK}")
    answer = world.finished(chat)
    path = f"/chats/{chat}/notes/on/{UUID(answer['id'])}/"
    for token in ("1", "2"):
        written = world.post(path, text=f"{CANARY} @mate", token=token * 32)
        assert written.status_code in (200, 303)
    assert world.send(chat, QUICK).status_code == 303
    world.finished(chat)
    assert world.post(f"/chats/{chat}/rename/", title="Another title").status_code == 303
    for name in ("md", "json"):
        assert CANARY in world.post(f"/chats/{chat}/export.{name}").text
    copied = world.post(f"/chats/{chat}/duplicate/", token="3" * 32)
    copy = copied.headers["location"].strip("/").rpartition("/")[2].partition("?")[0]
    wait_until(lambda: len(world.messages(copy)) == 4, what="the copy")
    assert not world.rows("SELECT 1 FROM chats_note WHERE chat_id = ?", copy.replace("-", ""))
    wait_until(lambda: "Another title" in kept(world), what="what v0 was told")
    assert "Hello from a person" in kept(world)
    assert CANARY not in kept(world)


def kept(world: World) -> str:
    """Everything that the stand-in for v0 has of what it was ever sent."""
    folder = world.sandbox.db
    files = folder.parent.glob(f"{folder.name}*")
    return b"".join(file.read_bytes() for file in files).decode("utf-8", "replace")
