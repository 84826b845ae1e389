"""The message form: what counts as a message."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from chats.forms.message import MessageForm, normalise


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("\n\n  indented\n", "  indented"),
        ("a\0b", "ab"),
        ("\ud83d", "\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("😀\u2028x", "😀\u2028x"),
    ],
    ids=ascii,
)
def test_text_is_kept_as_it_can_be_stored(typed: str, kept: str) -> None:
    assert normalise(typed) == kept


@given(st.text(st.characters(), max_size=50))
def test_normalising_twice_changes_nothing_and_always_encodes(typed: str) -> None:
    once = normalise(typed)
    assert normalise(once) == once
    assert "\r" not in once
    assert "\0" not in once
    once.encode()


@given(st.text(max_size=50), st.text(max_size=50))
def test_no_input_raises(message: str, token: str) -> None:
    data = QueryDict(mutable=True)
    data.setlist("message", [message])
    data.setlist("token", [token])
    form = MessageForm(data)
    assert form.is_valid() or form.sentence


def test_missing_fields_are_refused_with_a_sentence() -> None:
    form = MessageForm(QueryDict())
    assert not form.is_valid()
    assert form.sentence == "Write something first."


def test_a_valid_form_gives_text_and_token() -> None:
    token = uuid4()
    form = MessageForm({"message": " hello ", "token": str(token)})
    assert form.is_valid()
    assert (form.text, form.given_token) == (" hello", token)
