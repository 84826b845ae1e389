"""Going back to an earlier answer, and starting from files: what open pages show, without a reload."""

from __future__ import annotations

import uuid

from playwright.sync_api import expect

from tests.app_server import AppServer
from tests.browser.faultless import faults
from tests.browser.seen import OWNER, PATIENCE, is_live
from tests.conftest import PageOf
from tests.world import World

PHONE = {"width": 390, "height": 844}


def test_every_open_page_sees_the_files_go_back(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask("A landing page for a tea shop\npace: 0")
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/")
    is_live(page)
    first = page.locator('[data-role="assistant"]').first
    expect(first.get_by_text("Rewind to here")).to_have_count(0)
    world.send(chat, "make it dark\npace: 0")
    world.finished(chat)
    # Newer files make the older answer one that can be gone back to.
    expect(first.get_by_text("Rewind to here")).to_be_visible(timeout=PATIENCE)
    other = page_of(app, OWNER, path=f"/chats/{chat}/")
    is_live(other)
    first.get_by_text("Rewind to here").click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("All messages stay")
    found = faults(page, "rewind")
    dialog.get_by_text("Cancel").click()
    expect(dialog).to_be_hidden()
    first.get_by_text("Rewind to here").click()
    dialog.get_by_role("button", name="Rewind").click()
    id = uuid.UUID(world.messages(chat, role="assistant")[0]["id"])
    for each in (page, other):
        told = each.get_by_text("The files are again as they were after")
        expect(told).to_be_visible(timeout=PATIENCE)
        expect(told.locator("a")).to_have_attribute("href", f"?at={id}#m{id}")
        answers = each.locator('[data-role="assistant"]')
        expect(answers.nth(0).get_by_text("Rewind to here")).to_have_count(0, timeout=PATIENCE)
        expect(answers.nth(1).get_by_text("Rewind to here")).to_have_count(1)
    assert found + faults(page, "rewound") == []
    assert world.ledger["posts"] == 3


def test_a_chat_of_files_comes_by_itself(app: AppServer, page_of: PageOf, world: World) -> None:
    page = page_of(app, OWNER, path="/", allowed="422", viewport=PHONE)
    page.get_by_text("Start from files, a ZIP or a repository").click()
    expect(page.locator("#file")).to_be_visible()
    found = faults(page, "import")
    page.get_by_role("radio", name="Repository").focus()
    page.keyboard.press("Space")
    expect(page.locator("#file")).to_be_hidden()
    page.locator("#repository").fill("http://localhost/project")
    page.get_by_role("button", name="Start the chat").click()
    expect(page.get_by_role("alert")).to_contain_text("Give the repository's address")
    found += faults(page, "import-refused")
    expect(page.locator("#repository")).to_have_value("http://localhost/project")
    page.get_by_role("radio", name="Files").check(force=True)
    files = [
        {"name": name, "mimeType": "text/plain", "buffer": b"Tea"} for name in ("a.md", "b.md")
    ]
    page.locator("#file").set_input_files(files)  # type: ignore[arg-type]
    world.sandbox.fault(
        path="chats.createFromFiles", kind="hang", when="after", seconds=2, key=app.key
    )
    page.get_by_role("button", name="Start the chat").click()
    expect(page.locator("#copying")).to_contain_text("v0 is reading your files", timeout=PATIENCE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect(page.get_by_text("v0 has the files that this chat begins with.")).to_be_visible(
        timeout=PATIENCE
    )
    expect(page.locator("#message")).to_be_visible()
    assert found == []
    assert world.ledger["posts"] == 1
