"""Who is offered to be named in a note, and whom a mention reaches: the row NOTE of the table, for everybody."""

from __future__ import annotations

from chats.models import Mention, Note
from chats.permissions.notes import mentions, readers
from tests.rights import LEVELS, PEOPLE, expected
from tests.scene import Scene


def test_those_are_named_and_told_who_may_read_the_notes(scene: Scene) -> None:
    table = expected("NOTE")
    offered, told = {}, {}
    for who in PEOPLE:
        person = scene.people.people[who]
        if person is None:
            continue
        for level in LEVELS:
            chat = scene.people.chat(who, level)
            note = Note.objects.get(pk=scene.notes[chat.pk])
            Mention.objects.get_or_create(note=note, person=person)
            offered[who, level] = person in readers(chat)
            told[who, level] = mentions(person).filter(note=note).exists()
    due = {(who, level): table[who][level] == "+" for who, level in offered}
    assert offered == due
    assert told == due
