"""`python -m chats.sandbox`: the command line of the stand-in.

Owns its options and its help. Relies on the parts that it puts together. A taken port and an
unusable database file are said in one line, with exit status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import sqlite3
import sys
import textwrap
from pathlib import Path

from chats.sandbox.agent.scenarios import SCENARIOS
from chats.sandbox.faults import KINDS
from chats.sandbox.runs import Runs
from chats.sandbox.server import listen, serve
from chats.sandbox.spec import REVISIONS, spec_of
from chats.sandbox.store import Store
from chats.sandbox.world import Sandbox

OWN_ROUTES = {
    "ledger": "GET: charged POSTs, messages, stops, resolves, credits; per chat and in all; of one "
    "world with its bearer key, else of all",
    "faults": "POST {path, kind, after, times, …}; GET lists, DELETE clears",
    "chats/ID": "PATCH {title, privacy, metadata, writePermission, older, preview} or DELETE, as if "
    "somebody did so in v0's own pages",
    "chats/ID/messages": "POST {message, run}: somebody else writes",
    "requests": "GET: the last charged requests of the bearer key, with their bodies",
    "plan": "PUT {credits}: what a month's plan of the bearer key includes",
    "deliveries": "GET: what became of the webhooks of the bearer key",
}
"""Below /_sandbox/ → what they are for."""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        listener = listen(options.host, options.port)
    except OSError as problem:
        taken = problem.errno == errno.EADDRINUSE
        reason = "the port is taken" if taken else problem.strerror or str(problem)
        print(f"sandbox: cannot listen on {options.host}:{options.port}: {reason}", file=sys.stderr)
        return 1
    try:
        store = Store(options.db)
    except (OSError, sqlite3.Error) as problem:
        print(f"sandbox: cannot use {options.db}: {problem}", file=sys.stderr)
        return 1
    runs = Runs(store)
    asyncio.run(serve(Sandbox(spec_of(options.revision), store, runs, options.pace), listener))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chats.sandbox",
        description="A stand-in for the v0 Platform API with an agent of its own. "
        "Any bearer key is welcome; each is a world of its own.",
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=int, default=8400, help="port; 0 takes a free one (%(default)s)")
    add("--db", type=Path, required=True, metavar="FILE", help="SQLite file that keeps its state")
    add("--revision", choices=REVISIONS, default="ga", help="requests to accept (%(default)s)")
    add(
        "--pace",
        type=_pace,
        default=1.0,
        metavar="FACTOR",
        help="1 is believable, 0 as fast as possible (%(default)s)",
    )
    return parser


def _pace(text: str) -> float:
    pace = float(text)
    if not 0 <= pace < float("inf"):
        raise ValueError
    return pace


def _epilog() -> str:
    return (
        "lines in a prompt:\n"
        "  pace: FACTOR                  the pace of this answer\n"
        "  scenario: NAME [key=value …]  what happens instead of an ordinary answer\n\n"
        f"scenarios:\n{_table({name: item.shows for name, item in SCENARIOS.items()})}\n\n"
        f"below /_sandbox/, for clients on this machine:\n{_table(OWN_ROUTES)}\n\n"
        f"kinds of faults:\n{_table(KINDS)}\n\n"
        "docs/sandbox.md says more."
    )


def _table(rows: dict[str, str]) -> str:
    indent = " " * 25
    return "\n".join(
        textwrap.fill(words, 100, initial_indent=f"  {name:<23}", subsequent_indent=indent)
        for name, words in rows.items()
    )


if __name__ == "__main__":
    sys.exit(main())
