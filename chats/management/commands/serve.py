"""`manage.py serve`, which `make run` calls: the app, and beside it the sandbox unless v0 is used.

Owns two processes and what is said about them. Relies on `prepare` for the database and on
`v0web.server` and `chats.sandbox` for everything they do. Listens on loopback only, and never reads
or changes a chat.

    prepare ─► sandbox ─► samples (first time) ─► app ─► "v0web runs at …" ─► wait ─► app ends ─► sandbox ends
"""

from __future__ import annotations

import io
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from chats.demo import NAMES, PASSWORD, is_demo
from chats.models import Chat

HOST = "127.0.0.1"
START_WITHIN = 60.0
END_WITHIN = 12.0


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C or SIGTERM."""


class Command(BaseCommand):
    # As for `prepare`.
    requires_system_checks = ()

    help = (
        "Serve the app at http://localhost:PORT until Ctrl-C, with the sandbox, a local stand-in"
        " for v0, beside it unless V0_API_KEY is given. The database is made or upgraded first."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        os.umask(0o077)
        settings.VAR_DIR.mkdir(exist_ok=True)
        own_sandbox = settings.UPSTREAM == "sandbox" and not os.environ.get("V0_BASE_URL")
        require_free("PORT", settings.PORT)
        if own_sandbox:
            require_free("SANDBOX_PORT", settings.SANDBOX_PORT)
        said = io.StringIO()
        call_command("prepare", stdout=said)
        processes = Processes(environment())
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, stop)
        try:
            if own_sandbox:
                self.start_sandbox(processes)
            processes.start("app", "-m", "v0web.server", "--host", HOST)
            processes.wait_for("app", f"http://{HOST}:{settings.PORT}/healthz")
            self.stdout.write(welcome() + said.getvalue() + "Ctrl-C stops it.")
            self.stdout.flush()
            processes.watch()
        except Stopped:
            pass
        finally:
            for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(signum, signal.SIG_IGN)
            processes.end("app")
            processes.end("sandbox")

    def start_sandbox(self, processes: Processes) -> None:
        sandbox = ["-m", "chats.sandbox", "--port", str(settings.SANDBOX_PORT)]
        sandbox += ["--db", str(settings.VAR_DIR / "sandbox-v0.sqlite3")]
        address = f"http://{HOST}:{settings.SANDBOX_PORT}/_sandbox/ledger"
        if is_demo() and not Chat.objects.exists():
            self.stdout.write("Asking for a few sample chats, this once …")
            self.stdout.flush()
            processes.start("sandbox", *sandbox, "--pace", "0")
            processes.wait_for("sandbox", address)
            processes.run("manage.py", "samples")
            processes.end("sandbox")
        processes.start("sandbox", *sandbox)
        processes.wait_for("sandbox", address)


class Processes:
    """The two processes, by name. Ctrl-C reaches them too, but their end is ours to order."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str) -> None:
        self.running[name] = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=ignore_interrupt,
        )

    def run(self, *arguments: str) -> None:
        """Run to its end; CommandError when it fails."""
        command = [sys.executable, *arguments]
        ended = subprocess.run(command, cwd=settings.BASE_DIR, env=self.environment, check=False)
        if ended.returncode:
            raise CommandError(f"{' '.join(arguments)} failed with status {ended.returncode}.")

    def wait_for(self, name: str, url: str) -> None:
        """Returns once `url` answers; CommandError when the process ends or never does."""
        end = time.monotonic() + START_WITHIN
        while not answers(url):
            self.check()
            if time.monotonic() > end:
                raise CommandError(f"The {name} did not answer within {START_WITHIN:g} s.")
            time.sleep(0.05)

    def watch(self) -> None:
        """Until one of them ends by itself, which is an error, or until Stopped."""
        while True:
            self.check()
            time.sleep(0.2)

    def check(self) -> None:
        for name, process in self.running.items():
            if process.poll() is not None:
                raise CommandError(
                    f"The {name} ended by itself with status {process.returncode}: stopping."
                )

    def end(self, name: str) -> None:
        process = self.running.pop(name, None)
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment() -> dict[str, str]:
    """What the processes get: ours, and a secret that outlasts a restart when none was given."""
    names = os.environ.keys() & {"SECRET_KEY", "SECRET_KEY_FILE"}
    if any(os.environ[name] for name in names):
        return dict(os.environ)
    if not settings.DEBUG:
        raise CommandError("SECRET_KEY is required outside DEBUG.")
    return {**os.environ, "SECRET_KEY_FILE": str(local_secret(settings.VAR_DIR / "secret-key"))}


def local_secret(file: Path) -> Path:
    """A file that only its owner reads, with a random secret; made when it is not there."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(secrets.token_urlsafe(50) + "\n")
    return file


def require_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be had ({error.strerror}): give {name} another value."
            ) from None


def answers(url: str) -> bool:
    request = urllib.request.Request(url, headers={"Host": settings.ALLOWED_HOSTS[0]})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=2) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def stop(signum: int, frame: FrameType | None) -> None:
    raise Stopped


def welcome() -> str:
    upstream = (
        f"v0 at {settings.V0_BASE_URL}"
        if settings.UPSTREAM == "v0"
        else "the sandbox, a stand-in for v0 that costs nothing"
    )
    lines = [f"v0web runs at {settings.V0_ORIGINS[0]}, and asks {upstream}."]
    if is_demo():
        lines.append(f"Sign in as one of these, with the password {PASSWORD}:")
        lines += [f"  {email}" for email in NAMES]
    return "\n".join([*lines, ""])
