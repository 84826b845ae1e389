"""The app and the sandbox as processes, one of each for a module, and the owner's dealings with them.

A module that needs other settings than the app's own says so with a fixture `app_settings`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.app_server import AppServer, is_free, prepared_database, running_app
from tests.sandbox_server import Sandbox, running_sandbox
from tests.world import World, world

# What a busy process takes by itself: the machine has other tests to run.
BUSY = {"V0_PUBLISH_WINDOW": "0.05"}


@pytest.fixture(scope="module")
def app_settings() -> Mapping[str, str]:
    return {}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "v0.sqlite3", pace=0) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def one_port() -> int:
    """The apps of all modules are at one address, one after another: their files are the same, and tabs
    keep them. Below the ports that systems give to whoever asks for any."""
    return next(port for port in iter(lambda: random.randrange(21_000, 31_000), 0) if is_free(port))


@pytest.fixture(scope="module")
def app(
    sandbox: Sandbox,
    app_settings: Mapping[str, str],
    one_port: int,
    shared_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("app")
    settings = {"PORT": str(one_port), **BUSY, **app_settings}
    template = prepared_database(shared_folder)
    with running_app(folder, sandbox, template=template, database=None, **settings) as app:
        yield app


@pytest.fixture(name="world")
def owners_world(app: AppServer, sandbox: Sandbox) -> Iterator[World]:
    """The owner's world; its ledger begins with the test."""
    with world(app, sandbox) as owners:
        yield owners
