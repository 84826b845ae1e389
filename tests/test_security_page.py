"""docs/security.md: a line for every requirement, and no test named in it that does not exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.app_server import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
# Requirements of levels 1 and 2 in each section of the chapters V6, V7 and V8 of ASVS 5.0.
SECTIONS = {
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
    "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1,
}  # fmt: skip
LINES = re.findall(r"^\| (\d\.\d\.\d+) \| ([^|]+) \| (.+) \|$", PAGE, re.MULTILINE)
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@cache
def named_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_requirement_has_its_line() -> None:
    expected = [f"{section}.{n}" for section, last in SECTIONS.items() for n in range(1, last + 1)]
    assert [number for number, _, _ in LINES] == expected


def test_every_line_names_a_test_or_says_why_not() -> None:
    for number, _, shown in LINES:
        assert "::" in shown or "this page" in shown or shown.endswith("."), number


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_the_tests_it_names_exist(file: str) -> None:
    assert {name for other, name in NAMED if other == file} <= named_in(file)


def test_the_settings_and_files_it_names_exist() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in re.findall(r"`(V0_[A-Z_]+|ALLOWED_HOSTS|SECRET_KEY)", PAGE):
        assert f"`{name}`" in readme, name
    for file in re.findall(r"`((?:chats|v0web|tests)/[\w/]+\.py)`", PAGE):
        assert (ROOT / file).is_file(), file
