"""Server processes that begin with the libraries imported already.

Owns one process for each process of tests: it has imported what every server of ours needs and no setting
decides, and forks a child for each that is asked for, which goes on as `python -m MODULE` would. Importing
alone was two thirds of what a start cost, some two hundred times in one run. Of our own it imports only what
stands without Django: the client of v0 and its stand-in. The first server of the app that is asked for makes
it fork a second nursery, to which it hands on all of these: `tests.warm` is what that one has ready.
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
from types import ModuleType
from typing import Any

# Each brings many others; none of them asks for Django's settings or makes a loop.
LIBRARIES = (
    "anyio._backends._asyncio",
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


def _get_sandbox_ready() -> None:
    """Its spec is read, and the patterns of its addresses are compiled, in the making of one."""
    from chats.sandbox.app import application
    from chats.sandbox.runs import Runs
    from chats.sandbox.spec import spec_of
    from chats.sandbox.store import Store
    from chats.sandbox.world import Sandbox

    store, spec = Store(Path(":memory:")), spec_of("ga")
    application(Sandbox(spec, store, Runs(store), 0))
    store.close()
    assert spec.text


class Forks:
    """The other side of the line: makes what is asked for until nobody can ask any more."""

    def __init__(self, line: socket.socket, warm: ModuleType | None = None) -> None:
        self.line, self.warm = line, warm
        self.second: socket.socket | None = None
        self.told: dict[int, socket.socket] = {}
        self.ended, self.wakes = socket.socketpair()

    def work(self) -> None:
        """Returns at the end; in each child, from its own module."""
        # What is there by now is never looked through, so that children share it.
        gc.collect()
        gc.freeze()
        for end in (self.ended, self.wakes):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wakes.fileno(), warn_on_full_buffer=False)
        while True:
            ready = select.select([self.line, self.ended], [], [])[0]
            if self.ended in ready:
                self.ended.recv(4096)
                self.tell()
            if self.line in ready and self.is_done():
                return

    def is_done(self) -> bool:
        """Takes one message: whether this process has nothing more to do here."""
        text, files, _, _ = socket.recv_fds(self.line, 1 << 20, 3)
        if not text:
            return True
        asked = json.loads(text)
        if self.warm is None and asked["cwd"] == ROOT and _is_app(asked):
            if self.second is None:
                self.second, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                with theirs:
                    if not os.fork():
                        self.let_go(*files)
                        _begin_warm(theirs)
                        return True
            socket.send_fds(self.second, [text], files)
        elif pid := os.fork():
            self.told[pid] = socket.socket(fileno=files.pop(0))
            self.told[pid].send(str(pid).encode())
        else:
            self.let_go()
            _become(asked, *files, warm=self.warm)
            return True
        for file in files:
            os.close(file)
        return False

    def let_go(self, *files: int) -> None:
        """What a child has no use for."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for mine in (self.line, self.ended, self.wakes, self.second, *self.told.values()):
            if mine:
                mine.close()
        for file in files:
            os.close(file)

    def tell(self) -> None:
        """The status of every child that has ended, to whoever asked for it."""
        while self.told:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self.told.pop(pid) as asker:
                try:
                    asker.send(str(os.waitstatus_to_exitcode(status)).encode())
                except BrokenPipeError:
                    continue


def _is_app(asked: dict[str, Any]) -> bool:
    from tests import warm

    return warm.is_for(asked["module"], asked["env"])


def _begin_warm(line: socket.socket) -> None:
    """This process goes on as the second nursery."""
    from tests import warm

    warm.get_ready()
    Forks(line, warm).work()


def _become(
    asked: dict[str, Any], status: int, output: int, errors: int, *, warm: ModuleType | None
) -> None:
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
    if warm and not warm.read_settings():
        command = [sys.executable, "-m", asked["module"], *asked["arguments"]]
        os.execve(sys.executable, command, asked["env"])
    if asked["cwd"] != ROOT:
        # There may be others of these names.
        for name in [name for name in sys.modules if name.split(".")[0] == "chats"]:
            del sys.modules[name]
    sys.path[0] = asked["cwd"]
    sys.argv = [asked["module"], *asked["arguments"]]
    runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    # The folder of this file stands there.
    sys.path[0] = ROOT
    for name in LIBRARIES + OURS:
        importlib.import_module(name)
    _get_sandbox_ready()
    with socket.socket(fileno=int(sys.argv[1])) as asked_on:
        Forks(asked_on).work()
