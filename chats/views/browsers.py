"""What a browser calls itself, in a few words. Owns nothing but these guesses; the whole text stays at hand."""

from __future__ import annotations

# The first that is in the text: later ones pretend to be earlier ones.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "a Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser(text: str) -> str:
    """`Firefox on Linux`; what is not known is said to be so."""
    name = next((name for mark, name in BROWSERS if mark in text), "An unknown browser")
    system = next((name for mark, name in SYSTEMS if mark in text), "")
    return f"{name} on {system}" if system else name
