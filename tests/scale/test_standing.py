"""Two at once on PostgreSQL, where nothing but rows that are held makes one wait for the other."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

from django.core.exceptions import PermissionDenied
from django.db import connections
from django.utils import timezone

from chats.accounts import standing
from chats.models import Outcome, Person
from chats.relay import outcomes

ROUNDS = 20


def at_once(*works: Callable[[], None]) -> None:
    """Each in a thread with a connection of its own, all let go at the same moment."""
    together = Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        try:
            together.wait()
            work()
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_of_two_superusers_who_act_on_each_other_at_once_one_remains(
    transactional_db: None,
) -> None:
    one, other = (
        Person.objects.create_superuser(f"{name}@example.com") for name in ("one", "other")
    )

    def takes_away(actor: Person, person: Person) -> Callable[[], None]:
        def work() -> None:
            try:
                standing.deactivate(person, actor=actor, address=None)
            except PermissionDenied:
                return

        return work

    for _ in range(ROUNDS):
        Person.objects.update(is_active=True)
        at_once(takes_away(one, other), takes_away(other, one))
        assert Person.objects.filter(is_active=True).count() == 1


def test_processes_that_count_the_first_outcome_of_a_day_lose_none(transactional_db: None) -> None:
    now = timezone.now()
    for _ in range(ROUNDS):
        Outcome.objects.all().delete()
        at_once(*[lambda: outcomes.save({"answered": 3}, {"answered": now})] * 4)
        assert outcomes.told()["answered"].week == 12
