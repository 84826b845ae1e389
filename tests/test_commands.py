"""The commands as a newcomer types them: `make run`, and `manage.py ask` beside it and alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from tests.app_server import ROOT, free_port, migrated_database, wait_until


class Run:
    """`make run` in a folder of data of its own; `out` is what it printed."""

    def __init__(self, folder: Path, *command: str, **given: str) -> None:
        self.port, self.sandbox_port = free_port(), free_port()
        self.file = folder.parent / f"run-{self.port}.log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "V0_VAR": str(folder),
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            **given,
        }
        with self.file.open("wb") as file:
            self.process = subprocess.Popen(
                command or ("make", "run"),
                cwd=ROOT,
                env=self.environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    @property
    def out(self) -> str:
        return self.file.read_text("utf-8")

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def wait(self) -> None:
        """Until it says that it runs."""
        wait_until(
            lambda: "Ctrl-C stops it." in self.out or self.process.poll() is not None, within=120
        )
        assert self.process.poll() is None, self.out

    def group(self, word: str) -> list[int]:
        """The processes of this run whose command has `word` in it."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_text().split("\0")
                member = os.getpgid(int(entry.name)) == self.process.pid
            except (OSError, ProcessLookupError):
                continue
            if member and word in command:
                found.append(int(entry.name))
        return found

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def ledger(self) -> dict[str, int]:
        address = f"http://127.0.0.1:{self.sandbox_port}/_sandbox/ledger"
        found: dict[str, int] = httpx.get(address, trust_env=False).json()
        return found

    def newest_request(self) -> dict[str, object]:
        """The body of the last charged request that the sandbox was sent."""
        address = f"http://127.0.0.1:{self.sandbox_port}/_sandbox/requests"
        key = {"Authorization": "Bearer sandbox"}
        listed = httpx.get(address, headers=key, trust_env=False).json()["requests"]
        found: dict[str, object] = listed[-1]["body"]
        return found

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "var"


@dataclass(frozen=True)
class First:
    """What somebody saw who typed `make run` for the first time, and the data that it left behind."""

    run: Run
    folder: Path
    answer: httpx.Response
    home: str
    posts: int


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> First:
    folder = tmp_path_factory.mktemp("first") / "var"
    run = Run(folder)
    try:
        run.wait()
        with httpx.Client(base_url=run.url, trust_env=False, timeout=30) as client:
            answer, home = sign_in(client, "owner@example.com", "demo"), client.get("/").text
        posts = run.ledger()["posts"]
        run.process.send_signal(signal.SIGTERM)
        run.process.wait(20)
    finally:
        run.close()
    return First(run, folder, answer, home, posts)


@pytest.fixture
def later(data: Path, first: First) -> None:
    """A run that is not the first one."""
    shutil.copytree(first.folder, data)


@dataclass(frozen=True)
class Again:
    """A run that is not the first one, and what its sandbox had been sent when it began."""

    run: Run
    folder: Path
    posts: int


@pytest.fixture(scope="module")
def again(first: First, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Again]:
    """For all that only ask something of it: each test sees what it has added itself."""
    folder = tmp_path_factory.mktemp("again") / "var"
    shutil.copytree(first.folder, folder)
    run = Run(folder)
    try:
        run.wait()
        yield Again(run, folder, run.ledger()["posts"])
    finally:
        run.close()


@pytest.fixture
def tables(data: Path, shared_folder: Path) -> None:
    """Nobody and nothing, for either upstream: `first` has made the tables."""
    data.mkdir(mode=0o700)
    for upstream in ("sandbox", "v0"):
        shutil.copy(migrated_database(shared_folder), data / f"{upstream}.sqlite3")


@pytest.fixture
def run(data: Path) -> Iterator[Callable[..., Run]]:
    with ExitStack() as stack:

        def run(*command: str, **given: str) -> Run:
            started = Run(data, *command, **given)
            stack.callback(started.close)
            return started

        yield run


