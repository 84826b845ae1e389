"""No binary fraction comes near money: read from the code of every module that amounts pass through."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHATS = Path(__file__).parent.parent / "chats"
# All of their code is about amounts.
WHOLE = (
    *("usage/**/*.py", "models/usage.py", "models/budgets.py"),
    *("v0api/usage.py", "sandbox/rates.py", "sandbox/books.py", "sandbox/routes/usage.py"),
)
# Of these the functions that speak of amounts. What draws charts is given whole numbers and gives geometry.
PARTLY = (
    *("views/**/*.py", "forms/**/*.py", "rendering/**/*.py", "relay/**/*.py", "management/**/*.py"),
    *("admin.py", "consumers.py", "models/**/*.py", "permissions/**/*.py", "templatetags/**/*.py"),
    *("v0api/**/*.py", "sandbox/**/*.py"),
)
MONEY = (
    *("credit", "units(", "cost", "charge", "Entry", "Billed", "Amounts", "Usage", "Spent"),
    *("Standing", "Reservation", "Limit."),
)
# What keeps a binary fraction or gives one, even for whole numbers; and modules that give nothing else.
FRACTIONS = ("FloatField", "DecimalField", "Avg", "StdDev", "Variance", "fsum", "sqrt")
MODULES = ("statistics", "numpy")
READERS = ("loads", "load", "JSONDecoder")


def troubles(code: ast.AST) -> list[str]:
    """What makes, keeps or reads a binary fraction, with its line."""
    return [
        f"{getattr(node, 'lineno', 0)}: {trouble}"
        for node in ast.walk(code)
        if (trouble := _trouble(node))
    ]


def _trouble(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=float() as value):
            return f"the fraction {value}"
        case ast.Call(func=ast.Name(id="float")):
            return "float()"
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return "a true division"
        case ast.ImportFrom(module=name) if name in MODULES:
            return str(name)
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return name if name in (*FRACTIONS, *MODULES) else ""
    if isinstance(node, ast.Call):
        match node.func:
            case ast.Attribute(value=ast.Name(id="json"), attr=name) if name in READERS:
                given = {each.arg for each in node.keywords}
                return "" if "parse_float" in given else f"json.{name} without parse_float"
    return ""


def annotated_as_floats(code: ast.AST) -> list[str]:
    """Where a name is said to be one. In a module that is about amounts alone nothing is."""
    return [
        f"{node.lineno}: float"
        for node in ast.walk(code)
        if isinstance(node, ast.Name) and node.id == "float"
    ]


def speaks_of_money(code: ast.AST) -> bool:
    text = ast.unparse(code)
    return any(word in text for word in MONEY)


def functions(code: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(code):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and speaks_of_money(node):
            yield node


def read(path: Path) -> ast.AST:
    return ast.parse(path.read_text("utf-8"))


def files(patterns: tuple[str, ...]) -> list[Path]:
    return sorted({path for pattern in patterns for path in CHATS.glob(pattern)})


def test_modules_about_money_have_no_binary_fraction() -> None:
    found = {
        str(path.relative_to(CHATS)): [*troubles(code), *annotated_as_floats(code)]
        for path in files(WHOLE)
        for code in (read(path),)
    }
    assert {"usage/ledger.py", "models/usage.py", "models/budgets.py"} <= set(found)
    assert {place: lines for place, lines in found.items() if lines} == {}


def test_functions_that_speak_of_money_have_no_binary_fraction() -> None:
    found = {
        f"{path.relative_to(CHATS)} {getattr(node, 'name', '')}": troubles(node)
        for path in sorted({*files(PARTLY)} - {*files(WHOLE)})
        for node in functions(read(path))
    }
    assert {"views/costs.py cost", "v0api/types.py from_wire"} <= set(found)
    assert {place: lines for place, lines in found.items() if lines} == {}


def test_the_wire_is_read_with_the_text_of_its_fractions() -> None:
    for name in ("v0api/wire.py", "sandbox/wire.py"):
        readers = [
            node
            for node in ast.walk(read(CHATS / name))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in READERS
        ]
        assert readers
        assert not [line for node in readers for line in troubles(node)]


@pytest.mark.parametrize(
    "line",
    [
        *("cost * 0.5", "cost * 1e3", "float(cost)", "cost / 2", "cost /= 2"),
        *("models.FloatField()", "models.DecimalField()", "Avg('credits_total')"),
        *("statistics.median(costs)", "from django.db.models import Avg", "math.sqrt(cost)"),
        *("import statistics", "from statistics import median as middle"),
        *("json.loads(text)", "json.load(file)", "json.JSONDecoder()"),
    ],
)
def test_each_way_to_a_binary_fraction_is_found(line: str) -> None:
    assert len(troubles(ast.parse(line))) == 1


@pytest.mark.parametrize(
    "line",
    [
        *("cost * 5 // 10", "cost.scaleb(-2)", "Decimal('0.5') * cost", "cost % 7", "int(cost)"),
        *("json.loads(text, parse_float=Decimal)", "wire.loads(text)", "Sum('credits_total')"),
    ],
)
def test_what_is_exact_is_none(line: str) -> None:
    assert troubles(ast.parse(line)) == []


def test_a_fraction_in_a_function_about_money_is_found_by_what_it_speaks_of() -> None:
    code = (
        "class A:\n async def share(self):\n  return self.credits / 2\n def wait(self): return 0.5"
    )
    (found,) = functions(ast.parse(code))
    assert troubles(found) == ["3: a true division"]
    assert annotated_as_floats(ast.parse("x: float")) == ["1: float"]
