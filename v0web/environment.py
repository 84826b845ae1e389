"""Reads the environment: one function per kind of value, each loud about nonsense.

Owns what counts as true, as a number, as a secret. Relies on nothing but Django's name for a
bad setting, and never repeats a secret in an error. An empty variable counts as one that is not set.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

Number = TypeVar("Number", int, float)
WORDS = {"1": True, "true": True, "yes": True, "on": True}
WORDS |= {"0": False, "false": False, "no": False, "off": False}


class Secret(str):
    """Text that works like any other but is not shown by `repr`, so by no page or command that
    lists settings."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'" if self else "''"


def env_text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, *, default: bool) -> bool:
    text = env_text(name).lower()
    if not text:
        return default
    if text not in WORDS:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(WORDS)}; it is {text!r}.")
    return WORDS[text]


def env_int(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    text = env_text(name, str(default))
    if not (text.isascii() and text.isdecimal()):
        raise ImproperlyConfigured(f"{name} must be a whole number; it is {text!r}.")
    return _within(name, int(text), least, most)


def env_port(name: str, default: int) -> int:
    return env_int(name, default, least=1, most=65535)


def env_float(name: str, default: float, *, least: float = 0.0) -> float:
    """A finite number of seconds, or of whatever the setting's comment says."""
    return _within(name, _number(name, env_text(name, str(default))), least, None)


def env_float_or_none(name: str) -> float | None:
    """As `env_float`, where the empty value has a meaning of its own."""
    text = env_text(name)
    return _within(name, _number(name, text), 0.0, None) if text else None


def env_floats(name: str, default: str) -> tuple[float, ...]:
    texts = env_list(name, default)
    return tuple(_within(name, _number(name, text), 0.0, None) for text in texts)


def env_list(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in env_text(name, default).split(",") if item.strip()]


def env_pairs(name: str, default: str = "") -> dict[str, str]:
    """`one=two` with commas between."""
    pairs = {}
    for text in env_list(name, default):
        left, _, right = (side.strip() for side in text.partition("="))
        if not left or not right:
            raise ImproperlyConfigured(f"{name} must be like one=two,three=four; it has {text!r}.")
        pairs[left] = right
    return pairs


def env_secret(name: str) -> Secret:
    """The value of NAME, or the content of the file that NAME_FILE names; empty when neither is
    given. A secret is one printable line."""
    value, file = os.environ.get(name, ""), os.environ.get(f"{name}_FILE", "")
    if value and file:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; give one of them.")
    if file:
        value = _content(f"{name}_FILE", Path(file))
    value = value.strip()
    if not value.isprintable():
        raise ImproperlyConfigured(f"{name} must be one line of printable characters.")
    return Secret(value)


def source_of(name: str) -> str:
    """The variable that a secret of `env_secret` came from, "" when it was not given."""
    return next((each for each in (name, f"{name}_FILE") if os.environ.get(each, "")), "")


def _content(name: str, file: Path) -> str:
    try:
        content = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name} names a file that cannot be read: {file}.") from error
    if not content.strip():
        raise ImproperlyConfigured(f"{name} names an empty file: {file}.")
    return content


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ImproperlyConfigured(f"{name} must be a number; it is {text!r}.")
    return number


def _within(name: str, number: Number, least: Number, most: Number | None) -> Number:
    if number < least or (most is not None and number > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name} must be {bounds}; it is {number}.")
    return number
