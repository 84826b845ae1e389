"""Limits and levers as they are set: added, changed, removed, raised for a time, switched.

Owns these changes, each with its entry in the audit log in one transaction, and that nobody overwrites what they
have not seen. Amounts are whole numbers of 10^-12 credit. Relies on models alone; who may is the caller's
question, how a limit then holds is `budgets`, and how a lever does is `levers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chats.models import Chat, Event, Levers, Limit, Override, Person, Team, record
from chats.models.budgets import Scope
from chats.usage.money import plain

# By period; None is no limit.
Amounts = Mapping[str, int | None]


class Changed(Exception):
    """Somebody else has changed, removed or ended it since it was looked at: nothing was written."""


class Taken(Exception):
    """There is a limit for this period already: `limit`."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(str(limit))
        self.limit = limit


def add(
    scope: str, key: str, period: str, credits: int, *, actor: Person, address: str | None
) -> Limit:
    """A new limit; Taken where there is one."""
    with transaction.atomic():
        limit, is_new = Limit.objects.get_or_create(
            scope=scope, key=key, period=period, defaults={"credits": credits}
        )
        if not is_new:
            raise Taken(limit)
        _note(Event.LIMIT_SET, limit, actor, address, new=plain(credits))
    return limit


def change(limit: Limit, credits: int, *, actor: Person, address: str | None) -> None:
    """Another amount; Changed where it is not what `limit` says any more. The same one changes nothing."""
    if credits == limit.credits:
        return
    with transaction.atomic():
        if not _as_seen(limit).update(credits=credits, changed_at=timezone.now()):
            raise Changed
        amounts = {"old": plain(limit.credits), "new": plain(credits)}
        _note(Event.LIMIT_CHANGED, limit, actor, address, **amounts)


def remove(limit: Limit, *, actor: Person, address: str | None) -> None:
    """It goes with what raised it; Changed where it is not what `limit` says any more."""
    with transaction.atomic():
        if not _as_seen(limit).update(changed_at=timezone.now()):
            raise Changed
        limit.delete()
        _note(Event.LIMIT_REMOVED, limit, actor, address, old=plain(limit.credits))


def set_of_chat(
    chat: Chat,
    seen: Amounts,
    wanted: Amounts,
    *,
    actor: Person,
    address: str | None,
) -> None:
    """A chat's limits by period, None for none; Changed where they are not those that were `seen`."""
    key = str(chat.pk)
    with transaction.atomic():
        there = {each.period: each for each in Limit.objects.filter(scope=Scope.CHAT, key=key)}
        if seen != {period: there[period].credits if period in there else None for period in seen}:
            raise Changed
        for period, credits in wanted.items():
            limit = there.get(period)
            if limit is None and credits is not None:
                try:
                    add(Scope.CHAT, key, period, credits, actor=actor, address=address)
                except Taken as taken:
                    raise Changed from taken
            elif limit is not None and credits is not None:
                change(limit, credits, actor=actor, address=address)
            elif limit is not None:
                remove(limit, actor=actor, address=address)


def raise_until(
    limit: Limit,
    credits: int,
    until: datetime,
    note: str,
    *,
    actor: Person,
    address: str | None,
) -> Override:
    """`credits` count in place of the limit's until then; Changed where it is gone or another one."""
    with transaction.atomic():
        if not _as_seen(limit).update(changed_at=timezone.now()):
            raise Changed
        made = Override.objects.create(
            limit=limit, credits=credits, until=until, note=note, by=actor
        )
        amounts = {"old": plain(limit.credits), "new": plain(credits)}
        words = {"until": f"{until:%Y-%m-%d %H:%M} UTC", "note": note}
        _note(Event.LIMIT_RAISED, limit, actor, address, **amounts, **words)
    return made


def end(override: Override, *, actor: Person, address: str | None) -> None:
    """Ends it before its time; Changed where it has ended already."""
    now = timezone.now()
    with transaction.atomic():
        if not Override.objects.filter(pk=override.pk, until__gt=now).update(until=now):
            raise Changed
        amount, note = plain(override.credits), override.note
        _note(Event.LIMIT_RAISE_ENDED, override.limit, actor, address, old=amount, note=note)


def set_levers(
    seen: Levers, wanted: Mapping[str, object], *, actor: Person, address: str | None
) -> None:
    """The levers that `wanted` names; Changed where they are not as in `seen`."""
    old = {name: getattr(seen, name) for name in wanted}
    changes: dict[str, Any] = {
        name: {"old": old[name], "new": new} for name, new in wanted.items() if old[name] != new
    }
    if not changes:
        return
    with transaction.atomic():
        Levers.objects.get_or_create(pk=1)
        if not Levers.objects.filter(pk=1, **old).update(**wanted):
            raise Changed
        record(Event.LEVERS_CHANGED, actor=actor, address=address, **changes)


def close(words: str, *, actor: Person, address: str | None) -> None:
    """No new runs from here on; `words` say why."""
    with transaction.atomic():
        Levers.objects.get_or_create(pk=1)
        rows = Levers.objects.exclude(is_closed=True, closed_words=words).filter(pk=1)
        if rows.update(is_closed=True, closed_words=words):
            record(Event.RUNS_CLOSED, actor=actor, address=address, message=words)


def reopen(*, actor: Person, address: str | None) -> None:
    with transaction.atomic():
        if Levers.objects.filter(pk=1, is_closed=True).update(is_closed=False, closed_words=""):
            record(Event.RUNS_OPENED, actor=actor, address=address)


def _as_seen(limit: Limit) -> Any:
    return Limit.objects.filter(pk=limit.pk, credits=limit.credits)


def _note(event: Event, limit: Limit, actor: Person, address: str | None, **details: Any) -> None:
    budget = {"scope": limit.scope, "period": limit.period}
    if limit.scope == Scope.ROLE:
        budget["role"] = limit.key
    record(event, actor=actor, address=address, **_whose(limit), budget=budget, **details)


def _whose(limit: Limit) -> dict[str, Any]:
    """Whom the entry is about; they may be gone by now."""
    match limit.scope:
        case Scope.TEAM:
            return {"team": Team.objects.filter(pk=int(limit.key)).first()}
        case Scope.PERSON:
            return {"person": Person.objects.filter(pk=int(limit.key)).first()}
        case Scope.CHAT:
            chat = Chat.objects.select_related("team").filter(pk=UUID(limit.key)).first()
            return {"chat": chat, "team": chat.team if chat else None}
        case _:
            return {}
