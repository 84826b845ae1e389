"""That v0 fails: what counts, since when, and that it is noticed when it answers again."""

from __future__ import annotations

import pytest

from chats.relay.health import LEAST, Health
from chats.v0api import errors
from tests.app_server import wait_until
from tests.relay.conftest import QUICK
from tests.world import World

FAILURES = [
    (errors.NotSent(), "unsent", "NotSent"),
    (errors.InDoubt(), "unknown", "InDoubt"),
    (errors.status_error(503, ""), "upstream", "ServerError 503"),
    (errors.status_error(307, ""), "upstream", "Redirected 307"),
    (errors.status_error(401, ""), "unauthorized", "Unauthorized 401"),
]


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    return {**QUICK, "V0_HEALTH_EVERY": "0.2"}


@pytest.mark.parametrize(("error", "trouble", "kind"), FAILURES)
def test_two_failures_in_a_row_are_told_since_the_first(
    error: errors.V0Error, trouble: str, kind: str
) -> None:
    once = Health().after(error)
    assert (once.failures, once.trouble) == (1, "")
    twice = once.after(error)
    assert (twice.failures, twice.trouble, twice.kind) == (LEAST, trouble, kind)
    assert twice.failing_since == once.failing_since is not None
    well = twice.after(None)
    assert (well.failing_since, well.failures, well.trouble, well.kind) == (None, 0, "", "")
    assert well.last_success is not None
    assert well.after(error).last_success == well.last_success


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 413, 422, 429])
def test_an_answer_that_refuses_is_an_answer(status: int) -> None:
    failing = Health().after(errors.NotSent())
    assert failing.after(errors.status_error(status, "")).failures == 0
    assert failing.after(errors.status_error(status, "")).failing_since is None


@pytest.mark.parametrize(
    ("fault", "words", "kind"),
    [
        ({"kind": "status", "status": 503}, "errors of its own since", "ServerError 503"),
        ({"kind": "reset"}, "v0 has not answered since", "InDoubt"),
        ({"kind": "redirect"}, "errors of its own since", "Redirected 307"),
        (
            {"kind": "status", "status": 401},
            "not accepted this installation&#x27;s API key since",
            "Unauthorized 401",
        ),
    ],
    ids=["503", "reset", "redirect", "401"],
)
def test_it_is_told_while_it_lasts_and_nobody_has_to_ask_for_its_end(
    world: World, fault: dict[str, object], words: str, kind: str
) -> None:
    assert told(world) is None
    world.sandbox.fault(path="*", times=None, key=world.app.key, **fault)
    world.ask("Hello")
    wait_until(lambda: told(world) is not None, what="the notice")
    assert words in (told(world) or "")
    assert "<time" in (told(world) or "")
    assert kind not in (told(world) or "")
    with world.app.client_of("admin@example.com") as admin:
        assert kind in admin.get("/health/").text
        assert kind in admin.get("/").text
    assert words in world.client.get("/").text
    world.sandbox.clear_faults()
    wait_until(lambda: told(world) is None, what="that v0 answers again")
    assert words not in world.client.get("/").text


def test_a_v0_that_cannot_be_reached_is_told_of_and_comes_back(world: World) -> None:
    assert told(world) is None
    world.sandbox.kill()
    try:
        chat = world.ask("Hello")
        wait_until(lambda: told(world) is not None, what="the notice")
        assert "out of reach since" in (told(world) or "")
        with world.app.client_of("admin@example.com") as admin:
            assert "V0_API_KEY" in admin.get("/health/").text
    finally:
        world.sandbox.start()
    wait_until(lambda: told(world) is None, what="that v0 answers again")
    # Its tries are over, too, before the next test.
    world.finished(chat)


def told(world: World) -> str | None:
    """What a page that shows no notice is told to show; None while there is nothing to tell."""
    answer = world.client.get("/health/")
    assert answer.status_code in (200, 204)
    return answer.text if answer.status_code == 200 else None
