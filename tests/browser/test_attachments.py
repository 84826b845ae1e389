"""Files in the composer: picked, pasted, dropped and by address, with and without scripts."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from playwright.sync_api import Error, expect

from tests.app_server import AppServer
from tests.browser.faultless import faults, picture
from tests.browser.seen import OWNER, QUICK, chat_of, has_state, is_live
from tests.conftest import PageOf
from tests.views.test_attachments import HOSTILE, png
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page, Route

REFUSED = "422|413"
GIVEN = """([kind, names, text]) => {
  const data = new DataTransfer();
  for (const name of names) data.items.add(new File(["text of " + name], name));
  if (text) data.setData("text/plain", text);
  const target = kind === "paste" ? document.getElementById("message") : document.body;
  const options = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent(kind, { ...options, clipboardData: data })
    : new DragEvent(kind, { ...options, dataTransfer: data });
  if (kind === "paste") target.focus();
  return target.dispatchEvent(event);
}"""


def give(page: Page, kind: str, *names: str, text: str = "") -> bool:
    """A paste or a drag of files or text; whether the browser would go on with it by itself."""
    return bool(page.evaluate(GIVEN, [kind, list(names), text]))


def file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def names(page: Page) -> list[str]:
    return page.locator(".attachment:visible .attachment-label .attachment-name").all_inner_texts()


def has(page: Page, *wanted: str) -> None:
    """These are attached, in any order: they are uploaded at the same time."""
    expect(page.locator("[data-attachment]:visible")).to_have_count(len(wanted))
    assert sorted(names(page)) == sorted(wanted)


def test_files_come_in_every_way_and_go_with_the_message(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=REFUSED)
    is_live(page)
    picture_file = file("cat.png", png(30, 20))
    page.set_input_files("#files", [picture_file, file("bad.exe", b"MZ\0\0")])
    expect(page.locator(".attachment[data-problem]")).to_contain_text("“bad.exe” cannot be sent")
    expect(page.locator("img.attachment-picture")).to_be_visible()
    assert give(page, "paste", "pasted.txt") is False
    give(page, "dragenter", "a.txt")
    expect(page.locator("#drop")).to_be_visible()
    picture(page, "drop")
    assert give(page, "drop", "dropped.txt", "unwanted.txt") is False
    expect(page.locator("#drop")).to_be_hidden()
    has(page, "cat.png", "pasted.txt", "dropped.txt", "unwanted.txt")

    page.get_by_role("button", name="Attach by address").click()
    page.keyboard.type("http://example.com/a.pdf")
    page.keyboard.press("Enter")
    expect(page.locator("#address-problem")).to_contain_text("begin with https://")
    page.fill("#address", "https://example.com/a.pdf")
    page.get_by_role("button", name="Attach", exact=True).click()
    expect(page.locator("#attach-address")).to_be_hidden()

    page.get_by_role("button", name="Dismiss").click()
    page.get_by_role("button", name="Remove unwanted.txt").click()
    has(page, "cat.png", "pasted.txt", "dropped.txt", "a.pdf")
    expect(page.locator(".attachments-hint")).to_be_visible()
    # What was attached and not sent is still there after a reload.
    page.reload()
    has(page, "cat.png", "pasted.txt", "dropped.txt", "a.pdf")
    is_live(page)
    page.fill("#message", QUICK)
    page.keyboard.press("Enter")
    has(page)
    expect(page.locator(".message-files li")).to_have_count(4)
    expect(page.locator("img.message-picture")).to_have_js_property("naturalWidth", 30)
    has_state(page, "finished")
    assert world.ledger["posts"] == 2
    page.reload()
    has(page)


def test_a_message_waits_for_its_files_and_keeps_them_when_it_is_refused(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    chat = world.ask(QUICK)
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed=REFUSED)
    is_live(page)
    held: list[Route] = []
    page.route("**/attachments/", lambda route: held.append(route))
    page.fill("#message", QUICK)
    give(page, "paste", "a.txt", "unwanted.txt")
    expect(page.locator(".attachment progress")).to_have_count(2)
    page.get_by_role("button", name="Cancel the upload").last.click()
    page.press("#message", "Enter")
    expect(page.locator("#attachments-wait")).to_be_visible()
    for route in held:
        with suppress(Error):  # One was cancelled.
            route.continue_()
    has(page, "a.txt")
    expect(page.locator("#attachments-wait")).to_be_hidden()
    assert world.ledger["posts"] == 1
    page.fill("#message", "a" * 100_001)
    page.click("#action")
    expect(page.locator("#refusal")).to_contain_text("100,000 is the most")
    has(page, "a.txt")


def test_a_long_paste_is_a_file_until_it_is_undone(app: AppServer, page_of: PageOf) -> None:
    page = page_of(app, OWNER, path="/")
    page.fill("#message", "before ")
    assert give(page, "paste", text="b" * 4000) is True
    assert give(page, "paste", text="c" * 4001) is False
    has(page, "Pasted text.txt")
    page.get_by_role("button", name="Undo").click()
    has(page)
    expect(page.locator("#message")).to_have_value("before " + "c" * 4001)
    expect(page.locator("#message")).to_be_focused()
    give(page, "paste", text="d" * 4001)
    has(page, "Pasted text.txt")
    page.fill("#message", QUICK)
    page.click("#action")
    page.wait_for_url("**/chats/*/")
    expect(page.locator(".message-files a")).to_have_text("Pasted text.txt")
    page.goto("/")
    has(page)


def test_without_scripts_the_form_takes_files_along(
    app: AppServer, page_of: PageOf, world: World
) -> None:
    page = page_of(app, OWNER, path="/", java_script_enabled=False, allowed=REFUSED)
    page.set_input_files("#files", [file("cat.png", png()), file("a.txt", b"text")])
    page.click("#action")
    expect(page.locator("#refusal")).to_contain_text("Write a few words, too")
    picture(page, "no-script-attachments")
    boxes = page.locator(".attachment-keep")
    expect(boxes).to_have_count(2)
    boxes.nth(1).uncheck()
    page.fill("#message", QUICK)
    page.click("#action")
    page.wait_for_url("**/chats/*/")
    expect(page.locator(".message-files li")).to_have_count(1)
    world.finished(chat_of(page))
    expect(page.locator("img.message-picture")).to_have_attribute("alt", re.compile("cat"))


def test_nothing_of_a_hostile_file_runs(app: AppServer, page_of: PageOf, world: World) -> None:
    """Shown while it is written and in its message, and opened by itself."""
    page = page_of(app, OWNER, path="/", allowed=REFUSED, fresh=True)
    ran: list[str] = []
    page.on("dialog", lambda dialog: ran.append(dialog.message))
    taken = [file(name, data) for name, data, _, refused in HOSTILE if not refused]
    page.set_input_files("#files", [*taken[:6], *taken[16:18], file("cat.png", png())])
    expect(page.locator("[data-attachment]")).to_have_count(9)
    assert not faults(page, "files of a message to come")
    page.fill("#message", QUICK)
    page.click("#action")
    page.wait_for_url("**/chats/*/")
    has_state(page, "finished")
    assert not faults(page, "files of a message")
    links = page.locator(".message-files a").evaluate_all("links => links.map(link => link.href)")
    assert len(links) == 9
    for link in links:
        with suppress(Error):  # A download is no page to go to.
            page.goto(link)
        ran += [page.title()] if page.title() == "ran" else []
    assert ran == []
