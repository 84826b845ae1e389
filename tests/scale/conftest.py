"""What tests of scale stand on: a database of PostgreSQL that pytest-django makes, and Redis as the cache."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """No file: Django makes a database beside the one that is named."""


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    from django.core.cache import cache

    cache.clear()
    yield
    cache.clear()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """That database goes at the end."""
    return False
