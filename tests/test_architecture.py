"""The house stands as it is drawn: who imports whom, how long a file is, what nowhere appears.

v0api ◄─ sandbox (types alone)      live ◄─ rendering ─► v0api.types
models ◄─ permissions ◄─ forms      usage, permissions, live, rendering, v0api ◄─ relay
all of these ◄─ views, consumers, admin, commands (never one another) ◄─ v0web
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.app_server import ROOT

MODELS = {"django", "chats.models"}
RELAY = MODELS | {
    "chats.live",
    "chats.permissions",
    "chats.rendering",
    "chats.usage",
    "chats.v0api",
    "channels",
}
ENTRANCE = RELAY | {"chats.relay", "chats.accounts", "chats.demo", "chats.forms", "allauth"}

# What a package may import beside the standard library and itself.
MAY_IMPORT = {
    "chats": set[str](),
    "chats.v0api": {"httpx", "httpcore"},
    "chats.sandbox": {"starlette", "uvicorn", "chats.v0api.types"},
    "chats.live": set[str](),
    "chats.models": {"django"},
    "chats.migrations": {"django"},
    "chats.permissions": MODELS,
    "chats.usage": MODELS | {"chats.v0api"},
    "chats.rendering": {
        "django",
        "markdown_it",
        "nh3",
        "pygments",
        "chats.v0api.types",
        "chats.live",
    },
    # For the webhook of alerts, which is no business of v0's client.
    "chats.relay": RELAY | {"httpx"},
    "chats.forms": MODELS
    | {"chats.permissions", "chats.v0api.errors", "chats.v0api.limits", "chats.v0api.types"},
    "chats.accounts": MODELS
    | {"allauth", "cryptography", "jwt", "qrcode", "requests", "chats.permissions"},
    "chats.demo": MODELS | {"allauth"},
    "chats.views": ENTRANCE | {"django_htmx"},
    "chats.consumers": ENTRANCE,
    "chats.admin": ENTRANCE,
    "chats.management": ENTRANCE,
    "chats.urls": {"django", "chats.views"},
    "chats.routing": {"django", "chats.consumers"},
    "chats.apps": {"django"},
    "v0web": {
        "django",
        "asgiref",
        "channels",
        "csp",
        "allauth",
        "autobahn",
        "daphne",
        "dj_database_url",
        "twisted",
        "whitenoise",
        "chats.accounts",
        "chats.relay",
        "chats.routing",
        "chats.urls",
        "chats.views",
    },
}
LONGEST = 500
DATA = {"requirements.txt", "requirements-dev.txt"}
ENDINGS_OF_DATA = {".json", ".png", ".sse"}


@cache
def files() -> tuple[Path, ...]:
    """What is kept in the repository, and what is about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = (Path(name) for name in sorted(set(listed.stdout.splitlines())))
    return tuple(file for file in found if (ROOT / file).is_file())


def python(*folders: str) -> list[Path]:
    return [file for file in files() if file.suffix == ".py" and file.parts[0] in folders]


def text(file: Path) -> str:
    return (ROOT / file).read_text("utf-8")


def package(file: Path) -> str:
    """`chats/relay/run.py` belongs to `chats.relay`, `chats/admin.py` to `chats.admin`."""
    if file.parts[0] != "chats" or file == Path("chats/__init__.py"):
        return file.parts[0]
    return f"chats.{file.with_suffix('').parts[1]}"


def imported(file: Path) -> Iterator[str]:
    """Dotted names that `file` imports anywhere in it, without those of the standard library."""
    for node in ast.walk(ast.parse(text(file))):
        match node:
            case ast.Import(names=names):
                found = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                found = [f"{module}.{alias.name}" for alias in names]
            case ast.ImportFrom():
                pytest.fail(f"{file} imports relative to itself.")
            case _:
                continue
        yield from (name for name in found if name.split(".")[0] not in sys.stdlib_module_names)


