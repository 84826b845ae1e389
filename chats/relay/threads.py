"""The threads in which the relay meets the database.

Owns one writer thread, so that writes of this process keep their order, and a few reader threads,
so that no socket waits for a slow write. Relies on Django's connections being one per thread, and keeps
each of its own for a minute: opening one costs more than most of what it is asked. Never runs in the
thread that serves requests.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

# Seconds for which a thread's connection is kept, as Django's CONN_MAX_AGE has it.
KEEP = 60

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    def __init__(self, readers: int = 2) -> None:
        self._sizes = 1, readers
        self._writer = ThreadPoolExecutor(1, "relay-writer", keep_connections)
        self._readers = ThreadPoolExecutor(readers, "relay-reader", keep_connections)

    async def write(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`work` in the writer thread, after everything that was asked for before it."""
        return await _run(self._writer, work, *args, **kwargs)

    async def read(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(self._readers, work, *args, **kwargs)

    def close(self) -> None:
        """Wait for what is under way, then close each thread's connections."""
        for pool, size in zip((self._writer, self._readers), self._sizes, strict=True):
            together = Barrier(size)
            for _ in range(size):
                pool.submit(_close, together)
            pool.shutdown(wait=True)


def _close(together: Barrier) -> None:
    """Each thread its own, since none goes on before all are here."""
    connections.close_all()
    together.wait()


def keep_connections() -> None:
    """From now on in this thread; a request's thread ends with its request, and keeps nothing."""
    for connection in connections.all():
        kept = {"CONN_MAX_AGE": KEEP, "CONN_HEALTH_CHECKS": True}
        connection.settings_dict = {**connection.settings_dict, **kept}


async def _run(
    pool: ThreadPoolExecutor, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    def fresh() -> T:
        close_old_connections()
        return work(*args, **kwargs)

    # A context of its own: asgiref's would tie the thread to the request that woke the relay.
    context = contextvars.Context()
    return await asyncio.get_running_loop().run_in_executor(pool, context.run, fresh)
