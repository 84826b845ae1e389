"""What every test may ask for: the people of the demo, the app as a process, a browser.

Owns the environment that tests run in. While a module has the browser, Playwright's event loop runs in
its thread: a module that uses it uses neither the ORM nor `asyncio.run`.
"""

from __future__ import annotations

import fcntl
import gc
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import django
import hypothesis
import pytest

os.environ.update(
    DJANGO_SETTINGS_MODULE="v0web.settings",
    DEBUG="1",
    SECRET_KEY="only-for-tests-" * 4,
)
# Tests of scale alone are for servers that somebody names; see `.ci/scale`.
SERVERS = () if "V0_SCALE" in os.environ else ("DATABASE_URL", "REDIS_URL")
for name in ("V0_API_KEY", "V0_BASE_URL", "PORT", "SANDBOX_PORT", *SERVERS):
    os.environ.pop(name, None)

# Each worker and each server would otherwise compile all of ours anew: a third of what a start costs.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Thousands of tests leave much that lives on: looking through it every 700 objects is a twentieth of all.
gc.set_threshold(50_000, 20, 50)

# A machine that is busy is no fault of an example's.
hypothesis.settings.register_profile("v0web", deadline=None)
hypothesis.settings.load_profile("v0web")

# Here and not by pyproject.toml: settings read the environment above when they are imported.
django.setup()

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Browser, ConsoleMessage, Page
    from pytest_django.plugin import DjangoDbBlocker

    from chats.models import Person, Team
    from tests.app_server import AppServer
    from tests.scene import Scene
    from tests.tabs import Browsers, Tab, Tabs

