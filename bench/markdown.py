"""What Markdown costs while an answer grows: `python -m bench.markdown`.

Prints the CPU seconds of one answer in 10,000 chunks, block by block as the app does it, beside
rendering the whole text at every chunk, which is measured at every 200th chunk and multiplied.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

from chats.rendering.markdown import PROSE
from chats.rendering.prose import Prose

CHUNKS = 10_000
SAMPLED = 200
TEXT = (
    "the page now has a quiet hero and one column that folds on small screens while every form keeps"
    " what was typed and says **plainly** what is missing in `app/page.tsx` or [here](https://a.b)"
)
WORDS = TEXT.split()


def answer(size: int) -> str:
    """Prose, lists, code and a table, of `size` characters; always the same."""
    chance = random.Random(7)

    def some(least: int, most: int) -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(least, most)))

    makers: list[Callable[[], str]] = [
        lambda: some(20, 80),
        lambda: some(20, 80),
        lambda: "## " + some(2, 5),
        lambda: "\n".join("- " + some(3, 15) for _ in range(chance.randint(2, 10))),
        lambda: "```tsx\n" + "const [a, setA] = useState(0)\n" * chance.randint(5, 30) + "```",
        lambda: "| a | b |\n|---|---|\n" + "| `c` | d |\n" * chance.randint(2, 10),
    ]
    made = ""
    while len(made) < size:
        made += chance.choice(makers)() + "\n\n"
    return made[:size]


def growing(text: str) -> Iterator[str]:
    for index in range(1, CHUNKS + 1):
        yield text[: len(text) * index // CHUNKS]


def by_blocks(text: str) -> float:
    start = time.process_time()
    prose = Prose("b")
    for shown in growing(text):
        for _ in prose.grow(shown, closed=len(shown) == len(text)):
            pass
    return time.process_time() - start


def whole_each_time(text: str) -> float:
    start = time.process_time()
    for index, shown in enumerate(growing(text)):
        if index % SAMPLED == 0:
            for unit in PROSE.read(shown, {}):
                PROSE.html(unit.tokens)
    return (time.process_time() - start) * SAMPLED


def main() -> None:
    print(f"CPU seconds for one answer in {CHUNKS:,} chunks")
    print(f"{'answer':>10}  {'block by block':>14}  {'whole each time':>15}")
    for size in (30_000, 200_000):
        text = answer(size)
        print(f"{size // 1000:>7} KB  {by_blocks(text):>14.1f}  {whole_each_time(text):>15.0f}")


if __name__ == "__main__":
    main()
