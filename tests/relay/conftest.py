"""A sandbox for the module and an app for the test, with periods short enough to be waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.app_server import AppServer, prepared_database, running_app
from tests.sandbox_server import Sandbox, running_sandbox
from tests.world import World, world

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

    from chats.models import Person
    from tests.relay.inside import Inside

QUICK = {
    "V0_LEASE": "2",
    "V0_LEASE_RENEW": "0.5",
    "V0_LOOK_EVERY": "0.4",
    "V0_SAVE_EVERY": "0.2",
    "V0_CHECK_AFTER": "0.2,0.5,1",
    "V0_CHECK_FOR": "3",
    "V0_HEADERS_TIMEOUT": "2",
    "V0_SILENCE_TIMEOUT": "2",
    "V0_CATCH_UP": "1",
    "V0_RESUME_TRIES": "2",
    # Not to be quick, but what a busy process takes by itself.
    "V0_PUBLISH_WINDOW": "0.05",
}

# Faults of a charged POST after which nobody knows whether v0 has it.
DOUBTS = [
    pytest.param({"kind": "status", "status": 500}, id="500"),
    pytest.param({"kind": "hang", "seconds": 6}, id="hang"),
    pytest.param({"kind": "reset", "bytes": None}, id="reset"),
]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "v0.sqlite3", pace=0) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def settings_of_app() -> dict[str, str]:
    """What a module's server gets; a module overrides it."""
    return QUICK


@pytest.fixture(scope="module")
def app(
    sandbox: Sandbox,
    shared_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    settings_of_app: dict[str, str],
) -> Iterator[AppServer]:
    """One server for the tests of a module that leave it running."""
    template = prepared_database(shared_folder)
    folder = tmp_path_factory.mktemp("app")
    with running_app(folder, sandbox, template=template, database=None, **settings_of_app) as app:
        yield app


@pytest.fixture(name="world")
def shared_world(app: AppServer, sandbox: Sandbox) -> Iterator[World]:
    """The owner's world in the module's server; its ledger begins with the test."""
    with world(app, sandbox) as shared:
        yield shared
    sandbox.clear_faults()


@pytest.fixture
def here(sandbox: Sandbox, run_app: Callable[..., AppServer]) -> Iterator[Callable[..., World]]:
    """`here()` is the owner's world in a server of the test's own; `here(V0_LEASE="1")`."""
    with ExitStack() as stack:

        def here(email: str = "owner@example.com", **settings: str) -> World:
            app = run_app(sandbox, **{**QUICK, **settings})
            return stack.enter_context(world(app, sandbox, email))

        yield here
    sandbox.clear_faults()


@pytest.fixture
def inside(
    transactional_db: None, owner: Person, sandbox: Sandbox, settings: Settings
) -> Iterator[Inside]:
    """The owner, with a relay in this process."""
    from tests.relay.inside import Inside

    yield Inside(owner, sandbox, settings)
    sandbox.clear_faults()
