"""What a person hears of chats they are not looking at: the count in the tab, and the browser's notices.

Owns two stand-ins for what a browser without a window has not: its Notification, and whether a page
is in the background. Everything else is the app's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.app_server import wait_until
from tests.browser.faultless import faults
from tests.browser.seen import OWNER, PATIENCE, QUICK, RUNNING, is_live
from tests.conftest import PageOf
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

STAND_IN = """
  window.background = false;
  Object.defineProperty(document, "hidden", { get: () => window.background });
  window.leave = (away) => {
    window.background = away;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  window.shown = [];
  window.asked = 0;
  window.Notification = class {
    static permission = localStorage.getItem("permission") ?? "PERMISSION";
    static async requestPermission() {
      window.asked += 1;
      localStorage.setItem("permission", "granted");
      return (this.permission = "granted");
    }
    constructor(title, { body, tag }) {
      window.shown.push(this);
      Object.assign(this, { title, body, tag });
    }
    close() {}
  };
"""


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {"V0_HUB_CHECK": "0.5"}


def prepared(context: BrowserContext, *, permission: str = "granted") -> None:
    context.add_init_script(STAND_IN.replace("PERMISSION", permission))


def leave(page: Page, *, away: bool = True) -> None:
    page.evaluate("away => leave(away)", away)


def shown(page: Page) -> list[dict[str, str]]:
    found: list[dict[str, str]] = page.evaluate(
        "shown.map(({ title, body, tag }) => ({ title, body, tag }))"
    )
    return found


def say(world: World, chat: str, text: str) -> str:
    """One more message and its ended answer, whose id is given."""
    assert world.send(chat, text).status_code == 303
    return str(UUID(world.finished(chat)["id"]))


def opened(world: World, page_of: PageOf, path: str, **options: Any) -> Page:
    page = page_of(world.app, OWNER, fresh=True)
    prepared(page.context, **options)
    page.goto(path)
    is_live(page)
    return page


def chat_of(world: World, text: str = QUICK) -> str:
    chat = world.ask(text)
    world.finished(chat)
    return chat


def test_the_page_the_count_and_the_title_follow_what_waits(world: World, page_of: PageOf) -> None:
    page = opened(world, page_of, "/needs-you/")
    expect(page.locator(".needs-none")).to_be_visible()
    found = faults(page, "needs-none")
    chats = [chat_of(world, f"scenario: {name}\npace: 0") for name in ("plan", "ask-questions")]
    expect(page.locator(".needs-link")).to_have_count(2, timeout=PATIENCE)
    expect(page.locator("#needs-you")).to_have_attribute("data-count", "2")
    expect(page.locator("#needs-you")).to_have_attribute("aria-current", "page")
    expect(page).to_have_title("(2) Needs you – v0web")  # noqa: RUF001
    expect(page.locator("#chats [data-waits] .waits")).to_have_count(2)
    found += faults(page, "needs")

    page.locator(".needs-link").first.click()
    page.wait_for_url(f"**/chats/{chats[0]}/#ask")
    is_live(page)
    expect(page.locator("#ask")).to_be_in_viewport()
    expect(page).to_have_title(r"(2) A plan – v0web")  # noqa: RUF001
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#needs-you")).to_have_attribute("data-count", "1", timeout=PATIENCE)
    world.finished(chats[0])
    expect(page).to_have_title(r"(1) A plan – v0web", timeout=PATIENCE)  # noqa: RUF001

    page.goto("/settings/notices/")
    expect(page.locator("[data-permission=granted]")).to_be_visible()
    found += faults(page, "notices")
    assert not found, "\n".join(found)


def test_two_tabs_at_the_same_moment_tell_once(world: World, page_of: PageOf) -> None:
    chat = chat_of(world)
    page = opened(world, page_of, f"/chats/{chat}/")
    # Neither has heard yet of what the other has stored.
    page.context.add_init_script(
        "const get = Storage.prototype.getItem; Storage.prototype.getItem = function (name) "
        "{ return name === 'notices-told' ? null : get.call(this, name); }"
    )
    page.reload()
    is_live(page)
    other = page.context.new_page()
    other.goto(f"/chats/{chat}/")
    is_live(other)
    pages = (page, other)
    for each in pages:
        leave(each)

    def told() -> list[str]:
        return [one["tag"] for each in pages for one in shown(each)]

    answers = []
    for _ in range(2):
        answers.append(say(world, chat, QUICK))
        wait_until(lambda: answers[-1] in told(), what="a notice")
        for each in pages:
            expect(
                each.locator(f'[data-answer="{answers[-1]}"][data-state=finished]')
            ).to_have_count(1)
            # By then each has said what it was going to say.
            each.wait_for_timeout(1000)
    assert sorted(told()) == sorted(answers)


def test_a_page_in_the_background_tells_once_what_became_of_each_answer(
    world: World, page_of: PageOf
) -> None:
    first, second = chat_of(world), chat_of(world)
    page = opened(world, page_of, f"/chats/{first}/")
    other = page.context.new_page()
    other.goto("/")
    is_live(other)
    pages = (page, other)

    def told() -> list[dict[str, str]]:
        return shown(page) + shown(other)

    def tells(answer: str, body: str) -> None:
        wait_until(lambda: answer in [one["tag"] for one in told()], what=f"notice: {body}")
        (notice,) = [one for one in told() if one["tag"] == answer]
        assert notice["body"] == body

    # Somebody looks at one of the tabs: no word, from the other neither.
    leave(other)
    seen = say(world, second, QUICK)
    for each in pages:
        expect(each.locator(f'[data-answer="{seen}"][data-state=finished]')).to_have_count(1)

    leave(page)
    tells(say(world, first, QUICK), "The answer has ended.")
    tells(say(world, second, QUICK), "The answer has ended.")
    tells(say(world, second, "scenario: error\npace: 0"), "The answer has failed.")
    tells(say(world, first, "scenario: plan\npace: 0"), "It needs you.")
    world.send(second, RUNNING)
    world.until(second, "streaming")
    world.stop(second)
    stopped = str(UUID(world.finished(second)["id"]))
    for each in pages:
        expect(each.locator(f'[data-answer="{stopped}"][data-state=stopped]')).to_have_count(1)

    world.post(f"/chats/{second}/mute/", muted="yes")
    quiet = say(world, second, QUICK)
    for each in pages:
        expect(each.locator(f'[data-answer="{quiet}"][data-state=finished]')).to_have_count(1)
    # Whatever was wrongly on its way would be there before the next one.
    tells(say(world, first, QUICK), "The answer has ended.")
    assert len(told()) == len({one["tag"] for one in told()}) == 5
    assert not {seen, stopped, quiet} & {one["tag"] for one in told()}

    world.post("/settings/notices/", by_mail="")
    say(world, first, QUICK)
    for each in pages:
        expect(each.locator("#chats[data-notices]")).to_have_count(0, timeout=PATIENCE)
    world.post("/settings/notices/", in_browser="on")


def test_a_notice_leads_to_what_it_tells_of(world: World, page_of: PageOf) -> None:
    chat = chat_of(world)
    page = opened(world, page_of, "/")
    leave(page)
    say(world, chat, "scenario: plan\npace: 0")
    wait_until(lambda: len(shown(page)) == 1, what="the notice")
    page.evaluate("shown[0].onclick()")
    page.wait_for_url(f"**/chats/{chat}/#ask")
    expect(page.locator("#ask")).to_be_in_viewport()


def test_leave_is_asked_for_when_somebody_comes_back_to_a_running_answer_and_once(
    world: World, page_of: PageOf
) -> None:
    chat = world.ask(RUNNING)
    world.until(chat, "streaming")
    page = opened(world, page_of, "/settings/notices/", permission="default")
    expect(page.locator("[data-permission=default]")).to_be_visible()
    found = faults(page, "notices-not-allowed")
    page.goto(f"/chats/{chat}/")
    is_live(page)
    offer = page.locator("#notices-offer")
    expect(offer).to_be_hidden()
    leave(page)
    leave(page, away=False)
    expect(offer).to_be_visible()
    found += faults(page, "notices-offer")
    assert page.evaluate("asked") == 0, "the browser is asked by a press and never before"
    offer.get_by_role("button", name="No, thanks").click()
    expect(offer).to_be_hidden()
    page.reload()
    is_live(page)
    leave(page)
    leave(page, away=False)
    expect(offer).to_be_hidden()

    page.goto("/settings/notices/")
    page.get_by_role("button", name="Allow notices in this browser").click()
    expect(page.locator("[data-permission=granted]")).to_be_visible()
    assert page.evaluate("asked") == 1
    world.stop(chat)
    world.finished(chat)
    assert not found, "\n".join(found)


def test_a_chat_is_muted_in_its_menu_by_keyboard(world: World, page_of: PageOf) -> None:
    chat = chat_of(world)
    page = opened(world, page_of, f"/chats/{chat}/")
    page.locator("header .more").press("Enter")
    expect(page.locator("#bar-menu")).to_be_visible()
    mute = page.get_by_role("button", name="Mute notices")
    for _ in range(10):
        if mute.evaluate("it => it === document.activeElement"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#bar-menu")).to_be_hidden()
    row = page.locator(f'#chats a[href="/chats/{chat}/"].chat-link')
    expect(row).to_have_attribute("data-muted", "", timeout=PATIENCE)
    expect(row).to_contain_text("muted")
    page.locator("header .more").press("Enter")
    expect(page.get_by_role("button", name="Unmute notices")).to_be_visible()
