"""The ordinary answer: think, look around, write the files, check them, tell what changed.

Owns the story and its prose. Relies on `reading` for what is wanted and on `pages` for the files.
What it tells is true of the files that it leaves: names, sizes, colours and changes. It leaves
alone what a person wrote: a file of the page that was edited by hand, and every file of a project
that was brought along.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from chats.sandbox.agent.pages import IMPORTED, Page
from chats.sandbox.agent.reading import changed_page, is_question, is_request, new_page, subject
from chats.sandbox.draft import Draft, Script, Step, Turn, act, say, think
from chats.sandbox.files import Files, of_text, text_of

REQUESTS = "REQUESTS.md"


def ordinary(turn: Turn, draft: Draft) -> Script:
    yield Step(0.4)
    yield from entitle(turn, draft)
    if is_question(turn.prompt) or not (draft.page or is_request(turn.prompt)):
        yield from _answer(turn, draft, _page(draft))
    else:
        yield from work(turn, draft)


def work(turn: Turn, draft: Draft) -> Script:
    """Makes the page, or changes the one that is there; notes the request in a project."""
    page = _page(draft)
    if draft.page == IMPORTED:
        yield from _note(turn, draft)
    elif page is None:
        yield from _build(turn, draft)
    else:
        yield from _change(turn, draft, page)


def _page(draft: Draft) -> Page | None:
    return Page.from_wire(draft.page) if draft.page and draft.page != IMPORTED else None


def entitle(turn: Turn, draft: Draft) -> Script:
    """On the first turn, a title that grows word by word."""
    if turn.place or draft.title:
        return
    words = subject(turn.prompt).split()
    for count in sorted({1, (len(words) + 1) // 2, len(words)}):
        draft.retitle(" ".join(words[:count]))
        yield Step(0.15)


def _build(turn: Turn, draft: Draft) -> Script:
    page = new_page(turn.prompt)
    files = page.files()
    yield from think(
        turn,
        draft,
        f"The request is a page about {page.heading}. One HTML file, one stylesheet and one "
        f"script are enough: no build, nothing to install.\n\nI need a clear heading, a list of "
        f"{len(page.items)} entries that react, and {page.colour} as the one accent, checked for "
        "contrast against white text.",
    )
    yield from say(turn, draft, f"I'll build **{page.heading}** as a small page of three files.")
    yield from act(draft, 0.5, "file-read", {}, paths=["package.json", "README.md"])
    yield from act(draft, 0.9, "search", {}, scope="repo", query="existing styles and components")
    yield from act(
        draft, 1.2, "search", {}, scope="web", query=f"accessible {page.colour} accent on white"
    )
    operations = {path: "update" if path in draft.files else "create" for path in files}
    yield from write_files(draft, page, files, operations)
    yield from _check(draft)
    yield from say(turn, draft, _built(page, files))


def _change(turn: Turn, draft: Draft, page: Page) -> Script:
    after, told = changed_page(page, turn.prompt)
    before, files = draft.files, after.files()
    by_hand = [path for path, data in page.files().items() if before.get(path) != data]
    touched = {path: "patch" for path in files if files[path] != page.files()[path]}
    changed = {path: touched[path] for path in touched if path not in by_hand}
    yield from think(
        turn,
        draft,
        f"The page {page.heading} is there already. This touches "
        f"{_listed(list(changed)) or 'nothing that is not so already'}; the rest stays as it is.",
    )
    yield from act(draft, 0.4, "file-read", {}, paths=sorted(before))
    yield from act(draft, 0.6, "search", {}, scope="repo", query=turn.prompt[:60])
    yield from write_files(draft, after, files, changed)
    if changed:
        yield from _check(draft)
    kept = [path for path in touched if path in by_hand]
    yield from say(turn, draft, _told(told, before, files, list(changed)) + _kept(kept))


def _note(turn: Turn, draft: Draft) -> Script:
    """A project of somebody else's: nothing in it is changed, but the request is written down."""
    paths = sorted(draft.files)
    known = text_of(draft.files.get(REQUESTS, b"")) or "# Requests\n"
    yield from think(turn, draft, f"These {len(paths)} files were brought along. I know none yet.")
    yield from act(draft, 0.6, "file-read", {}, paths=paths[:12])
    operation = "patch" if REQUESTS in draft.files else "create"
    yield from act(draft, 0.5, "file-edit", {}, operation=operation, path=REQUESTS)
    draft.write(REQUESTS, of_text(f"{known}\n- {turn.prompt.strip()}\n"))
    yield from say(
        turn,
        draft,
        "### Written down\n\nThe local stand-in builds pages of its own and leaves a project "
        f"that was brought along as it is. Your request is in `{REQUESTS}`, with those before "
        f"it; the other {len(paths) - (operation == 'patch')} files did not change.\n",
    )


