"""The filters of the review: each finds its own, nonsense finds nothing, and an address keeps them all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl
from uuid import uuid4

import pytest

from chats.forms.review import ReviewForm
from chats.models import Chat, Entry, Person, Team

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


def found(**given: object) -> set[str]:
    form = ReviewForm({name: str(value) for name, value in given.items()}, NOW)
    return set(form.shown(Entry.objects.all()).values_list("v0_message", flat=True))


def entry(name: str, **fields: object) -> None:
    Entry.objects.create(
        message_id=uuid4(), v0_message=name, ended_at=NOW - timedelta(hours=1), **fields
    )


def test_each_filter_finds_its_own(db: None) -> None:
    person = Person.objects.create_user("somebody@example.com")
    team = Team.objects.create(name="Miners")
    chat = Chat.objects.create(owner=person, team=team)
    entry("full", person=person, team=team, chat=chat, model="v0-pro", outcome="failed")
    entry("bare", outcome="finished", sources="on-demand plan", waived=True)
    assert found() == {"full", "bare"}
    for name, value in (("person", person.pk), ("team", team.pk), ("chat", chat.pk)):
        assert found(**{name: value}) == {"full"}
        assert found(**{name: "none"}) == {"bare"}
    assert found(model="v0-pro") == found(outcome="failed") == {"full"}
    assert found(outcome="wasted") == found(source="none") == {"full"}
    assert found(model="none") == found(source="both") == found(waived="yes") == {"bare"}
    assert found(source="plan") == set()
    assert found(team=team.pk, outcome="finished") == set()
    # What is none of several.
    assert found(**{"but-model": "v0-pro"}) == found(**{"but-chat": chat.pk}) == {"bare"}
    assert found(**{"but-model": "none"}) == found(**{"but-chat": "none"}) == {"full"}
    assert found(**{"but-model": "v0-pro,none"}) == set()
    assert found(**{"but-chat": f"{uuid4()},{uuid4()}"}) == {"full", "bare"}
    assert found(**{"but-chat": f"{chat.pk},x"}) == set()


@pytest.mark.parametrize(
    "name", ["team", "person", "model", "chat", "outcome", "source", "waived", "but-chat"]
)
@pytest.mark.parametrize("text", ["x", "-1", "9" * 30, "\u0661", "\0", "é" * 300, "' OR 1=1 --"])
def test_nonsense_finds_nothing(db: None, name: str, text: str) -> None:
    entry("one", model="v0-pro", outcome="finished")
    assert found(**{name: text}) == set()


def test_what_is_left_beside_some_leaves_out_what_was_left_out_before() -> None:
    form = ReviewForm({"but-model": "a,none"}, NOW)
    assert form.but("model", ["b c"]) == {"but-model": "a,none,b c"}
    again = ReviewForm(dict(parse_qsl(form.address(**form.but("model", ["b c"]))[1:])), NOW)
    assert again.chosen == {"but-model": "a,none,b c"}
    # An address that would say something else is none.
    assert form.but("model", ["a,b"]) == {}
    assert form.but("chat", [str(uuid4()) for _ in range(200)]) == {}


def test_an_address_keeps_what_is_not_changed() -> None:
    given = {"range": "7d", "team": "3", "model": "a&b", "sort": "tokens", "nonsense": "1"}
    form = ReviewForm(given, NOW)
    assert dict(parse_qsl(form.address()[1:])) == {
        name: text for name, text in given.items() if name != "nonsense"
    }
    again = ReviewForm(dict(parse_qsl(form.address(model=None, person="7")[1:])), NOW)
    assert again.chosen == {"team": "3", "person": "7"}
    assert again.range == form.range
    hour = ReviewForm(dict(parse_qsl(form.day("2026-11-22", "15")[1:])), NOW)
    assert hour.range.start == datetime(2026, 11, 22, 15, tzinfo=UTC)
    assert hour.range.end - hour.range.start == timedelta(hours=1)
    assert hour.chosen == form.chosen


@pytest.mark.parametrize("hour", ["24", "-1", "x", "007"])
def test_an_hour_that_is_none_leaves_the_day(hour: str) -> None:
    days = {"range": "custom", "from": "2026-11-22", "to": "2026-11-22", "hour": hour}
    found = ReviewForm(days, NOW).range
    assert found.end - found.start == timedelta(days=1)
