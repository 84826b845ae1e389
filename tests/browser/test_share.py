"""Sharing as people use it: with the mouse and with keys alone, while v0 refuses, is ill, and agrees."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.app_server import AppServer
from tests.browser.faultless import faults
from tests.browser.seen import OWNER, PATIENCE, QUICK, is_live
from tests.conftest import PageOf
from tests.sandbox_server import Sandbox
from tests.world import World

NARROW = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_LOOK_EVERY": "0.3"}


def tab_to(page: Page, id: str) -> None:
    for _ in range(20):
        if page.evaluate("document.activeElement.id") == id:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no way to #{id} by keys")


def hold(page: Page) -> list[tuple[Route, APIResponse]]:
    """What is sent from the dialog arrives, and its answers wait."""
    held: list[tuple[Route, APIResponse]] = []

    def came(route: Route) -> None:
        if route.request.method == "POST":
            held.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/share/", came)
    return held


def test_a_chat_is_shared_by_mouse_and_by_keys_and_the_dialog_says_how_v0_stands(
    app: AppServer, page_of: PageOf, world: World, sandbox: Sandbox
) -> None:
    team = world.rows("SELECT id FROM chats_team")[0]["id"]
    place = {"message": QUICK, "token": str(uuid4()), "place": f"{team}:private"}
    chat = world.post("/chats/", **place).headers["location"].strip("/").rpartition("/")[2]
    world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/", allowed="")
    is_live(page)
    dialog, badge = page.locator("#dialog"), page.locator(".share-level")
    told, now = dialog.locator(".share-told"), dialog.locator("[aria-current]")

    # v0 refuses: nothing has changed, and the dialog that is open says why by itself.
    sandbox.fault(path="chats.update", kind="status", status=403, key=app.key)
    page.get_by_role("link", name="Share").click()
    expect(now).to_contain_text("Private")
    dialog.get_by_role("button", name="Public Everybody who signs in").click()
    expect(dialog.get_by_text("Everybody who signs in can read and copy it")).to_be_visible()
    held = hold(page)
    dialog.get_by_role("button", name="Make it public").click()
    expect(badge).to_have_text("v0 has not agreed: Public!", timeout=PATIENCE)
    # Its answer was overtaken by what the page heard since.
    [(route, answer)] = held
    route.fulfill(response=answer)
    expect(told).to_contain_text("v0 has not agreed to “Public”.", timeout=PATIENCE)
    expect(told).to_contain_text("Nothing has changed")
    page.unroute("**/share/")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    found = faults(page, "share-refused")
    assert not found, "\n".join(found)
    assert dialog.evaluate("it => it.scrollWidth <= it.clientWidth && it.offsetWidth < innerWidth")
    dialog.get_by_role("button", name="Leave it").click()
    expect(told).to_have_count(0)
    expect(badge).to_have_count(0)

    # v0 is ill: it is asked again for as long as that takes. By keys alone.
    sandbox.fault(path="chats.update", kind="status", status=503, times=None, key=app.key)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="Share").focus()
    page.keyboard.press("Enter")
    tab_to(page, "share-team-edit")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("Mateo Mate can read it and write in it")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(told).to_contain_text("counts as soon as v0 agrees")
    expect(now).to_contain_text("Private")
    sandbox.clear_faults()
    expect(now).to_contain_text("Team can read and write", timeout=PATIENCE)
    expect(told).to_have_count(0)
    expect(badge).to_have_text("Team, writing")

    # What only takes counts before v0 has heard of it.
    sandbox.fault(path="chats.update", kind="status", status=503, key=app.key)
    dialog.get_by_role("button", name="Private").click()
    expect(dialog.get_by_text("Mateo Mate cannot open it any more")).to_be_visible()
    dialog.get_by_role("button", name="Make it private").click()
    expect(now).to_contain_text("Private")
    expect(told).to_have_count(0, timeout=PATIENCE)
    assert world.at_v0(f"/chats/{world.chat(chat)['v0_id']}")["privacy"] == "private"
    dialog.get_by_role("link", name="Done").click()
    expect(dialog).to_be_hidden()
