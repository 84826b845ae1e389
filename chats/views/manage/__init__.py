"""The admin area: pages for staff, and for nobody else.

Owns what its pages share: that they are not kept by a browser, that long lists come in pages, and how a
search is typed. What staff may see and do is `chats.permissions.administering`; Django's admin has the
rest. No page here shows a word in a chat, nor its title but to those who may read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chats.views.shell import shell

PAGE = 30
# Beyond it one searches: a database counts off every row before a page.
LAST = 1000
LONGEST_SEARCH = 100

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """Some rows of a list; `before` and `after` are the numbers of the pages around it, 0 for none."""

    rows: list[Row]
    before: int
    after: int


def listed(request: HttpRequest, rows: QuerySet[Row]) -> Listed[Row]:
    """The page of `rows` that is asked for, by one query."""
    number = page_number(request)
    start = (number - 1) * PAGE
    found = list(rows[start : start + PAGE + 1])
    more = len(found) > PAGE and number < LAST
    return Listed(found[:PAGE], number - 1, number + 1 if more else 0)


def page_number(request: HttpRequest) -> int:
    """The page of a list that is asked for; the first one for any nonsense."""
    text = request.GET.get("page", "")[:5]
    number = int(text) if text.isascii() and text.isdigit() else 1
    return max(1, min(number, LAST))


def typed(request: HttpRequest, name: str = "search") -> str:
    return request.GET.get(name, "").strip()[:LONGEST_SEARCH]


def chosen(request: HttpRequest, name: str, choices: Mapping[str, object]) -> str:
    """One of the choices of a filter; the first of them for any nonsense."""
    wanted = request.GET.get(name, "")
    return wanted if wanted in choices else next(iter(choices))


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    context |= {"page": template, **shell(request)}
    response = render(request, f"manage/{template}.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
