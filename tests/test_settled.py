"""Columns that are compiled once say what Django would compile anew, for whoever they are."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Model

from chats.models import Chat, Person
from chats.models.settled import ANYBODY, Build, Settled
from chats.views import shell

COLUMNS = [
    *((Chat, build) for build in shell.COLUMNS.values()),
    (Person, shell._is_anybody_asked),
    (Person, shell._is_offered_a_chat),
]


def asked(model: Any, column: Any) -> tuple[str, tuple[Any, ...]]:
    found: tuple[str, tuple[Any, ...]] = (
        model.objects.annotate(it=column).order_by("-pk").values("pk", "it").query.sql_with_params()
    )
    return found


@pytest.mark.parametrize(("model", "build"), COLUMNS)
@pytest.mark.parametrize("key", [1, 2, 2**62])
def test_it_is_what_would_be_compiled_anew(
    db: None, model: type[Model], build: Build, key: int
) -> None:
    person = Person(pk=key)
    settled = asked(model, Settled(model, build, person))
    assert settled == asked(model, build(person))
    assert ANYBODY not in settled[1]


def test_it_is_no_part_of_another_query(db: None) -> None:
    """There its table could have another name."""
    muted = Chat.objects.annotate(it=Settled(Chat, shell._is_muted, Person(pk=1))).filter(it=True)
    with pytest.raises(NotImplementedError):
        str(Chat.objects.filter(copied_from__in=muted.values("pk")).query)
