"""Mail about spending: a limit that is near or used up, and an unusual day, to whom it concerns, once each.

Owns who that is, and the text, which names budgets and amounts, and no chat by its title. Relies on `usage.alerts` for
what there is to tell, and on `notices` for the claim by which one process sends a mail, and for sending it.

    installation, unusual day   staff
    team                        its owners and admins; all of it: staff, too
    person                      they themselves; all of it: staff, too
    role                        whoever has spent it
    chat                        its owner

Staff, who can do something about it, are always told; everybody else only where they want mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from chats.models import Alert, Chat, Limit, Membership, Notice, Person, Team
from chats.models.budgets import Scope
from chats.models.teams import Role
from chats.relay.notices import OLD, Letter, Notices, claimed, is_possible
from chats.relay.threads import Threads
from chats.usage import money
from chats.usage.alerts import NEAR, UNUSUAL, USED_UP, Lookout, note

AT_ONCE = 20
PERIODS = {"day": "daily budget", "month": "monthly budget"}
SUBJECTS = {
    NEAR: "80 % spent of {budget}",
    USED_UP: "All spent of {budget}",
    UNUSUAL: "An unusual day: {spent} credits so far",
}


class Alerts:
    def __init__(self, threads: Threads, notices: Notices) -> None:
        self.threads = threads
        self._notices = notices
        self._lookout = Lookout()

    async def look(self) -> None:
        """Write down what is to be told, and mail what was not mailed yet."""
        if found := await self.threads.read(self._lookout.find):
            await self.threads.write(note, found)
        if not is_possible() or not await self.threads.read(unmailed):
            return
        for person, alert in await self.threads.read(due):
            letter = await self.threads.write(claim, person, alert)
            if letter is not None:
                await self._notices.deliver(letter)
        await self.threads.write(close)


# Rows


def unmailed() -> list[Alert]:
    """Those about which mail may still have to go out: what is older is no news."""
    since = timezone.now() - OLD
    rows = Alert.objects.filter(mailed_at=None, made_at__gt=since)
    return list(rows.order_by("made_at")[:AT_ONCE])


def due() -> list[tuple[int, int]]:
    """Who is to be written to about which alert."""
    return [
        (person, alert.pk)
        for alert in unmailed()
        for person in _due(alert).values_list("pk", flat=True)
    ]


def _due(alert: Alert) -> QuerySet[Person]:
    told = Notice.objects.filter(alert=alert, person=OuterRef("pk"))
    return recipients(alert).filter(~Exists(told.exclude(again_at__lt=timezone.now())))


def claim(person_id: int, alert_id: int) -> Letter | None:
    """The mail, for the one process that may send it; None when it is not due any more."""
    with transaction.atomic():
        alert = Alert.objects.filter(pk=alert_id).first()
        person = _due(alert).filter(pk=person_id).first() if alert else None
        if alert is None or person is None:
            return None
        notice = claimed(*Notice.objects.get_or_create(person=person, alert=alert))
        return letter(notice, person, alert) if notice else None


def close() -> None:
    """Of which everybody was written to, or has proved not to be reached."""
    for alert in unmailed():
        over = Notice.objects.filter(alert=alert, person=OuterRef("pk"), again_at=None)
        if not recipients(alert).filter(~Exists(over)).exists():
            Alert.objects.filter(pk=alert.pk).update(mailed_at=timezone.now())


def recipients(alert: Alert) -> QuerySet[Person]:
    """Everybody whom it concerns now, and who may be written to."""
    told = alert.details
    staff, nobody = Q(is_staff=True), Q(pk__in=[])
    match told["scope"]:
        case Scope.TEAM:
            leading = Membership.objects.filter(team=told["key"], role__in=(Role.OWNER, Role.ADMIN))
            concerned = Q(pk__in=leading.values("person"))
        case Scope.PERSON:
            concerned = Q(pk=told["key"])
        case Scope.ROLE:
            concerned = Q(pk=told["person"])
        case Scope.CHAT:
            owner = Chat.objects.filter(pk=told["key"], deleted_at=None).values("owner")
            concerned = Q(pk__in=owner)
        case _:
            concerned = nobody
    is_theirs = told["scope"] == Scope.INSTALLATION or (
        told["kind"] == USED_UP and told["scope"] in (Scope.TEAM, Scope.PERSON)
    )
    who = (concerned & Q(notices_by_mail=True)) | (staff if is_theirs else nobody)
    return Person.objects.filter(who, is_active=True)


# Words


def letter(notice: int, person: Person, alert: Alert) -> Letter:
    told, place = alert.details, settings.V0_ORIGINS[0]
    budget, path = budget_of(told, person), _path(told, person)
    words = {"budget": budget, "spent": _amount(told["spent"])}
    text = _unusual(told) if told["kind"] == UNUSUAL else _used(told, budget, person)
    text = f"""{text}

