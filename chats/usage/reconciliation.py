"""Our ledger beside v0's bill: every event that v0 lists, matched with the answer that it is about.

Owns the reading of the bill (page by page, each kept with the place after it, so that it goes on where it was
broken off), what the bill corrects in the ledger, and which differences are left and why. Relies on v0's
client for events and summary, and on whoever asks for threads in which the database may be asked. v0's bill is the last word on
what an answer cost: an entry that says something else is written anew. Never posts anything.

    GET /usage/events ──pages──► Billed ──settle──► Entry          differences: whatever has no other side
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol, TypeVar

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from chats.models import Billed, Chat, Entry, Intent, Message, Reconciliation
from chats.usage import budgets, ledger, money
from chats.v0api import errors
from chats.v0api.client import Client
from chats.v0api.types import Amounts, Usage
from chats.v0api.usage import UsageEvent, UsageEventPage, UsageSummary

logger = logging.getLogger(__name__)
T = TypeVar("T")

SAID = tuple(f"{of}_{kind}" for of in ("tokens", "credits") for kind in ledger.KINDS)
BILLED = (
    *("type", "at", "v0_person", "v0_chat", "v0_message", "model", "sources", "waived", "charged"),
    *SAID,
)
# What v0 has not billed within this time it has forgotten, or will not bill.
LATE = timedelta(hours=1)
# A process that has not come to the next page after this is taken for dead.
CLAIM = timedelta(minutes=5)
PAGE = 100


class Threads(Protocol):
    """How `reconcile` meets the database: `work` with its arguments, somewhere where it may block."""

    def write(self, work: Callable[..., Any], /, *args: Any) -> Awaitable[Any]: ...


async def reconcile(client: Client, threads: Threads, since: datetime) -> Reconciliation | None:
    """Compare everything since `since` with v0's bill; one that was broken off is gone on with instead.

    None when another process is at it. V0Error: what was read is kept, and the next one goes on there.
    """
    run: Reconciliation | None = await threads.write(begin, since)
    if run is None:
        return None
    try:
        await _read(client, threads, run)
        summary = await client.get_usage_summary(start=run.start, end=run.end)
    except errors.V0Error as error:
        await threads.write(break_off, run, error)
        raise
    await threads.write(settle, run, summary)
    return run


async def _read(client: Client, threads: Threads, run: Reconciliation) -> None:
    while True:
        try:
            page = await _page(client, run)
        except errors.Conflict:
            if run.cursor is None:
                raise
            # v0 does not know the place any more. Reading again what was read changes nothing.
            run.cursor = None
            continue
        await threads.write(keep, run, page)
        if not page.has_more or page.cursor is None:
            return


async def _page(client: Client, run: Reconciliation) -> UsageEventPage:
    if run.cursor is not None:
        return await client.list_usage_events(limit=PAGE, cursor=run.cursor)
    return await client.list_usage_events(start=run.start, end=run.end, limit=PAGE)


# Rows


def begin(since: datetime) -> Reconciliation | None:
    """The one that is open, or a new one, held by this process; None where another one holds it."""
    now = timezone.now()
    Reconciliation.objects.bulk_create(
        [Reconciliation(start=since, end=now)], ignore_conflicts=True
    )
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    run = Reconciliation.objects.filter(free, is_open=True).first()
    held = Reconciliation.objects.filter(free, is_open=True)
    if run is None or not held.filter(pk=run.pk).update(claimed_until=now + CLAIM):
        return None
    return run


def keep(run: Reconciliation, page: UsageEventPage) -> None:
    """A page of the bill and the place after it, in one transaction: the last word of an event wins."""
    rows = [row for event in page.events if (row := _row(event)) is not None]
    with transaction.atomic():
        Billed.objects.bulk_create(
            # The same event twice in one page would be refused.
            {row.v0_id: row for row in rows}.values(),
            update_conflicts=True,
            unique_fields=["v0_id"],
            update_fields=BILLED,
        )
        run.cursor = page.cursor
        Reconciliation.objects.filter(pk=run.pk).update(
            cursor=run.cursor, claimed_until=timezone.now() + CLAIM, problem=""
        )


def break_off(run: Reconciliation, error: errors.V0Error) -> None:
    Reconciliation.objects.filter(pk=run.pk).update(claimed_until=None, problem=str(error)[:200])


def settle(run: Reconciliation, summary: UsageSummary) -> None:
    """Match what was billed with the ledger, and end."""
    billed = Billed.objects.filter(at__gte=run.start, at__lt=run.end).exclude(v0_message="")
    named = billed.order_by("v0_message").values_list("v0_message", flat=True).distinct()
    for some in _some(named.iterator(), 500):
        added, corrected = _match(some)
        run.added += added
        run.corrected += corrected
    run.summary_plan, run.summary_on_demand, run.summary_total = (
        ledger.figure(amount, "v0's own sum", money.units)
        for amount in (summary.credits.plan, summary.credits.on_demand, summary.credits.total)
    )
    run.as_of = summary.data_as_of[:40]
    run.ended_at, run.is_open, run.claimed_until, run.problem = timezone.now(), None, None, ""
    run.save()


def _match(named: Collection[str]) -> tuple[int, int]:
    """Entries that were added and corrected for these messages of v0's."""
    entries = {each.v0_message: each for each in Entry.objects.filter(v0_message__in=named)}
    missing = Message.objects.filter(v0_id__in=[name for name in named if name not in entries])
    ours = {
        each.v0_id: each for each in missing.filter(intent__isnull=False).select_related("chat")
    }
    added = corrected = 0
    for name, figures in _sums(named).items():
        entry = entries.get(name)
        if entry is None:
            if name not in ours:
                continue
            entry = ledger.record(ours[name], Usage(), outcome=ours[name].state)
            ledger.note_restored(ours[name].chat_id)
            added += 1
        elif not entry.is_told:
            added += 1
        elif any(
            getattr(entry, field) != value for field, value in figures.items() if field in SAID
        ):
            corrected += 1
        _correct(entry, name, figures)
    return added, corrected


