"""Rights between two levels: while v0 has not agreed to the new one, both have to allow it."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from pytest_django.fixtures import Settings

from chats import permissions
from chats.models import Chat, Guest
from chats.permissions import Action, sessions
from chats.permissions.doors import Ended, codes
from tests.people import Cast, cast
from tests.rights import LEVELS, PEOPLE, READING_ON, expected
from tests.test_permissions_doors import door


@pytest.fixture
def people(db: None) -> Cast:
    return cast()


def changing(people: Cast, old: str, new: str) -> dict[str, Chat]:
    """The chat of each owner that is at `old`, on its way to `new`."""
    chats = {who: people.chat(who, old) for who in PEOPLE}
    rows = Chat.objects.filter(pk__in=[chat.pk for chat in chats.values()])
    rows.update(privacy_wanted=new)
    for chat in chats.values():
        chat.privacy_wanted = new
    return chats


@pytest.mark.parametrize(("old", "new"), list(permutations(LEVELS, 2)))
def test_only_what_both_levels_allow_is_allowed(
    people: Cast, settings: Settings, old: str, new: str
) -> None:
    chats = changing(people, old, new)
    for who, chat in chats.items():
        settings.V0_ANONYMOUS_READING = who in READING_ON
        person, grants = people.visitor(who), dict(people.grants(who))
        due = {
            action
            for action in Action
            if "+" == expected(action.name)[who][old] == expected(action.name)[who][new]
        }
        grant = grants.get(str(chat.pk))
        assert permissions.actions(person, chat, grant=grant) == due, who
        assert (chat in permissions.visible_chats(person)) == (Action.LIST in due), who
        assert (chat in permissions.readable(person, grants)) == (Action.READ in due), who
        heard = permissions.readers_of(chat.pk, [person.pk] if person.pk else [])
        assert bool(heard) == (Action.LIST in due), who
        try:
            permissions.chat_for(person, grants, chat.pk, Action.SEND)
            found = "+"
        except (Http404, PermissionDenied) as error:
            found = "4" if isinstance(error, Http404) else "3"
        assert found == ("+" if Action.SEND in due else "3" if Action.READ in due else "4"), who


def test_a_link_ends_at_its_time(people: Cast) -> None:
    chat, stranger = people.chats["unlisted of owner"], people.people["stranger"]
    held = {str(chat.pk): chat.link_slug or ""}
    for seconds, is_there in ((60, True), (-1, False)):
        chat.link_expires_at = timezone.now() + timedelta(seconds=seconds)
        chat.save()
        assert sessions.holds_link(chat, chat.link_slug) == is_there
        assert (chat in permissions.readable(stranger, held)) == is_there
        assert permissions.may(stranger, chat, Action.READ, grant=chat.link_slug) == is_there
        standing = door(stranger, chat, chat.link_slug or "")
        assert codes([standing]) == ({} if is_there else {standing: Ended.ACCESS_ENDED})


def test_an_invitation_ends_with_its_row_and_counts_for_nobody_without_one(people: Cast) -> None:
    chat = people.chats["private of owner"]
    guest = people.people["invited editor"]
    assert guest
    standing = door(guest, chat)
    assert codes([standing]) == {}
    Guest.objects.filter(chat=chat, person=guest).update(person=None)
    assert codes([standing]) == {standing: Ended.ACCESS_ENDED}
    assert permissions.actions(guest, Chat.objects.get(pk=chat.pk)) == frozenset()
    assert chat not in permissions.visible_chats(guest)
