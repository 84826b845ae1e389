"""Files, archives and previews: what comes as it should, as it did once, and as it should not."""

from __future__ import annotations

import asyncio
import io
import zipfile
from typing import Any

import pytest

from chats.v0api.client import Client
from chats.v0api.errors import Conflict, InDoubt, Invalid, InvalidRequest, NotFound, TooLarge
from chats.v0api.files import File, Preview
from tests.v0api.exchange import KEY, NO_TLS, exchanging
from tests.v0api.test_faults import QUICK
from tests.v0api.wire_server import END, Request, answer, chunk, reset, serving

pytestmark = pytest.mark.anyio

PREVIEW = {"url": "https://a.b", "token": "canary", "expiresAt": "2026-01-01T00:00:00Z"}
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nTransfer-Encoding: chunked\r\n\r\n"


def archive(**files: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return written.getvalue()


async def download(reply: bytes, limit: int = 1000, file: io.BytesIO | None = None) -> bytes:
    file = file or io.BytesIO()
    async with exchanging() as exchange:
        await exchange.call(lambda v0: v0.download_files("c", file, limit=limit), reply)
    return file.getvalue()


@pytest.mark.parametrize(
    "content_type", ["application/zip", "application/json", "application/octet-stream"]
)
@pytest.mark.parametrize("files", [{}, {"a.txt": "A", "b/c.txt": "C"}], ids=["empty", "full"])
async def test_an_archive_is_known_by_its_first_bytes(
    files: dict[str, str], content_type: str
) -> None:
    data = archive(**files)

    assert await download(answer(200, data, content_type=content_type)) == data
    assert zipfile.ZipFile(io.BytesIO(data)).namelist() == list(files)


async def test_an_archive_may_come_byte_by_byte() -> None:
    data = archive(a="A")
    pieces = b"".join(chunk(data[at : at + 1]) for at in range(len(data)))

    assert await download(CHUNKED + pieces + END) == data


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(answer(200, {"message": "no"}), id="JSON"),
        pytest.param(answer(200, None), id="null"),
        pytest.param(answer(200, b"<p>", content_type="text/html"), id="a page"),
        pytest.param(answer(200, b"PK"), id="half a beginning"),
        pytest.param(answer(200, b""), id="nothing"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="204"),
        pytest.param(
            answer(200, b"\x1f\x8b\x08 compressed", headers={"Content-Encoding": "gzip"}),
            id="compressed",
        ),
    ],
)
async def test_nothing_is_written_of_what_is_no_archive(reply: bytes) -> None:
    file = io.BytesIO()
    with pytest.raises(InDoubt, match="no ZIP"):
        await download(reply, file=file)

    assert file.getvalue() == b""


async def test_an_archive_that_says_that_it_is_too_large_is_not_begun() -> None:
    data, file = archive(a="A"), io.BytesIO()

    with pytest.raises(TooLarge, match=f"more than {len(data) - 1} bytes"):
        await download(answer(200, data), len(data) - 1, file)
    assert file.getvalue() == b""
    assert await download(answer(200, data), len(data)) == data


async def test_an_archive_that_turns_out_too_large_is_not_finished() -> None:
    data, file = archive(a="A" * 1000), io.BytesIO()
    halves = chunk(data[:500]) + chunk(data[500:])

    with pytest.raises(TooLarge):
        await download(CHUNKED + halves + END, len(data) - 1, file)
    assert file.getvalue() == data[: len(file.getvalue())] != data


async def test_an_archive_without_an_end_costs_no_memory_and_no_more_than_the_limit() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + chunk(b"PK\x03\x04"))
        while True:
            writer.write(chunk(b"\0" * 65536))
            await writer.drain()

    class Counting:
        written = longest = 0

        def write(self, data: bytes, /) -> None:
            self.written += len(data)
            self.longest = max(self.longest, len(data))

    file = Counting()
    async with serving(handler) as server, Client(server.url, KEY, ssl_context=NO_TLS) as v0:
        with pytest.raises(TooLarge):
            await v0.download_files("c", file, limit=20_000_000)

        assert len(server.requests) == 1
    assert 19_000_000 < file.written <= 20_000_000
    assert file.longest <= 1_000_000


