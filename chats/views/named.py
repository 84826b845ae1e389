"""Whom a note names: what the people of a chat can be called by, and what is said of other names.

Owns both, and the rows of those who are named. Relies on permissions for who may read the notes, and on
`rendering.notes` for the grammar. A name that nobody has, or more than one person, stays text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chats.models import Mention, Note, Person
from chats.rendering.notes import called

# People whom one note names, and names of which it is said that nobody has them.
MOST = 20
TOLD = 3


@dataclass(frozen=True, slots=True)
class Option:
    """Somebody who can be named, by the name that means nobody else."""

    person: Person
    name: str


class Names:
    """What each of these people can be called by: their name, the first part of their address and the
    address, each before the first word of somebody else's name."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.people = {person.pk: person for person in people}
        self._whole: dict[str, set[int]] = {}
        self._first: dict[str, set[int]] = {}
        # As they are spelled: some letters are as long as others only then.
        self.all: set[str] = set()
        for person in self.people.values():
            whole, first = _names(person), person.shown_name.split(" ")[0]
            for name in whole:
                self._whole.setdefault(name.casefold(), set()).add(person.pk)
            self._first.setdefault(first.casefold(), set()).add(person.pk)
            self.all |= {*whole, first} - {""}

    def of(self, name: str) -> set[int]:
        """Whom it means: one, several who are called alike, nobody."""
        key = name.casefold()
        return self._whole.get(key) or self._first.get(key) or set()

    def options(self) -> list[Option]:
        return [Option(person, self._clear(person)) for person in self.people.values()]

    def _clear(self, person: Person) -> str:
        names = _names(person)
        return next((name for name in names if self.of(name) == {person.pk}), names[-1])


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a text names, and what to say about the names in it that name nobody."""

    people: frozenset[int]
    sentence: str


def found(text: str, names: Names) -> Found:
    people: list[int] = []
    nobody: list[str] = []
    several: list[str] = []
    for each in called(text, names.all):
        meant = names.of(each.name)
        if len(meant) == 1:
            people += meant
        else:
            (several if meant else nobody).append(f"“@{each.word}”")
    kept = list(dict.fromkeys(people))
    sentences = [
        _sentence(nobody, "Nobody who can read notes here is called {}."),
        _sentence(
            several,
            "More than one person here is called {}. Write the first part of the address instead.",
        ),
        f"A note names {MOST} people at most." if len(kept) > MOST else "",
    ]
    return Found(frozenset(kept[:MOST]), " ".join(filter(None, sentences)))


def mention(note: Note, people: Iterable[int]) -> None:
    """Have the note name these people from now on, and who wrote it never: in the transaction that writes it.
    Who was named before, and has looked, is not told again."""
    wanted = set(people) - {note.author_id}
    note.mentions.exclude(person__in=wanted).delete()
    rows = [Mention(note=note, person_id=person) for person in wanted]
    Mention.objects.bulk_create(rows, ignore_conflicts=True)


def marked(mentions: Sequence[Mention], reader: int | None) -> dict[str, bool]:
    """The names by which a note may call the people whom it names; True are the reader's own."""
    return {
        name: each.person_id == reader
        for each in mentions
        for name in (*_names(each.person), each.person.shown_name.split(" ")[0])
        if name
    }


def _names(person: Person) -> list[str]:
    """All of a name; one that begins with no letter or digit is none that `@` could stand before."""
    names = (person.shown_name, person.email.partition("@")[0], person.email)
    return [name for name in names if name[:1].isalnum()] or [person.email]


def _sentence(words: Sequence[str], sentence: str) -> str:
    listed = ", ".join(dict.fromkeys(words[:TOLD]))
    return sentence.format(listed) if listed else ""
