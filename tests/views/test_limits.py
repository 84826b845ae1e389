"""Limits: set, changed, raised for a time and removed by staff; a chat's own by whoever manages it; told to a team."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chats.models import AuditEntry, Chat, Counter, Limit, Membership, Override, Person, Team
from chats.models.budgets import Period, Scope
from chats.usage import budgets
from chats.usage.money import plain, units
from tests.views.conftest import ChatOf, ClientOf, no_writes

CREDIT = 10**12
PLACE = "/manage/limits/"


@pytest.fixture
def staff(admin: Person, client_of: ClientOf) -> Client:
    return client_of(admin)


def body(response: HttpResponseBase) -> str:
    return getattr(response, "content", b"").decode()


def limit(scope: str, key: object, credits: int, period: str = Period.DAY) -> Limit:
    return Limit.objects.create(scope=scope, key=str(key), period=period, credits=credits)


def counter(name: str, spent: int, reserved: int = 0) -> None:
    day = timezone.now().date()
    amounts = {"day_spent": spent, "month_spent": spent, "reserved": reserved}
    Counter.objects.create(name=name, day=day, month=day.replace(day=1), **amounts)


def add(client: Client, scope: str, credits: str = "12.50", **fields: str) -> Any:
    return client.post(
        f"{PLACE}new/", {"scope": scope, "period": "day", "credits": credits, **fields}
    )


def noted(event: str) -> AuditEntry:
    return AuditEntry.objects.filter(event=event).latest("pk")


def test_a_limit_of_each_scope_is_added_by_what_people_call_it(
    staff: Client, admin: Person, owner: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=team, privacy="team")
    for scope, fields, key in (
        ("installation", {}, ""),
        ("team", {"whom": team.name.upper()}, str(team.pk)),
        ("person", {"whom": "OWNER@example.com"}, str(owner.pk)),
        ("role", {"role": "personal"}, "personal"),
        ("role", {"role": "member"}, "member"),
        ("chat", {"whom": f"http://localhost/chats/{chat.pk}/?at=1"}, str(chat.pk)),
    ):
        response = add(staff, scope, **fields)
        made = Limit.objects.get(scope=scope, key=key)
        assert response["Location"] == f"{PLACE}{made.pk}/?done=added"
        assert (made.credits, made.period) == (12_500_000_000_000, "day")
        entry = noted("limit.set")
        assert entry.actor == admin.pk
        assert entry.details["new"] == "12.5"
        of = (entry.team, entry.person, entry.chat)
        assert of == {
            "team": (team.pk, None, None),
            "person": (None, owner.pk, None),
            "chat": (team.pk, None, chat.pk),
        }.get(scope, (None, None, None))
    # What was found by a name counts for them.
    applied = {each.limit.scope for each in budgets.standings(owner, chat)}
    assert applied == {"installation", "team", "person", "chat"}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("0", 0), (" 12.50 ", 12_500_000_000_000), ("0.000000000001", 1), ("1000000", CREDIT * 10**6)],
)
def test_credits_are_taken_exactly_as_they_are_typed(
    staff: Client, typed: str, stored: int
) -> None:
    assert add(staff, "installation", typed).status_code == 303
    found = Limit.objects.get()
    assert found.credits == stored
    assert f'name="credits" value="{plain(stored)}"' in body(staff.get(f"{PLACE}{found.pk}/"))


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Say how many credits"),
        ("12,50", "digits with a point"),
        ("-1", "digits with a point"),
        ("1e3", "digits with a point"),
        (".5", "digits with a point"),
        ("1_0", "digits with a point"),
        ("\N{ARABIC-INDIC DIGIT FIVE}", "digits with a point"),
        ("NaN", "digits with a point"),
        ("0.0000000000001", "at most 12 digits after the point"),
        ("1000000.01", "1,000,000 credits is the most"),
        ("9" * 60, "digits with a point"),
    ],
)
def test_what_is_no_amount_is_said_at_its_field_and_kept(
    staff: Client, typed: str, words: str
) -> None:
    response = add(staff, "team", typed, whom="Typed words")
    html = body(response)
    assert response.status_code == 422
    assert words in html
    assert f'name="credits" value="{typed}"' in html
    assert 'value="Typed words"' in html
    assert "There is no team of this name" in html
    assert not Limit.objects.exists()


def test_whom_it_is_for_has_to_be_one(
    staff: Client, owner: Person, mate: Person, team: Team
) -> None:
    other = Team.objects.create(name=team.name)
    deleted = Chat.objects.create(owner=owner, deleted_at=timezone.now())
    for scope, whom, words in (
        ("person", "example.com", "Write the whole address."),
        ("person", "nobody", "There is nobody with this address or name."),
        ("person", "", "Name a person by address or name."),
        ("team", team.name, f"{team.name} (#{other.pk}). Write the number."),
        ("chat", str(uuid4()), "There is no chat with this address or id."),
        ("chat", str(deleted.pk), "There is no chat with this address or id."),
        ("chat", "Services", "There is no chat with this address or id."),
        ("nothing", "", "Choose what the limit is for."),
    ):
        response = add(staff, scope, whom=whom)
        assert (response.status_code, words in body(response)) == (422, True), (scope, whom)
    assert "Choose a role." in body(add(staff, "role", role="king"))
    assert "Choose a day or a month." in body(add(staff, "installation", period="year"))
    assert add(staff, "team", whom=f"#{other.pk}").status_code == 303
    assert add(staff, "person", whom=mate.name).status_code == 303
    keys = set(Limit.objects.values_list("scope", "key"))
    assert keys == {("team", str(other.pk)), ("person", str(mate.pk))}


def test_one_that_exists_is_led_to_and_stays_as_it_is(staff: Client, team: Team) -> None:
    held = limit(Scope.TEAM, team.pk, CREDIT)
    response = add(staff, "team", "99", whom=team.name)
    html = body(response)
    assert response.status_code == 409
    assert f'href="{PLACE}{held.pk}/"' in html
    assert 'value="99"' in html
    assert Limit.objects.get().credits == CREDIT
    assert not AuditEntry.objects.filter(event__startswith="limit.").exists()
    assert add(staff, "team", "99", whom=team.name, period="month").status_code == 303


def test_a_change_is_noted_with_what_it_was_and_nobody_overwrites_it_unseen(
    staff: Client, team: Team
) -> None:
    held = limit(Scope.TEAM, team.pk, 2 * CREDIT)
    place = f"{PLACE}{held.pk}/"
    assert staff.post(place, {"credits": "2.5", "seen": "2"}).status_code == 303
    entry = noted("limit.changed")
    assert (entry.team, entry.details["old"], entry.details["new"]) == (team.pk, "2", "2.5")
    late = staff.post(place, {"credits": "7", "seen": "2"})
    assert late.status_code == 409
    assert 'name="credits" value="7"' in body(late)
    assert 'name="seen" value="2.5"' in body(late)
    held.refresh_from_db()
    assert held.credits == units(Decimal("2.5"))
    # The same again is no change.
    assert staff.post(place, {"credits": "2.50", "seen": "2.5"}).status_code == 303
    assert AuditEntry.objects.filter(event="limit.changed").count() == 1
    assert staff.post(place, {"credits": "x", "seen": "2.5"}).status_code == 422


def test_a_removal_is_confirmed_and_takes_along_what_raises_it(staff: Client, team: Team) -> None:
    held = limit(Scope.TEAM, team.pk, CREDIT)
    later = timezone.now() + timedelta(hours=1)
    Override.objects.create(limit=held, credits=5, until=later, note="x")
    place = f"{PLACE}{held.pk}/remove/"
    with no_writes():
        assert "remove the daily limit?" in body(staff.get(place))
    assert staff.post(place, {"seen": "3"}).status_code == 409
    assert Limit.objects.exists()
    assert staff.post(place, {"seen": "1"})["Location"] == f"{PLACE}?done=removed"
    assert not Limit.objects.exists()
    assert not Override.objects.exists()
    assert (noted("limit.removed").details["old"], noted("limit.removed").team) == ("1", team.pk)
    assert staff.post(place, {"seen": "1"}).status_code == 404


def test_a_limit_is_raised_with_a_note_and_ends_by_itself_or_early(
    staff: Client, admin: Person, owner: Person
) -> None:
    held = limit(Scope.PERSON, owner.pk, CREDIT)
    place = f"{PLACE}{held.pk}/raise/"
    given = {"credits": "8", "ends": "week", "note": "The launch is on Friday."}
    assert staff.post(place, given)["Location"] == f"{PLACE}{held.pk}/?done=raised"
    made = Override.objects.get()
    assert (made.credits, made.by, made.note) == (8 * CREDIT, admin, "The launch is on Friday.")
    assert timedelta(days=6, hours=23) < made.until - timezone.now() <= timedelta(days=7)
    entry = noted("limit.raised")
    assert (entry.person, entry.details["old"], entry.details["new"]) == (owner.pk, "1", "8")
    assert entry.details["note"] == "The launch is on Friday."
    assert entry.details["until"] == f"{made.until:%Y-%m-%d %H:%M} UTC"
    (standing,) = budgets.standings(owner, None)
    assert standing.most == 8 * CREDIT
    html = body(staff.get(f"{PLACE}{held.pk}/"))
    assert "instead of 1, until" in html
    assert "The launch is on Friday." in html
    end = f"{PLACE}{held.pk}/raised/{made.pk}/end/"
    assert staff.post(end)["Location"] == f"{PLACE}{held.pk}/?done=ended"
    assert budgets.standings(owner, None)[0].most == CREDIT
    assert noted("limit.raise-ended").person == owner.pk
    # Over is over, and nothing more is noted.
    assert staff.post(end)["Location"] == f"{PLACE}{held.pk}/?done=over"
    assert AuditEntry.objects.filter(event="limit.raise-ended").count() == 1
    other = limit(Scope.INSTALLATION, "", CREDIT)
    assert staff.post(f"{PLACE}{other.pk}/raised/{made.pk}/end/").status_code == 404


def test_a_raise_says_why_it_cannot_be_and_loses_nothing(staff: Client) -> None:
    held = limit(Scope.INSTALLATION, "", CREDIT)
    place = f"{PLACE}{held.pk}/raise/"
    today = timezone.now().date()
    good = {"credits": "8", "ends": "date", "until": f"{today}", "note": "Typed words"}
    for field, value, words in (
        ("credits", "1", "Give more than the limit has"),
        ("credits", "", "Say how many credits"),
        ("ends", "", "Choose until when."),
        ("until", "soon", "Enter the last day"),
        ("until", f"{today - timedelta(days=1)}", "That day is over."),
        ("until", "2999-01-01", "within a year"),
        ("note", "", "Say why"),
        ("note", "x" * 501, "at most 500 characters"),
    ):
        response = staff.post(place, {**good, field: value})
        html = body(response)
        assert (response.status_code, words in html) == (422, True), (field, value)
        assert field == "note" or ">Typed words</textarea>" in html
    assert not Override.objects.exists()
    assert staff.post(place, good).status_code == 303
    # The whole of that day.
    until = Override.objects.get().until
    assert (until.date(), until.hour) == (today + timedelta(days=1), 0)
    for ends in ("today", "month"):
        assert staff.post(place, {**good, "ends": ends}).status_code == 303
    ends_at = list(Override.objects.order_by("pk").values_list("until", flat=True))
    assert ends_at[1] == until
    assert ends_at[2].day == 1
    assert timedelta(0) < ends_at[2] - timezone.now() <= timedelta(days=31)


def test_the_list_says_how_far_each_is_used_in_words(
    staff: Client, owner: Person, team: Team, chat_of: ChatOf
) -> None:
    assert "There are no limits" in body(staff.get(PLACE))
    chat = chat_of(owner, text="canary-7d1f")
    counter(f"team {team.pk}", 7 * CREDIT // 2, CREDIT // 2)
    counter(f"person {owner.pk}", 2 * CREDIT)
    held = limit(Scope.TEAM, team.pk, 5 * CREDIT, Period.MONTH)
    limit(Scope.PERSON, owner.pk, 2 * CREDIT)
    limit(Scope.ROLE, "member", 3 * CREDIT)
    limit(Scope.CHAT, chat.pk, CREDIT)
    limit(Scope.CHAT, uuid4(), CREDIT)
    limit(Scope.TEAM, 999, CREDIT)
    later = timezone.now() + timedelta(hours=1)
    Override.objects.create(limit=held, credits=20 * CREDIT, until=later, note="x")
    with no_writes():
        response = staff.get(PLACE)
    html = re.sub(r"<[^>]+>", " ", body(response))
    html = re.sub(r"\s+", " ", html)
    assert response["Cache-Control"] == "no-store"
    for words in (
        "20 credits a month instead of 5, until",
        "20 % : 3.5 spent, 0.5 put aside for what runs, 16 left.",
        "100 % , used up: 2 spent, nothing left.",
        "owner@example.com",
        "Members of a team Each of them",
        f"Chat {str(chat.pk)[:8]}",
        "A deleted chat",
        "A deleted team Team #999",
    ):
        assert words in html, words
    # Its title is for those who may read it.
    assert "canary-7d1f" not in html
    owner.is_staff = True
    owner.save()
    client = Client()
    client.force_login(owner)
    assert "canary-7d1f" in body(client.get(PLACE))


def test_limits_are_found_by_scope_and_by_name(
    staff: Client, owner: Person, mate: Person, team: Team
) -> None:
    Team.objects.filter(pk=team.pk).update(name="Web shop")
    chat = uuid4()
    made = {
        "installation": limit(Scope.INSTALLATION, "", 1),
        "team": limit(Scope.TEAM, team.pk, 1),
        "role": limit(Scope.ROLE, "member", 1),
        "owner": limit(Scope.PERSON, owner.pk, 1),
        "mate": limit(Scope.PERSON, mate.pk, 1),
        "chat": limit(Scope.CHAT, chat, 1),
    }

    def shown(query: str) -> set[str]:
        html = body(staff.get(f"{PLACE}?{query}"))
        return {name for name, each in made.items() if f'href="{PLACE}{each.pk}/"' in html}

    assert shown("") == shown("show=nonsense") == set(made)
    assert shown("show=person") == {"owner", "mate"}
    assert shown("show=role") == {"role"}
    assert shown("search=MATE@") == {"mate"}
    assert shown("search=web+sh") == {"team"}
    assert shown(f"search={chat}") == {"chat"}
    assert shown("search=nobody-at-all") == shown("show=team&search=mate@") == set()
    assert "Nothing here fits." in body(staff.get(f"{PLACE}?search=nobody-at-all"))


def test_the_list_costs_as_many_queries_for_many_as_for_one(
    staff: Client, owner: Person, team: Team
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(PLACE).status_code == 200
        return len(queries)

    def one_of_each(number: int) -> None:
        other = Person.objects.create_user(f"more-{number}@example.com")
        limit(Scope.PERSON, other.pk, 1)
        limit(Scope.TEAM, Team.objects.create(name=f"More {number}").pk, 1)
        limit(Scope.CHAT, Chat.objects.create(owner=owner).pk, 1)

    one_of_each(0)
    staff.get(PLACE)
    before = cost()
    for number in range(1, 6):
        one_of_each(number)
    assert cost() == before


def test_the_audit_log_says_it_in_words(
    staff: Client, owner: Person, team: Team, chat_of: ChatOf, client_of: ClientOf
) -> None:
    chat = chat_of(owner)
    add(staff, "installation", "1", period="month")
    add(staff, "role", "2", role="member")
    add(staff, "role", "2", role="personal")
    add(staff, "team", "3", whom=team.name)
    add(staff, "person", "4", whom="owner@")
    held = Limit.objects.get(scope="person")
    staff.post(f"{PLACE}{held.pk}/", {"credits": "5.25", "seen": "4"})
    given = {"credits": "9", "ends": "today", "note": "A launch"}
    staff.post(f"{PLACE}{held.pk}/raise/", given)
    staff.post(f"{PLACE}{held.pk}/raised/{Override.objects.get().pk}/end/")
    staff.post(f"{PLACE}{held.pk}/remove/", {"seen": "5.25"})
    client_of(owner).post(f"/chats/{chat.pk}/budget/", {"day": "6", "month": ""})
    html = body(staff.get("/audit/?area=limit")).replace("&#x27;", "'")
    found = re.findall(r"</strong> (.*?)</p>", html)
    whose = "owner@example.com\N{RIGHT SINGLE QUOTATION MARK}s daily budget"
    assert found == [
        "set the daily budget of a chat to 6 credits",
        f"removed {whose} of 5.25 credits",
        f"ended early that {whose} was 9 credits for a time",
        f"raised {whose} from 5.25 credits to 9 credits for a time",
        f"changed {whose} from 4 credits to 5.25 credits",
        f"set {whose} to 4 credits",
        f"set the daily budget of {team.name} to 3 credits",
        "set the daily budget of everybody in their own space to 2 credits",
        "set the daily budget of each member of a team to 2 credits",
        "set the monthly budget of the installation to 1 credit",
    ]
    assert "Note: A launch" in html
    assert "Budget:" not in html


# A chat's own


def budget(chat: Chat) -> dict[str, int]:
    rows = Limit.objects.filter(scope=Scope.CHAT, key=str(chat.pk))
    return dict(rows.values_list("period", "credits"))


def test_who_manages_a_chat_sets_changes_and_removes_its_budget(
    client_of: ClientOf, owner: Person, chat_of: ChatOf
) -> None:
    chat, client = chat_of(owner), client_of(owner)
    place = f"/chats/{chat.pk}/budget/"
    assert f'href="{place}"' in body(client.get(f"/chats/{chat.pk}/menu/"))
    with no_writes():
        first = client.get(place)
    assert "This chat has no budget of its own." in body(first)
    assert first["Cache-Control"] == "no-store"
    seen = {"seen_day": "", "seen_month": ""}
    saved = client.post(place, {"day": "0.5", "month": "10", **seen})
    assert saved["Location"] == f"{place}?saved"
    assert budget(chat) == {"day": CREDIT // 2, "month": 10 * CREDIT}
    counter(f"chat {chat.pk}", CREDIT // 4)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body(client.get(place))))
    assert "50 % : 0.25 spent, 0.25 left." in page
    # What was filled in for another state is kept, and changes nothing.
    late = client.post(place, {"day": "3", "month": "", **seen})
    assert (late.status_code, 'name="day" value="3"' in body(late)) == (409, True)
    assert 'name="seen_day" value="0.5"' in body(late)
    seen = {"seen_day": "0.5", "seen_month": "10"}
    wrong = client.post(place, {"day": "3,5", "month": "", **seen})
    assert (wrong.status_code, 'name="day" value="3,5"' in body(wrong)) == (422, True)
    assert "digits with a point" in body(wrong)
    assert client.post(place, {"day": "0.75", "month": "", **seen}).status_code == 303
    assert budget(chat) == {"day": 3 * CREDIT // 4}
    events = AuditEntry.objects.filter(chat=chat.pk).order_by("pk").values_list("event", "actor")
    assert list(events) == [
        ("limit.set", owner.pk),
        ("limit.set", owner.pk),
        ("limit.changed", owner.pk),
        ("limit.removed", owner.pk),
    ]
    assert "daily budget of a chat" in body(client.get(f"/chats/{chat.pk}/audit/"))


def test_who_sees_what_a_chat_costs_reads_its_budget_and_nobody_else_does(
    client_of: ClientOf, owner: Person, mate: Person, stranger: Person, team: Team, chat_of: ChatOf
) -> None:
    chat = chat_of(owner, team=team, privacy="team-edit")
    limit(Scope.CHAT, chat.pk, CREDIT)
    place = f"/chats/{chat.pk}/budget/"
    reading = client_of(mate)
    html = body(reading.get(place))
    assert "credit a day" in html
    assert 'name="day"' not in html
    assert reading.post(place, {"day": ""}).status_code == 403
    assert client_of(stranger).get(place).status_code == 404
    Membership.objects.filter(person=mate).update(role="viewer")
    assert client_of(mate).get(place).status_code == 403
    assert place not in body(client_of(mate).get(f"/chats/{chat.pk}/menu/"))
    assert budget(chat) == {"day": CREDIT}


# A team's


def test_owners_and_admins_of_a_team_see_its_budget_and_who_raises_it(
    client_of: ClientOf, owner: Person, mate: Person, team: Team
) -> None:
    place = f"/teams/{team.pk}/settings/"
    assert "The team has no budget of its own." in body(client_of(owner).get(place))
    limit(Scope.TEAM, team.pk, 4 * CREDIT)
    limit(Scope.TEAM, Team.objects.create(name="Other").pk, 77 * CREDIT)
    counter(f"team {team.pk}", CREDIT)
    response = client_of(owner).get(place)
    html = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body(response)))
    assert "25 % : 1 spent, 3 left." in html
    assert "An administrator of this installation sets and raises it." in html
    assert "77" not in html
    assert response["Cache-Control"] == "no-store"
    # Members read the settings, and not this.
    assert "budget" not in body(client_of(mate).get(place)).lower()