async def test_a_download_that_breaks_off_is_not_begun_again() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + chunk(b"PK\x03\x04 half"))
        await writer.drain()
        await proceed.wait()
        reset(writer)

    class Telling(io.BytesIO):
        def write(self, data: Any, /) -> int:
            proceed.set()
            return super().write(data)

    proceed = asyncio.Event()
    file = Telling()
    async with serving(handler) as server, Client(server.url, KEY, ssl_context=NO_TLS) as v0:
        with pytest.raises(InDoubt) as caught:
            await v0.download_files("c", file)

        assert len(server.requests) == 1
    assert file.getvalue() == b"PK\x03\x04 half"
    assert caught.value.__context__ is None


async def test_a_download_that_stalls_is_given_up() -> None:
    async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + chunk(b"PK\x03\x04"))
        await asyncio.Event().wait()

    async with (
        serving(handler) as server,
        Client(server.url, KEY, timeouts=QUICK, ssl_context=NO_TLS) as v0,
    ):
        with pytest.raises(InDoubt):
            await v0.download_files("c", io.BytesIO())


async def test_a_refused_download_says_why() -> None:
    with pytest.raises(Conflict, match="not ready"):
        await download(answer(409, {"message": "not ready"}))


@pytest.mark.parametrize("body", [None, {"preview": None}], ids=str)
async def test_a_preview_that_is_still_starting_is_none(body: Any) -> None:
    async with exchanging() as exchange:
        assert await exchange.call(lambda v0: v0.get_preview("c"), answer(200, body)) is None


@pytest.mark.parametrize("body", [PREVIEW, {"preview": PREVIEW}], ids=["plain", "wrapped"])
async def test_a_preview_is_read_in_both_shapes_and_its_token_is_in_no_repr(body: Any) -> None:
    async with exchanging() as exchange:
        preview = await exchange.call(lambda v0: v0.get_preview("c"), answer(200, body))

    assert preview == Preview("https://a.b", "canary", "2026-01-01T00:00:00Z", PREVIEW)
    assert "canary" not in repr(preview)


@pytest.mark.parametrize("body", [{}, [], "x", {"preview": {}}, {"url": ""}, {"url": 1}], ids=str)
async def test_a_preview_without_a_url_is_not_believed(body: Any) -> None:
    async with exchanging() as exchange:
        with pytest.raises(InDoubt):
            await exchange.call(lambda v0: v0.get_preview("c"), answer(200, body))


def test_a_file_gives_its_bytes() -> None:
    wire = {"path": "a", "content": "é", "encoding": "utf8"}
    image = {"path": "b.png", "content": "AAEC", "encoding": "base64"}

    assert File.from_wire(wire).data == "é".encode()
    assert File.from_wire(image).data == b"\x00\x01\x02"
    assert "AAEC" not in repr(File.from_wire(image))
    with pytest.raises(ValueError, match=r"[Bb]ase64|padding|data"):
        _ = File.from_wire({**image, "content": "=~"}).data


async def test_an_edit_that_is_refused_says_which_file_is_wrong() -> None:
    issues = [{"path": "a.tsx", "error": f"bad {KEY}"}, "nonsense", {"path": 1}]
    body = {"message": "Invalid file contents", "issues": issues}
    async with exchanging() as exchange:
        with pytest.raises(Invalid) as caught:
            await exchange.call(lambda v0: v0.update_files("c", {"a.tsx": "x"}), answer(422, body))

    assert caught.value.message == "Invalid file contents"
    assert caught.value.issues == (("a.tsx", "bad [redacted]"), ("", ""))
    assert not isinstance(caught.value, InvalidRequest)


@pytest.mark.parametrize("body", [{"message": "no"}, {"issues": {}}, [], b"<p>"], ids=str)
async def test_other_refusals_have_no_issues(body: Any) -> None:
    async with exchanging() as exchange:
        with pytest.raises(Invalid) as caught:
            await exchange.call(lambda v0: v0.update_files("c", {"a": "x"}), answer(422, body))

    assert caught.value.issues == ()


async def test_errors_of_other_kinds_carry_no_issues() -> None:
    body = {"message": "no", "issues": [{"path": "a", "error": "b"}]}
    async with exchanging() as exchange:
        with pytest.raises(NotFound) as caught:
            await exchange.call(lambda v0: v0.update_files("c", {"a": "x"}), answer(404, body))

    assert not hasattr(caught.value, "issues")
