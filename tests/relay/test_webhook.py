"""The webhook of alerts: each is delivered once, signed, tried again for a day, and nothing of it is logged."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats.models import Alert, Counter, Limit
from chats.relay import webhook
from chats.relay.threads import Threads
from chats.relay.webhook import Webhook
from chats.usage.alerts import USED_UP, Lookout, note
from tests.app_server import ROOT, free_port
from tests.v0api.wire_server import Handler, Request, Server, answer, closes, hangs, replies, resets
from tests.v0api.wire_server import serving as listening

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "canary-secret"
Play = Callable[[Server, list[Webhook]], Awaitable[None]]


@pytest.fixture
def alert(db: None, settings: Settings) -> Alert:
    """The installation's limit is used up, which is to be posted."""
    settings.V0_WEBHOOK_SECRET = SECRET
    settings.V0_WEBHOOK_URL = "http://127.0.0.1:9/canary-path"
    Limit.objects.create(scope="installation", period="day", credits=10**12)
    today = timezone.now().date()
    Counter.objects.create(name="installation", day=today, month=today, day_spent=10**12 + 1)
    note(Lookout().find())
    return Alert.objects.get()


def during(settings: Settings, handler: Handler, play: Play, *, processes: int = 1) -> Server:
    """The server after `play`, in which as many processes post to it."""

    async def inside() -> Server:
        threads = [Threads() for _ in range(processes)]
        async with listening(handler) as server:
            settings.V0_WEBHOOK_URL = f"{server.url}/canary-path"
            await play(server, [Webhook(each) for each in threads])
            for each in threads:
                await asyncio.get_running_loop().run_in_executor(None, each.close)
        return server

    return asyncio.run(inside())


async def look_once(_: Server, processes: list[Webhook]) -> None:
    await asyncio.gather(*(process.look() for process in processes))


async def look_twice(server: Server, processes: list[Webhook]) -> None:
    await look_once(server, processes)
    await look_once(server, processes)


def test_an_alert_is_posted_once_as_readme_says(alert: Alert, settings: Settings) -> None:
    server = during(settings, replies(answer(204)), look_twice)
    (post,) = server.requests
    assert (post.method, post.path) == ("POST", "/v2/canary-path")
    assert post.headers["content-type"] == "application/json"
    mark = hmac.new(SECRET.encode(), post.body, hashlib.sha256).hexdigest()
    assert post.headers["x-v0web-signature"] == f"sha256={mark}"
    today = timezone.now().date()
    assert post.json == {
        "id": alert.name,
        "event": "budget.used-up",
        "at": alert.made_at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "scope": "installation",
        "key": "",
        "person": None,
        "period": "day",
        "limit": "1",
        "spent": "1.000000000001",
        "from": str(today),
        "until": str(today + timedelta(days=1)),
    }
    readme = (ROOT / "README.md").read_text("utf-8")
    for word in (*post.json, *webhook.EVENTS.values(), webhook.SIGNATURE):
        assert f"`{word}`" in readme, word
    alert.refresh_from_db()
    assert alert.posted_at is not None
    assert (alert.post_failures, alert.post_again_at) == (0, None)


REDIRECT = answer(307, headers={"Location": "/v2/elsewhere"})


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(replies(answer(500)), id="500"),
        pytest.param(replies(answer(404)), id="404"),
        pytest.param(replies(REDIRECT), id="redirect"),
        pytest.param(hangs, id="hang"),
        pytest.param(resets, id="reset"),
        pytest.param(closes, id="close"),
    ],
)
def test_whatever_is_no_yes_is_tried_again_later_and_not_told_of_in_words_of_theirs(
    alert: Alert,
    settings: Settings,
    handler: Handler,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.2)
    server = during(settings, handler, look_twice)
    assert len(server.requests) == 1, "neither followed nor tried again at once"
    alert.refresh_from_db()
    assert (alert.posted_at, alert.post_failures) == (None, 1)
    assert alert.post_again_at is not None
    assert f"alert {alert.pk}" in caplog.text
    assert "canary" not in caplog.text


def test_pauses_grow_until_a_yes_ends_it(alert: Alert, settings: Settings) -> None:
    """Each look is one of another process: what was tried is in the row."""
    pauses, bodies = [], []
    settings.V0_WEBHOOK_URL = f"http://127.0.0.1:{free_port()}/canary-path"
    for tried in range(8):
        before = timezone.now()
        post = webhook.claim(alert.pk)
        assert post
        bodies.append(post.body)
        webhook.refused(alert.pk)
        alert.refresh_from_db()
        assert alert.post_again_at is not None
        assert alert.post_failures == tried + 1
        pauses.append(round((alert.post_again_at - before) / timedelta(minutes=1)))
        assert webhook.claim(alert.pk) is None, "not before"
        Alert.objects.update(post_again_at=timezone.now())
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    server = during(settings, replies(answer(200)), look_twice)
    (last,) = server.requests
    assert {last.body, *bodies} == {last.body}, "the same, so that whoever got two knows"


def test_it_is_given_up_after_a_day(alert: Alert) -> None:
    Alert.objects.update(made_at=timezone.now() - timedelta(hours=23, minutes=59, seconds=30))
    assert webhook.claim(alert.pk)
    webhook.refused(alert.pk)
    assert webhook.due() == []
    alert.refresh_from_db()
    assert (alert.posted_at, alert.post_again_at) == (None, None)


def test_of_several_processes_at_once_one_posts_each(alert: Alert, settings: Settings) -> None:
    for number in range(9):
        Alert.objects.create(
            name=f"another {number}", details=alert.details, post_again_at=timezone.now()
        )
    server = during(settings, replies(answer(200)), look_twice, processes=3)
    assert len(server.requests) == 10
    assert len({post.json["id"] for post in server.requests}) == 10
    assert not Alert.objects.filter(posted_at=None).exists()


def test_another_process_goes_on_where_one_has_died(alert: Alert, settings: Settings) -> None:
    assert webhook.claim(alert.pk), "and nothing was heard of it again"
    assert during(settings, replies(answer(200)), look_once).requests == []
    Alert.objects.update(post_again_at=timezone.now() - timedelta(seconds=1))
    assert len(during(settings, replies(answer(200)), look_once).requests) == 1


async def endless(request: Request, writer: asyncio.StreamWriter) -> None:
    """Yes, and then a body that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while True:
        writer.write(b"a" * 1000)
        await writer.drain()
        await asyncio.sleep(0.01)


def test_nothing_is_read_of_an_answer_but_its_status(alert: Alert, settings: Settings) -> None:
    server = during(settings, endless, look_once)
    assert len(server.requests) == 1
    assert Alert.objects.get().posted_at is not None


def test_without_an_address_nothing_is_to_be_posted(alert: Alert, settings: Settings) -> None:
    settings.V0_WEBHOOK_URL = ""
    Limit.objects.update(credits=1)
    note(Lookout().find())
    made = Alert.objects.exclude(pk=alert.pk).get()
    assert (made.details["kind"], made.post_again_at) == (USED_UP, None)
    assert json.loads(webhook.body_of(made))["limit"] == "0.000000000001"
