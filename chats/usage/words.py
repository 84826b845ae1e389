"""Budgets and levers in words: why nothing may begin now, how far a limit is used, what a run usually costs.

Owns these sentences, for pages and the shell alike. Relies on amounts as `refusals` and `typical` have them; who
may know an amount is the caller's question, and nothing here names one unless it is told to.
"""

from __future__ import annotations

from datetime import datetime

from chats.models.budgets import Period, Scope
from chats.usage.money import plain, shown
from chats.usage.refusals import Closed, OverLimit, Refused, Standing, TooFast, TooMany
from chats.usage.typical import Typical

WHOSE: dict[str, str] = {
    Scope.INSTALLATION: "the installation's budget",
    Scope.TEAM: "the team's budget",
    Scope.PERSON: "your budget",
    Scope.ROLE: "your budget",
    Scope.CHAT: "this chat's budget",
}
WHEN: dict[str, str] = {Period.DAY: "today", Period.MONTH: "this month"}
ADMINISTRATOR = "An administrator can raise it."
CLOSED = "No new runs are taken at present."


def refusal(
    error: Refused, *, knows_amounts: bool = False, is_staff: bool = False, manages: bool = False
) -> str:
    """Why a run may not begin now, when it may, and who can change that: `manages` the chat."""
    match error:
        case OverLimit(standing=standing):
            who = raised_by(standing, is_staff=is_staff, manages=manages)
            return f"{used_up(standing, knows_amounts=knows_amounts)} {anew(standing)} {who}"
        case Closed(words=said):
            return f"{CLOSED} {said}".strip()
        case TooFast(most=most):
            return f"{_sends(most)} within a minute {_is(most)} the most that one person may send here."
        case TooMany(most=most):
            return (
                f"{_runs(most)} at once {_is(most)} the most that one person may have here. "
                "Send this when one has ended."
            )
        case _:
            return "Nothing can begin just now."


def named(standing: Standing) -> str:
    """The limit within a sentence: "your budget of today"."""
    return f"{WHOSE[standing.limit.scope]} of {WHEN[standing.limit.period]}"


def used_up(standing: Standing, *, knows_amounts: bool) -> str:
    words = f"{_capital(named(standing))} is used up"
    return f"{words}: {amounts(standing)}." if knows_amounts else f"{words}."


def near(standing: Standing) -> str:
    """For those who may know the amounts."""
    used = (standing.spent + standing.reserved) * 100 // standing.most if standing.most else 100
    return f"{used} % of {named(standing)} is used: {amounts(standing)}. {anew(standing)}"


def left(standing: Standing) -> str:
    """What remains, beside whose it is: "0.5 of 2 left today"."""
    when = WHEN[standing.limit.period]
    return f"{amount(standing.left)} of {plain(standing.most)} left {when}"


def amounts(standing: Standing) -> str:
    spent = f"{amount(standing.spent)} of {plain(standing.most)} credits are spent"
    if not standing.reserved:
        return spent
    return f"{spent}, and {amount(standing.reserved)} put aside for what is not paid yet"


def amount(units: int) -> str:
    """Rounded, without zeros that say nothing."""
    text = shown(units)
    return text.rstrip("0").rstrip(".") if "." in text and not text.startswith("<") else text


def anew(standing: Standing) -> str:
    if standing.limit.period == Period.DAY:
        return "It begins anew at 00:00 UTC."
    return f"It begins anew on {_day(standing.ends_at)} at 00:00 UTC."


def raised_by(standing: Standing, *, is_staff: bool, manages: bool) -> str:
    if standing.limit.scope == Scope.CHAT:
        return "You can raise it." if manages else "Whoever manages this chat can raise it."
    return "You can raise it, as an administrator." if is_staff else ADMINISTRATOR


def usual(found: Typical | None, model: str) -> str:
    """What a run on `model` usually costs somebody."""
    if found is None:
        return f"No data yet on what {model} usually costs you."
    if found.runs == 1:
        return f"Your one run on {model} so far took {_credits(found.median)}."
    return (
        f"Usually {_credits(found.median)}; {amount(found.low)} to {amount(found.high)} "
        f"in your last {found.runs} runs on {model}."
    )


def _credits(units: int) -> str:
    text = amount(units)
    return f"{text} credit" if text == "1" else f"{text} credits"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _sends(most: int) -> str:
    return "One message" if most == 1 else f"{most:,} messages"


def _runs(most: int) -> str:
    return "One run" if most == 1 else f"{most:,} runs"


def _is(most: int) -> str:
    return "is" if most == 1 else "are"
