"""Somebody who opens every link and sends every form that they find, until they have seen enough.

Owns what is read off a page (links, what htmx asks for, forms), what is typed into a form, and the order in
which pages come: those of routes seen least first. What a form changes is rolled back after it was looked at.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.cookies import SimpleCookie
from io import BytesIO
from typing import cast
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from zipfile import ZipFile

from django.conf import settings
from django.db import transaction
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import Resolver404, resolve

LINK = re.compile(r'\b(href|src|action|formaction|hx-get|data-url|data-href)="([^"]*)"')
FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
FIELD = re.compile(r"<(input|select|textarea|button)\b([^>]*)>")
OPTION = re.compile(r"<option\b([^>]*)>")
ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')
# Forms that would end the walk even though they are rolled back: the cookie of the session is gone.
LEFT_ALONE = {"account_logout"}


@dataclass(frozen=True, slots=True)
class Ask:
    method: str
    path: str
    fields: tuple[tuple[str, str], ...] = ()
    is_htmx: bool = False

    @property
    def route(self) -> str:
        return route_of(urlsplit(self.path).path)

    @property
    def kind(self) -> tuple[str, ...]:
        """What it is as an address: asked a few times, with whatever ids."""
        query = sorted(name for name, _ in parse_qsl(urlsplit(self.path).query))
        return self.method, self.route, *query


@cache
def route_of(path: str) -> str:
    """The name of the route behind a path, "" for none."""
    try:
        match = resolve(path)
    except Resolver404:
        return ""
    return f"{match.namespace}:{match.url_name}" if match.namespace else str(match.url_name)


@dataclass
class Crawler:
    """`typed` goes into every field of text. `each` is how often an address of one kind is asked for, and
    `most` how many are asked for in all. `told` is everything that came back: by what was asked for."""

    client: Client
    typed: str
    each: int = 2
    most: int = 60
    told: dict[Ask, str] = field(default_factory=dict)
    statuses: dict[Ask, int] = field(default_factory=dict)
    _waiting: dict[Ask, tuple[str, ...]] = field(default_factory=dict)
    _asked: Counter[tuple[str, ...]] = field(default_factory=Counter)

    @property
    def routes(self) -> set[str]:
        return {ask.route for ask in self.told if self.statuses[ask] < 400}

    def walk(self, *starts: str) -> None:
        for ask in (Ask("GET", path) for path in starts):
            self._asked[ask.kind] += 1
            self._look(ask)
        while self._waiting and len(self.told) < self.most:
            ask = min(self._waiting, key=lambda ask: self._asked[self._waiting[ask]])
            self._asked[self._waiting.pop(ask)] += 1
            self._look(ask)

    def _wait(self, ask: Ask) -> None:
        is_known = ask in self.told or ask in self._waiting
        if ask.route and ask.route not in LEFT_ALONE and not is_known:
            kind = ask.kind
            if self._asked[kind] < self.each:
                self._waiting[ask] = kind

    def _look(self, ask: Ask) -> None:
        response = self._send(ask)
        text = body(response)
        self.told[ask] = f"{dict(response.headers)}{text}"
        self.statuses[ask] = response.status_code
        assert response.status_code != 500, ask
        for found in (*self._after(ask, response), *links(ask.path, text), *self._forms(ask, text)):
            self._wait(found)

    def _send(self, ask: Ask) -> HttpResponseBase:
        headers = {"HX-Request": "true"} if ask.is_htmx else {}
        if ask.method == "GET":
            return cast("HttpResponseBase", self.client.get(ask.path, headers=headers))
        cookies = SimpleCookie(self.client.cookies.output(header="", sep=";"))
        with transaction.atomic():
            given: dict[str, list[str]] = {}
            for name, value in ask.fields:
                given.setdefault(name, []).append(value)
            response = self.client.post(ask.path, given, headers=headers)
            body(response)
            transaction.set_rollback(True)
        self.client.cookies = cookies
        return cast("HttpResponseBase", response)

    def _after(self, ask: Ask, response: HttpResponseBase) -> Iterator[Ask]:
        for name in ("Location", "HX-Redirect", "HX-Location"):
            if place := response.headers.get(name):
                yield from links(ask.path, f'href="{html.escape(place)}"')

    def _forms(self, ask: Ask, text: str) -> Iterator[Ask]:
        for attributes, inside in FORM.findall(text):
            given = attributes_of(attributes)
            path = on_site(ask.path, given.get("action") or given.get("hx-post") or ask.path)
            fields = tuple(filled(inside, self.typed))
            if path is None:
                continue
            if given.get("method", "get").lower() == "post":
                yield Ask("POST", path, fields, "hx-post" in given)
            else:
                yield Ask("GET", f"{path.partition('?')[0]}?{urlencode(fields)}")


def body(response: HttpResponseBase) -> str:
    """What a response holds, and an archive; a file that streams is read once and kept."""
    if isinstance(response, StreamingHttpResponse):
        content = b"".join(cast("Iterator[bytes]", response))
        response.streaming_content = [content]
    else:
        content = cast("bytes", getattr(response, "content", b""))
    if content.startswith(b"PK"):
        with ZipFile(BytesIO(content)) as archive:
            return "".join(f"{name}\n{archive.read(name).decode()}" for name in archive.namelist())
    return content.decode("utf-8", "replace")


def links(at: str, text: str) -> Iterator[Ask]:
    for name, place in LINK.findall(text):
        path = on_site(at, html.unescape(place)) if place and name != "action" else None
        if path is not None:
            yield Ask("GET", path, is_htmx=name == "hx-get")


def on_site(at: str, place: str) -> str | None:
    """The path of an address of ours that is not a file of the app's own."""
    whole = urlsplit(urljoin(f"http://testserver{at}", place))
    if whole.netloc != "testserver" or whole.path.startswith(settings.STATIC_URL):
        return None
    return f"{whole.path}?{whole.query}" if whole.query else whole.path


def attributes_of(text: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in ATTRIBUTE.findall(text)}


def filled(form: str, typed: str) -> Iterator[tuple[str, str]]:
    """The fields of a form as somebody leaves them who types one word everywhere."""
    pressed = chosen = False
    for tag, attributes in FIELD.findall(form):
        given = attributes_of(attributes)
        name, kind, value = given.get("name"), given.get("type", ""), given.get("value", "")
        if not name or "disabled" in given or kind == "file":
            continue
        if tag == "button":
            if not pressed:
                yield name, value
            pressed = True
        elif kind in ("radio", "checkbox"):
            if "checked" in given or (kind == "radio" and not chosen):
                yield name, value or "on"
            chosen = chosen or kind == "radio"
        elif tag == "select":
            yield name, _option(form, attributes)
        elif kind == "email":
            yield name, value or "somebody@cast.example.com"
        else:
            yield name, value or ("" if kind == "hidden" else typed)


def _option(form: str, attributes: str) -> str:
    options = form.partition(attributes)[2].partition("</select>")[0]
    given = [attributes_of(each) for each in OPTION.findall(options)]
    marked = [each for each in given if "selected" in each] or given
    return marked[0].get("value", "") if marked else ""
