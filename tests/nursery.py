"""Server processes that begin with the libraries imported already.

Owns one process for each process of tests: it has imported what every server of ours needs and no setting
decides, and forks a child for each that is asked for, which goes on as `python -m MODULE` would. Importing
alone was two thirds of what a start cost, some two hundred times in one run. Of our own it imports only what
stands without Django: the client of v0 and its stand-in.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

# Each brings many others; none of them asks for Django's settings or makes a loop.
LIBRARIES = (
    "autobahn.twisted.websocket",
    "channels.generic.websocket",
    "csp.middleware",
    "django.core.handlers.asgi",
    "django.core.management",
    "django.db.backends.sqlite3.base",
    "django.middleware.common",
    "django.middleware.security",
    "fido2.server",
    "h11",
    "httpcore",
    "httpx",
    "markdown_it",
    "pygments.lexer",
    "qrcode",
    "requests",
    "starlette.applications",
    "twisted.web.http",
    "uvicorn",
    "whitenoise.middleware",
)
ROOT = str(Path(__file__).resolve().parent.parent)
OURS = ("chats.v0api.client", "chats.sandbox.server", "chats.sandbox.world")


class Child:
    """A process of the nursery's; what `subprocess.Popen` has that tests ask for."""

    def __init__(self, status: socket.socket) -> None:
        self._status = status
        self.returncode: int | None = None
        self.pid = int(self._read(20) or 0)
        assert self.pid, "The nursery did not make a process."

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, negative for a signal; raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _end(self) -> None:
        self.returncode = int(self._read(20))
        self._status.close()

    def _read(self, size: int) -> str:
        return self._status.recv(size).decode()


class Nursery:
    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, __file__, str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])

    def start(
        self,
        module: str,
        *arguments: str,
        cwd: Path,
        env: Mapping[str, str],
        output: int,
        errors: int,
    ) -> Child:
        """`python -m module arguments` in `cwd`, with nothing but `env`; it writes to these files."""
        asked = {"module": module, "arguments": arguments, "cwd": str(cwd), "env": dict(env)}
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            given = [theirs.fileno(), output, errors]
            socket.send_fds(self._line, [json.dumps(asked).encode()], given)
        return Child(mine)

    def close(self) -> None:
        self._line.close()
        self._process.wait(10)


@cache
def nursery() -> Nursery:
    """That of this process, made when it is first asked for; it ends with this process."""
    made = Nursery()
    atexit.register(made.close)
    return made


def main(line: socket.socket) -> None:
    """Forks what is asked for until nobody can ask any more; each child returns into its own module."""
    # The folder of this file stands there.
    sys.path[0] = ROOT
    for name in LIBRARIES + OURS:
        importlib.import_module(name)
    # What is there by now is never looked through, so that children share it.
    gc.collect()
    gc.freeze()
    ended, wakes = socket.socketpair()
    for end in (ended, wakes):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    told: dict[int, socket.socket] = {}
    while True:
        ready = select.select([line, ended], [], [])[0]
        if ended in ready:
            ended.recv(4096)
            _tell(told)
        if line not in ready:
            continue
        text, files, _, _ = socket.recv_fds(line, 1 << 20, 3)
        if not text:
            return
        asked = json.loads(text)
        if pid := os.fork():
            told[pid] = socket.socket(fileno=files[0])
            told[pid].send(str(pid).encode())
            for file in files[1:]:
                os.close(file)
            continue
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for mine in (line, ended, wakes, *told.values()):
            mine.close()
        _become(asked, *files)
        return


def _tell(told: dict[int, socket.socket]) -> None:
    """The status of every child that has ended, to whoever asked for it."""
    while told:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with told.pop(pid) as asker:
            try:
                asker.send(str(os.waitstatus_to_exitcode(status)).encode())
            except BrokenPipeError:
                continue


def _become(asked: dict[str, Any], status: int, output: int, errors: int) -> None:
    """This process goes on as the module that was asked for."""
    os.close(status)
    with open(os.devnull) as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    for file in {output, errors} - {1, 2}:
        os.close(file)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if asked["cwd"] != ROOT:
        # There may be others of these names.
        for name in [name for name in sys.modules if name.split(".")[0] == "chats"]:
            del sys.modules[name]
    sys.path[0] = asked["cwd"]
    sys.argv = [asked["module"], *asked["arguments"]]
    runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as asked_on:
        main(asked_on)
