"""The sections of a review: its figures, time, month, tables, sources, waste and v0's own bill, in words and with
the address that each of them leads to.

Owns what each says and what it is made of; every sum is a whole number of 10^-12 credit until it is written. Relies
on `chats.usage.overview` for the sums and on `forms.review` for the addresses. Asks the database for v0's bill
alone.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.shortcuts import resolve_url

from chats.forms.review import (
    NONE,
    OUTCOMES,
    SOURCES,
    WASTED_ONES,
    YES,
    ReviewForm,
    source,
    source_name,
)
from chats.models.usage import WASTED
from chats.rendering.words import took
from chats.usage import money, overview, reports
from chats.usage.forecast import METHOD, forecast
from chats.usage.overview import Active, Ended, Overview
from chats.usage.reconciliation import moment
from chats.usage.reports import Spent, total
from chats.views.costs import exact
from chats.views.manage import LAST
from chats.views.spending import OTHERS, SERIES, change, chart, legend, when
from chats.views.usage_names import NO_MODEL, Names

CHATS = 20
# Rows of a table; the rest of it is folded.
SHOWN = 20
DEAREST = 10
ONE = {
    "answers": "answer",
    "tokens": "token",
    "active people": "active person",
    "active chats": "active chat",
}
ELSEWHERE = "Billed for what was made elsewhere"
SOURCE_ORDER = {sources: place for place, sources in enumerate(SOURCES.values())}
WEEKS = timedelta(days=28)
DAY = timedelta(days=1)
ELSEWHEN = {"from": None, "to": None, "hour": None}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in words and exactly, how it has changed, and where it leads."""

    name: str
    shown: str
    exact: str
    address: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: `runs` are those that it is made of, and `address` is the review of them alone."""

    name: str
    spent: Spent
    credits: str
    exact: str
    share: str
    address: str
    runs: str
    charged: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`rest` are rows that are folded."""

    name: str
    rows: list[Line]
    rest: list[Line]


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses below a page, and its rows: each is of the same filters with one more."""

    form: ReviewForm
    whole: Spent

    def runs(self, **narrower: str | None) -> str:
        return resolve_url("usage_runs") + self.form.address(**{"sort": None, **narrower})

    def elsewhere(self) -> str:
        return resolve_url("usage_elsewhere") + self.form.address(sort=None)

    def line(self, name: str, spent: Spent, charged: int | None = None, /, **narrower: str) -> Line:
        tenths = spent.credits * 1000 // self.whole.credits if self.whole.credits else 0
        return Line(
            name,
            spent,
            money.shown(spent.credits),
            exact(spent.credits),
            f"{tenths // 10}.{tenths % 10} %" if self.whole.credits else "",
            self.form.address(**narrower),
            self.runs(**narrower),
            "" if charged is None else money.shown(charged),
        )


def days(now: datetime) -> tuple[datetime, datetime]:
    """Those that the forecast of this month stands on, and those of the month until now."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return min(today - WEEKS, today.replace(day=1)), today + DAY


def key(id: int | None) -> str:
    return NONE if id is None else str(id)


def outcomes(ends: Iterable[Ended]) -> dict[str, str]:
    found = {end.outcome or NONE: outcome(end.outcome) for end in ends}
    return {**found, WASTED_ONES: OUTCOMES[WASTED_ONES]} if {*found} & {*WASTED} else found


def outcome(text: str) -> str:
    return OUTCOMES.get(text, text or "not told")


def figures(links: Links, sums: Overview, chats: int) -> list[Figure]:
    whole, people = links.whole, len(sums.people.keys() - {None})
    before: Active = sums.before
    rows = (
        ("credits", whole.credits, before.spent.credits, links.runs(sort="cost")),
        ("answers", whole.answers, before.spent.answers, links.runs()),
        ("tokens", whole.tokens, before.spent.tokens, links.runs()),
        ("active people", people, before.people, "#person"),
        ("active chats", chats, before.chats, "#chats"),
    )
    return [
        Figure(
            ONE.get(name, name) if now == 1 else name,
            summed(now) if name == "credits" else counted(now),
            f"{exact(now)} credits" if name == "credits" else f"{now:,} {name}",
            address,
            change(now, then),
        )
        for name, now, then, address in rows
    ]


