"""A note as plain text, links and names: nothing in it is ever markup."""

from __future__ import annotations

import pytest

from chats.rendering.notes import Piece, called, pieces

NAMES = {"Ann", "Ann Lee", "ann.lee", "ann.lee@example.com", "Ünal", "Jo"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@Ann look", [("Ann", "Ann")]),
        ("@ann lee, @ANN!", [("Ann Lee", "ann lee"), ("Ann", "ANN")]),
        (
            "(@ann.lee) (@ann.lee@example.com).",
            [("ann.lee", "ann.lee"), ("ann.lee@example.com",) * 2],
        ),
        ("@ünal's idea\n@Jo", [("Ünal", "ünal"), ("Jo", "Jo")]),
        ("@Annabel @ann-marie @ann.l", [("", "Annabel"), ("", "ann-marie"), ("", "ann.l")]),
        ("mail ann@jo.example, a/@Jo, @@Jo, @ Jo, @", []),
        ("@nobody. @no.body…", [("", "nobody"), ("", "no.body")]),
    ],
)
def test_a_name_is_called_by_all_of_it_and_the_longest_wins(
    text: str, found: list[tuple[str, str]]
) -> None:
    assert [(each.name, each.word) for each in called(text, NAMES)] == found


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://v0.app/docs.", ["https://v0.app/docs"]),
        (
            "(http://a.example/x_(y)) and HTTPS://B.example!",
            ["http://a.example/x_(y)", "HTTPS://B.example"],
        ),
        ('https://a.example/"onmouseover=alert(1)', ["https://a.example/"]),
        ("https://a.example/<script>", ["https://a.example/"]),
        ("javascript:alert(1) data:text/html,x file:///etc //a.example https://", []),
    ],
)
def test_addresses_of_the_web_become_links_and_nothing_else_does(
    text: str, links: list[str]
) -> None:
    made = pieces(text, {})
    assert [piece.href for piece in made if piece.href] == links
    assert "".join(piece.text for piece in made) == text
    assert all(piece.href in ("", piece.text) for piece in made)


def test_the_readers_own_name_is_told_from_others() -> None:
    made = pieces("Hi @ann and @Jo https://a.example/@Jo", {"Ann": False, "Jo": True})
    assert made == [
        Piece("Hi "),
        Piece("@ann", is_name=True),
        Piece(" and "),
        Piece("@Jo", is_name=True, is_own=True),
        Piece(" "),
        Piece("https://a.example/@Jo", href="https://a.example/@Jo"),
    ]


def test_a_note_full_of_names_is_read_in_no_time() -> None:
    names = {f"a{number}" for number in range(2000)}
    assert len(list(called("@a" * 2 + " @a5 " * 1000, names))) == 100