def sign_in(client: httpx.Client, email: str, password: str) -> httpx.Response:
    """As a browser without script does it."""
    page = client.get("/accounts/login/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token, page
    fields = {"login": email, "password": password, "csrfmiddlewaretoken": token[1]}
    return client.post("/accounts/login/", data=fields, headers={"Origin": str(client.base_url)})


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_make_run_serves_the_demo(first: First) -> None:
    assert f"v0web runs at {first.run.url}, and asks the sandbox" in first.run.out
    assert "owner@example.com" in first.run.out
    assert "password demo" in first.run.out
    assert (first.answer.status_code, first.answer.headers["location"]) == (302, "/")
    assert "Bakery" in first.home
    assert first.posts == 5
    for file in first.folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert is_free(first.run.port)
    assert is_free(first.run.sandbox_port)


def test_a_later_make_run_keeps_everything(first: First, again: Again) -> None:
    secret = (first.folder / "secret-key").read_text()
    assert again.posts == first.posts
    assert "sample" not in again.run.out
    assert (again.folder / "secret-key").read_text() == secret
    assert secret.strip() not in first.run.out + again.run.out


@pytest.mark.usefixtures("later")
def test_ctrl_c_ends_everything_and_says_nothing_bad(run: Callable[..., Run]) -> None:
    started = run(sys.executable, "manage.py", "serve", DEBUG="1")
    started.wait()
    os.killpg(started.process.pid, signal.SIGINT)
    assert started.process.wait(20) == 0
    assert "Error" not in started.out
    assert "Traceback" not in started.out
    assert started.group("chats.sandbox") == started.group("v0web.server") == []


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_a_port_that_is_taken_is_said_in_one_line(run: Callable[..., Run], name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        started = run(sys.executable, "manage.py", "serve", DEBUG="1", **{name: str(port)})
        assert started.process.wait(30) == 1
    assert started.out == (
        f"CommandError: Port {port} cannot be had (Address already in use): "
        f"give {name} another value.\n"
    )


@pytest.mark.usefixtures("later")
def test_a_sandbox_that_dies_ends_the_app_loudly(run: Callable[..., Run]) -> None:
    started = run(sys.executable, "manage.py", "serve", DEBUG="1")
    started.wait()
    (sandbox,) = started.group("chats.sandbox")
    os.kill(sandbox, signal.SIGKILL)
    assert started.process.wait(30) == 1
    assert "CommandError: The sandbox ended by itself with status -9: stopping." in started.out
    assert is_free(started.port)


@pytest.mark.usefixtures("tables")
def test_with_a_key_nobody_is_there_until_the_link_is_used(run: Callable[..., Run]) -> None:
    upstream = f"http://127.0.0.1:{free_port()}/v2"
    given = {"V0_API_KEY": "v1:canary:canary", "V0_BASE_URL": upstream}
    first = run(**given)
    first.wait()
    assert f"asks v0 at {upstream}" in first.out
    assert "example.com" not in first.out
    assert first.group("chats.sandbox") == []
    link = re.search(rf"{first.url}/setup/[\w-]+/", first.out)
    assert link, first.out
    fields = {"email": "me@team.example", "name": "Me", "password": "correct horse battery"}
    with httpx.Client(base_url=first.url, trust_env=False, timeout=30) as client:
        assert client.get("/accounts/login/").headers["Location"] == "/setup/"
        page = client.get(link[0]).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, page
        fields |= {"repeated": fields["password"], "csrfmiddlewaretoken": token[1]}
        made = client.post(link[0], data=fields, headers={"Origin": first.url})
        assert made.status_code in (302, 303), made.text
        assert client.get(link[0]).status_code == 404
    first.process.send_signal(signal.SIGTERM)
    first.process.wait(20)
    again = run(**given)
    again.wait()
    assert "/setup/" not in again.out
    assert "canary" not in first.out + again.out


@pytest.mark.usefixtures("tables")
def test_outside_debug_there_are_no_demo_people(run: Callable[..., Run]) -> None:
    started = run("true", SECRET_KEY="only-for-tests-" * 4, DEBUG="0")
    prepared = started.manage("prepare")
    assert "/setup/" in prepared.stdout
    asked = started.manage("ask", "Hello", "--user", "owner@example.com")
    assert asked.returncode == 1
    assert "no active person" in asked.stderr


def test_ask_prints_the_answer_and_its_address(again: Again) -> None:
    started = again.run
    asked = started.manage("ask", "pace: 0\nWhat can you do?", "--user", "owner@example.com")
    assert asked.returncode == 0, asked.stderr
    text, address = asked.stdout.strip().rsplit("\n", 1)
    assert text
    assert re.fullmatch(rf"{started.url}/chats/[0-9a-f-]{{36}}/", address)

    chat = address.strip("/").rpartition("/")[2]
    further = ["ask", "pace: 0\nMake it dark", "--user", "owner@example.com", "--chat", chat]
    asked = started.manage(*further)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip().endswith(address)

    options = ["--model", "v0-mini", "--system", "Answer briefly.", "--json"]
    asked = started.manage(*further, *options)
    assert asked.returncode == 0, asked.stderr
    told = json.loads(asked.stdout)
    assert (told["chat"], told["state"], told["finish_reason"]) == (chat, "finished", "stop")
    assert any(part["type"] == "text" and part["text"] for part in told["parts"])
    with closing(sqlite3.connect(again.folder / "sandbox.sqlite3")) as database:
        (credits,) = database.execute(
            "SELECT credits_total FROM chats_entry WHERE message_id = ?",
            (uuid.UUID(told["message"]).hex,),
        ).fetchone()
        prices = database.execute(
            "SELECT CAST(credits_output AS REAL) / tokens_output FROM chats_entry"
            " WHERE chat_id = ? ORDER BY ended_at",
            (uuid.UUID(chat).hex,),
        ).fetchall()
    assert Decimal(told["credits"]) == Decimal(credits).scaleb(-12)
    # The cheapest model answered last, which v0 was told.
    assert prices[-1] == min(prices) < prices[0]
    assert started.newest_request() == {
        "message": "pace: 0\nMake it dark",
        "modelConfiguration": {"modelId": "v0-mini", "imageGenerations": False},
        "systemPrompt": "Answer briefly.",
    }

    refused = started.manage(*further, "--model", "gpt-9")
    assert refused.returncode != 0
    assert "v0-max-fast" in refused.stderr
    for email, words in (
        ("nobody@example.com", "no active person"),
        ("stranger@example.com", "can see no chat"),
    ):
        refused = started.manage("ask", "Hello", "--user", email, "--chat", chat)
        assert refused.returncode == 1
        assert words in refused.stderr


@pytest.mark.usefixtures("later")
def test_ask_runs_by_itself_when_no_server_is_up(run: Callable[..., Run]) -> None:
    """In a run of its own, whose app has nothing to write when it is halted."""
    started = run()
    started.wait()
    (app,) = started.group("v0web.server")
    os.kill(app, signal.SIGSTOP)
    posts = started.ledger()["posts"]
    asked = started.manage("ask", "pace: 0\nWhat can you do?", "--user", "mate@example.com")
    os.kill(app, signal.SIGCONT)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip()
    assert started.ledger()["posts"] == posts + 1