def _correct(entry: Entry, name: str, figures: Mapping[str, Any]) -> None:
    """What was billed for this message, in the ledger and in the budgets. A transaction for each one: whoever
    holds several entries, or counters, waits for nobody who wants one of them."""
    told = {**figures, "is_told": True}
    with transaction.atomic():
        Billed.objects.filter(v0_message=name).update(message_id=entry.message_id)
        if entry.counted != entry.credits_total or any(
            getattr(entry, field) != value for field, value in told.items()
        ):
            Entry.objects.filter(message_id=entry.message_id).update(**told)
            intent = Intent.objects.filter(answer=entry.message_id).values_list("pk", flat=True)
            budgets.count(entry.message_id, intent.first())


def _sums(named: Collection[str]) -> dict[str, dict[str, Any]]:
    """What was billed for each of these messages, in all its events, as fields of an entry."""
    sums = {field: Sum(field) for field in (*SAID, "charged")}
    found: dict[str, dict[str, Any]] = {}
    rows = Billed.objects.filter(v0_message__in=named).order_by("v0_message")
    for name, *summed in rows.values_list("v0_message").annotate(*sums.values()):
        figures: dict[str, Any] = dict(zip(sums, summed, strict=True))
        if figures["tokens_total"] is None:
            figures = {field: value for field, value in figures.items() if "tokens" not in field}
        found[name] = figures
    for name, model, sources, waived in Billed.objects.filter(v0_message__in=named).values_list(
        "v0_message", "model", "sources", "waived"
    ):
        said = found[name]
        said["sources"] = _joined(said.get("sources", ""), sources)
        said["waived"] = said.get("waived", False) or waived
        if model:
            said["model"] = model
    return found


def _joined(one: str, other: str) -> str:
    return " ".join(sorted({*one.split(), *other.split()}))


