"""Limits, what raises them for a time, and levers as somebody fills them in.

Owns the sentences, how credits are typed, and whom a limit is for by what was typed. Relies on models for who
and what there is, and on permissions for the models. Never raises over what it is given: `kept` is what was
typed, valid or not, and `errors` by field say why it is refused.

    12.50     credits: digits, and after a point at most 12 more; no sign, no exponent, no comma
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from chats import permissions
from chats.forms.message import normalise
from chats.models import Chat, Levers, Limit, Person, Team
from chats.models.budgets import Period, Scope
from chats.models.teams import Role

# A counter holds 9.2 million; what is on may go beyond a limit.
MOST = 1_000_000
PLACES = 12
CREDITS = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,40}))?")
A_CHAT = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
NAMED = 5
NOTE = 500
WORDS = 500
LONGEST = timedelta(days=366)
MOST_SENDS, MOST_RUNS = 1000, 100

SCOPES = {
    Scope.INSTALLATION.value: "The installation",
    Scope.TEAM.value: "A team",
    Scope.PERSON.value: "A person",
    Scope.ROLE.value: "Each person of a role",
    Scope.CHAT.value: "A chat",
}
ROLES = {
    Limit.PERSONAL: "In one\N{RIGHT SINGLE QUOTATION MARK}s own space, and as a guest",
    Role.OWNER.value: "Owners of a team",
    Role.ADMIN.value: "Admins of a team",
    Role.MEMBER.value: "Members of a team",
    Role.VIEWER.value: "Viewers of a team, where they are invited to write",
}
PERIODS = {Period.DAY.value: "A day", Period.MONTH.value: "A month"}
ENDS = {
    "today": "The end of today",
    "week": "Seven days from now",
    "month": "The end of this month",
}

NO_CREDITS = "Say how many credits, as in 12.50."
ODD_CREDITS = "Write credits as digits with a point, as in 12.50."
MANY_PLACES = f"Credits have at most {PLACES} digits after the point."
MANY_CREDITS = f"{MOST:,} credits is the most."
NO_SCOPE = "Choose what the limit is for."
NO_PERIOD = "Choose a day or a month."
NO_ROLE = "Choose a role."
NO_TEAM = "Name a team."
NO_SUCH_TEAM = "There is no team of this name or number."
NO_PERSON = "Name a person by address or name."
NO_SUCH_PERSON = "There is nobody with this address or name."
NO_CHAT = "Give the address or the id of a chat."
NO_SUCH_CHAT = "There is no chat with this address or id."
NOT_MORE = "Give more than the limit has: to lower it, change the limit itself."
NO_NOTE = "Say why: the note stands in the audit log."
LONG_NOTE = f"A note has at most {NOTE} characters."
NO_END = "Choose until when."
NO_DATE = "Enter the last day, as 2026-01-31."
PAST = "That day is over. Choose today or a later one."
FAR = "Choose a day within a year, or change the limit itself."
NO_MODEL = "This model cannot be chosen here."
ODD_SENDS = f"Write a whole number from 0 to {MOST_SENDS:,}."
ODD_RUNS = f"Write a whole number from 0 to {MOST_RUNS:,}."
LONG_WORDS = f"A message has at most {WORDS} characters."


class Refused(Exception):
    """A sentence for whoever filled it in."""


def credits(text: str) -> Decimal:
    """Exactly what was typed; Refused for anything else."""
    if not text:
        raise Refused(NO_CREDITS)
    found = CREDITS.fullmatch(text)
    if found is None:
        raise Refused(ODD_CREDITS)
    if len((found[2] or "").rstrip("0")) > PLACES:
        raise Refused(MANY_PLACES)
    amount = Decimal(text)
    if amount > MOST:
        raise Refused(MANY_CREDITS)
    return amount


def line(data: Mapping[str, Any], name: str) -> str:
    """A field of one line, as it is kept."""
    return " ".join(normalise(str(data.get(name) or "")).split())


class AmountForm:
    """Field `credits`. `seen` is the amount that it was filled in for."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.kept = {"credits": line(data, "credits")}
        self.errors: dict[str, str] = {}
        self.seen = line(data, "seen")
        self.amount = Decimal()
        self._check()

    def _check(self) -> None:
        try:
            self.amount = credits(self.kept["credits"])
        except Refused as refusal:
            self.errors["credits"] = str(refusal)


