"""v0web/bundles.py: every source is in its place, and a page gets all of them in few files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from v0web import bundles
from v0web.static import StaticFiles

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

ROOT = Path(settings.BASE_DIR)
STATIC = ROOT / "static"
# What is in no bundle, because a few pages ask for it themselves; or all of them, before the first paint.
ALONE = {
    *("adopt.css", "audit.css", "import.css", "manage.css", "print.css", "security.css"),
    *("settings.css", "teams.css", "usage.css"),
    *("early.js", "landing.js", "passkeys.js", "profile.js"),
}


def sources(*names: str) -> list[str]:
    return [source for name in names for source in bundles.BUNDLES[name]]


@pytest.fixture
def beside(tmp_path: Path, settings: Settings) -> Path:
    """Sources and a folder for bundles of a test's own, and the finder of both."""
    for name in sources(*bundles.BUNDLES):
        file = tmp_path / "static" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"/* {name} */")
    settings.BASE_DIR = tmp_path
    settings.VAR_DIR = tmp_path / "var"
    return tmp_path / "static"


def test_each_source_is_in_a_bundle_or_is_asked_for_by_pages_themselves() -> None:
    there = {file.name for kind in ("css", "js") for file in (STATIC / kind).iterdir()}
    bundled = {Path(name).name for name in sources(*bundles.BUNDLES)}
    assert bundled | ALONE == there
    assert not bundled & ALONE
    templates = "".join(file.read_text() for file in (ROOT / "templates").rglob("*.html"))
    asked = set(re.findall(r"static '((?:css|js|styles|scripts)/[^']+)'", templates))
    assert {Path(name).name for name in asked - set(bundles.BUNDLES)} == ALONE
    assert asked >= set(bundles.BUNDLES)
    for name in bundles.BUNDLES:
        assert len(set(sources(name))) == len(sources(name)), name


@pytest.mark.parametrize("name", bundles.BUNDLES)
def test_a_bundle_has_its_sources_in_order_and_nothing_else(name: str) -> None:
    found = bundles.joined(name, STATIC)
    places = [found.index((STATIC / source).read_text()) for source in sources(name)]
    assert places == sorted(places)
    for source in sources(name):
        found = found.replace((STATIC / source).read_text(), "", 1)
    assert len(found) < 90 * len(sources(name)), found


def test_what_the_tokens_say_comes_first_and_the_base_after_them() -> None:
    for name in ("styles/frame.css", "styles/shell.css"):
        assert sources(name)[:2] == ["css/tokens.css", "css/base.css"]


def test_a_sheet_ends_where_it_ends() -> None:
    """What it leaves open would be closed by the next one, or swallow it."""
    for source in STATIC.glob("css/*.css"):
        css = re.sub(r"/\*.*?\*/", "", source.read_text(), flags=re.DOTALL)
        assert css.count("{") == css.count("}"), source
        assert "/*" not in css, source
        # These are for the beginning of a file.
        assert not re.search(r"@(?:charset|import|namespace)", css), source
        # A bundle is in another folder beside theirs.
        assert not re.search(r"""url\((?!["']?(?:\.\./|#))""", css), source


def test_a_script_that_is_joined_is_no_module_for_others() -> None:
    for source in sources("scripts/shell.js"):
        script = (STATIC / source).read_text()
        assert not re.search(r"^(?:import|export)\b|import\.meta|^await\b", script, re.MULTILINE), (
            source
        )


def test_a_bundle_follows_its_sources(beside: Path) -> None:
    finder = bundles.Bundles()
    file = Path(str(finder.find("styles/shell.css")))
    before = file.stat().st_mtime_ns, file.read_text()
    assert "/* css/shell.css */" in before[1]
    assert finder.find("styles/shell.css") == str(file)
    assert (file.stat().st_mtime_ns, file.read_text()) == before, "It is made once."
    (beside / "css/shell.css").write_text("p { color: red }")
    assert "p { color: red }" in Path(str(finder.find("styles/shell.css"))).read_text()
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_other_files_are_none_of_its_business(beside: Path) -> None:
    finder = bundles.Bundles()
    for path in ("css/shell.css", "styles/", "styles/none.css", "../styles/shell.css", ""):
        assert finder.find(path) == ""
        assert finder.find(path, find_all=True) == []
    assert finder.find("styles/shell.css", find_all=True) == [finder.find("styles/shell.css")]


def test_with_debug_an_edited_source_is_on_the_next_page(
    beside: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    finder = bundles.Bundles()
    monkeypatch.setattr(finders, "get_finders", lambda: [finder])
    serve: Any = StaticFiles
    server = serve(lambda _: HttpResponse(status=404))
    asks = RequestFactory().get("/static/scripts/shell.js")
    assert b"js/live.js" in server(asks).content
    (beside / "js/live.js").write_text("edited();")
    answer = server(asks)
    assert b"edited();" in answer.content
    assert answer["Content-Type"] == 'text/javascript; charset="utf-8"'


def test_a_script_that_fails_is_told_of_and_stops_no_other_one(
    beside: Path, monkeypatch: pytest.MonkeyPatch, browser: Browser
) -> None:
    monkeypatch.setitem(bundles.BUNDLES, "scripts/shell.js", ["js/a.js", "js/b.js", "js/c.js"])
    scripts = {
        "a": "const name = 'first'; function say() { document.title += name; } say();",
        "b": "const name = 'never'; throw new Error('planted'); say();",
        "c": "say(); let name; function say() { document.title += ` third ${typeof this}`; }\n// end",
    }
    for name, script in scripts.items():
        (beside / f"js/{name}.js").write_text(script)
    bundle = bundles.joined("scripts/shell.js", beside)
    html = '<script type="module" src="/shell.js"></script><title></title>'

    def serve(route: Route) -> None:
        is_script = route.request.url.endswith(".js")
        kind = "text/javascript" if is_script else "text/html"
        route.fulfill(body=bundle if is_script else html, content_type=kind)

    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.message))
    page.route("http://localhost/**", serve)
    page.goto("http://localhost/")
    page.wait_for_function("document.title.includes('third')")
    assert page.title() == "first third undefined"
    assert errors == ["planted"]
    page.context.close()
