"""What holds runs back beside credits: how fast, how many at once, and whether at all.

Owns these three checks, and whom they hold back of those who wait. Relies on models; `budgets.reserve` asks
them while it holds the person's counter, so that two sends at once count each other in every database.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from django.db.models import Count

from chats.models import Intent, Levers, Message, Person, Queued
from chats.models.messages import LIVE
from chats.usage.refusals import Closed, TooFast, TooMany

MINUTE = timedelta(minutes=1)


def check_open(levers: Levers) -> None:
    """Closed while no new runs are taken."""
    if levers.is_closed:
        raise Closed(levers.closed_words)


def check_pace(levers: Levers, person: Person, now: datetime, *, is_written: bool = True) -> None:
    """TooFast or TooMany where the newest intent of theirs is one too many; where it is not written yet,
    where one more would be."""
    more = 0 if is_written else 1
    if most := levers.sends_per_minute:
        sent = Intent.objects.filter(person=person, created_at__gt=now - MINUTE)
        newest = list(sent.order_by("-created_at").values_list("created_at", flat=True)[: most + 1])
        if len(newest) + more > most:
            again = (newest[most - more] + MINUTE - now).total_seconds()
            raise TooFast(most, max(1, ceil(again)))
    if most := levers.runs_at_once:
        live = Message.objects.filter(role="assistant", state__in=LIVE, intent__person=person)
        if live.count() + more > most:
            raise TooMany(most)


def held_back(levers: Levers, now: datetime) -> set[int]:
    """Those of whom messages wait and none may begin just now, for their pace."""
    waiting = Queued.objects.values("person")
    found: set[int] = set()
    if most := levers.sends_per_minute:
        sent = Intent.objects.filter(person__in=waiting, created_at__gt=now - MINUTE)
        counted = sent.values("person").annotate(sends=Count("pk"))
        found.update(counted.filter(sends__gte=most).values_list("person", flat=True))
    if most := levers.runs_at_once:
        live = Message.objects.filter(role="assistant", state__in=LIVE, intent__person__in=waiting)
        runs = live.values("intent__person").annotate(runs=Count("pk"))
        found.update(runs.filter(runs__gte=most).values_list("intent__person", flat=True))
    return found
