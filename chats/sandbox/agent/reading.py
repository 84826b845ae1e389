"""What a prompt asks for: a new page, changes to the one that is there, or only an answer.

Owns the words that the agent understands. Relies on `pages`. Pure functions; what is not
understood becomes a section of its own, so that every request leaves its mark.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from chats.sandbox.agent.pages import SECTIONS, Page

COLOURS = {
    "red": "#dc2626",
    "crimson": "#be123c",
    "orange": "#ea580c",
    "amber": "#b45309",
    "gold": "#a16207",
    "yellow": "#a16207",
    "lime": "#4d7c0f",
    "green": "#15803d",
    "emerald": "#047857",
    "teal": "#0f766e",
    "cyan": "#0e7490",
    "blue": "#2563eb",
    "navy": "#1e3a8a",
    "indigo": "#4f46e5",
    "violet": "#7c3aed",
    "purple": "#7e22ce",
    "pink": "#db2777",
    "brown": "#7c4a21",
}
"""Names → accents that white text can be read on."""

KNOWN_ITEMS = {
    "coffee": ("Our beans", ("Ethiopia Yirgacheffe", "Colombia Huila", "House espresso")),
    "restaurant": ("The menu", ("Soup of the day", "Wild mushroom risotto", "Lemon tart")),
    "portfolio": ("Selected work", ("Brand for a bakery", "Field guide to birds", "City bike map")),
    "todo": ("Today", ("Water the plants", "Write to Ada", "Plan the weekend")),
    "task": ("Today", ("Water the plants", "Write to Ada", "Plan the weekend")),
    "book": ("On the shelf", ("The Dispossessed", "Invisible Cities", "The Left Hand of Darkness")),
    "travel": ("Where to go", ("Lisbon in spring", "The Norwegian coast", "Kyoto by bicycle")),
    "event": ("Programme", ("Doors open", "Opening talk", "Dinner together")),
    "shop": ("In the shop", ("Canvas bag", "Enamel mug", "Wool blanket")),
    "bakery": ("From the oven", ("Sourdough loaf", "Butter croissant", "Cinnamon bun")),
    "cake": ("You need", ("200 g of flour", "4 eggs", "2 lemons")),
    "recipe": ("You need", ("200 g of flour", "4 eggs", "A good pan")),
    "photo": ("Series", ("Harbour at dawn", "Faces of the market", "Winter roofs")),
    "saas": ("What you get", ("Set up in minutes", "Works with your tools", "Fair prices")),
    "fitness": ("Classes", ("Morning mobility", "Strength basics", "Easy run")),
}

BUILD = re.compile(
    r"\b(add|build|change|create|design|generate|give|improve|include|insert|make|need|put|"
    r"recolou?r|redesign|remove|rename|replace|set|show|style|turn|update|use|want|write)\b",
    re.IGNORECASE,
)
ASK = re.compile(
    r"^(hello|hi|hey|thanks?|thank you|what|why|how|who|when|where|which|is|are|does|do|can|could|"
    r"should|explain|tell me|describe)\b",
    re.IGNORECASE,
)
WONDER = re.compile(r"(what|why|how|who|when|where|which)\b.*\?\s*$", re.IGNORECASE | re.DOTALL)
THING = (
    r"(?:landing page|home ?page|web ?page|web ?site|web app|todo app|dashboard|portfolio|"
    r"blog|store|shop|site|page|app)"
)
STOP = r"(?=\s+(?:with|that|which|in|using|where|and (?:a|make|use|add))\b|[.,;:!?\n]|$)"
NAMED = re.compile(
    r"(?:titled|called|named|headed|heading)\s+[\"“']?(.+?)[\"”']?" + STOP, re.IGNORECASE
)
QUOTED = re.compile(r"[\"“](.+?)[\"”]")
SUBJECT = re.compile(
    THING + r"\s+(?:for|about|of|on)\s+(?:an?\s+|the\s+|my\s+|our\s+)?(.+?)" + STOP, re.IGNORECASE
)
KIND = re.compile(
    r"\b(?:build|create|make|design|write|generate|want|need)\s+(?:me\s+|us\s+)?"
    r"(?:an?\s+|the\s+|my\s+|our\s+)?(.+?)" + STOP,
    re.IGNORECASE,
)
LISTED = re.compile(
    r"\b(?:list|menu|cards?|items?|sections?|links?)\s+(?:of|for|with)?:?\s*([^.;!?\n]+)",
    re.IGNORECASE,
)
HEX = re.compile(r"#[0-9a-f]{6}\b|#[0-9a-f]{3}\b", re.IGNORECASE)
THEN = r"(?=\s+and\s+(?:make|add|use|change|remove|turn)\b|[.!\n]|$)"
RENAME = re.compile(
    r"\b(?:rename|change|set)\s+(?:the\s+)?(?:heading|headline|title|h1|name|page|site|it)\s+"
    r"(?:to|into|as)\s+[\"“']?(.+?)[\"”']?" + THEN,
    re.IGNORECASE,
)
CALL_IT = re.compile(r"\bcall (?:it|the page|the site)\s+[\"“']?(.+?)[\"”']?" + THEN, re.IGNORECASE)
ADD_ITEM = re.compile(
    r"\badd\s+[\"“']?(.+?)[\"”']?\s+to\s+(?:the|our|my)\s+(?:list|menu|items)\b", re.IGNORECASE
)
DROP_ITEM = re.compile(
    r"\b(?:remove|delete|drop)\s+[\"“']?(.+?)[\"”']?\s+from\s+(?:the|our|my)\s+"
    r"(?:list|menu|items)\b",
    re.IGNORECASE,
)
DROP = re.compile(r"\b(?:remove|delete|drop)\b", re.IGNORECASE)
LARGER = re.compile(
    r"\b(?:(?:larger|bigger)\s+(?:text|font|type|letters)|"
    r"(?:text|font|type|letters)\s+(?:larger|bigger))\b",
    re.IGNORECASE,
)
SAME_WORDS = {
    "contact": "contact form",
    "questions": "faq",
    "prices": "pricing",
    "reviews": "testimonials",
}


def is_question(prompt: str) -> bool:
    """Whether words are wanted and no change."""
    asks = prompt.rstrip().endswith("?") or bool(ASK.match(prompt.strip()))
    return asks and (bool(WONDER.match(prompt.strip())) or not is_request(prompt))


def is_request(prompt: str) -> bool:
    """Whether something is to be made."""
    return bool(BUILD.search(prompt) or re.search(rf"\b{THING}\b", prompt, re.IGNORECASE))


def subject(prompt: str) -> str:
    """What the page is about, in title case and at most five words."""
    for pattern in (NAMED, QUOTED, SUBJECT, KIND):
        found = pattern.search(prompt)
        if found and found[1].strip():
            return _headline(found[1])
    return _headline(prompt.strip().partition("\n")[0]) or "A Small Page"


def _headline(text: str) -> str:
    words = re.findall(r"[^\s]+", text.strip(" \t\n\"'“”.,;:!?"))[:5]
    return " ".join(word if word[:1].isupper() else word[:1].upper() + word[1:] for word in words)


def new_page(prompt: str) -> Page:
    heading = subject(prompt)
    title, items = _items(prompt, heading)
    page = Page(heading, f"Everything about {heading}, on one page.", title, items)
    for intent in (_recolour, _retheme, _add_sections, _enlarge):
        page, _ = intent(page, prompt) or (page, "")
    return page


def _items(prompt: str, heading: str) -> tuple[str, tuple[str, ...]]:
    found = LISTED.search(prompt)
    names = re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", found[1].strip()) if found else []
    listed = tuple(_sentence(name) for name in names if name.strip())
    if len(listed) > 1:
        return "The list", listed
    for word, known in KNOWN_ITEMS.items():
        if word in prompt.lower():
            return known
    return "Where to begin", ("Getting started", "How it works", "What comes next")


def _sentence(text: str) -> str:
    text = re.sub(r"^(?:an?|the|our|my)\s+", "", text.strip(" \"'“”"), flags=re.IGNORECASE)
    return text[:1].upper() + text[1:]


Changed = tuple[Page, str] | None
"""The page after one change and what to tell about it; None when that is not asked for."""


def _retheme(page: Page, prompt: str) -> Changed:
    if re.search(r"\blight\b.*\bdark\b|\bdark\b.*\blight\b", prompt, re.IGNORECASE):
        return None
    for word, dark in (("dark", True), ("light", False)):
        if re.search(rf"\b{word}\b", prompt, re.IGNORECASE) and page.dark != dark:
            return replace(page, dark=dark), f"The page is {word} now: ground, cards and text."
    return None


def _recolour(page: Page, prompt: str) -> Changed:
    shade = HEX.search(prompt)
    if shade:
        return replace(page, colour=shade[0], accent=shade[0]), f"The accent is `{shade[0]}` now."
    for name, accent in COLOURS.items():
        if re.search(rf"\b{name}\b", prompt, re.IGNORECASE) and page.colour != name:
            told = f"The accent is {name} now (`{accent}`)."
            return replace(page, colour=name, accent=accent), told
    return None


def _rename(page: Page, prompt: str) -> Changed:
    found = RENAME.search(prompt) or CALL_IT.search(prompt)
    if found is None or not found[1].strip():
        return None
    heading = found[1].strip()
    return replace(page, heading=heading), f"The heading reads **{heading}**."


def _add_sections(page: Page, prompt: str) -> Changed:
    if DROP.search(prompt):
        return None
    names = [name for name in _sections(prompt) if name not in page.sections]
    if not names:
        return None
    told = f"There is a new section: {', '.join(names)}."
    return replace(page, sections=(*page.sections, *names)), told


def _drop_sections(page: Page, prompt: str) -> Changed:
    names = [name for name in _sections(prompt) if name in page.sections]
    if not (DROP.search(prompt) and names):
        return None
    kept = tuple(name for name in page.sections if name not in names)
    return replace(page, sections=kept), f"The section is gone: {', '.join(names)}."


def _sections(prompt: str) -> list[str]:
    words = prompt.lower()
    named = [SAME_WORDS.get(word, word) for word in (*SECTIONS, *SAME_WORDS) if word in words]
    return [name for name in SECTIONS if name in named]


def _add_item(page: Page, prompt: str) -> Changed:
    found = ADD_ITEM.search(prompt)
    if found is None:
        return None
    item = _sentence(found[1])
    return replace(page, items=(*page.items, item)), f"**{item}** is on the list."


def _drop_item(page: Page, prompt: str) -> Changed:
    found = DROP_ITEM.search(prompt)
    kept = tuple(item for item in page.items if not found or item.lower() != found[1].lower())
    if found is None or kept == page.items:
        return None
    return replace(page, items=kept), f"**{_sentence(found[1])}** is off the list."


def _enlarge(page: Page, prompt: str) -> Changed:
    if page.large or not LARGER.search(prompt):
        return None
    return replace(page, large=True), "The text is larger, at 1.25 rem."


INTENTS: tuple[Callable[[Page, str], Changed], ...] = (
    _rename,
    _retheme,
    _recolour,
    _add_item,
    _drop_item,
    _add_sections,
    _drop_sections,
    _enlarge,
)


def changed_page(page: Page, prompt: str) -> tuple[Page, list[str]]:
    """`page` with every change that `prompt` asks for, and a sentence about each."""
    told: list[str] = []
    for intent in INTENTS:
        change = intent(page, prompt)
        if change is not None:
            page, sentence = change
            told.append(sentence)
    if told:
        return page, told
    title = _headline(prompt) or "Note"
    noted = replace(page, notes=(*page.notes, (title, prompt.strip())))
    return noted, [f"There is a new section, **{title}**, with what you asked for."]
