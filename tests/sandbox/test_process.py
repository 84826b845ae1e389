"""The stand-in as a process: its start, its end, and what survives them."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from chats.sandbox.agent.scenarios import SCENARIOS
from chats.sandbox.faults import KINDS
from tests.sandbox.asking import Client, folded
from tests.sandbox_server import ROOT, running_sandbox

KEY = "v1:team:kept"


def command(*options: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "chats.sandbox", *options]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


def unfinished(path: Path) -> int:
    """How many messages of the file wait for their run to go on."""
    with closing(sqlite3.connect(path)) as database:
        count: int = database.execute("SELECT count(*) FROM messages WHERE running").fetchone()[0]
    return count


def test_a_restart_keeps_chats_messages_files_and_the_ledger(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "s.sqlite3") as sandbox, Client(sandbox, KEY) as client:
        chat_id = client.new_chat("Build a page for a bakery", metadata={"a": "1"})
        before = (
            client.get(f"/chats/{chat_id}").content,
            client.get(f"/chats/{chat_id}/messages").content,
            client.files(chat_id),
            client.ledger(),
        )
        sandbox.stop()
        sandbox.start()
        after = (
            client.get(f"/chats/{chat_id}").content,
            client.get(f"/chats/{chat_id}/messages").content,
            client.files(chat_id),
            client.ledger(),
        )
        assert after == before
        client.send(chat_id, "make it dark")
        assert "color-scheme: dark" in client.files(chat_id)["styles.css"]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_a_restart_interrupts_goes_on(tmp_path: Path, end: signal.Signals) -> None:
    prompt = "Build a page for a bakery"
    with running_sandbox(tmp_path / "s.sqlite3") as sandbox, Client(sandbox, KEY) as client:
        whole = client.newest(client.new_chat(prompt))
        with client.streaming("/chats/stream", {"message": f"{prompt}\npace: 0.1"}) as events:
            chat_id = next(events)["id"]
            for _ in range(40):
                next(events)
            sandbox.stop() if end == signal.SIGTERM else sandbox.kill()
            with pytest.raises(httpx.RemoteProtocolError):
                list(events)
        assert unfinished(tmp_path / "s.sqlite3") == 1
        sandbox.start()
        resumed = client.events(f"/chats/{chat_id}/resume")
        message = client.newest(chat_id)
        assert message["finishReason"] == "stop"
        assert folded(resumed) == message["parts"]
        assert [part["type"] for part in message["parts"]] == [
            part["type"] for part in whole["parts"]
        ]
        assert sorted(client.files(chat_id)) == ["index.html", "script.js", "styles.css"]
        assert client.ledger()["posts"] == 2


def test_a_run_finishes_although_nobody_asks_after_the_restart(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "s.sqlite3") as sandbox, Client(sandbox, KEY) as client:
        with client.streaming("/chats/stream", {"message": "scenario: long\npace: 1"}) as events:
            chat_id = next(events)["id"]
            message_id = client.newest(chat_id)["id"]
        sandbox.kill()
        sandbox.start()
        assert client.post(f"/chats/{chat_id}/messages/{message_id}/stop").status_code == 200
        client.events(f"/chats/{chat_id}/resume")
        assert client.newest(chat_id)["finishReason"] == "stop"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_soon_whatever_is_going_on(tmp_path: Path, number: signal.Signals) -> None:
    with running_sandbox(tmp_path / "s.sqlite3") as sandbox, Client(sandbox, KEY) as client:
        sandbox.fault(path="chats.list", kind="hang")
        with (
            client.streaming("/chats/stream", {"message": "scenario: long\npace: 1"}) as events,
            socket.create_connection(("127.0.0.1", sandbox.port)) as hanging,
        ):
            next(events)
            head = f"GET /v2/chats HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n"
            hanging.sendall(head.encode())
            while not sandbox.faults()[0]["used"]:
                pass
            sandbox.process.send_signal(number)
            assert sandbox.process.wait(timeout=3) == 0
            with pytest.raises(httpx.RemoteProtocolError):
                list(events)


def test_the_file_never_holds_a_key(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "s.sqlite3") as sandbox, Client(sandbox, KEY) as client:
        client.new_chat()
    for path in tmp_path.iterdir():
        assert KEY.encode() not in path.read_bytes()


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = command("--port", port, "--db", str(tmp_path / "s.sqlite3"))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == f"sandbox: cannot listen on 127.0.0.1:{port}: the port is taken\n"


def test_a_file_that_is_no_database_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite3").write_text("this is not a database, whatever its name says" * 10)
    ended = command("--port", "0", "--db", str(tmp_path / "s.sqlite3"))
    assert ended.returncode == 1
    assert ended.stderr.startswith("sandbox: cannot use ")
    assert ended.stderr.count("\n") == 1


EARLIER = """
CREATE TABLE chats (
    id TEXT PRIMARY KEY, world TEXT NOT NULL, touched INTEGER NOT NULL, wire TEXT NOT NULL,
    titled INTEGER NOT NULL, files TEXT NOT NULL, page TEXT NOT NULL
);
CREATE TABLE messages (
    id TEXT PRIMARY KEY, chat TEXT NOT NULL REFERENCES chats ON DELETE CASCADE,
    place INTEGER NOT NULL, wire TEXT NOT NULL, running INTEGER NOT NULL,
    order_ TEXT NOT NULL, steps INTEGER NOT NULL, files TEXT NOT NULL, UNIQUE (chat, place)
);
"""


def test_a_file_of_an_earlier_sandbox_goes_on(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "new.sqlite3") as sandbox, Client(sandbox, KEY) as client:
        chat_id = client.new_chat("Build a page for a bakery")
        before = client.messages(chat_id), client.files(chat_id)
    with closing(sqlite3.connect(tmp_path / "old.sqlite3")) as old:
        old.execute("ATTACH ? AS new", (str(tmp_path / "new.sqlite3"),))
        old.executescript(EARLIER)
        for table in ("chats", "messages"):
            columns = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
            old.execute(f"INSERT INTO main.{table} SELECT {columns} FROM new.{table}")
        old.commit()
    with running_sandbox(tmp_path / "old.sqlite3") as sandbox, Client(sandbox, KEY) as client:
        assert (client.messages(chat_id), client.files(chat_id)) == before
        client.send(chat_id, "make it dark")
        assert client.messages(chat_id)[2]["restorable"] is True


def test_the_file_and_its_folder_are_made_when_they_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "var" / "deep" / "s.sqlite3"
    with running_sandbox(path):
        assert unfinished(path) == 0


def test_the_help_tells_every_option_scenario_and_fault() -> None:
    told = command("--help").stdout
    for word in ("--host", "--port", "--db", "--revision", "--pace", *SCENARIOS, *KINDS):
        assert word in told
    assert max(map(len, told.splitlines())) <= 120


@pytest.mark.parametrize("pace", ["-1", "fast", "nan"])
def test_a_pace_that_makes_no_sense_is_refused(tmp_path: Path, pace: str) -> None:
    ended = command("--db", str(tmp_path / "s.sqlite3"), f"--pace={pace}")
    assert ended.returncode == 2
    assert "--pace" in ended.stderr
