"""How calls to v0 are counted, what follows for the key, and how seldom that is written."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chats.models import Outcome
from chats.relay import outcomes
from chats.relay.outcomes import KEPT, Outcomes, key_trouble, kind, save, told
from chats.v0api import errors

KINDS = [
    (None, "answered"),
    (errors.status_error(401, ""), "unauthorized"),
    (errors.status_error(402, ""), "credits"),
    (errors.status_error(403, ""), "forbidden"),
    (errors.status_error(404, ""), "answered"),
    (errors.status_error(422, ""), "answered"),
    (errors.status_error(429, ""), "rate-limit"),
    (errors.status_error(503, ""), "upstream"),
    (errors.InDoubt("ReadTimeout"), "timeout"),
    (errors.InDoubt("TimeoutError"), "timeout"),
    (errors.InDoubt("ReadError"), "unknown"),
    (errors.NotSent("ConnectTimeout"), "unsent"),
]


class Here:
    """Threads of the relay, without threads: the work is done at once, and writes are counted."""

    writes = 0

    async def write(self, work: Callable[..., Any], *args: Any) -> Any:
        self.writes += 1
        return work(*args)

    async def read(self, work: Callable[..., Any], *args: Any) -> Any:
        return work(*args)


def run(work: Coroutine[Any, Any, None]) -> None:
    """To its end, on no event loop: nothing in it waits, and Django wants none around a query."""
    with pytest.raises(StopIteration):
        work.send(None)


def test_each_error_has_its_class() -> None:
    assert [kind(error) for error, _ in KINDS] == [name for _, name in KINDS]


def test_counts_of_processes_add_up_by_day_and_old_days_go(db: None) -> None:
    now = timezone.now()
    for days, count in ((0, 2), (0, 3), (3, 4), (9, 5), (KEPT.days + 1, 6)):
        save({"rate-limit": count}, {"rate-limit": now - timedelta(days=days)})
    found = told()["rate-limit"]
    assert (found.today, found.week, found.last_at) == (5, 9, now)
    save({"answered": 1}, {"answered": now})
    assert not Outcome.objects.filter(count=6).exists()


def test_a_trouble_of_the_key_lasts_until_what_proves_that_it_is_over(db: None) -> None:
    now = timezone.now()

    def after(*kinds: str) -> str:
        Outcome.objects.all().delete()
        for seconds, each in enumerate(kinds):
            save({each: 1}, {each: now + timedelta(seconds=seconds)})
        return key_trouble().kind

    assert after() == after("answered") == after("rate-limit", "upstream") == ""
    assert after("answered", "unauthorized") == "unauthorized"
    assert after("unauthorized", "answered") == ""
    assert after("credits", "answered") == "credits", "reading costs nothing"
    assert after("credits", "answered", "charged") == ""
    assert after("forbidden") == "forbidden"
    assert after("forbidden", "answered") == "", "one chat alone may refuse"
    assert after("credits", "unauthorized") == "unauthorized"
    assert key_trouble().last_at == now + timedelta(seconds=1)


def test_success_is_written_once_a_minute_and_an_error_at_once(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, changes = Here(), list[str]()
    seen = Outcomes(here, lambda: changes.append(seen.key.kind))  # type: ignore[arg-type]
    run(seen.keep())
    assert here.writes == 0, "nothing happened"
    for _ in range(50):
        seen.note(None, charged=False)
        run(seen.keep())
    assert here.writes == 1
    for _ in range(3):
        seen.note(errors.status_error(402, ""), charged=True)
    run(seen.keep())
    assert (here.writes, changes) == (2, ["credits"])
    assert told()["answered"].today == 50
    assert told()["credits"].today == 3
    seen.note(None, charged=True)
    run(seen.keep())
    assert (here.writes, changes) == (3, ["credits", ""])
    seen.note(None, charged=True)
    run(seen.keep())
    assert here.writes == 3
    monkeypatch.setattr(outcomes, "SUCCESS_EVERY", timedelta(0))
    run(seen.keep())
    assert here.writes == 4
    assert told()["charged"].today == 2


def test_what_one_process_has_seen_the_others_hear_of(db: None) -> None:
    here, heard = Here(), list[str]()
    one = Outcomes(here, lambda: None)  # type: ignore[arg-type]
    other = Outcomes(here, lambda: heard.append(other.key.kind))  # type: ignore[arg-type]
    one.note(errors.status_error(401, ""), charged=False)
    run(one.keep())
    run(other.look())
    run(other.look())
    one.note(None, charged=False)
    run(one.keep())
    run(other.look())
    assert heard == ["unauthorized", ""]