{place}{path}

{_why(person, place)}

--
v0web
"""
    return Letter(notice, person.email, SUBJECTS[told["kind"]].format(**words), text)


def _used(told: Mapping[str, Any], budget: str, person: Person) -> str:
    until = datetime.combine(date.fromisoformat(told["until"]), time.min, UTC)
    if told["kind"] == USED_UP:
        first = f"All of {budget} is spent."
        then = (
            "Nothing new is sent that counts for it before then. What is written meanwhile is kept."
        )
    else:
        first = f"80 % or more of {budget} is spent."
        then = "Until all of it is spent or put aside for what runs, nothing changes."
    return f"""{first}

Spent:  {_amount(told["spent"])} credits
Limit:  {_amount(told["limit"])} credits
It begins anew at {until.astimezone(person.zone):%Y-%m-%d %H:%M %Z}.

{then}
{_who_raises(told, person)}"""


def _who_raises(told: Mapping[str, Any], person: Person) -> str:
    if told["scope"] == Scope.CHAT:
        return "You can raise it in the chat."
    who = "You" if person.is_staff else "An administrator of this installation"
    return f"{who} can raise it, for good or for a while."


def _unusual(told: Mapping[str, Any]) -> str:
    return f"""Today, {told["from"]} in UTC, has cost {_amount(told["spent"])} credits so far.

That is more than three times the usual day, and more than any of the four weeks before it: their usual day
costs {_amount(told["usual"])} credits."""


def budget_of(told: Mapping[str, Any], reader: Person) -> str:
    """The budget as `reader` would call it, on one line."""
    key, kind = told["key"], PERIODS[told["period"]]
    match told["scope"]:
        case Scope.TEAM:
            name = Team.objects.filter(pk=key).values_list("name", flat=True).first()
            named = f"the {kind} of {f'the team {name}' if name else 'a team that is gone'}"
        case Scope.PERSON if key != str(reader.pk):
            person = Person.objects.filter(pk=key).first()
            named = f"the {kind} of {_named(person)}"
        case Scope.PERSON:
            named = f"your {kind}"
        case Scope.ROLE if key == Limit.PERSONAL:
            named = f"your {kind} in your own space"
        case Scope.ROLE:
            named = f"your {kind} as {'an' if key[0] in 'ao' else 'a'} {key} of a team"
        case Scope.CHAT:
            named = f"the {kind} of a chat of yours"
        case _:
            named = f"the {kind} of this installation"
    return " ".join(named.split())


def _named(person: Person | None) -> str:
    if person is None or person.deleted_at:
        return "somebody who is gone"
    return f"{person.shown_name} ({person.email})" if person.name else person.email


def _path(told: Mapping[str, Any], reader: Person) -> str:
    """Where one sees what it was spent on."""
    key = told["key"]
    match told["scope"]:
        case Scope.INSTALLATION:
            return "/usage/review/"
        case Scope.TEAM:
            return f"/usage/review/?team={key}"
        case Scope.PERSON if key != str(reader.pk):
            return f"/usage/review/?person={key}"
        case Scope.CHAT:
            return f"/chats/{UUID(key)}/"
        case _:
            return "/usage/"


def _why(person: Person, place: str) -> str:
    if person.is_staff:
        return "Administrators get one mail for each of these, whatever they want mail about otherwise."
    return f"""You get one mail when 80 % of a budget is spent, and one when all of it is.
You can change that: {place}/settings/notices/"""


def _amount(text: str) -> str:
    return money.shown(money.units(Decimal(text)))
