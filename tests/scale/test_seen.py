"""Marks of several pages at once on PostgreSQL: none goes back, and none is made twice."""

from __future__ import annotations

from functools import partial

from chats.models import Chat, Message, Person, Seen
from chats.models import seen as marks
from tests.scale.test_standing import at_once

ROUNDS = 10


def test_of_many_pages_at_once_the_furthest_counts(transactional_db: None) -> None:
    owner = Person.objects.create_user("owner@example.com")
    chat = Chat.objects.create(owner=owner)
    for _ in range(ROUNDS):
        Seen.objects.all().delete()
        at_once(*(partial(see, owner, chat, position) for position in (3, 9, 1, 8)))
        assert Seen.objects.get().position == 9


def see(person: Person, chat: Chat, position: int) -> None:
    marks.see(person, chat, position)


def test_all_is_read_by_one_statement(transactional_db: None) -> None:
    owner = Person.objects.create_user("owner@example.com")
    chat = Chat.objects.create(owner=owner)
    Message.objects.create(chat=chat, position=1, role="assistant", state="finished")
    Message.objects.create(chat=chat, position=2, role="assistant", state="streaming")
    marks.begin(owner, chat)
    Seen.objects.update(position=0)
    own = Chat.objects.filter(owner=owner)
    assert own.annotate(is_unread=marks.unread(owner)).get().is_unread
    assert marks.see_all(owner, own) == 1
    assert Seen.objects.get().position == 1
    assert not own.annotate(is_unread=marks.unread(owner)).get().is_unread