def summed(credits: int) -> str:
    """Of hundreds of credits nobody reads a hundredth of a cent."""
    return money.shown(credits, places=4 if credits < 100 * 10**money.PLACES else 2)


def counted(number: int) -> str:
    """With a decimal and in millions, where all its digits would say less."""
    if number < 10**7:
        return f"{number:,}"
    return f"{number // 10**6:,}.{number // 10**5 % 10} M"


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the chart's table: what it says in all, and of each model that has a colour its name, its credits
    and the address of its runs."""

    line: Line
    models: list[tuple[str, str, str]]


def over_time(links: Links, sums: Overview) -> dict[str, Any]:
    range, models = links.form.range, list(reports.by_model(sums.steps))
    steps = []
    for at, spent in sorted(sums.steps.items(), reverse=True):
        day = {"range": "custom", "from": f"{at:%Y-%m-%d}", "to": f"{at:%Y-%m-%d}"}
        if range.by_hour:
            day["hour"] = str(at.hour)
        line = links.line(when(at, range), total(spent.values()), **day)
        columns = [
            (model or NO_MODEL, spent[model].credits, links.runs(**day, model=model or NONE))
            if model in spent
            else (model or NO_MODEL, 0, "")
            for model in models[:SERIES]
        ]
        if len(models) > SERIES:
            rest = line.spent.credits - sum(credits for _, credits, _ in columns)
            others = links.form.but("model", (model or NONE for model in models[:SERIES]))
            is_any = others and not spent.keys() <= {*models[:SERIES]}
            columns.append((OTHERS, rest, links.runs(**day, **others) if is_any else ""))
        steps.append(Step(line, [(name, money.shown(each), to) for name, each, to in columns]))
    return {
        "chart": chart(sums.steps, models[:SERIES], range),
        "legend": legend(models),
        "steps": steps,
    }


@dataclass(frozen=True, slots=True)
class Month:
    """What this month has cost until now, and what it may have cost at its end."""

    name: str
    spent: str
    address: str
    low: str
    middle: str
    high: str
    is_known: bool
    method: str = METHOD


def month(form: ReviewForm, days: Mapping[date, int], now: datetime) -> Month:
    today, first = now.date(), now.date().replace(day=1)
    spent = sum(credits for day, credits in days.items() if day >= first)
    known = [days.get(today - DAY * back, 0) for back in range(WEEKS.days, 0, -1)]
    while known and not known[0]:
        # Before the first day on which anything was spent nothing is known.
        known.pop(0)
    left = monthrange(today.year, today.month)[1] - today.day + 1
    ahead = forecast(known, left)
    until = spent - days.get(today, 0)
    low, middle, high = (
        money.shown(max(spent, until + each), places=2)
        for each in (ahead.low, ahead.middle, ahead.high)
    )
    address = form.address(**ELSEWHEN, range="month")
    return Month(f"{today:%B}", money.shown(spent), address, low, middle, high, bool(known))


def tables(links: Links, sums: Overview, named: Names, sort: str) -> list[Table]:
    kinds = {
        "person": [
            links.line(named.person(id), spent, person=key(id)) for id, spent in sums.people.items()
        ],
        "team": [
            links.line(named.team(id), spent, team=key(id)) for id, spent in sums.teams.items()
        ],
        "model": [
            links.line(model or NO_MODEL, spent, model=model or NONE)
            for model, spent in reports.by_model(sums.steps).items()
        ],
    }
    return [_table(name, _sorted(lines, sort)) for name, lines in kinds.items()]


def _table(name: str, lines: list[Line]) -> Table:
    return Table(name, lines[:SHOWN], lines[SHOWN:])


def _sorted(lines: list[Line], sort: str) -> list[Line]:
    if sort == "name":
        return sorted(lines, key=lambda line: line.name.casefold())
    by = sort or "credits"
    return sorted(lines, key=lambda line: (-getattr(line.spent, by), line.name.casefold()))


def chat_table(links: Links, chats: overview.Chats, named: Names, number: int) -> dict[str, Any]:
    """The dearest, a page of them, and what all others have spent together."""
    lines = [
        links.line(named.chat(id), spent, chat=NONE if id is None else str(id))
        for id, spent in chats.found
    ]
    rest = total(line.spent for line in lines)
    but = links.form.but("chat", (NONE if id is None else str(id) for id, _ in chats.found))
    others = Spent(*(a - b for a, b in zip(_triple(links.whole), _triple(rest), strict=True)))
    return {
        "rows": lines,
        "count": chats.count,
        "others": _beside(links.line("All other chats", others, **but), but),
        "before": number - 1,
        "after": number + 1 if len(lines) == CHATS and number < LAST else 0,
    }


def _beside(line: Line, but: Mapping[str, str]) -> Line | None:
    """What all others have spent, if anything; without an address where none can say which others."""
    if not line.spent.answers:
        return None
    return line if but else replace(line, address="", runs="")


def _triple(spent: Spent) -> tuple[int, int, int]:
    return spent.credits, spent.tokens, spent.answers


def bought(links: Links, ends: Iterable[Ended]) -> dict[str, Any]:
    """By what v0 took it from, and what it waived; `charged` is what it asked for in the end."""
    sources: dict[str, list[Ended]] = {}
    for end in ends:
        sources.setdefault(end.sources, []).append(end)
    lines = [
        _of(links, source_name(name).capitalize(), some, source=source(name))
        for name, some in sorted(sources.items(), key=lambda each: SOURCE_ORDER.get(each[0], 9))
    ]
    waived = [end for end in ends if end.waived]
    return {
        "sources": lines,
        "waived": _of(links, "Waived of it", waived, waived=YES),
        "all_sources": _of(links, "In all", ends),
    }


def _of(links: Links, name: str, ends: Iterable[Ended], **narrower: str) -> Line:
    some = list(ends)
    charged = sum(end.charged for end in some)
    return links.line(name, total(end.spent for end in some), charged, **narrower)


def wasted(
    links: Links, ends: list[Ended], dearest: overview.Dearest, named: Names
) -> dict[str, Any]:
    """What nobody has any use of, and what was waited for; the dearest runs."""
    lines = [
        _of(links, outcome(name).capitalize(), [e for e in ends if e.outcome == name], outcome=name)
        for name in WASTED
    ]
    wasted = [end for end in ends if end.outcome in WASTED]
    by_cost = links.runs(sort="cost")
    return {
        "waste": [line for line in lines if line.spent.answers],
        "all_waste": _of(links, "Wasted in all", wasted, outcome=WASTED_ONES),
        "costs": [
            Figure("half of all cost this or less", *amount(dearest.median), by_cost),
            Figure("95 in 100 cost this or less", *amount(dearest.most), by_cost),
            Figure(
                "waited for people",
                took(sum(end.waited for end in ends)),
                "",
                links.runs(sort="waited"),
            ),
        ],
        "dearest": [
            (
                entry,
                named.person(entry.person_id),
                named.chat(entry.chat_id),
                outcome(entry.outcome),
                *amount(entry.credits_total),
            )
            for entry in dearest.found
        ],
    }


def amount(credits: int) -> tuple[str, str]:
    return money.shown(credits), f"{exact(credits)} credits"


def v0(links: Links) -> dict[str, Any]:
    """v0's own bill for the same range beside the ledger, and when it was read last."""
    range, last = links.form.range, overview.compared()
    ours, others = overview.billed(range.start, range.end)
    rows = [
        ("In the ledger here", links.whole.credits, None, links.whole.answers, links.runs()),
        ("Billed by v0 for these", ours.credits, ours.charged, ours.events, links.runs()),
        (ELSEWHERE, others.credits, others.charged, others.events, links.elsewhere()),
    ]
    return {
        "read_at": last.ended_at if last else None,
        "as_of": moment(last.as_of) if last else None,
        "rows": [
            (
                name,
                *amount(credits),
                "" if charged is None else money.shown(charged),
                f"{count:,}",
                address,
            )
            for name, credits, charged, count, address in rows
        ],
        "difference": exact(links.whole.credits - ours.credits),
    }
