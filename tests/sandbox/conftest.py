"""One sandbox for each module, at full speed, and a client with a world of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.asking import Client
from tests.sandbox_server import Sandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3") as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox) as client:
        yield client
    sandbox.clear_faults()
