"""What people see of budgets before they write: warnings, the usual cost of a message, and a chat's total."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from chats.models import Chat, Counter, Entry, Levers, Person, Team
from chats.models.budgets import Period, Scope
from tests.views.conftest import ChatOf, ClientOf
from tests.views.test_over_budget import CREDIT, limit, spend, told


@pytest.fixture
def client(client_of: ClientOf, owner: Person) -> Client:
    return client_of(owner)


# Before somebody writes


def notice(page: str) -> tuple[str, str]:
    """The tone and the words of what budgets say above a composer; "" for nothing."""
    part = page.partition('id="allowance"')[2].partition("</div>")[0]
    found = re.search(r'data-tone="(\w+)">([^<]*)<', part)
    assert (found is None) == ("hidden" in part.partition(">")[0])
    return (found[1], found[2]) if found else ("", "")


def test_a_budget_that_is_nearly_used_up_is_told_before_somebody_writes(
    client: Client, chat_of: ChatOf, owner: Person
) -> None:
    places = ["/", f"/chats/{chat_of(owner).id}/"]
    limit(Scope.PERSON, owner.pk, 100 * CREDIT)
    for used, held, tone in ((79, 0, ""), (80, 0, "warn"), (70, 13, "warn"), (90, 10, "danger")):
        Counter.objects.all().delete()
        spend(f"person {owner.pk}", used * CREDIT, reserved=held * CREDIT)
        for place in places:
            told_tone, words = notice(told(client.get(place)))
            assert told_tone == tone
            if tone == "warn":
                assert f"{used + held} % of your budget of today is used" in words
                assert "It begins anew at 00:00 UTC." in words
            elif tone:
                assert words.startswith("Nothing can be sent now. Your budget of today is used up")
                assert words.endswith("An administrator can raise it.")
    # Typing stays possible.
    assert all('<textarea class="composer-text"' in told(client.get(place)) for place in places)


def test_what_is_nearly_used_up_is_told_to_those_alone_who_may_know(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, admin: Person, team: Team
) -> None:
    chat = chat_of(owner, team=team, privacy="team-edit")
    place = f"/chats/{chat.id}/"

    def tones() -> list[str]:
        return [notice(told(client_of(who).get(place)))[0] for who in (owner, mate)]

    held = limit(Scope.TEAM, team.pk, 100)
    spend(f"team {team.pk}", 90)
    assert tones() == ["warn", ""]
    held.delete()
    held = limit(Scope.INSTALLATION, "", 100)
    spend("installation", 90)
    assert tones() == ["", ""]
    assert notice(told(client_of(admin).get("/")))[0] == "warn"
    Counter.objects.update(day_spent=100)
    # Who would be refused is told that, without amounts.
    told_mate = notice(told(client_of(mate).get(place)))
    assert told_mate[0] == "danger"
    assert "credits" not in told_mate[1]
    held.delete()
    limit(Scope.CHAT, chat.pk, 100)
    spend(f"chat {chat.pk}", 85)
    assert tones() == ["warn", "warn"]
    chat.privacy = "team"
    chat.save()
    # The mate may only read now.
    assert tones() == ["warn", ""]
    limit(Scope.PERSON, mate.pk, 100)
    spend(f"person {mate.pk}", 100)
    assert "your budget" not in told(client_of(owner).get(place))


def test_no_new_runs_is_said_before_somebody_writes(client: Client, owner: Person) -> None:
    Levers.objects.create(pk=1, is_closed=True, closed_words="Until <Monday>.")
    tone, words = notice(client.get("/").content.decode())
    assert tone == "danger"
    assert words == (
        "Nothing can be sent now. No new runs are taken at present. Until &lt;Monday&gt;."
    )


def test_the_budget_of_the_place_that_is_chosen_is_what_is_told(
    client: Client, owner: Person, team: Team
) -> None:
    limit(Scope.TEAM, team.pk, 100)
    spend(f"team {team.pk}", 90)
    assert notice(told(client.get("/"))) == ("", "")
    chosen = told(client.get("/options/place/", {"place": f"{team.pk}:team"}))
    assert "90 % of the team's budget of today is used" in notice(chosen)[1]
    assert 'id="allowance" role="status" hx-swap-oob="true"' in chosen
    back = told(client.get("/options/place/", {"place": "private"}))
    assert notice(back) == ("", "")


def cost(person: Person, credits: int, asked: str, chat: Chat | None = None) -> None:
    Entry.objects.create(
        message_id=uuid4(), person=person, chat=chat, asked=asked, credits_total=credits
    )


def test_what_a_message_usually_costs_stands_beside_the_composer(
    client: Client, chat_of: ChatOf, owner: Person, stranger: Person
) -> None:
    chat = chat_of(owner)
    for place in ("/", f"/chats/{chat.id}/"):
        assert "No data yet on what v0-pro usually costs you.</p>" in told(client.get(place))
    cost(stranger, 9 * CREDIT, "v0-pro")
    for credits in (CREDIT // 100, CREDIT // 25, CREDIT // 5):
        cost(owner, credits, "v0-pro")
    cost(owner, CREDIT, "v0-max")
    usual = {
        "v0-pro": "Usually 0.04 credits; 0.01 to 0.2 in your last 3 runs on v0-pro.",
        "v0-max": "Your one run on v0-max so far took 1 credit.",
        "v0-mini": "No data yet on what v0-mini usually costs you.",
        "nonsense": "Usually 0.04 credits; 0.01 to 0.2 in your last 3 runs on v0-pro.",
    }
    for model, words in usual.items():
        answer = client.get("/options/usual/", {"model": model})
        assert words in told(answer)
        assert answer["Cache-Control"] == "no-store"
    Chat.objects.update(model="v0-pro")
    assert usual["v0-pro"] in told(client.get(f"/chats/{chat.id}/"))
    place = told(client.get("/options/place/", {"place": "private", "model": "v0-max"}))
    assert usual["v0-max"] in place
    for _ in range(25):
        cost(owner, CREDIT // 10, "v0-pro")
    answer = client.get("/options/usual/", {"model": "v0-pro"})
    assert "Usually 0.1 credits; 0.1 to 0.1 in your last 20 runs on v0-pro." in told(answer)


# What a chat has cost


def shown_total(page: str) -> str:
    part = page.partition('id="spent"')[2].partition("</span>")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", part.partition(">")[2]).split())


def test_the_header_says_what_the_chat_has_cost_to_those_who_may_see_that(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, mate: Person, stranger: Person, team: Team
) -> None:
    chat = chat_of(owner, team=team, privacy="team-edit")
    cost(owner, CREDIT, "v0-pro", chat)
    cost(mate, CREDIT // 4, "v0-pro", chat)
    cost(owner, CREDIT, "v0-pro")
    limit(Scope.CHAT, chat.pk, 5 * CREDIT)
    spend(f"chat {chat.pk}", CREDIT + CREDIT // 4)
    for who in (owner, mate):
        for path in ("", "own/"):
            page = told(client_of(who).get(f"/chats/{chat.id}/{path}"))
            assert shown_total(page) == "1.2500 credits 3.75 of 5 left today"
            assert f'href="/chats/{chat.id}/costs/"' in page
        menu = told(client_of(who).get(f"/chats/{chat.id}/menu/"))
        assert "1.2500 credits so far · 3.75 of 5 left today" in menu
        answer = client_of(who).get(f"/chats/{chat.id}/costs/")
        assert answer["Cache-Control"] == "no-store"
        amounts = re.findall(r'data-credits="([^"]+)"', told(answer))
        assert amounts == ["1.25", "0.25", "1"], "the whole, then what it is made of"
        assert all(name in told(answer) for name in (owner.shown_name, mate.shown_name))
    Chat.objects.update(privacy="public")
    for who in (mate, stranger):
        for path in ("", "own/", "menu/"):
            page = told(client_of(who).get(f"/chats/{chat.id}/{path}"))
            assert "1.25" not in page
            assert "left today" not in page


# All of one's own


def test_the_page_of_usage_has_every_budget_that_counts_for_oneself(
    client_of: ClientOf, owner: Person, mate: Person, stranger: Person, admin: Person, team: Team
) -> None:
    """The owner owns the team, too; the mate is a member."""

    def listed(who: Person) -> dict[str, str]:
        part = told(client_of(who).get("/usage/")).partition('id="budgets"')[2]
        rows = part.partition("</section>")[0].split("<li")[1:]
        return {
            re.findall("<h3>(.*?)</h3>", row)[0]: " ".join(re.sub("<[^>]*>", " ", row).split())
            for row in rows
        }

    assert "No budget holds you back just now." in told(client_of(owner).get("/usage/"))
    limit(Scope.PERSON, mate.pk, 10 * CREDIT)
    limit(Scope.ROLE, "member", 3 * CREDIT)
    limit(Scope.ROLE, "owner", 2 * CREDIT)
    limit(Scope.ROLE, "personal", CREDIT, Period.MONTH)
    limit(Scope.TEAM, team.pk, 100 * CREDIT)
    limit(Scope.INSTALLATION, "", 1000 * CREDIT)
    spend(f"person {mate.pk}", 7 * CREDIT, reserved=CREDIT)
    spend(f"person {owner.pk}", CREDIT)
    mine = listed(mate)
    # Their own stands in place of that of their role; of the team's and the installation's nothing is told.
    assert list(mine) == ["You", "You, in your own space and as a guest"]
    assert "80 % : 7 spent, 1 put aside for what runs, 2 left." in mine["You"]
    own = listed(owner)
    personal, of_team = "You, in your own space and as a guest", f"The team {team.name}"
    assert list(own) == [f"You, as owner of {team.name}", personal, of_team]
    assert "50 % : 1 spent, 1 left." in own[f"You, as owner of {team.name}"]
    assert list(listed(stranger)) == [personal]
    assert list(listed(admin)) == [personal, "This installation"]
    spend(f"team {team.pk}", 85 * CREDIT)
    spend("installation", 1000 * CREDIT)
    mine = listed(mate)
    assert mine[of_team].endswith("Nearly used up today.")
    assert "Used up today. It begins anew at 00:00 UTC." in mine["This installation"]
    assert "85" not in mine[of_team]
    assert "1000" not in mine["This installation"]
    assert "85 %" in listed(owner)[of_team]


def test_a_visitor_is_told_nothing_of_costs_or_budgets(
    client_of: ClientOf, chat_of: ChatOf, owner: Person, settings: Settings
) -> None:
    settings.V0_ANONYMOUS_READING = True
    chat = chat_of(owner, privacy="public")
    cost(owner, CREDIT, "v0-pro", chat)
    limit(Scope.INSTALLATION)
    limit(Scope.CHAT, chat.pk)
    for path in ("", "own/", "menu/"):
        page = told(client_of(None).get(f"/chats/{chat.id}/{path}"))
        assert "credits" not in page
        assert "budget" not in page
        assert "Nothing can be sent" not in page
    assert client_of(None).get("/options/usual/").status_code == 302
