"""The ledger: what v0 said an answer cost is kept to the last digit, and once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from chats.models import Chat, Entry, Intent, Message, Person, Team
from chats.usage import MoneyError, credits, record, record_created, shown, units  # noqa: A004
from chats.v0api.types import Amounts, Number, Usage

LARGEST = 2**63 - 1


@pytest.fixture
def answer(db: None) -> Message:
    owner = Person.objects.create_user("owner@example.com")
    mate = Person.objects.create_user("mate@example.com")
    chat = Chat.objects.create(owner=owner, team=Team.objects.create(name="Team"))
    answer = Message.objects.create(chat=chat, position=1, role="assistant", state="finished")
    Intent.objects.create(
        token="11111111-1111-1111-1111-111111111111", person=mate, chat=chat, answer=answer
    )
    return answer


def usage(total: str, *, tokens: str = "42", model: str = "v0-pro") -> Usage:
    return Usage.from_wire(
        {
            "tokens": {"input": Number("40"), "output": Number("2"), "total": Number(tokens)},
            "creditsCost": {"input": Number(total), "total": Number(total)},
            "model": model,
        }
    )


@given(st.integers(-LARGEST, LARGEST))
def test_every_stored_amount_comes_back_as_the_same_credits(stored: int) -> None:
    assert units(credits(stored)) == stored


@given(st.decimals(-9_000_000, 9_000_000, places=12))
def test_amounts_of_up_to_twelve_places_are_exact(amount: Decimal) -> None:
    assert credits(units(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "stored"),
    [
        ("0.0000000000005", 0),
        ("0.0000000000015", 2),
        ("0.0000000000025", 2),
        ("0.00000000000250000000000000000000000000001", 3),
        ("-0.0000000000015", -2),
        ("0.1", 100_000_000_000),
        ("1E-12", 1),
        ("9223372.036854775807", LARGEST),
        ("0E+999999", 0),
        ("0E-999999", 0),
    ],
)
def test_beyond_the_twelfth_place_it_rounds_half_to_even(amount: str, stored: int) -> None:
    assert units(Decimal(amount)) == stored


@pytest.mark.parametrize(
    "amount", ["NaN", "sNaN", "Infinity", "-Infinity", "9223372.036854775808", "1E+999999999"]
)
def test_what_no_column_holds_is_refused(amount: str) -> None:
    with pytest.raises(MoneyError):
        units(Decimal(amount))


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (42_100_000_000, "0.0421"),
        (0, "0.0000"),
        (1, "<0.0001"),
        (99_999_999, "<0.0001"),
        (100_000_000, "0.0001"),
        (150_000_000, "0.0002"),
        (LARGEST, "9223372.0369"),
        (-42_100_000_000, "-0.0421"),
        (-1, "-<0.0001"),
    ],
)
def test_amounts_are_shown_with_four_places(stored: int, text: str) -> None:
    assert shown(stored) == text


def test_an_entry_says_who_asked_in_which_chat_and_team(answer: Message) -> None:
    record(answer, usage("0.042100000001"), outcome="finished")
    entry = Entry.objects.get(message_id=answer.pk)
    assert (entry.person, entry.chat, entry.team) == (
        Person.objects.get(email="mate@example.com"),
        answer.chat,
        answer.chat.team,
    )
    assert (entry.tokens_input, entry.tokens_output, entry.tokens_total) == (40, 2, 42)
    assert (entry.credits_input, entry.credits_total) == (42_100_000_001, 42_100_000_001)
    assert (entry.model, entry.outcome, entry.started_at) == (
        "v0-pro",
        "finished",
        answer.created_at,
    )


def test_the_last_word_about_an_answer_wins_and_is_counted_once(answer: Message) -> None:
    for total in ("0.5", "0.5", "0.7"):
        record(answer, usage(total), outcome="finished")
    record(answer, usage("0.6", tokens="7", model="v0-max"), outcome="stopped")
    entry = Entry.objects.get()
    assert (entry.credits_total, entry.tokens_total) == (units(Decimal("0.6")), 7)
    assert (entry.model, entry.outcome) == ("v0-max", "stopped")


def test_no_word_about_the_cost_leaves_what_is_known_of_it(answer: Message) -> None:
    record(answer, usage("0.5"), outcome="finished")
    for nothing in (Usage(), Usage.from_wire({}), usage("-3"), usage("NaN"), usage("1e30")):
        record(answer, nothing, outcome="stopped")
    entry = Entry.objects.get()
    assert (entry.credits_total, entry.tokens_total) == (units(Decimal("0.5")), 42)
    assert (entry.model, entry.is_told, entry.outcome) == ("v0-pro", True, "stopped")


def test_a_cost_that_no_answer_can_have_is_none(answer: Message) -> None:
    for odd in ("-3", "NaN", "1000000.000000000001"):
        record(answer, usage(odd), outcome="finished")
        entry = Entry.objects.get()
        assert (entry.credits_total, entry.is_told) == (0, False), odd
    record(answer, usage("1000000"), outcome="finished")
    entry = Entry.objects.get()
    assert (entry.credits_total, entry.is_told) == (units(Decimal(1_000_000)), True)


def test_a_chat_that_moves_does_not_move_what_was_spent(answer: Message) -> None:
    record(answer, usage("0.5"), outcome="finished")
    team = answer.chat.team
    answer.chat.team = Team.objects.create(name="Another team")
    answer.chat.save()
    record(answer, usage("0.6"), outcome="finished")
    assert Entry.objects.get().team == team


def test_an_entry_is_written_by_one_statement(answer: Message) -> None:
    record(answer, usage("0.5"), outcome="finished")
    answer = Message.objects.select_related("chat").get()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        record(answer, usage("0.6"), outcome="finished")
    writes = [q["sql"] for q in queries if not q["sql"].startswith(("SELECT", "BEGIN", "COMMIT"))]
    assert len([sql for sql in writes if sql.startswith("INSERT")]) == 1
    # Of what it says; what of it is in the counters of budgets follows.
    updates = [sql for sql in writes if sql.startswith("UPDATE")]
    assert not [sql for sql in updates if "chats_counter" not in sql and '"counted"' not in sql]


def test_sums_over_entries_are_what_v0_said(answer: Message) -> None:
    amounts = [Decimal("0.1"), Decimal("0.2"), Decimal("0.000000000001"), Decimal("123456.789")]
    for position, amount in enumerate(amounts, start=2):
        message = Message.objects.create(
            chat=answer.chat, position=position, role="assistant", state="finished"
        )
        record(message, usage(str(amount)), outcome="finished")
    total = Entry.objects.aggregate(total=Sum("credits_total"))["total"]
    assert credits(total) == sum(amounts)


@pytest.mark.parametrize("figure", ["1e999999999", "-1e30", "1e20", "NaN", "-Infinity"])
def test_an_impossible_figure_is_logged_and_does_not_keep_an_answer_from_ending(
    answer: Message, figure: str, caplog: pytest.LogCaptureFixture
) -> None:
    odd = Amounts(input=Decimal(40), total=Decimal(figure))
    record(answer, Usage(tokens=odd, credits=odd), outcome="finished")
    entry = Entry.objects.get()
    assert (entry.tokens_total, entry.tokens_input) == (0, 40)
    assert (entry.credits_total, entry.credits_input) == (0, units(Decimal(40)))
    assert "tokens_total" in caplog.text
    assert "credits_total" in caplog.text


def test_a_chat_that_cost_something_without_a_message_is_in_the_ledger_once(
    answer: Message,
) -> None:
    intent = Intent.objects.select_related("chat").get()
    assert record_created(intent, usage("0", tokens="0")) is None
    for total in ("0.5", "0.25"):
        record_created(intent, usage(total))
    (entry,) = Entry.objects.all()
    assert (entry.message_id, entry.credits_total) == (intent.pk, units(Decimal("0.25")))
    assert (entry.person, entry.team, entry.outcome) == (intent.person, answer.chat.team, "created")