def _some(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    held = iter(rows)
    while found := list(islice(held, size)):
        yield found


def _row(event: UsageEvent) -> Billed | None:
    """None for an event that cannot be told from others, is of no time, or of no amount that can be: what
    the ledger knows of its answer stands until v0 says it better."""
    at = moment(event.created_at)
    if not event.id or at is None or not _is_possible(event):
        logger.error(
            "v0 lists an event without an id, a time or a possible amount: %s at %s",
            event.id,
            event.created_at,
        )
        return None
    tokens = ledger.figures("tokens", event.tokens or Amounts(), event.id, ledger.count)
    # What cost something and used nothing is not known.
    is_counted = event.tokens is not None and (tokens["tokens_total"] or not event.credits.total)
    return Billed(
        v0_id=event.id[:128],
        type=event.type[:60],
        at=at,
        v0_person=event.user_id[:128],
        v0_chat=event.chat_id[:128],
        v0_message=event.message_id[:128],
        model=event.model[:60],
        sources=_joined("", " ".join(event.sources))[:40],
        waived=event.waived,
        charged=ledger.amount(event.charged),
        **{**tokens, "tokens_total": tokens["tokens_total"] if is_counted else None},
        **ledger.figures("credits", event.credits, event.id, _held(event)),
    )


def _held(event: UsageEvent) -> Callable[[Decimal], int]:
    """What an amount of the event may be: that of an answer is no refund."""
    return ledger.cost if event.message_id else ledger.amount


def _is_possible(event: UsageEvent) -> bool:
    try:
        for amount in (event.credits.total, event.charged):
            _held(event)(amount)
    except money.MoneyError:
        return False
    return event.is_priced


def moment(text: str) -> datetime | None:
    """A time as v0 writes it, of UTC where it names no zone; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# What is left


class Cause(StrEnum):
    ELSEWHERE = "made with the same key elsewhere, in a chat that is not here"
    AT_V0 = "made at v0 itself, in a chat that is here"
    NOT_BILLED = "in the ledger, and not billed by v0"


@dataclass(frozen=True, slots=True)
class Difference:
    """What one side has and the other has not; `credits` are whole numbers of 10^-12 credit."""

    cause: Cause
    at: datetime
    credits: int
    v0_chat: str
    v0_message: str
    event: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """Both sides of a range, in whole numbers of 10^-12 credit: what the ledger has, what of v0's bill is in
    the ledger, what is not, and what v0 charged for both."""

    ledger: int
    billed_here: int
    billed_elsewhere: int
    charged_here: int
    charged_elsewhere: int


def differences(start: datetime, end: datetime) -> Iterator[Difference]:
    """Oldest first on each side; none where the ledger is v0's bill."""
    elsewhere = Billed.objects.filter(at__gte=start, at__lt=end, message_id=None).order_by("at")
    for some in _some(elsewhere.iterator(), 500):
        named = [each.v0_chat for each in some]
        here = set(Chat.objects.filter(v0_id__in=named).values_list("v0_id", flat=True))
        for each in some:
            cause = Cause.AT_V0 if each.v0_chat in here else Cause.ELSEWHERE
            yield Difference(
                cause, each.at, each.credits_total, each.v0_chat, each.v0_message, each.v0_id
            )
    due = timezone.now() - LATE
    missing = Entry.objects.filter(ended_at__gte=start, ended_at__lt=min(end, due), charged=None)
    for entry in missing.filter(credits_total__gt=0).order_by("ended_at").iterator():
        yield Difference(
            Cause.NOT_BILLED, entry.ended_at, entry.credits_total, "", entry.v0_message
        )


def totals(start: datetime, end: datetime) -> Totals:
    entries = Entry.objects.filter(ended_at__gte=start, ended_at__lt=end)
    billed = Billed.objects.filter(at__gte=start, at__lt=end)
    own = ~Q(message_id=None)
    found = billed.aggregate(
        here=Sum("credits_total", filter=own),
        elsewhere=Sum("credits_total", filter=~own),
        charged_here=Sum("charged", filter=own),
        charged_elsewhere=Sum("charged", filter=~own),
    )
    ledger_total = entries.aggregate(sum=Sum("credits_total"))["sum"]
    return Totals(
        ledger_total or 0,
        found["here"] or 0,
        found["elsewhere"] or 0,
        found["charged_here"] or 0,
        found["charged_elsewhere"] or 0,
    )
