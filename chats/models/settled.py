"""Columns that are the same in every list but for whose list it is, which Django compiles once.

Owns, for each of them, its SQL as Django's compiler gave it, and where in it the person stands. Relies on the
queries that it is given for all that they say: to build them anew was a fifth of the time of each page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from django.db import connections
from django.db.models import Expression, Field, Model
from django.db.models.expressions import BaseExpression
from django.db.models.sql.compiler import SQLCompiler

from chats.models.people import Person

# Stands for the person while a column is compiled: nobody is it, and no query says it otherwise.
ANYBODY = -(2**62) + 41

Build = Callable[[Person], BaseExpression]


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    params: tuple[Any, ...]
    field: Field[Any, Any]


class Settled(Expression):
    """`build(person)` as a column of rows of `model`, in a query that is no part of another. `build` is a
    function of a module, and the person is all that it depends on: neither settings nor the time."""

    def __init__(self, model: type[Model], build: Build, person: Person) -> None:
        super().__init__()
        self._what = model, build
        self._person = person.pk

    def resolve_expression(self, *args: Any, **options: Any) -> Settled:
        """Of the query that it stands in it names the table alone."""
        return self

    def relabeled_clone(self, change_map: Any) -> NoReturn:
        raise NotImplementedError("A settled column knows its table by its own name alone.")

    def as_sql(
        self, compiler: SQLCompiler, connection: Any, **options: Any
    ) -> tuple[str, tuple[Any, ...]]:
        compiled = _compiled(*self._what, compiler.using)
        # Of the same type: a driver may have one of its own for keys.
        return compiled.sql, tuple(
            type(each)(self._person) if each == ANYBODY else each for each in compiled.params
        )

    def _resolve_output_field(self) -> Field[Any, Any]:
        return _compiled(*self._what, "default").field


@cache
def _compiled(model: type[Model], build: Build, using: str) -> _Compiled:
    rows = model._default_manager.using(using).annotate(settled=build(Person(pk=ANYBODY)))
    compiler = rows.query.get_compiler(connection=connections[using])
    column = rows.query.annotations["settled"]
    sql, params = compiler.compile(column)
    return _Compiled(sql, tuple(params), column.output_field)
