"""Alerts for a program: each is posted to the address of `V0_WEBHOOK_URL` until it says yes, for a day at most.

Owns what is posted, its signature, the claim by which one process posts at a time, and the pauses between tries.
Relies on the rows that `usage.alerts` writes, and on httpx, which nothing else here needs: this is the one place that
is asked beside v0. Follows no redirect, reads no answer beyond its status, and logs neither the address nor a secret.
README says what whoever receives it may rely on.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from dataclasses import dataclass
from datetime import timedelta

import httpx
from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from chats.models import Alert
from chats.relay.rows import utc
from chats.relay.threads import Threads
from chats.usage import alerts

logger = logging.getLogger(__name__)

EVENTS = {
    alerts.NEAR: "budget.near",
    alerts.USED_UP: "budget.used-up",
    alerts.UNUSUAL: "spending.unusual",
}
SIGNATURE = "X-V0web-Signature"
# Seconds for all of it.
PATIENCE = 5
AT_ONCE = 20
FIRST_PAUSE, LONGEST_PAUSE, TRIED_FOR = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# A process that was at it for longer has died.
HELD = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Post:
    alert: int
    body: bytes


class Webhook:
    def __init__(self, threads: Threads) -> None:
        self.threads = threads

    async def look(self) -> None:
        """Post what is due, one after the other."""
        if not settings.V0_WEBHOOK_URL:
            return
        waiting = await self.threads.read(due)
        if not waiting:
            return
        async with httpx.AsyncClient(follow_redirects=False, trust_env=False) as client:
            for alert in waiting:
                post = await self.threads.write(claim, alert)
                if post is not None:
                    problem = await _deliver(client, post.body)
                    if problem:
                        logger.warning("webhook, alert %s: %s", alert, problem)
                    await self.threads.write(refused if problem else taken, alert)


async def _deliver(client: httpx.AsyncClient, body: bytes) -> str:
    """Why it was not taken, "" where it was."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "v0web",
        SIGNATURE: signature(body),
    }
    try:
        async with (
            asyncio.timeout(PATIENCE),
            client.stream("POST", settings.V0_WEBHOOK_URL, content=body, headers=headers) as answer,
        ):
            return "" if answer.is_success else f"status {answer.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        # Its own words could have the address in them.
        return type(error).__name__


def signature(body: bytes) -> str:
    mark = hmac.new(settings.V0_WEBHOOK_SECRET.encode(), body, hashlib.sha256)
    return f"sha256={mark.hexdigest()}"


def body_of(alert: Alert) -> bytes:
    """The same for every try."""
    told = {name: value for name, value in alert.details.items() if name != "kind"}
    event = EVENTS[alert.details["kind"]]
    return json.dumps({"id": alert.name, "event": event, "at": utc(alert.made_at), **told}).encode()


# Rows


def due() -> list[int]:
    return list(_waiting().order_by("post_again_at").values_list("pk", flat=True)[:AT_ONCE])


def claim(alert: int) -> Post | None:
    """What to post now; None where another process is at it, or has been."""
    if not _waiting().filter(pk=alert).update(post_again_at=timezone.now() + HELD):
        return None
    return Post(alert, body_of(Alert.objects.get(pk=alert)))


def taken(alert: int) -> None:
    Alert.objects.filter(pk=alert).update(posted_at=timezone.now(), post_again_at=None)


def refused(alert: int) -> None:
    """Later again, after twice as long, or never more."""
    held = Alert.objects.get(pk=alert)
    now = timezone.now()
    pause = min(FIRST_PAUSE * 2 ** min(held.post_failures, 10), LONGEST_PAUSE)
    again = now + pause if now + pause <= held.made_at + TRIED_FOR else None
    Alert.objects.filter(pk=alert, posted_at=None).update(
        post_failures=F("post_failures") + 1, post_again_at=again
    )


def _waiting() -> QuerySet[Alert]:
    return Alert.objects.filter(posted_at=None, post_again_at__lte=timezone.now())
