"""What a change of level gives and takes is what the table of rights says, for all twenty of them."""

from __future__ import annotations

from itertools import permutations

import pytest
from pytest_django.fixtures import Settings

from chats.permissions import Action, levels
from chats.permissions.levels import Access, Kind
from tests.rights import LEVELS, expected

# Who each kind is in the table that is written by hand; without an account, where that lets them read.
BY_HAND = {
    Kind.TEAM_ADMIN: "team admin",
    Kind.MATE: "mate",
    Kind.VIEWER: "team viewer",
    Kind.INVITED_EDITOR: "invited editor",
    Kind.INVITED_READER: "invited reader",
    Kind.LINK: "stranger with link",
    Kind.SIGNED_IN: "stranger",
    Kind.NAMELESS_LINK: "{} with link",
    Kind.NAMELESS: "{}",
}
CHANGES = list(permutations(LEVELS, 2))


def due(action: Action, kind: Kind, level: str, nameless: str) -> bool:
    return expected(action.name)[BY_HAND[kind].format(nameless)][level] == "+"


@pytest.mark.parametrize("reading", [True, False])
@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_a_change_gives_and_takes_what_the_table_says(
    settings: Settings, old: str, new: str, reading: bool
) -> None:
    settings.V0_ANONYMOUS_READING = reading
    nameless = "reader" if reading else "anonymous"
    both = [
        (Access(kind, action), due(action, kind, old, nameless), due(action, kind, new, nameless))
        for kind in Kind
        for action in Action
    ]
    assert levels.gives(old, new) == {access for access, was, is_now in both if is_now > was}
    assert levels.takes(old, new) == {access for access, was, is_now in both if is_now < was}


def test_these_changes_only_take_these_only_give_and_the_others_do_both() -> None:
    kinds = {
        (old, new): (bool(levels.gives(old, new)), bool(levels.takes(old, new)))
        for old, new in CHANGES
    }
    taking = {change for change, kind in kinds.items() if kind == (False, True)}
    giving = {change for change, kind in kinds.items() if kind == (True, False)}
    assert taking == {
        *((old, "private") for old in LEVELS[1:]),
        ("team-edit", "team"),
        ("public", "unlisted"),
    }
    assert giving == {(new, old) for old, new in taking}
    assert (False, False) not in kinds.values()


def test_outside_of_a_team_nothing_is_given_to_one() -> None:
    assert {kind for kind, _ in levels.gives("private", "public", in_team=False)}.isdisjoint(
        levels.OF_TEAM
    )
    assert not levels.gives("private", "team", in_team=False)


def test_of_a_level_that_v0_has_not_agreed_to_only_what_the_old_one_allows_is_lost() -> None:
    lost = levels.takes("team", "private", wanted="unlisted")
    assert Access(Kind.MATE, Action.READ) in levels.takes("team", "private")
    assert lost == frozenset()
    assert Access(Kind.MATE, Action.READ) in levels.gives("team", "team", wanted="unlisted")
