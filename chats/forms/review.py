"""Which entries of the ledger a page of the review is for, as its address says.

Owns the filters beside the range of `forms.usage`, what they leave of some entries, and the address of the
same filters with some of them changed, by which every figure leads to what it is made of. What is nonsense
finds nothing. Relies on models; whose entries they are is the caller's question.

    team, person    a number, also of a team that is gone, or "none" for what has none
    chat            an id, or "none" for chats that are deleted
    model           as v0 names it, or "none" where it did not
    but-chat, but-model    several of either with a "," between them: all that is none of these
    outcome         finished, stopped, failed, restored-away, created; "wasted" is any of WASTED
    source          plan, on-demand, both, or "none" for what v0 has not billed
    waived          "yes" for what v0 asked less for
    sort            each page's own words
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet

from chats.forms.usage import RangeForm
from chats.models import Entry
from chats.models.usage import WASTED

NONE, YES = "none", "yes"
WASTED_ONES = "wasted"
OUTCOMES = {
    "finished": "finished",
    "stopped": "stopped",
    "failed": "failed",
    "restored-away": "restored away",
    "created": "made of files",
    WASTED_ONES: "stopped, failed or restored away",
}
# By the name of a filter: what `Entry.sources` says, and the words for it.
SOURCES = {"plan": "plan", "on-demand": "on-demand", "both": "on-demand plan", NONE: ""}
SOURCE_NAMES = {
    "plan": "plan",
    "on-demand": "on demand",
    "both": "plan and on demand",
    NONE: "not billed yet",
}
NOTHING = Q(pk__in=[])
LONGEST = 60
# By the name of the filter for one: the name of that for what is none of several, and how long that may be.
BUT = {"chat": "but-chat", "model": "but-model"}
LONGEST_BUT = 4000
BETWEEN = ","


def source(sources: str) -> str:
    """The name of a filter for what `Entry.sources` says."""
    return next((name for name, kept in SOURCES.items() if kept == sources), sources)


def source_name(sources: str) -> str:
    """What `Entry.sources` says, in words."""
    return SOURCE_NAMES.get(source(sources), sources)


class ReviewForm:
    """`chosen` are the filters that are given, by their names, as they were typed; `time` is the range, and
    `sort` what a list is sorted by, "" for its usual order."""

    def __init__(self, given: Mapping[str, str], now: datetime) -> None:
        self.time = RangeForm(given, now)
        self.range = self.time.range
        self.sort = given.get("sort", "")[:20]
        self.chosen = {
            name: text[: LONGEST_BUT if name in BUT.values() else LONGEST]
            for name in FILTERS
            if (text := given.get(name, ""))
        }

    def filtered(self, entries: QuerySet[Entry]) -> QuerySet[Entry]:
        """What the filters leave of `entries`, of all time."""
        for name, text in self.chosen.items():
            entries = entries.filter(FILTERS[name](text))
        return entries

    def shown(self, entries: QuerySet[Entry]) -> QuerySet[Entry]:
        """What the filters leave of `entries` within the range."""
        start, end = self.range.start, self.range.end
        return self.filtered(entries).filter(ended_at__gte=start, ended_at__lt=end)

    def address(self, **changed: str | None) -> str:
        """ "?…" of the same range, filters and order, with these changed; None takes one away."""
        kept: dict[str, str | None] = {**self.time.chosen_days, **self.chosen, "sort": self.sort}
        return "?" + urlencode({name: text for name, text in {**kept, **changed}.items() if text})

    def but(self, name: str, texts: Iterable[str]) -> dict[str, str]:
        """What to change in an address for what is left beside these, as `name` would find each of them, and
        beside what is left out already; nothing where an address cannot say that."""
        before = self.chosen.get(BUT[name], "")
        every = [*(before.split(BETWEEN) if before else ()), *texts]
        text = BETWEEN.join(every)
        can_be_said = len(text) <= LONGEST_BUT and not any(BETWEEN in each for each in every)
        return {BUT[name]: text} if can_be_said else {}

    def day(self, day: str, hour: str | None = None) -> str:
        """As `address`, of one day or of one hour of it."""
        return self.address(range="custom", **{"from": day, "to": day, "hour": hour})


def _number(field: str) -> Callable[[str], Q]:
    def found(text: str) -> Q:
        if text == NONE:
            return Q(**{field: None})
        # No database takes a longer number, and not all of them take that quietly.
        is_number = text.isascii() and text.isdigit() and len(text) < 19
        return Q(**{field: int(text)}) if is_number else NOTHING

    return found


def _chat(text: str) -> Q:
    if text == NONE:
        return Q(chat=None)
    try:
        return Q(chat=UUID(text))
    except ValueError:
        return NOTHING


def _but(one: Callable[[str], Q]) -> Callable[[str], Q]:
    def found(text: str) -> Q:
        each = [one(part) for part in text.split(BETWEEN)]
        return NOTHING if NOTHING in each else ~reduce(or_, each)

    return found


def _model(text: str) -> Q:
    return _text("model", "" if text == NONE else text)


def _text(field: str, text: str) -> Q:
    # PostgreSQL takes no NUL in a text.
    return NOTHING if "\0" in text else Q(**{field: text})


def _outcome(text: str) -> Q:
    if text == WASTED_ONES:
        return Q(outcome__in=WASTED)
    return _text("outcome", "" if text == NONE else text)


def _source(text: str) -> Q:
    return _text("sources", SOURCES.get(text, text))


def _waived(text: str) -> Q:
    return Q(waived=True) if text == YES else NOTHING


FILTERS: dict[str, Callable[[str], Q]] = {
    "team": _number("team"),
    "person": _number("person"),
    "model": _model,
    "chat": _chat,
    "outcome": _outcome,
    "source": _source,
    "waived": _waived,
    BUT["chat"]: _but(_chat),
    BUT["model"]: _but(_model),
}
