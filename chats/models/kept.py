"""Rows of queries that are asked again and again in the same words, whose SQL is made once.

Owns the keeping of that SQL. Django makes it anew for each query, which for the list of chats takes twenty
times what a database takes to answer it. Relies on its compilers; whoever asks says what the words depend on,
and nothing of the rows is ever kept.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")

# Of different words, some 40 KiB each; all are let go when there are more.
MOST = 300

_kept: dict[Hashable, tuple[QuerySet[Any, Any], SQLCompiler, tuple[str, Any]]] = {}


def rows(key: Hashable, make: Callable[[], QuerySet[Any, Row]]) -> list[Row]:
    """What `make()` finds now. Its SQL, with all values in it, depends on nothing but `key`."""
    found = _kept.get(key)
    if found is None:
        queryset = make()
        compiler = queryset.query.get_compiler(queryset.db)
        try:
            sql, values = compiler.as_sql()
        except EmptyResultSet:
            return []
        if len(_kept) >= MOST:
            _kept.clear()
        found = _kept[key] = queryset, compiler, (sql, values)
    queryset, made, words = found
    again: Any = queryset.all()
    # Each thread has a connection of its own.
    compiler = copy.copy(made)
    compiler.connection = connections[queryset.db]
    setattr(compiler, "as_sql", lambda *_, **__: words)  # noqa: B010 (of this one alone)
    again.query.get_compiler = lambda *_, **__: compiler
    return list(again)
