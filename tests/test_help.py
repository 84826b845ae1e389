"""`--help` of each command of ours: a sentence for the command, and words for every option."""

from __future__ import annotations

import subprocess
import sys
from argparse import SUPPRESS, Action
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parent.parent
OURS = sorted(name for name, app in get_commands().items() if app == "chats")


def options(name: str) -> list[Action]:
    parser = load_command_class("chats", name).create_parser("manage.py", name)
    return [action for action in parser._actions if action.help != SUPPRESS]


@pytest.mark.parametrize("name", OURS)
def test_each_command_says_what_it_does_and_what_each_option_means(name: str) -> None:
    told = load_command_class("chats", name).help
    assert told[:1].isupper(), told
    assert told.endswith("."), told
    assert len(told.split()) >= 5, told
    for option in options(name):
        assert len((option.help or "").split()) >= 3, option.option_strings or option.dest


def test_the_commands_are_those_that_the_readme_and_make_use() -> None:
    assert {"ask", "prepare", "samples", "serve"} <= set(OURS)


def test_the_sandbox_explains_itself_too() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "chats.sandbox", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "usage:" in told
    assert all(option in told for option in ("--port", "--pace"))
