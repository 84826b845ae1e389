"""`manage.py ask` with files and with a delivery of its own, run by the command itself."""

from __future__ import annotations

import base64
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chats.models import Attachment, Chat, Entry, Message
from tests.relay.inside import Inside

TEXT = b"one,two\n1,2\n"


def ask(message: str, *more: str) -> dict[str, Any]:
    out = StringIO()
    call_command("ask", message, "--user", "owner@example.com", "--json", *more, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.mark.parametrize("delivery", ["async", "sync"])
def test_files_go_along_and_the_delivery_is_the_one_that_was_asked_for(
    inside: Inside, tmp_path: Path, delivery: str
) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(TEXT)
    files = [f"--attach={tmp_path / name}" for name in ("a.csv", "b.csv")]
    told = ask("Read these\npace: 0", *files, f"--delivery={delivery}")
    assert told["state"] == "finished"
    (request,) = inside.sandbox.requests(inside.key)
    url = "data:text/csv;base64," + base64.b64encode(TEXT).decode()
    assert request["body"]["attachments"] == [{"url": url}, {"url": url}]
    assert request["operation"] == {"async": "chats.createAsync", "sync": "chats.create"}[delivery]
    assert Entry.objects.get(message_id=told["message"]).delivery == delivery
    assert "delivery" not in Message.objects.get(role="user").sent_with
    assert inside.ledger["posts"] == 1


def test_what_cannot_go_along_is_said_and_nothing_is_sent(
    inside: Inside, tmp_path: Path, settings: Any
) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(TEXT)
    settings.V0_ATTACHMENTS, settings.V0_ATTACHMENT_BYTES = 2, 2048
    (tmp_path / "large.csv").write_bytes(TEXT * 300)
    for given, words in (
        ([file, tmp_path / "none.csv"], "none.csv cannot be read: No such file or directory."),
        ([tmp_path], "cannot be read: Is a directory."),
        ([file] * 3, "3 files are too many"),
        ([file, tmp_path / "large.csv"], "“large.csv” has 3.5"),
    ):
        with pytest.raises(CommandError, match=words):
            ask("Read these", *(f"--attach={path}" for path in given))
    with pytest.raises(CommandError, match="invalid choice"):
        ask("Read these", "--delivery=later")
    assert not Attachment.objects.exists()
    assert not Chat.objects.exists()
    assert inside.ledger["posts"] == 0