class LimitForm(AmountForm):
    """A new one: `scope`, `period`, and whom it is for: `whom` for a team, a person or a chat, `role`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.kept |= {name: line(data, name) for name in ("scope", "whom", "role", "period")}
        self.key = ""
        if self.kept["period"] not in PERIODS:
            self.errors["period"] = NO_PERIOD
        if self.kept["scope"] not in SCOPES:
            self.errors["scope"] = NO_SCOPE
            return
        try:
            self.key = key_of(self.kept["scope"], self.kept["whom"], self.kept["role"])
        except Refused as refusal:
            field = "role" if self.kept["scope"] == Scope.ROLE else "whom"
            self.errors[field] = str(refusal)


def key_of(scope: str, whom: str, role: str) -> str:
    """Which of its scope somebody means; Refused where that is nobody, or more than one."""
    match scope:
        case Scope.TEAM:
            return str(_team(whom).pk)
        case Scope.PERSON:
            return str(_person(whom).pk)
        case Scope.CHAT:
            return str(_chat(whom).pk)
        case Scope.ROLE:
            if role not in ROLES:
                raise Refused(NO_ROLE)
            return role
        case _:
            return ""


def _team(whom: str) -> Team:
    """By its name, a part of it that no other has, or its number."""
    if not whom:
        raise Refused(NO_TEAM)
    number = whom.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 19:
        numbered = Team.objects.filter(pk=int(number)).first()
        if numbered is not None:
            return numbered
    for rows in (
        Team.objects.filter(name__iexact=whom),
        Team.objects.filter(name__icontains=whom),
    ):
        found = list(rows.order_by("name", "pk")[: NAMED + 1])
        if len(found) == 1:
            return found[0]
        if found:
            raise Refused(_several((f"{each.name} (#{each.pk})" for each in found), "number"))
    raise Refused(NO_SUCH_TEAM)


def _person(whom: str) -> Person:
    """By their address, their name, or a part of one of them that nobody else has."""
    if not whom:
        raise Refused(NO_PERSON)
    people = Person.objects.filter(deleted_at=None)
    for rows in (
        people.filter(email__iexact=whom),
        people.filter(name__iexact=whom),
        people.filter(Q(email__icontains=whom) | Q(name__icontains=whom)),
    ):
        found = list(rows.order_by("email")[: NAMED + 1])
        if len(found) == 1:
            return found[0]
        if found:
            raise Refused(_several((each.email for each in found), "whole address"))
    raise Refused(NO_SUCH_PERSON)


def _several(names: Iterable[str], what: str) -> str:
    listed = list(names)
    more = " and others" if len(listed) > NAMED else ""
    return f"More than one fits: {', '.join(listed[:NAMED])}{more}. Write the {what}."


def _chat(whom: str) -> Chat:
    """By its id, or an address with that in it."""
    if not whom:
        raise Refused(NO_CHAT)
    id = A_CHAT.search(whom)
    found = Chat.objects.filter(pk=UUID(id[0]), deleted_at=None).first() if id else None
    if found is None:
        raise Refused(NO_SUCH_CHAT)
    return found


class ChatForm:
    """Fields `day` and `month` of a chat's own limits: an empty one is no limit. `seen` are those that it
    was filled in for."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.kept = {period: line(data, period) for period in PERIODS}
        self.seen = {period: line(data, f"seen_{period}") for period in PERIODS}
        self.amounts: dict[str, Decimal | None] = {}
        self.errors: dict[str, str] = {}
        for period, text in self.kept.items():
            try:
                self.amounts[period] = credits(text) if text else None
            except Refused as refusal:
                self.errors[period] = str(refusal)


class RaiseForm(AmountForm):
    """`credits`, more than `least`, until `ends`: one of ENDS or "date", the end of the day `until`, all in
    UTC; `note` says why."""

    def __init__(self, data: Mapping[str, Any], least: Decimal, now: datetime) -> None:
        super().__init__(data)
        if not self.errors and self.amount <= least:
            self.errors["credits"] = NOT_MORE
        self.kept |= {name: line(data, name) for name in ("ends", "until", "note")}
        self.moment = now
        try:
            self.moment = self._moment(now)
        except Refused as refusal:
            self.errors["ends"] = str(refusal)
        if not self.kept["note"]:
            self.errors["note"] = NO_NOTE
        elif len(self.kept["note"]) > NOTE:
            self.errors["note"] = LONG_NOTE

    def _moment(self, now: datetime) -> datetime:
        today = now.astimezone(UTC).date()
        match self.kept["ends"]:
            case "today":
                return _after(today)
            case "week":
                return now + timedelta(days=7)
            case "month":
                return _after((today.replace(day=1) + timedelta(days=31)).replace(day=1) - _DAY)
            case "date":
                return _after(self._day(today))
        raise Refused(NO_END)

    def _day(self, today: date) -> date:
        try:
            day = date.fromisoformat(self.kept["until"])
        except ValueError:
            raise Refused(NO_DATE) from None
        if day < today:
            raise Refused(PAST)
        if day > today + LONGEST:
            raise Refused(FAR)
        return day


_DAY = timedelta(days=1)


def _after(day: date) -> datetime:
    """The midnight that ends it."""
    return datetime.combine(day + _DAY, time.min, UTC)


class LeversForm:
    """Fields of `Levers`, but for the switch: `sends_per_minute`, `runs_at_once`, a box `stops_runs`,
    `default_model`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.kept = {name: line(data, name) for name in ("sends_per_minute", "runs_at_once")}
        self.stops_runs = "stops_runs" in data
        self.default_model = line(data, "default_model")
        self.seen = line(data, "seen")
        self.errors: dict[str, str] = {}
        self.sends = self._number("sends_per_minute", MOST_SENDS, ODD_SENDS)
        self.runs = self._number("runs_at_once", MOST_RUNS, ODD_RUNS)
        if self.default_model and not permissions.model(self.default_model):
            self.errors["default_model"] = NO_MODEL

    @classmethod
    def of(cls, levers: Levers) -> LeversForm:
        stops = {"stops_runs": "on"} if levers.stops_runs else {}
        return cls(
            {
                "sends_per_minute": str(levers.sends_per_minute),
                "runs_at_once": str(levers.runs_at_once),
                "default_model": levers.default_model,
                **stops,
            }
        )

    @property
    def wanted(self) -> dict[str, object]:
        return {
            "sends_per_minute": self.sends,
            "runs_at_once": self.runs,
            "stops_runs": self.stops_runs,
            "default_model": self.default_model,
        }

    def _number(self, name: str, most: int, sentence: str) -> int:
        text = self.kept[name]
        if text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= most:
            return int(text)
        self.errors[name] = sentence
        return 0


class CloseForm:
    """Field `words`: what people read while no new runs are taken; it may be empty."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.words = line(data, "words")
        self.error = LONG_WORDS if len(self.words) > WORDS else ""
