"""The relay of one process: it looks for work, holds runs, and keeps their leases.

Owns the loops (look for work, renew leases, compare versions and who is here, re-check rights, sweep,
look what changed at v0, see whether a v0 that failed answers again) and the tasks of runs. Relies on
`store`, `run`, `mirror` and the hub. A run never depends on a browser or a request: its task is started
here, in a context of its own, and is held until it ends.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Coroutine, Set
from functools import partial
from typing import Any, Literal, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError

from chats.models import audit, ending
from chats.models.messages import IMPORTS
from chats.relay import adoption, draining, stopping, store, uploads
from chats.relay.adoption import Offers
from chats.relay.alerts import Alerts
from chats.relay.billing import Billing
from chats.relay.copies import Copies
from chats.relay.errands import Errands
from chats.relay.health import Watch
from chats.relay.hub import Hub
from chats.relay.imports import Imports
from chats.relay.mirror import Mirror
from chats.relay.notices import Notices
from chats.relay.outcomes import Outcomes
from chats.relay.people import People
from chats.relay.presence import Presences
from chats.relay.run import CONTESTED, Run
from chats.relay.showing import Showing
from chats.relay.store import Job, Lost
from chats.relay.threads import Threads
from chats.relay.webhook import Webhook
from chats.relay.wishes import Maker, Wishes
from chats.v0api.client import Client
from chats.v0api.errors import V0Error
from chats.v0api.transport import Timeouts

logger = logging.getLogger(__name__)

PATIENCE = 20
FORGOTTEN_AT_ONCE = 500
# Refusals after which the chat may stand otherwise at v0 than is known here.
TELLS_OF_CHAT = ("gone", "old", "forbidden")
T = TypeVar("T")
REVISIONS = Literal["auto", "ga", "reference"]


class Relay:
    def __init__(self, *, readers: bool = True) -> None:
        self.threads = Threads()
        self.hub = Hub(self.threads)
        self.hub.on_change = self.changed
        self.people = People(self.threads)
        self.hub.on_gone = self._show_out
        self.presences = Presences(self.hub.id, self.threads, self.hub.start, self.hub.attended)
        self.runs: dict[UUID, Run] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._woken = asyncio.Event()
        self._draining = False
        self._readers = readers
        self.watch = Watch(self.people.health_changed)
        self.outcomes = Outcomes(self.threads, self.people.health_changed)
        self.client = Client(
            settings.V0_BASE_URL,
            settings.V0_API_KEY,
            revision=cast("REVISIONS", settings.V0_API_REVISION),
            timeouts=Timeouts(
                connect=settings.V0_CONNECT_TIMEOUT,
                write=settings.V0_WRITE_TIMEOUT,
                headers=settings.V0_HEADERS_TIMEOUT,
                model=settings.V0_MODEL_TIMEOUT,
                files=settings.V0_IMPORT_TIMEOUT,
                between_bytes=settings.V0_SILENCE_TIMEOUT,
            ),
            read_window=self._window,
            on_outcome=self._note_outcome,
        )
        self.mirror = Mirror(self.client, self.threads, changed=self._changed_elsewhere)
        self.errands = Errands(self.client, self.threads, self.hub.start, changed=self.changed)
        self.notices = Notices(self.threads)
        self.alerts = Alerts(self.threads, self.notices)
        self.webhook = Webhook(self.threads)
        self.billing = Billing(self.client, self.threads)
        imports = Imports(self.client, self.threads)
        makers: dict[str, Maker] = {
            "duplicate": Copies(self.client, self.threads),
            **dict.fromkeys(IMPORTS, imports),
        }
        self.wishes = Wishes(self.client, self.threads, makers, self.hub.start, self.changed)

    def start(self) -> None:
        """Start the loops on the running event loop."""
        self.loop = asyncio.get_running_loop()
        self._every(settings.V0_LEASE_RENEW, self._renew)
        self._every(settings.V0_LOOK_EVERY, self.errands.look)
        self._every(settings.V0_LOOK_EVERY, self.outcomes.keep)
        self._loops.append(self.hub.start(self._look_forever()))
        if self._readers:
            self._every(settings.V0_HUB_CHECK, self._compare)
            self._every(settings.V0_PRESENCE_KEEP / 3, self.presences.renew)
            self._every(settings.V0_SWEEP_EVERY, self.presences.sweep)
            self._every(settings.V0_RIGHTS_CHECK, self.people.recheck)
            self._every(5, self._sweep)
            self._every(settings.V0_HUB_CHECK, self._resume)
            self._every(settings.V0_LOOK_EVERY, self.mirror.turn)
            self._every(settings.V0_SWEEP_EVERY, self.mirror.sweep)
            self._every(settings.V0_SWEEP_EVERY, self._sweep_files)
            self._every(settings.V0_SWEEP_EVERY, self._forget_entries)
            self._every(settings.V0_SWEEP_EVERY, self._end_what_came_late)
            self._every(settings.V0_SWEEP_EVERY, self.billing.sweep)
            self._every(settings.V0_NOTICE_EVERY, self.notices.look)
            self._every(settings.V0_NOTICE_EVERY, self.alerts.look)
            self._every(settings.V0_NOTICE_EVERY, self.webhook.look)
            self._every(settings.V0_COST_EVERY, self.billing.look)
            self._every(min(60, settings.V0_RECONCILE_EVERY), self.billing.compare)
            self._every(settings.V0_HEALTH_EVERY, self.outcomes.look)
            self._loops.append(self.hub.start(self.watch.probe_forever(self.client)))

    async def stop(self) -> None:
        """Let go of every run, saved and released, so that another process takes over at once."""
        self._draining = True
        for loop in self._loops:
            loop.cancel()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), *self._loops, return_exceptions=True)
        await self.wishes.stop()
        await self.presences.stop()
        await self.errands.stop()
        self.notices.stop()
        await self.client.aclose()
        await self.loop.run_in_executor(None, self.threads.close)

    async def until_over(self, answer: UUID) -> None:
        """Return when the answer has ended, here or in another process."""
        while await self.threads.read(store.is_live, answer):
            task = self._tasks.get(answer)
            if task is None:
                await self._look()
                task = self._tasks.get(answer)
            if task is None:
                await asyncio.sleep(settings.V0_LOOK_EVERY)
            else:
                await asyncio.wait([task])

    # What others say

    def wake(self) -> None:
        """There is work: look now. From any thread."""
        self.loop.call_soon_threadsafe(self._woken.set, context=contextvars.Context())

    def changed_soon(self, chat: UUID) -> None:
        """A chat's rows changed. From any thread."""
        # Without a context of its own the request's would leak into every task started from here.
        self.loop.call_soon_threadsafe(self.changed, chat, context=contextvars.Context())

    def _note_outcome(self, error: V0Error | None, charged: bool) -> None:
        self.watch.note(error)
        self.outcomes.note(error, charged=charged)

    def rights_changed_soon(self, people: Set[int] = frozenset()) -> None:
        """Somebody lost a right: see whose sockets may stay open. From any thread."""
        for work in (partial(self.people.lists_changed, people), self._show_out):
            self.loop.call_soon_threadsafe(work, context=contextvars.Context())

    def session_renewed_soon(self, before: str, now: str) -> None:
        """The sockets of a session go by its new key. From any thread."""
        self.loop.call_soon_threadsafe(
            self.people.session_renewed, before, now, context=contextvars.Context()
        )

    def changed(self, chat: UUID) -> None:
        """A chat's rows changed: its readers and the lists of its people follow."""
        self.hub.changed(chat)
        self.people.changed(chat)

    def _show_out(self) -> None:
        self.hub.start(_survive(self.people.recheck))

    def compare_soon(self, chat: UUID, least_age: float) -> None:
        """Look whether the chat changed at v0. From any thread."""
        self.loop.call_soon_threadsafe(
            lambda: self.mirror.look_at(chat, least_age=least_age), context=contextvars.Context()
        )

    def adoptable(self, cursor: str | None) -> Offers:
        """One page of v0's chats that are not here. Blocks the calling thread."""
        return self.answer_of(adoption.offers(self.client, self.threads, cursor))

    def answer_of(self, asking: Coroutine[Any, Any, T]) -> T:
        """What v0 answers, or V0Error, or TimeoutError. Blocks the calling thread."""
        run = asyncio.run_coroutine_threadsafe
        return contextvars.Context().run(run, asking, self.loop).result(PATIENCE)

    def _changed_elsewhere(self, chat: UUID) -> None:
        self.changed(chat)
        self._woken.set()

    # Loops

    def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        self._loops.append(self.hub.start(self._repeat(seconds, work)))

    async def _repeat(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await _survive(work)

    async def _look_forever(self) -> None:
        while True:
            await _survive(self._look)
            try:
                # Not `wait_for`: it may take a cancellation that comes with what it waited for as done.
                async with asyncio.timeout(settings.V0_LOOK_EVERY):
                    await self._woken.wait()
            except TimeoutError:
                continue
            self._woken.clear()

    async def _look(self) -> None:
        """Send on what waited, claim what nobody runs, and pass on the stops that people, or budgets, ask for."""
        if await self.threads.read(draining.due):
            for chat in await self.threads.write(draining.drain):
                self.changed(chat)
        jobs = await self.threads.write(store.claim, self.hub.id, settings.V0_LEASE)
        for job in jobs:
            self._begin(job)
        await self.wishes.look()
        if self.runs:
            if over := await self.threads.read(stopping.over_budget, self.hub.id):
                for chat in await self.threads.write(stopping.ask_for_budget, over):
                    self.changed(chat)
            for id in await self.threads.read(store.stops, self.hub.id):
                if id in self.runs:
                    self.hub.start(self.runs[id].stop())

    async def _renew(self) -> None:
        held = [(id, run.job.fence) for id, run in self.runs.items()]
        kept = await self.threads.write(store.renew, self.hub.id, settings.V0_LEASE, held)
        for id, _ in held:
            if id not in kept and id in self._tasks:
                self._tasks[id].cancel()

    async def _compare(self) -> None:
        await self.hub.compare()
        await self.presences.compare(list(self.hub.chats))

    async def _sweep(self) -> None:
        self.hub.sweep()

    async def _resume(self) -> None:
        """What waited for a budget goes out when that has room again."""
        for chat in await self.threads.write(draining.resume):
            self.changed(chat)
            self._woken.set()

    async def _sweep_files(self) -> None:
        await self.threads.read(uploads.sweep)

    async def _forget_entries(self) -> None:
        """What of the audit log is over goes a little at a time, and holds nobody up."""
        await self.threads.write(audit.forget, FORGOTTEN_AT_ONCE)

    async def _end_what_came_late(self) -> None:
        """Chats and more of people whose accounts were deleted while they were being made."""
        for chat in await self.threads.write(ending.finish):
            self.changed(chat)

    # Runs

    def _begin(self, job: Job) -> None:
        run = Run(job, self.client, self.threads, Showing(self.hub))
        self.runs[job.answer] = run
        self._tasks[job.answer] = self.hub.start(self._hold(run))

    async def _hold(self, run: Run) -> None:
        id = run.job.answer
        try:
            await run.go()
        except Lost:
            logger.info("run of %s went to another process", id)
        except asyncio.CancelledError:
            # Saved before readers fall back to the row: their text must not shrink.
            await run.progress.let_go()
            logger.info("run of %s let go", id)
        except DatabaseError:
            logger.exception("run of %s stopped at the database; its lease will end", id)
        except Exception:
            # The lease must not be renewed for a run that is dead: another try adopts it.
            logger.exception("run of %s broke", id)
        finally:
            progress = run.progress
            logger.info(
                "run of %s over: %s events, %s writes", id, progress.events, progress.writes
            )
            self.runs.pop(id, None)
            self._tasks.pop(id, None)
            run.showing.end()
            # Perhaps something waits for its end.
            self._woken.set()
            is_contested = run.job.kind in CONTESTED and not progress.accepted
            if is_contested or run.problem in TELLS_OF_CHAT:
                # Perhaps it was done at v0 itself, or the chat is gone there: look again.
                self.mirror.look_at(run.job.chat)

    def _window(self) -> float:
        """Seconds between two reads of a stream: what a display can show, longer under load."""
        if settings.V0_PUBLISH_WINDOW is not None:
            return settings.V0_PUBLISH_WINDOW
        return min(0.05, 0.016 + 0.002 * max(0, len(self.runs) - 1))


async def _survive(work: Callable[[], Awaitable[None]]) -> None:
    """One turn of a loop; a database that is away for a while does not end it."""
    try:
        await work()
    except DatabaseError:
        logger.exception("the database did not answer")
