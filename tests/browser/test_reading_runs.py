"""Long runs that can be read: folded while they grow, as their reader left them; and what they took."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

from playwright.sync_api import expect

from tests.app_server import AppServer
from tests.browser.faultless import faults
from tests.browser.seen import ANSWER, OWNER, PATIENCE, has_state, is_live, shows_what_is_stored
from tests.conftest import PageOf
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUN = "scenario: steps seconds={}\npace: {}"


def is_in_sight(page: Page, id: str) -> bool:
    return bool(
        page.evaluate(
            """(id) => {
              const box = document.getElementById(id).getBoundingClientRect();
              return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
            }""",
            id,
        )
    )


def test_a_long_run_folds_while_it_grows_and_stays_as_its_reader_left_it(
    app: AppServer, world: World, page_of: PageOf
) -> None:
    chat = world.ask(RUN.format(300, 0.4))
    page = page_of(app, OWNER, path=f"/chats/{chat}/")
    is_live(page)
    group = page.locator(f"{ANSWER} .group").first
    expect(group.locator("summary").first).to_contain_text("Read 3 files", timeout=PATIENCE)
    expect(group.locator("[data-part]").first).to_be_hidden()
    group.locator("summary").first.click()
    step = group.locator("[data-part=bash]").first
    expect(group).to_have_attribute("open", "")
    step.locator("summary").click(timeout=PATIENCE)

    # The step that runs stands behind, with its name and a clock; the failure is outside, and open.
    running = page.locator(f"{ANSWER} [data-part][data-state=running]")
    expect(running).to_contain_text("npm run build", timeout=PATIENCE)
    expect(running.locator("time")).to_have_text(re.compile(r"\d+ s"), timeout=PATIENCE)
    expect(page.locator(f"{ANSWER} .group [data-part][data-state=failed]")).to_have_count(0)
    expect(page.locator(f"{ANSWER} [data-part][data-state=failed] .part-body")).to_be_visible()
    assert page.locator(f"{ANSWER} .group").count() == 2
    expect(group).to_have_attribute("open", "")
    expect(step).to_have_attribute("open", "")
    expect(page.locator(f"{ANSWER} .group").last).not_to_have_attribute("open", "")
    todos = page.locator(f"{ANSWER} .part[open] .todo")
    assert [todo.get_attribute("data-status") for todo in todos.all()] == ["done"] * 3

    expect(page.locator(f"{ANSWER} .work")).to_have_count(0)
    page.get_by_role("button", name="Stop").click()
    has_state(page, "stopped")
    expect(group).to_have_attribute("open", "")
    expect(page.locator(f"{ANSWER} .work > summary").first).to_contain_text("Worked for")


def test_the_timeline_names_its_bars_and_leads_to_what_is_folded(
    app: AppServer, world: World, page_of: PageOf
) -> None:
    chat = world.ask(RUN.format(0, 0))
    answer = world.finished(chat)
    page = page_of(app, OWNER, path=f"/chats/{chat}/")
    is_live(page)
    time, files = page.locator(f"{ANSWER} .work > summary").all()
    expect(files).to_have_text("Changed 2 files, read 1 file")
    time.click()
    says = page.locator("[data-says]")
    expect(says).to_contain_text("Longest: ")
    id = f"m{UUID(answer['id'])}-p"
    bar = page.locator(f'.timeline-row a[href="#{id}6"]')
    bar.hover()
    expect(says).to_have_text(re.compile("^Ran npm test, "))
    page.locator(f'.timeline-row a[href="#{id}7"]').focus()
    expect(says).to_have_text(re.compile("^Updated app/menu.tsx, "))
    expect(page.locator(f"#{id}6")).to_be_hidden()
    bar.click()
    expect(page.locator(f"#{id}6 .part-body")).to_be_visible()
    assert is_in_sight(page, f"{id}6-h")

    files.click()
    page.locator(".work-steps > summary").click()
    assert faults(page, "reading") == []
    page.locator(f'.work-files a[href="#{id}12"]').click()
    expect(page.locator(f"#{id}12")).to_be_in_viewport()

    # Loaded anew, the address still leads there; and paper has everything but what a step unfolds to.
    page.goto(f"/chats/{chat}/#{id}6")
    page.reload()
    expect(page.locator(f"#{id}6 .part-body")).to_be_visible()
    assert is_in_sight(page, f"{id}6-h")
    page.goto(f"/chats/{chat}/?print")
    expect(page.locator(f"#{id}7")).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator(f"#{id}7")).to_be_visible()
    expect(page.locator(".timeline-kind").first).to_be_visible()
    page.emulate_media(media="screen")
    shows_what_is_stored(page, world, chat)