# The first is the same engine without a browser's own windows, and starts pages in a third of the time.
CHROMIUM = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Of several workers one collects first, and the others read what it has compiled."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    # A worker's own folder is in the one of the whole run.
    folder = Path(session.config.getoption("basetemp")).parent
    with (folder / "collecting.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_first = not lock.tell()
        if is_first:
            yield
            lock.write("collected")
    if not is_first:
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with browsers among the others: those take all of a core, and many others mostly wait.
    Several browsers at once would only be in each other's way."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(str(item.path), []).append(item)
    browsers = [name for name in files if f"{os.sep}browser{os.sep}" in name]
    others = [name for name in files if name not in browsers]
    # Where each would stand if both kinds began and ended together.
    places = {
        name: number / len(kind) for kind in (browsers, others) for number, name in enumerate(kind)
    }
    items[:] = [item for name in sorted(places, key=places.__getitem__) for item in files[name]]


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: to look through it again and again for garbage
    takes a fifteenth of the whole time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    shared_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file of its own for this process: two runs at once, or two workers, share nothing but that the
    migrations ran once for all of them."""
    from django.conf import settings

    from tests.app_server import migrated_database

    file = tmp_path_factory.mktemp("database") / "test.sqlite3"
    shutil.copy(migrated_database(shared_folder), file)
    settings.DATABASES["default"]["TEST"]["NAME"] = str(file)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The file is new; it goes with its folder."""
    return True


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """Hashing slowly is what protects real passwords, and not what is tested here."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def flush_of_entries() -> Iterator[None]:
    """The flush after a test that commits is the one thing that removes audit entries at any time."""
    from django.db import connection
    from django.test import TransactionTestCase

    from chats.migrations import _audit_guard as guard
    from chats.models import AuditEntry

    tests: Any = TransactionTestCase
    flush = tests._fixture_teardown

    def flushed(case: object) -> None:
        on, off = guard.BY_VENDOR[connection.vendor]
        is_guarded = connection.vendor != "sqlite" or AuditEntry.objects.exists()
        if is_guarded:
            guard.run(connection, off)
        flush(case)
        if is_guarded:
            guard.run(connection, on)

    tests._fixture_teardown = flushed
    yield
    tests._fixture_teardown = flush


def person(email: str) -> Person:
    from chats.demo import NAMES, PASSWORD
    from chats.models import Person

    staff = email.startswith("admin@")
    return Person.objects.create_user(email, PASSWORD, name=NAMES[email], is_staff=staff)


@pytest.fixture
def owner(db: None) -> Person:
    return person("owner@example.com")


@pytest.fixture
def mate(db: None) -> Person:
    return person("mate@example.com")


@pytest.fixture
def stranger(db: None) -> Person:
    return person("stranger@example.com")


@pytest.fixture
def admin(db: None) -> Person:
    return person("admin@example.com")


@pytest.fixture
def team(owner: Person, mate: Person) -> Team:
    """The team that the owner owns and the mate is a member of."""
    from chats.demo import join_team
    from chats.models import Team

    join_team()
    return Team.objects.get()


@pytest.fixture(scope="module")
def staged(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Scene]:
    """Everybody of the table of rights with their chats, once for all tests of a module, each of which
    is rolled back to it."""
    from django.db import transaction

    from tests.scene import stage

    with django_db_blocker.unblock(), transaction.atomic():
        yield stage()
        transaction.set_rollback(True)


@pytest.fixture
def scene(staged: Scene, db: None) -> Scene:
    from dataclasses import replace

    return replace(
        staged,
        answers=dict(staged.answers),
        queued=dict(staged.queued),
        notes=dict(staged.notes),
        guests=dict(staged.guests),
    )


@pytest.fixture
def client_of() -> Callable[[Person | None], Client]:
    """`client_of(owner)` is Django's test client with the owner signed in; None signs nobody in."""
    from django.test import Client

    from tests.scene import sign_in

    def client_of(person: Person | None) -> Client:
        client = Client()
        if person is not None:
            sign_in(client, person)
        return client

    return client_of


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of this run."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture
def run_app(tmp_path: Path, shared_folder: Path) -> Iterator[Callable[..., AppServer]]:
    """`run_app(sandbox, V0_LEASE="2")` is a running app; it is ended with the test."""
    from contextlib import ExitStack

    from tests.app_server import Upstream, prepared_database, running_app

    with ExitStack() as stack:

        def run_app(
            sandbox: Upstream | None = None, *, database: Path | None = None, **settings: str
        ) -> AppServer:
            template = None if database else prepared_database(shared_folder)
            app = running_app(tmp_path, sandbox, template=template, database=database, **settings)
            return stack.enter_context(app)

        yield run_app


def chromium() -> str:
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert found, "No Chromium on this machine: `make test` installs one."
    return found


@pytest.fixture(scope="session")
def every_browser() -> Iterator[Browsers]:
    from tests.tabs import Browsers

    with Browsers(chromium(), FLAGS) as browsers:
        yield browsers


@pytest.fixture(scope="module")
def browser(every_browser: Browsers) -> Iterator[Browser]:
    with every_browser.in_use() as browser:
        yield browser
        every_browser.close_others()


class PageOf(Protocol):
    """`page_of(app, "owner@example.com")`: an empty page of a context of its own in which that person
    is signed in, or nobody for None. A `fresh` one is used by nobody before or after: scripts and
    listeners that a test adds stay. Anything on its console that is an error, an exception or a
    violation of the policy fails the test at its end, unless it matches `allowed`."""

    def __call__(
        self,
        app: AppServer,
        email: str | None,
        *,
        allowed: str = "",
        path: str = "",
        fresh: bool = False,
        **context: object,
    ) -> Page: ...


@pytest.fixture(scope="module")
def tabs(every_browser: Browsers, browser: Browser) -> Tabs:
    return every_browser.tabs


@pytest.fixture
def page_of(tabs: Tabs) -> Iterator[PageOf]:
    from django.conf import settings

    errors: list[str] = []
    taken: list[tuple[Tab, bool]] = []

    def page_of(
        app: AppServer,
        email: str | None,
        *,
        allowed: str = "",
        path: str = "",
        fresh: bool = False,
        **options: object,
    ) -> Page:
        from tests.tabs import Tabs

        pool = Tabs(tabs.browser) if fresh else tabs
        tab = pool.take(f"{app.url}/healthz", base_url=app.url, **options)
        taken.append((tab, fresh))
        page = tab.page
        if email is not None:
            session = app.session_of(email)
            name = settings.SESSION_COOKIE_NAME
            page.context.add_cookies([{"name": name, "value": session, "url": app.url}])

        def note(text: str) -> None:
            if not (allowed and re.search(allowed, text)):
                errors.append(f"{page.url}: {text}")

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                note(message.text)

        tab.listen("console", on_console)
        tab.listen("pageerror", lambda error: note(str(error)))
        if path:
            page.goto(path)
        return page

    yield page_of
    for tab, fresh in taken:
        if fresh:
            tab.page.context.close()
        else:
            tabs.put_back(tab)
    assert not errors, "\n".join(errors)
