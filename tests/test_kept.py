"""SQL that is kept finds what is there now, of whom it was made for, in whichever thread it is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.db.models import Count, QuerySet

from chats.models import Chat, Person, kept
from tests.conftest import person


def of(owner: Person) -> QuerySet[Chat]:
    return Chat.objects.filter(owner=owner).select_related("owner").order_by("title")


def asked(owner: Person) -> list[Chat]:
    return kept.rows(("of", owner.pk), lambda: of(owner))


def test_rows_are_those_of_now(owner: Person, mate: Person) -> None:
    for title in ("First", "Second"):
        Chat.objects.create(owner=owner, title=title)
        assert asked(owner) == list(of(owner))
        assert [each.owner for each in asked(owner)] == [each.owner for each in of(owner)]
    Chat.objects.filter(title="First").update(title="Third")
    assert [each.title for each in asked(owner)] == ["Second", "Third"]
    assert asked(mate) == []
    Chat.objects.all().delete()
    assert asked(owner) == []


def test_the_sql_is_made_once(owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(owner) == []
    monkeypatch.setattr("tests.test_kept.of", None)
    Chat.objects.create(owner=owner, title="First")
    assert [each.title for each in asked(owner)] == ["First"]


def test_values_keep_their_names_and_kinds(owner: Person) -> None:
    chat = Chat.objects.create(owner=owner, title="First")
    for _ in range(2):
        found = kept.rows(
            ("values", owner.pk),
            lambda: (
                of(owner).annotate(turns=Count("messages")).values("turns", "id", "created_at")[:1]
            ),
        )
        assert found == [{"turns": 0, "id": chat.pk, "created_at": chat.created_at}]
        ids = kept.rows(("flat", owner.pk), lambda: of(owner).values_list("pk", flat=True))
        assert ids == [chat.pk]


def test_what_finds_nothing_ever_is_not_asked(owner: Person) -> None:
    for _ in range(2):
        assert kept.rows("nothing", Chat.objects.none) == []


def test_a_thread_asks_by_its_own_connection(transactional_db: None) -> None:
    owner = person("owner@example.com")
    chat = Chat.objects.create(owner=owner, title="First")
    assert asked(owner) == [chat]
    theirs = connection.connection

    def elsewhere() -> tuple[list[Chat], bool]:
        try:
            return asked(owner), connection.connection is not theirs
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(elsewhere).result() == ([chat], True)
    assert asked(owner) == [chat]


def test_more_words_than_are_kept_are_let_go(
    owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_kept", {})
    monkeypatch.setattr(kept, "MOST", 3)
    for number in range(10):
        assert kept.rows(number, lambda: of(owner)) == []
        assert len(kept._kept) <= 3