def is_within(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def test_a_module_imports_only_what_its_package_may() -> None:
    wrong = []
    for file in python("chats", "v0web"):
        own = package(file)
        assert own in MAY_IMPORT, f"{own} has no row in the table."
        allowed = MAY_IMPORT[own] | ({own} if own != "chats" else set())
        found = (name for name in imported(file) if not any(is_within(name, a) for a in allowed))
        wrong += [f"{file} must not import {name}" for name in found]
    assert not wrong, "\n".join(wrong)


def test_the_table_has_no_row_too_many() -> None:
    assert set(MAY_IMPORT) == {package(file) for file in python("chats", "v0web")}


@pytest.mark.parametrize(
    "module", ["chats", "chats.v0api.client", "chats.sandbox.app", "chats.live"]
)
def test_it_works_without_django(module: str) -> None:
    script = f"import sys, {module}; sys.exit('django' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_the_top_of_the_repository_is_as_it_was_agreed() -> None:
    folders = {file.parts[0] for file in files() if len(file.parts) > 1}
    assert folders <= {"v0web", "chats", "templates", "static", "tests", "docs", "bench", ".ci"}


def test_no_file_is_too_long() -> None:
    kept = [file for file in files() if str(file) not in DATA]
    kept = [file for file in kept if file.suffix not in ENDINGS_OF_DATA]
    lengths = {str(file): len(text(file).splitlines()) for file in kept}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_a_module_begins_by_saying_what_it_owns() -> None:
    silent = [
        str(file)
        for file in python("chats", "v0web", "tests", "bench")
        if "migrations" not in file.parts and text(file).strip()
        if not ast.get_docstring(ast.parse(text(file)))
    ]
    assert not silent


def test_a_script_begins_by_saying_what_it_adds_and_what_happens_without_it() -> None:
    scripts = [file for file in files() if file.match("static/js/*.js")]
    assert scripts
    for script in scripts:
        assert all(line.startswith("// ") for line in text(script).splitlines()[:2]), script


# What must not appear: a pattern, the files where it must not, and those where it may.
FORBIDDEN = [
    ("aiter_lines() splits at more than line ends", r"aiter_lines\(", "*.py", ()),
    ("a redirect could take the key elsewhere", r"follow_redirects\s*=\s*True", "*.py", ()),
    ("a POST is never repeated", r"retries\s*=\s*[1-9]", "*.py", ()),
    ("every form is protected", r"csrf_exempt", "*.py", ()),
    ("a form names its fields", r"""fields\s*=\s*["']__all__["']""", "*.py", ()),
    ("SQLite ignores it silently", r"select_for_update", "*.py", ()),
    ("what is safe is said in rendering", r"\bmark_safe\b|\bSafeString\(", "*.py",
     ("chats/rendering/*", "chats/views/chat.py")),
    ("what is safe is said in rendering", r"\|\s*safe\b|autoescape\s+off", "*.html", ()),
    ("a comment that goes over its line is shown to people", r"\{#(?!.*#\})", "*.html", ()),
    ("the policy allows no inline style", r"""\sstyle\s*=\s*["']""", "*.html", ()),
    ("the policy allows no inline script", r"<script(?![^>]*\bsrc=)|\son[a-z]+\s*=\s*[\"']|hx-on",
     "*.html", ()),
    ("files come from here", r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", "*.html", ()),
    ("files come from here", r"""@import|url\(\s*["']?(?:https?:|//|data:)""", "*.css", ()),
    ("HTML is made on the server", r"innerHTML|outerHTML\s*=|insertAdjacentHTML|document\.write",
     "static/js/*.js", ()),
    ("the policy allows no eval", r"\beval\(|new Function\(", "static/js/*.js", ()),
    ("async code does not wait in line", r"ALLOW_ASYNC_UNSAFE", "*.py", ()),
    ("a test that does not run proves nothing", r"pytest\.(?:mark\.)?(?:skip|xfail)|importorskip",
     "*.py", ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "pattern", "where", "but"), FORBIDDEN, ids=lambda value: str(value)[:40]
)
def test_nowhere_appears(why: str, pattern: str, where: str, but: tuple[str, ...]) -> None:
    found = [
        f"{file}:{number}"
        for file in files()
        if file.match(where) and file != Path("tests/test_architecture.py")
        if not any(file.match(one) for one in but)
        for number, line in enumerate(text(file).splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, f"{why}: {', '.join(found)}"


def test_a_lease_is_not_told_by_the_wall_clock() -> None:
    for file in python("chats"):
        if file.parts[1] == "relay":
            assert not re.search(r"\btime\.time\(", text(file)), file


def test_a_task_is_held_by_somebody() -> None:
    """A task that nothing refers to may be collected before it ends."""
    for file in python("chats", "v0web"):
        for node in ast.walk(ast.parse(text(file))):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                called = ast.unparse(node.value.func)
                assert called not in {"asyncio.create_task", "asyncio.ensure_future"}, file


def test_a_comment_of_a_template_ends_on_its_line() -> None:
    # Otherwise it is text, and stands on the page.
    templates = [file for file in files() if file.parts[0] == "templates"]
    assert templates
    assert [file for file in templates if re.search(r"\{#(?!.*#\})", text(file))] == []