def write_files(draft: Draft, page: Page, files: Files, operations: dict[str, str]) -> Script:
    """A file-edit for each; a file is there once its edit has ended."""
    for path, operation in operations.items():
        yield from act(
            draft, 0.3 + len(files[path]) / 2_500, "file-edit", {}, operation=operation, path=path
        )
        draft.write(path, files[path])
    draft.page = page.to_wire()


def _check(draft: Draft) -> Script:
    sizes = "".join(f"{len(data):>6} {path}\n" for path, data in sorted(draft.files.items()))
    total = sum(map(len, draft.files.values()))
    command = f"node --check script.js && wc -c {' '.join(sorted(draft.files))}"
    output = f"{sizes}{total:>6} total\n"
    yield from act(draft, 1.1, "bash", {"output": output}, command=command)


def _answer(turn: Turn, draft: Draft, page: Page | None) -> Script:
    yield from think(turn, draft, "This is a question, so nothing has to be changed.")
    if page is None:
        yield from say(
            turn,
            draft,
            "I am the local stand-in for v0, so I know little about the world. What I can do is "
            "build a small page for you and change it as you like:\n\n"
            "- *Build a page for a coffee roaster in green*\n"
            "- *Make it dark*\n- *Add a contact form*\n- *Rename the heading to Bean & Co*\n",
        )
        return
    yield from act(draft, 0.4, "file-read", {}, paths=sorted(draft.files))
    shown = "\n".join(f"- {item}" for item in page.items)
    yield from say(
        turn,
        draft,
        f"**{page.heading}** is a {'dark' if page.dark else 'light'} page with {page.colour} as "
        f"its accent. It lists:\n\n{shown}\n\nSections besides the list: "
        f"{_listed(list(page.sections)) or 'none yet'}.\n",
    )


def _built(page: Page, files: Files) -> str:
    items = "\n".join(f"- {item}" for item in page.items)
    rows = "\n".join(f"| `{path}` | {len(data):,} |" for path, data in files.items())
    return (
        f"## {page.heading}\n\nThe page is ready. It opens with the heading "
        f"**{page.heading}**, uses {page.colour} (`{page.accent}`) as its accent"
        f"{' on a dark ground' if page.dark else ''}, and lists:\n\n{items}\n\n"
        f"### Files\n\n| File | Bytes |\n| --- | ---: |\n{rows}\n\n"
        "The colours sit in one place, so they are easy to change:\n\n"
        f"```css\n:root {{\n  --accent: {page.accent};\n}}\n```\n\n"
        "Say *make it dark*, *add a contact form* or *rename the heading to …* to go on.\n"
    )


def _told(told: list[str], before: Files, files: Files, touched: list[str]) -> str:
    changes = "\n".join(f"- {sentence}" for sentence in told)
    if not touched:
        return f"### Nothing to change\n\n{changes}\n\nThe files are as they were.\n"
    first = text_of(before.get(touched[0], b"")) or ""
    sample = next(_differences(first, text_of(files[touched[0]]) or ""), "")
    where = _listed([f"`{path}`" for path in touched])
    return f"### Done\n\n{changes}\n\nChanged: {where}.\n{sample}"


def _kept(by_hand: list[str]) -> str:
    if not by_hand:
        return ""
    where = _listed([f"`{path}`" for path in by_hand])
    return f"\nI left {where} alone: somebody has edited that by hand.\n"


def _differences(before: str, after: str) -> Iterator[str]:
    """The first few changed lines, as a fenced block."""
    lines = [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    if lines:
        yield "\n```diff\n" + "\n".join(lines[:8]) + "\n```\n"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)
