"""What callers read off an error, and what an error never holds."""

from __future__ import annotations

import pytest

from chats.v0api import errors
from chats.v0api.errors import (
    MESSAGE_LENGTH,
    DeltaError,
    InDoubt,
    NotSent,
    StreamError,
    V0Error,
    redacted,
    status_error,
)

TABLE = [
    (401, "Unauthorized", "unauthorized", False, False),
    (402, "OutOfCredits", "credits", False, False),
    (403, "Forbidden", "forbidden", False, False),
    (404, "NotFound", "gone", False, False),
    (409, "Conflict", "conflict", False, False),
    (413, "TooLarge", "too-large", False, False),
    (422, "Invalid", "invalid", False, False),
    (429, "RateLimited", "rate-limit", True, False),
    (400, "StatusError", "refused", False, False),
    (418, "StatusError", "refused", False, False),
    (301, "Redirected", "upstream", False, True),
    (307, "Redirected", "upstream", False, True),
    (500, "ServerError", "upstream", True, True),
    (503, "ServerError", "upstream", True, True),
    (204, "InDoubt", "unknown", True, True),
    (600, "InDoubt", "unknown", True, True),
]


@pytest.mark.parametrize(("status", "name", "problem", "retryable", "in_doubt"), TABLE)
def test_each_status_has_its_meaning(
    status: int, name: str, problem: str, retryable: bool, in_doubt: bool
) -> None:
    error = status_error(status, "words", 7.0)

    assert type(error).__name__ == name
    assert (error.problem, error.retryable, error.in_doubt) == (problem, retryable, in_doubt)
    assert (error.status, error.message, error.retry_after) == (status, "words", 7.0)


def test_only_what_was_not_sent_or_was_refused_for_now_may_be_offered_again_unseen() -> None:
    every = [NotSent(), InDoubt(), StreamError("cut"), DeltaError()]
    every += [status_error(status, "") for status, *_ in TABLE]

    safe = {type(error).__name__ for error in every if error.retryable and not error.in_doubt}

    assert safe == {"NotSent", "RateLimited"}


def test_one_except_catches_them_all() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]

    assert len(kinds) > 10
    assert all(issubclass(kind, V0Error) for kind in kinds)


def test_the_tree_in_the_docstring_names_every_class_with_its_problem() -> None:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, V0Error) and kind is not V0Error:
            [line] = [
                line
                for line in (errors.__doc__ or "").splitlines()
                if f"─ {kind.__name__} " in line
            ]
            bits = line.split(kind.__name__)[1].split()[:3]
            yes = {True: "yes", False: "no"}
            assert bits == [kind.problem, yes[kind.retryable], yes[kind.in_doubt]]


@pytest.mark.parametrize(
    "text",
    [
        "v1:team_abc:s3cr3t",
        "key v1:team_abc:s3cr3t!",
        "Bearer v1:team_abc:s3cr3t",
        "Authorization: bearer s3cr3t",
        "{'authorization': 'Bearer s3cr3t'}",
        '{"authorization":"BEARER   s3cr3t"}',
        "b'Bearer s3cr3t'",
        "https://example.com/?key=v1:team_abc:s3cr3t&x=1",
    ],
)
def test_what_looks_like_a_key_is_in_no_error(text: str) -> None:
    error = status_error(401, text)

    for shown in (str(error), repr(error), str(error.args), error.message):
        assert "s3cr3t" not in shown
    assert "[redacted]" in redacted(text)


def test_a_given_secret_of_any_shape_is_redacted() -> None:
    assert redacted("see canary-123.", "canary-123") == "see [redacted]."


def test_words_are_shortened_to_one_printable_line() -> None:
    error = InDoubt("a\r\n\0b\ud83d" + "x" * 10_000)

    assert error.message.startswith("a b x")
    assert len(error.message) == MESSAGE_LENGTH
    error.message.encode()


def test_silence_can_be_told_from_other_bad_streams() -> None:
    assert StreamError("silence").silence
    assert not StreamError("cut", "ReadError").silence
    assert str(StreamError("cut", "ReadError")) == "StreamError: cut: ReadError"
