"""static/css/tokens.css: text can be read on every surface, in light and in dark."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from chats.models.people import COLOURS

TOKENS = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text()
PAIRS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", TOKENS
    )
}
GROUNDS = ("canvas", "surface", "raised", "bubble", "code-surface")
READABLE = [
    *((ink, ground) for ink in ("ink", "ink-2") for ground in (*GROUNDS, "hover", "pressed")),
    *(("ink-3", ground) for ground in ("canvas", "surface", "raised", "code-surface")),
    *((meaning, ground) for meaning in ("accent", "good", "warn", "danger") for ground in GROUNDS),
    *((meaning, f"{meaning}-soft") for meaning in ("accent", "good", "warn", "danger")),
    *((f"face-{number}", f"face-{number}-soft") for number in range(COLOURS)),
    ("on-primary", "primary"),
    ("on-primary", "primary-hover"),
    *(
        (name, "code-surface")
        for name in PAIRS
        if re.fullmatch(r"code-(?!added|removed|surface|inline).*", name)
    ),
    ("code-ink", "code-inline"),
    ("code-ink", "code-added"),
    ("code-ink", "code-removed"),
]


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), READABLE)
def test_text_has_enough_contrast(ink: str, ground: str, theme: int) -> None:
    assert contrast(PAIRS[ink][theme], PAIRS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("edge", ["line-strong", "focus"])
@pytest.mark.parametrize("ground", ["canvas", "surface", "raised"])
def test_edges_of_what_can_be_used_are_seen(edge: str, ground: str, theme: int) -> None:
    assert contrast(PAIRS[edge][theme], PAIRS[ground][theme]) >= 3


def test_every_colour_is_a_pair() -> None:
    colours = [line for line in TOKENS.splitlines() if re.search(r"#[0-9a-f]{3,8}\b", line)]
    assert all("light-dark(" in line for line in colours)
