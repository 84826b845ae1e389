"""The review of usage in a browser: wide and narrow, light and dark, on paper, and by its links."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.app_server import AppServer
from tests.browser.faultless import faults
from tests.conftest import PageOf

ADMIN = "admin@example.com"
NARROW: ViewportSize = {"width": 390, "height": 844}
MODELS = ("v0-auto", "v0-mini", "v0-pro", "v0-max", "v0-max-fast", "v0-next")
OUTCOMES = ("finished", "finished", "stopped", "failed", "restored-away")
CREDITS = 12_345_678_901


@pytest.fixture(scope="module")
def spent(app: AppServer) -> None:
    """Sixty answers of two people in twelve days, by six models and with every end."""
    now = datetime.now(UTC)
    with closing(sqlite3.connect(app.database, timeout=20)) as connection, connection:
        found = connection.execute("SELECT name FROM pragma_table_info('chats_entry')")
        numbers = [name for (name,) in found if name.startswith(("tokens_", "credits_"))]
        people = [id for (id,) in connection.execute("SELECT id FROM chats_person LIMIT 2")]
        for place in range(60):
            row = {
                **dict.fromkeys(numbers, 0),
                "message_id": uuid4().hex,
                "person_id": people[place % 2],
                "model": MODELS[place % 6],
                "asked": "",
                "outcome": OUTCOMES[place % 5],
                "delivery": "stream",
                "v0_message": "",
                "is_told": 1,
                "waited": place,
                "sources": "plan",
                "waived": 0,
                "counted": 0,
                "charged": CREDITS,
                "credits_total": CREDITS,
                "tokens_total": 1000,
                "ended_at": str((now - timedelta(days=place % 12)).replace(tzinfo=None)),
            }
            columns, values = ", ".join(row), ", ".join("?" * len(row))
            connection.execute(
                f"INSERT INTO chats_entry ({columns}) VALUES ({values})",
                [*row.values()],
            )


def beyond(page: Page) -> int:
    found = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert isinstance(found, int)
    return found


def test_it_is_read_wide_narrow_dark_and_on_paper(
    app: AppServer, page_of: PageOf, spent: None
) -> None:
    page = page_of(app, ADMIN, path="/usage/review/")
    expect(page.locator(".usage-figures").first).to_contain_text("0.7407")
    assert not faults(page, "usage-review-wide")
    page.set_viewport_size(NARROW)
    assert not faults(page, "usage-review-narrow")
    assert beyond(page) <= 0
    page.emulate_media(media="print")
    for hidden in (".usage-days", ".manage-nav", ".usage-files", ".sidebar"):
        expect(page.locator(hidden).first).to_be_hidden()
    # What is folded on a screen is open on paper, and black and white tell the series apart.
    expect(page.get_by_role("table", name="Credits by day and model")).to_be_visible()
    fills = page.eval_on_selector_all(
        ".usage-legend [data-series]", "each => each.map(one => getComputedStyle(one).fill)"
    )
    assert len({*fills}) == 6
    assert all(
        len({*json.loads(fill.replace("rgb(", "[").replace(")", "]"))}) == 1 for fill in fills
    )


def test_a_figure_leads_to_what_it_is_made_of_by_keys_and_back(
    app: AppServer, page_of: PageOf, spent: None
) -> None:
    page = page_of(app, ADMIN, path="/usage/")
    page.get_by_role("link", name="usage review").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Stopped", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="stopped: do not filter by this")).to_be_visible()
    expect(page.locator(".usage-figures").first).to_contain_text("0.1481")
    page.get_by_label("Model", exact=True).select_option("v0-pro")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".settings-chip")).to_have_count(2)
    figure = page.locator(".usage-figures a").first
    exact = figure.get_attribute("title")
    figure.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    expect(page.locator(".manage-counts [title]").first).to_have_attribute("title", exact or "")
    assert beyond(page) <= 0


def test_runs_and_one_of_them_are_read_wide_and_narrow(
    app: AppServer, page_of: PageOf, spent: None
) -> None:
    page = page_of(app, ADMIN, path="/usage/review/runs/?sort=cost")
    expect(page.locator("[aria-sort=descending]")).to_contain_text("Credits")
    assert not faults(page, "usage-runs-wide")
    page.set_viewport_size(NARROW)
    page.get_by_role("link", name="Waited longest").click()
    expect(page.locator("tbody [data-label=Waited]").first).to_have_text("59 s")
    assert not faults(page, "usage-runs-narrow")
    assert beyond(page) <= 0
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("One run")
    assert not faults(page, "usage-run-narrow")
    assert beyond(page) <= 0
