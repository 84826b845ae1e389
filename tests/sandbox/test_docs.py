"""The manual names everything that a test may ask the sandbox for."""

from __future__ import annotations

import re

from chats.sandbox.__main__ import OWN_ROUTES
from chats.sandbox.agent.scenarios import SCENARIOS
from chats.sandbox.control import EDIT
from chats.sandbox.faults import KINDS, RULE
from tests.sandbox_server import ROOT


def test_the_manual_names_every_scenario_every_fault_and_every_field() -> None:
    manual = (ROOT / "docs" / "sandbox.md").read_text("utf-8")
    named = set(re.findall(r"`([\w-]+)`", manual))
    assert {*SCENARIOS, *KINDS, *RULE["properties"], *EDIT["properties"]} <= named
    assert all(f"/_sandbox/{path.replace('ID', '{id}')}" in manual for path in OWN_ROUTES)
