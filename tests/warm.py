"""The app imported before it is known with which settings it will run.

Owns what a nursery has ready for servers of the app beside the libraries: Django set up, our modules, the
addresses and the compiled templates, which is nearly all of what a start and the first pages cost. Settings
are read anew by each child; one that differs in a setting that was looked at in the meantime begins from
nothing instead, as whoever starts the app does. Relies on Django keeping in `settings.__dict__` whatever was
looked at.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MODULE = "v0web.server"
SETTINGS = "tests.served"
# Modules whose values come from the environment.
READ_ANEW = (SETTINGS, "v0web.settings", "v0web.sign_in")
# Applied again by each server itself, and looked at for nothing but which database it is.
MAY_DIFFER = {"LOGGING", "DATABASES"}


def is_for(module: str, environment: Mapping[str, str]) -> bool:
    return module == MODULE and environment.get("DJANGO_SETTINGS_MODULE") == SETTINGS


def get_ready() -> None:
    """Imports the app in this process, which serves nothing itself: no loop, no thread, no connection."""
    given = dict(os.environ)
    os.environ.update(
        DJANGO_SETTINGS_MODULE=SETTINGS,
        DEBUG="1",
        SECRET_KEY="only-for-tests-" * 4,
        DATABASE_URL="sqlite:////nowhere/at-all.sqlite3",
    )
    import django
    from django.conf import settings

    django.setup(set_prefix=False)
    for name in (settings.ROOT_URLCONF, "chats.routing", "channels.auth", "v0web.origins"):
        importlib.import_module(name)
    for name in settings.MIDDLEWARE:
        importlib.import_module(name.rpartition(".")[0])
    from django.template import engines
    from django.urls import get_resolver

    get_resolver()._populate()
    engine: Any = engines["django"]
    for folder in map(Path, engine.dirs):
        for file in folder.rglob("*.*"):
            engine.get_template(str(file.relative_to(folder)))
    os.environ.clear()
    os.environ.update(given)
    assert "twisted.internet.reactor" not in sys.modules, "Children would share its loop."


def read_settings() -> bool:
    """Reads the settings of this child's own environment; says whether what was imported would be the
    same with them."""
    from django.conf import settings
    from django.db import connections
    from django.utils.functional import empty

    seen, names = dict(settings.__dict__), dir(settings)
    engine = connections["default"].settings_dict["ENGINE"]
    for module in READ_ANEW:
        sys.modules.pop(module, None)
    settings.__dict__.clear()
    settings._wrapped = empty
    # It keeps the settings, and each connection its own part of them.
    connections.__init__()  # type: ignore[misc]
    connections.__dict__.pop("settings", None)
    return (
        dir(settings) == names
        and connections["default"].settings_dict["ENGINE"] == engine
        and all(
            getattr(settings, name) == value
            for name, value in seen.items()
            if name not in MAY_DIFFER | {"_wrapped"}
        )
    )
