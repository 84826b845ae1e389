"""What a browser opens: previews, deployments, and the page on which a connector is set up.

Owns the routes outside the API. Relies on the store and the previews. A preview shows the files as
they are and only to whoever brings its token; a deployment shows them as they were and to anybody.
All of it lives under the sandbox's own address, so links in the files have to be relative.
"""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from chats.sandbox import connectors, wire
from chats.sandbox import files as of_chats
from chats.sandbox.answers import Refusal, json_answer
from chats.sandbox.files import Files
from chats.sandbox.previews import REFRESH_BEFORE
from chats.sandbox.records import DEPLOYMENT
from chats.sandbox.world import Sandbox, World

Json = Any

TOKEN = "x-v0-preview-token"  # noqa: S105
REFRESH = "x-v0-preview-refresh"
BUILDS_FOR = 4.0
"""Seconds until a deployment is ready, at pace 1."""
LARGEST_FORM = 1_000
NO_STORE = {"cache-control": "no-store"}


class Sites:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def routes(self) -> list[Route]:
        return [
            Route("/_preview/{chatId}/{path:path}", self.preview, methods=["GET"]),
            Route("/_deployments/{id}/{path:path}", self.deployed, methods=["GET"]),
            Route("/v13/deployments/{id}", self.deployment, methods=["GET"]),
            Route("/_connect/{chatId}/{request}", self.connect, methods=["GET", "POST"]),
        ]

    async def preview(self, request: Request) -> Response:
        chat_id = request.path_params["chatId"]
        token = self.sandbox.previews.admitted(chat_id, request.headers.get(TOKEN, ""))
        if token is None:
            headers = {REFRESH: "1", **NO_STORE}
            return Response("This preview needs a token.\n", 401, headers, "text/plain")
        answer = _site(self.sandbox.store.files(chat_id), request.path_params["path"])
        answer.headers.update(NO_STORE)
        if token.left < REFRESH_BEFORE:
            answer.headers[REFRESH] = "1"
        return answer

    async def deployed(self, request: Request) -> Response:
        found = self.sandbox.store.records.find(DEPLOYMENT, request.path_params["id"])
        if found is None or not self._is_ready(found[1]):
            raise Refusal(404, "Deployment not found")
        return _site(of_chats.from_rest(found[1]["files"]), request.path_params["path"])

    async def deployment(self, request: Request) -> Response:
        """What Vercel's own API says of a deployment; its `url` carries a scheme here."""
        if World.of_header(request.headers.get("authorization")) is None:
            raise Refusal(401)
        found = self.sandbox.store.records.find(DEPLOYMENT, request.path_params["id"])
        if found is None:
            raise Refusal(404, "Deployment not found")
        kept = found[1]
        state = "READY" if self._is_ready(kept) else "BUILDING"
        return json_answer(
            {
                "id": kept["id"],
                "name": kept["name"],
                "url": f"{origin_of(request)}/_deployments/{kept['id']}/",
                "projectId": kept["projectId"],
                "readyState": state,
                "status": state,
                "createdAt": int(wire.moment(kept["createdAt"]).timestamp() * 1000),
            }
        )

    def _is_ready(self, deployed: dict[str, Json]) -> bool:
        built = timedelta(seconds=BUILDS_FOR * self.sandbox.pace)
        return datetime.now(UTC) - wire.moment(deployed["createdAt"]) >= built

    async def connect(self, request: Request) -> Response:
        """A page with two buttons, in the place of Vercel's."""
        key = f"{request.path_params['chatId']}/{request.path_params['request']}"
        result = await _pressed(request) if request.method == "POST" else ""
        if not connectors.advance(self.sandbox.store.records, key, result):
            raise Refusal(404, "Connect request not found")
        if request.method == "POST":
            return RedirectResponse(f"{request.url.path}?{result}", 303)
        return HTMLResponse(_setup(request.url.query), headers=NO_STORE)


def origin_of(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


async def _pressed(request: Request) -> str:
    body = await request.body()
    pressed = parse_qs(body[:LARGEST_FORM].decode("ascii", "replace")).get("result", [""])[0]
    if pressed not in ("ready", "error"):
        raise Refusal(422, "result: must be one of ready, error")
    return pressed


def _site(files: Files, path: str) -> Response:
    """The file, the `index.html` of a folder, or a list of files where there is none."""
    if path in files:
        return Response(files[path], media_type=_kind(path))
    index = f"{path.rstrip('/')}/index.html".lstrip("/")
    if index in files and (not path or path.endswith("/")):
        return Response(files[index], media_type="text/html")
    if path:
        return Response("There is no such file.\n", 404, media_type="text/plain")
    return HTMLResponse(_listing(files))


def _kind(path: str) -> str:
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n{body}'
    )


def _listing(files: Files) -> str:
    rows = "".join(f"<li>{escape(path)}: {len(files[path])} bytes</li>\n" for path in sorted(files))
    return _page("Files", f"<h1>Files</h1>\n<ul>\n{rows}</ul>\n")


def _setup(result: str) -> str:
    told = {"ready": "Connected. You can close this page.", "error": connectors.FAILED}
    if result in told:
        return _page("Connect Linear", f"<h1>Connect Linear</h1>\n<p>{told[result]}</p>\n")
    return _page(
        "Connect Linear",
        "<h1>Connect Linear</h1>\n<p>This page stands for Vercel's.</p>\n"
        '<form method="post">\n<button name="result" value="ready">Connect</button>\n'
        '<button name="result" value="error">Refuse</button>\n</form>\n',
    )
