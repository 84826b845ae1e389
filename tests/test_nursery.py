"""Processes of the nursery's are what `python -m` would have made."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app_server import ROOT, wait_until
from tests.nursery import Child, nursery

SCRIPT = """
import os, sys, time
print(__name__, sys.argv[1:], os.getcwd(), sorted(os.environ), sys.path[0], flush=True)
print("errors go elsewhere", file=sys.stderr, flush=True)
if sys.argv[1] == "sleep":
    time.sleep(60)
sys.exit(int(sys.argv[1]))
"""


def child(folder: Path, *arguments: str) -> Child:
    (folder / "spoken.py").write_text(SCRIPT)
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as errors:
        return nursery().start(
            "spoken",
            *arguments,
            cwd=folder,
            env={"LC_CTYPE": "C.UTF-8"},
            output=out.fileno(),
            errors=errors.fileno(),
        )


def test_it_has_its_own_arguments_folder_environment_and_output(tmp_path: Path) -> None:
    process = child(tmp_path, "7", "two words")
    assert process.wait(20) == process.poll() == 7
    said = f"__main__ ['7', 'two words'] {tmp_path} ['LC_CTYPE'] {tmp_path}\n"
    assert (tmp_path / "out").read_text() == said
    assert (tmp_path / "err").read_text() == "errors go elsewhere\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_is_waited_for_and_ended_as_any_process(tmp_path: Path, number: int) -> None:
    process, other = child(tmp_path, "sleep"), child(tmp_path, "0")
    assert other.wait(20) == 0
    wait_until(lambda: (tmp_path / "out").read_text() != "")
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.send_signal(number)
    assert process.wait(20) == -number
    # Nobody else's process is ended by a number that is free again.
    process.kill()


def test_it_shares_nothing_that_a_setting_decides() -> None:
    script = (
        "import sys, tests.nursery as n; [__import__(name) for name in n.LIBRARIES + n.OURS]; "
        "from django.apps import apps; from django.conf import settings; "
        "ours = {name.split('.')[1] for name in sys.modules if name.startswith('chats.')}; "
        "print(sorted(ours), 'v0web' in sys.modules, apps.ready, settings.configured, "
        "'twisted.internet.reactor' in sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "['sandbox', 'v0api'] False False False False\n"
