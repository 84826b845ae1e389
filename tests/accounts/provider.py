"""An OpenID Connect provider as a process of its own, and a crooked one that says what a test wants.

Owns their start and end, and the way from our button through theirs back to us, as a browser goes it.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from pytest_django.fixtures import Settings

from tests.app_server import free_port, wait_until

GO, CALLBACK = "/accounts/oidc/login/", "/accounts/oidc/callback/"


@dataclass
class Provider:
    """`url` is its issuer."""

    url: str
    # Made once: reading the certificates takes longer than all that is asked with them.
    http: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, verify=False))

    def answers(self) -> bool:
        try:
            return self.http.get(f"{self.url}/jwks").is_success
        except httpx.TransportError:
            return False

    def knows(self, sub: str, **claims: object) -> None:
        """Somebody, or what is new about them."""
        place = f"{self.url}/users/{quote(sub, safe='')}"
        self.http.put(place, json=claims).raise_for_status()

    def agrees(self, place: str, sub: str) -> str:
        """Where it leads a browser back to in which `sub` has agreed."""
        answer = self.http.post(place, data={"sub": sub})
        return answer.headers["Location"]


@contextmanager
def running_provider() -> Iterator[Provider]:
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    provider = Provider(f"http://localhost:{port}")
    try:
        wait_until(provider.answers, what="the provider")
        yield provider
    finally:
        provider.http.close()
        process.terminate()
        process.wait(10)


def begin(client: Client, **fields: str) -> str:
    """Our button: the address at the provider to which the page leads."""
    page = client.post(GO, fields).content.decode()
    found = re.search(r'content="0; url=([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def come_back(client: Client, place: str) -> Any:
    found = urlsplit(place)
    assert found.path == CALLBACK
    return client.get(f"{CALLBACK}?{found.query}")


def sign_in(client: Client, provider: Provider, sub: str, **fields: str) -> Any:
    return come_back(client, provider.agrees(begin(client, **fields), sub))


@cache
def new_key(number: int) -> rsa.RSAPrivateKey:
    """Made once: it takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Crooked:
    """A provider whose answers are what the test makes of them: `config`, `claims` of the token, `told`
    at userinfo, and how the token is signed."""

    url: str = ""
    key: rsa.RSAPrivateKey = field(default_factory=lambda: new_key(0))
    config: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signed_by: Any = None
    headers: dict[str, str] = field(default_factory=lambda: {"kid": "one"})
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    moved: str = ""

    def answer(self, path: str) -> dict[str, Any]:
        match path:
            case "/.well-known/openid-configuration":
                names = {"authorization": "/go", "token": "/token", "userinfo": "/me"}
                made = {f"{name}_endpoint": self.url + place for name, place in names.items()}
                return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **made} | self.config
            case "/keys":
                public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
                return {"keys": [public | {"kid": "one", "alg": "RS256"}]}
            case "/token":
                return {"access_token": "a", "token_type": "Bearer", "id_token": self.token()}
            case _:
                return {
                    "sub": "1",
                    "email": "owner@example.com",
                    "email_verified": True,
                } | self.told

    def token(self) -> str:
        claims = {"iss": self.url, "aud": "us", "sub": "1", "exp": time.time() + 60} | self.claims
        key = self.signed_by if self.signed_by is not None else self.key
        return jwt.encode(claims, key, self.algorithm, self.headers)

    def sign_in(self, client: Client) -> Any:
        asked = parse_qs(urlsplit(begin(client)).query)
        self.asked.append(asked)
        self.claims.setdefault("nonce", asked["nonce"][0])
        return client.get(CALLBACK, {"state": asked["state"][0], "code": "c"})


@contextmanager
def running_crook() -> Iterator[Crooked]:
    crook = Crooked()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            moved = crook.moved and self.path.startswith(crook.moved)
            body = json.dumps(crook.answer(self.path)).encode()
            self.send_response(307 if moved else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if moved:
                self.send_header("Location", f"{crook.url}{self.path}/moved")
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            crook.asked.append(parse_qs(sent))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    crook.url = f"http://localhost:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    try:
        yield crook
    finally:
        server.shutdown()
        server.server_close()


def use(settings: Settings, url: str) -> None:
    settings.V0_OIDC_ISSUER = url
    settings.V0_OIDC_CLIENT_ID, settings.V0_OIDC_CLIENT_SECRET = "us", "secret"
    settings.V0_OIDC_NAME = "Staff accounts"


def who(client: Client) -> str | None:
    found: str | None = client.session.get("_auth_user_id")
    return found
