"""The app as a process of its own, as it is served to people.

Owns start, stop, kill and restart of one server on a free port with a SQLite file of its own. Relies
on `python -m v0web.server` and `manage.py prepare`; never reaches into the server's memory.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import httpx
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore

from chats.models import Person
from tests.nursery import Child, nursery

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY = "only-for-tests-" * 4
SERVED = "tests.served"


class Upstream(Protocol):
    """What an app server must know of a sandbox: its address with /v2."""

    @property
    def base_url(self) -> str: ...


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until(
    holds: Callable[[], bool], *, within: float = 20.0, what: str = "the condition"
) -> None:
    """Returns soon after `holds()` is true; fails after `within` seconds."""
    end, pause = time.monotonic() + within, 0.01
    while not holds():
        assert time.monotonic() < end, f"Waited {within} s for {what}."
        time.sleep(pause)
        # Asking is work, too, which others wait for meanwhile.
        pause = min(0.1, pause * 1.3)


def environment(database: Path, **extra: str) -> dict[str, str]:
    """What a server process gets, beside the path of the interpreter: nothing of the caller's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": SERVED if extra.get("DEBUG", "1") == "1" else "v0web.settings",
        "DEBUG": "1",
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": f"sqlite:///{database}",
        **extra,
    }


def migrated_database(folder: Path) -> Path:
    """A SQLite file with tables and nobody in them, made once in `folder` by whoever comes first."""
    return _made_once(folder / "migrated.sqlite3", "migrate")


def prepared_database(folder: Path) -> Path:
    """A migrated SQLite file with the demo people, made once in `folder` by whoever comes first."""
    return _made_once(folder / "template.sqlite3", "prepare", migrated_database(folder))


def _made_once(file: Path, command: str, beginning: Path | None = None) -> Path:
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            made = file.with_suffix(".in-the-making")
            if beginning:
                shutil.copy(beginning, made)
            subprocess.run(
                [sys.executable, "manage.py", command],
                cwd=ROOT,
                env=environment(made),
                check=True,
                stdout=subprocess.DEVNULL,
            )
            made.rename(file)
    return file


class AppServer:
    """One running app. `url` is `http://localhost:PORT`; `database` its SQLite file; `log` what it
    has written so far. Its bearer key in the sandbox is `key`, so that its world is its own."""

    def __init__(
        self, folder: Path, database: Path, settings: dict[str, str], *, cwd: Path = ROOT
    ) -> None:
        self.folder, self.cwd = folder, cwd
        self.database = database
        self.port = int(settings.get("PORT") or free_port())
        self.key = f"test-{uuid.uuid4().hex}"
        own = {"PORT": str(self.port), "V0_SANDBOX_KEY": self.key, "V0_VAR": str(database.parent)}
        self.settings = {**own, **settings}
        self.log_file = folder / f"app-{self.port}.log"
        self.process: Child | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def session_of(self, email: str | None, **holds: Any) -> str:
        """The key of a new session of that person, as after signing in, or of a visitor; with what it
        `holds` beside that."""
        key = secrets.token_hex(16)
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            data = dict(holds)
            if email:
                found = connection.execute(
                    "SELECT id, password FROM chats_person WHERE email = ?", [email]
                ).fetchone()
                assert found, f"There is no {email} in {self.database}."
                data |= {
                    "_auth_user_id": str(found[0]),
                    "_auth_user_backend": django_settings.AUTHENTICATION_BACKENDS[0],
                    "_auth_user_hash": Person(password=found[1]).get_session_auth_hash(),
                }
            connection.execute(
                "INSERT INTO django_session (session_key, session_data, expire_date) "
                "VALUES (?, ?, ?)",
                [
                    key,
                    SessionStore().encode(data),
                    (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S"),
                ],
            )
        return key

    def headers_of(self, email: str | None, **holds: Any) -> dict[str, str]:
        """What a page's socket handshake carries: its origin, and the cookie of who is signed in."""
        key = self.session_of(email, **holds) if email or holds else ""
        cookie = f"{django_settings.SESSION_COOKIE_NAME}={key}" if key else ""
        return {"Origin": self.url, **({"Cookie": cookie} if cookie else {})}

    def client_of(self, email: str | None = None) -> httpx.Client:
        """An HTTP client that is signed in and whose POSTs pass the CSRF check. Close it."""
        token = secrets.token_hex(16)
        cookies = {django_settings.CSRF_COOKIE_NAME: token}
        if email:
            cookies[django_settings.SESSION_COOKIE_NAME] = self.session_of(email)
        headers = {"X-CSRFToken": token, "Origin": self.url}
        # Reading certificates would be most of the work.
        options: dict[str, Any] = {"trust_env": False, "verify": False, "timeout": 30}
        return httpx.Client(base_url=self.url, cookies=cookies, headers=headers, **options)

    def start(self) -> None:
        """Starts the process and returns once it answers."""
        with self.log_file.open("ab") as log:
            self.process = nursery().start(
                "v0web.server",
                cwd=self.cwd,
                env=environment(self.database, **self.settings),
                output=log.fileno(),
                errors=log.fileno(),
            )
        try:
            wait_until(self.answers, within=60, what=f"the app at {self.url}")
        except BaseException as error:
            self.kill()
            error.add_note(self.log)
            raise

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"The app ended:\n{self.log}"
        try:
            health = f"{self.url}/healthz"
            return httpx.get(health, trust_env=False, verify=False).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, *, within: float = 15.0) -> int:
        """SIGTERM; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Starts again on the same port and database; stops first when it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        if error is not None and self.log_file.exists():
            print(f"--- log of {self.url} ---\n{self.log[-20_000:]}")


def running_app(
    folder: Path,
    sandbox: Upstream | None,
    *,
    template: Path | None = None,
    database: Path | None = None,
    **settings: str,
) -> AppServer:
    """A started app: `with running_app(tmp_path, sandbox, V0_LEASE="2") as app`.

    `settings` go into its environment. Two apps with the same `database` and `V0_SANDBOX_KEY` are
    two processes of one installation; without `database` it gets a copy of the prepared one.
    """
    if database is None:
        database = folder / f"{uuid.uuid4().hex}.sqlite3"
        shutil.copy(template or prepared_database(folder), database)
    if sandbox is not None:
        settings.setdefault("V0_BASE_URL", sandbox.base_url)
    app = AppServer(folder, database, settings)
    app.start()
    return app
