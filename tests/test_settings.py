"""What the environment may say, what is made of it, and that README says the same."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app_server import ROOT

SOURCE = "\n".join(
    (ROOT / "v0web" / f"{name}.py").read_text("utf-8") for name in ("settings", "sign_in")
)
ROW = re.compile(r"^\| `([A-Z0-9_]+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)
SECRET = "only-for-tests-" * 4
PRODUCTION = {"SECRET_KEY": SECRET, "ALLOWED_HOSTS": "chat.example.com"}


def declared() -> dict[str, tuple[str, str]]:
    """Each setting that is read from the environment: its default, if it is a plain value, and the
    comment line above it."""
    lines, found = SOURCE.splitlines(), {}
    for node in ast.walk(ast.parse(SOURCE)):
        match node:
            case ast.Call(func=ast.Name(id=reader), args=[ast.Constant(value=name), *rest]) if (
                reader.startswith("env_")
            ):
                given = [*rest, *(word.value for word in node.keywords if word.arg == "default")]
                plain = given and isinstance(given[0], ast.Constant)
                default = str(ast.literal_eval(given[0])) if plain else ""
                comment = lines[node.lineno - 2].strip()
                assert isinstance(name, str)
                assert comment.startswith("# "), f"{name} has no comment line above it."
                found[name] = default, comment.removeprefix("# ")
    return found


def settings(**given: str) -> dict[str, object]:
    """The settings of a process with this environment; raises with its error when there are none."""
    script = (
        "import json; from v0web import settings as s; "
        "print(json.dumps({n: getattr(s, n) for n in dir(s) if n.isupper()}, default=str))"
    )
    kept = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", script]
    ended = subprocess.run(
        command, cwd=ROOT, env=kept | given, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise ValueError(ended.stderr.splitlines()[-1])
    found: dict[str, object] = json.loads(ended.stdout)
    return found


def test_readme_has_every_setting_with_its_default_and_meaning() -> None:
    rows = {
        name: (default.strip("`"), meaning)
        for name, default, meaning in ROW.findall((ROOT / "README.md").read_text("utf-8"))
    }
    settings = declared()
    assert list(rows) == list(settings)
    for name, (default, meaning) in settings.items():
        assert rows[name][1] == meaning, name
        if default:
            assert rows[name][0] == default, name


def test_settings_of_ours_are_named_so() -> None:
    pinned = {"DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "PORT", "SANDBOX_PORT"}
    pinned |= {"DATABASE_URL", "REDIS_URL"}
    assert all(name in pinned or name.startswith("V0_") for name in declared())


def test_nothing_but_settings_reads_the_environment() -> None:
    allowed = {"v0web/environment.py", "chats/management/commands/serve.py", "chats/sandbox"}
    for file in [*ROOT.glob("v0web/**/*.py"), *ROOT.glob("chats/**/*.py")]:
        path = file.relative_to(ROOT).as_posix()
        if any(path.startswith(name) for name in allowed):
            continue
        text = file.read_text("utf-8").replace("os.environ.setdefault(", "")
        assert not re.search(r"os\.environ|getenv", text), path


def test_it_is_safe_by_default() -> None:
    found = settings()
    assert found["DEBUG"] is False
    assert found["SECRET_KEY"] == ""
    assert found["ALLOWED_HOSTS"] == ["localhost"]
    assert found["SESSION_COOKIE_NAME"] == "__Host-session"
    assert found["SESSION_COOKIE_SECURE"] is True
    assert found["CSRF_COOKIE_SECURE"] is True
    assert found["V0_ANONYMOUS_READING"] is False


def test_without_a_key_the_sandbox_is_asked() -> None:
    found = settings()
    assert found["UPSTREAM"] == "sandbox"
    assert found["V0_API_KEY"] == "sandbox"
    assert found["V0_BASE_URL"] == "http://127.0.0.1:8400/v2"
    assert str(found["DATABASES"]).count("var/sandbox.sqlite3")


def test_with_a_key_v0_is_asked_and_has_a_database_of_its_own() -> None:
    found = settings(V0_API_KEY="v1:some:key")
    assert found["UPSTREAM"] == "v0"
    assert found["V0_API_KEY"] == "v1:some:key"
    assert found["V0_BASE_URL"] == "https://api.v0.dev/v2"
    assert str(found["DATABASES"]).count("var/v0.sqlite3")


def test_sqlite_has_the_options_that_were_measured() -> None:
    database = settings(DATABASE_URL="sqlite:////tmp/other.sqlite3")["DATABASES"]
    assert isinstance(database, dict)
    default = database["default"]
    assert default["NAME"] == "/tmp/other.sqlite3"
    assert default["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert default["OPTIONS"]["timeout"] == 20
    assert "journal_mode=WAL" in default["OPTIONS"]["init_command"]
    assert not default.get("ATOMIC_REQUESTS")
    assert default["TEST"]["NAME"].endswith(".sqlite3")


def test_files_lie_beside_the_databases_or_in_a_storage_of_ones_own() -> None:
    storages = settings()["STORAGES"]
    assert isinstance(storages, dict)
    assert storages["default"]["OPTIONS"]["location"].endswith("/var")
    given = {"bucket_name": "files", "max_memory_size": 1}
    storages = settings(V0_STORAGE="some.Storage", V0_STORAGE_OPTIONS=json.dumps(given))["STORAGES"]
    assert isinstance(storages, dict)
    assert storages["default"] == {"BACKEND": "some.Storage", "OPTIONS": given}


def test_several_processes_share_postgresql_and_redis() -> None:
    url = "postgres://v0web:pass@db:5432/v0web"
    found = settings(DATABASE_URL=url, REDIS_URL="redis://:word@redis:6379/0")
    assert "postgresql" in str(found["DATABASES"])
    assert "'CONN_MAX_AGE': 0" in str(found["DATABASES"])
    assert "RedisChannelLayer" in str(found["CHANNEL_LAYERS"])
    assert "RedisCache" in str(found["CACHES"])


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ({"DEBUG": "1"}, ["http://localhost:8000", "http://127.0.0.1:8000"]),
        ({"DEBUG": "1", "PORT": "9"}, ["http://localhost:9", "http://127.0.0.1:9"]),
        ({}, ["https://localhost"]),
        ({"ALLOWED_HOSTS": "a.example.com, b.example.com"},
         ["https://a.example.com", "https://b.example.com"]),
        ({"V0_ORIGINS": "https://c.example.com:8443"}, ["https://c.example.com:8443"]),
    ],
)  # fmt: skip
def test_origins_are_exact_addresses(given: dict[str, str], origins: list[str]) -> None:
    assert settings(**given)["V0_ORIGINS"] == origins


@pytest.mark.parametrize(
    "given",
    [
        {"DEBUG": "maybe"},
        {"PORT": "eight"},
        {"PORT": "0"},
        {"PORT": "65536"},
        {"PORT": "-1"},
        {"V0_LEASE": "soon"},
        {"V0_LEASE": "-1"},
        {"V0_LEASE": "nan"},
        {"V0_LEASE": "inf"},
        {"V0_CHECK_AFTER": "2,five"},
        {"V0_PUBLISH_WINDOW": "fast"},
        {"SECRET_KEY": "short"},
        {"SECRET_KEY": SECRET, "SECRET_KEY_FILE": "/dev/null"},
        {"SECRET_KEY_FILE": "/dev/null"},
        {"SECRET_KEY_FILE": "/there/is/none"},
        {"V0_API_KEY": "two\nlines"},
        {"V0_API_REVISION": "beta"},
        {"V0_DELIVERY": "later"},
        {"V0_AUTHORS": "user_1"},
        {"V0_BASE_URL": "https://api.v0.dev"},
        {"V0_BASE_URL": "ftp://api.v0.dev/v2"},
        {"V0_BASE_URL": "https://api.v0.dev/v2"},
        {"V0_LOG_LEVEL": "LOUD"},
        {"V0_WEBHOOK_URL": "https://hooks.example.com/a"},
        {"V0_WEBHOOK_URL": "http://hooks.example.com/a", "V0_WEBHOOK_SECRET": SECRET},
        {"V0_WEBHOOK_URL": "hooks.example.com", "V0_WEBHOOK_SECRET": SECRET},
        {"ALLOWED_HOSTS": "*"},
        {"DATABASE_URL": "nonsense"},
        {"V0_STORAGE_OPTIONS": "bucket", "V0_STORAGE": "some.Storage"},
        {"V0_STORAGE_OPTIONS": "[1]", "V0_STORAGE": "some.Storage"},
    ],
    ids=str,
)
def test_nonsense_is_refused_by_name(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(given)).removesuffix("_FILE")) as refused:
        settings(**given)
    assert SECRET not in str(refused.value)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("v1:from:file\n")
    found = settings(V0_API_KEY_FILE=str(file))
    assert found["V0_API_KEY"] == "v1:from:file"
    assert found["UPSTREAM"] == "v0"


def test_each_process_in_debug_has_a_secret_of_its_own_when_none_is_given() -> None:
    one, other = (str(settings(DEBUG="1")["SECRET_KEY"]) for _ in range(2))
    assert one != other
    assert len(one) >= 50


def manage(*arguments: str, **given: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"]}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=kept | given, capture_output=True, text=True, check=False
    )


def test_no_command_that_lists_settings_shows_a_secret() -> None:
    secrets = {
        "SECRET_KEY": "canary-" * 8,
        "V0_API_KEY": "v1:canary:canary",
        "DATABASE_URL": "postgres://v0web:canary@db/v0web",
        "REDIS_URL": "redis://:canary@redis:6379/0",
        "V0_STORAGE": "some.Storage",
        "V0_STORAGE_OPTIONS": '{"bucket_name": "files", "secret_key": "canary"}',
        "V0_WEBHOOK_URL": "https://hooks.example.com/canary",
        "V0_WEBHOOK_SECRET": "canary",
    }
    ended = manage("diffsettings", "--all", **secrets)
    assert "V0_API_KEY" in ended.stdout
    assert "canary" not in ended.stdout


def test_a_debug_page_shows_no_secret() -> None:
    from django.views.debug import SafeExceptionReporterFilter

    script = (
        "import django; django.setup(); "
        "from django.views.debug import get_default_exception_reporter_filter as f; "
        "import pprint; pprint.pprint(f().get_safe_settings())"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "v0web.settings",
        "SECRET_KEY": "canary-" * 8,
        "V0_API_KEY": "v1:canary:canary",
        "DATABASE_URL": "postgres://v0web:canary@db/v0web",
        "REDIS_URL": "redis://:canary@redis:6379/0",
    }
    shown = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert SafeExceptionReporterFilter.cleansed_substitute in shown
    assert "canary" not in shown


def test_the_deployment_check_is_clean() -> None:
    ended = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert ended.returncode == 0, ended.stderr


def test_the_policy_allows_nothing_inline() -> None:
    policy = settings(**PRODUCTION)["CONTENT_SECURITY_POLICY"]
    assert isinstance(policy, dict)
    directives = policy["DIRECTIVES"]
    assert "unsafe" not in str(directives)
    assert "data:" not in str(directives)
    assert directives["default-src"] == directives["frame-ancestors"] == ["'none'"]
    assert directives["script-src"] == directives["style-src"] == ["'self'"]
    assert directives["connect-src"] == ["'self'", "wss://chat.example.com"]
