"""The app as it is served to a team: outside DEBUG, behind a proxy that ends TLS, files with hashes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app_server import ROOT, AppServer, environment, migrated_database
from v0web.bundles import BUNDLES

HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
SETTINGS = {"DEBUG": "0", "V0_PROXY": "1", "ALLOWED_HOSTS": "localhost"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, shared_folder: Path) -> Iterator[AppServer]:
    """A copy of the code, since what is collected lies beside it."""
    folder = tmp_path_factory.mktemp("production")
    for name in ("v0web", "chats", "templates", "static"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "manage.py", folder)
    database = folder / "db.sqlite3"
    shutil.copy(migrated_database(shared_folder), database)
    for command in (["collectstatic", "--no-input", "-v0"], ["prepare"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=folder,
            env=environment(database, **SETTINGS),
            check=True,
            stdout=subprocess.DEVNULL,
        )
    with AppServer(folder, database, SETTINGS, cwd=folder) as app:
        app.start()
        yield app


@pytest.fixture
def client(app: AppServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app.url, headers=HTTPS, trust_env=False, timeout=30) as client:
        yield client


def test_plain_http_is_sent_to_https(app: AppServer) -> None:
    answer = httpx.get(f"{app.url}/accounts/login/", trust_env=False)
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"https://localhost:{app.port}/accounts/login/"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_without_https(app: AppServer, path: str) -> None:
    assert httpx.get(app.url + path, trust_env=False).status_code == 200


def test_every_answer_carries_the_policy_and_the_headers(client: httpx.Client) -> None:
    for path in ("/accounts/login/", "/there/is/none/", "/", "/chats/", "/admin/", "/healthz"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Strict-Transport-Security"].startswith("max-age=63072000"), path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["X-DNS-Prefetch-Control"] == "off"
        assert headers["X-Robots-Tag"] == "noindex"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "no-store" in headers["Cache-Control"]
        assert "private" in headers["Cache-Control"]
        assert "Cookie" in headers["Vary"]
        assert "Server" not in headers


def test_cookies_are_bound_to_the_host_and_to_https(client: httpx.Client) -> None:
    cookies = client.get("/setup/").headers.get_list("Set-Cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == ["__Host-csrf"]
    for cookie in cookies:
        assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
        assert "Domain" not in cookie


def test_signing_in_to_the_admin_is_the_one_way_to_sign_in(client: httpx.Client) -> None:
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/accounts/login/?next=%2Fadmin%2F"


def test_files_have_hashes_and_may_be_kept_for_ever(client: httpx.Client) -> None:
    page = client.get("/setup/").text
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert files
    for file in files:
        assert re.search(r"\.[0-9a-f]{12}\.", file), file
        answer = client.get(file)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Cookie" not in answer.headers.get("Vary", "")


def test_what_pages_share_comes_in_bundles_that_lead_to_other_files_by_their_hashes(
    app: AppServer, client: httpx.Client
) -> None:
    names = json.loads((app.cwd / "staticfiles/staticfiles.json").read_text())["paths"]
    assert f'href="/static/{names["styles/frame.css"]}"' in client.get("/setup/").text
    for bundle, sources in BUNDLES.items():
        answer = client.get(f"/static/{names[bundle]}", headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        for source in sources:
            collected = (app.cwd / "staticfiles" / names[source]).read_text()
            assert collected.strip() in answer.text, source
    icons = re.findall(r"/icons/([^\"]+)", client.get(f"/static/{names['styles/shell.css']}").text)
    assert icons
    assert all(re.search(r"\.[0-9a-f]{12}\.svg$", icon) for icon in icons)


def test_a_foreign_host_is_refused(client: httpx.Client) -> None:
    answer = client.get("/accounts/login/", headers={"Host": "evil.example.com"})
    assert answer.status_code == 400


def test_a_forwarded_host_is_not_believed(client: httpx.Client) -> None:
    answer = client.get("/", headers={"X-Forwarded-Host": "evil.example.com"})
    assert "evil" not in answer.text + str(answer.headers)


def test_the_log_has_no_traceback_and_no_secret(app: AppServer, client: httpx.Client) -> None:
    client.get("/setup/canary-canary/")
    client.get("/shared/canary-canary/")
    assert "Traceback" not in app.log
    assert "canary" not in app.log
    assert "Warning" not in app.log
