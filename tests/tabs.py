"""The browser that modules use one after another, and the tabs in it that tests do.

Owns when Playwright's event loop is the one that runs in this thread, and what is taken out of a tab
between two tests: its page, cookies, storage, permissions, routes, media and size. A new tab for each test would start a process of
Chromium's and load every file anew, which together cost four times as much as the page itself.
"""

from __future__ import annotations

import asyncio
from asyncio.events import _get_running_loop, _set_running_loop
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright


class Browsers(ExitStack):
    """One browser for all modules, begun when the first of them wants it.

    Playwright lets its loop run for as long as it lives, between two calls of its too, and Django's ORM
    and `asyncio.run` refuse to work beside a loop that runs: it is put away where nobody uses it.
    """

    def __init__(self, path: str, flags: Sequence[str]) -> None:
        super().__init__()
        self._path, self._flags = path, flags
        self._tabs: Tabs | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def in_use(self) -> Iterator[Browser]:
        _set_running_loop(self._loop)
        try:
            if self._tabs is None:
                launch = self.enter_context(sync_playwright()).chromium.launch
                self._tabs = Tabs(launch(executable_path=self._path, args=self._flags))
                self._loop = _get_running_loop()
            yield self._tabs.browser
        finally:
            _set_running_loop(None)

    @property
    def tabs(self) -> Tabs:
        """Those of the browser that is in use."""
        assert self._tabs, "No module has the browser."
        return self._tabs

    def close_others(self) -> None:
        """What a module has opened beside the tabs that it gave back."""
        kept = self.tabs.free()
        for context in self.tabs.browser.contexts:
            if context not in kept:
                context.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: Any) -> bool | None:
        _set_running_loop(self._loop)
        return super().__exit__(*details)


DEFAULTS: dict[str, Any] = {
    # Nobody looks: what moves would be painted all the same, sixty times in a second.
    "reduced_motion": "reduce",
    "color_scheme": "light",
    "viewport": {"width": 1280, "height": 720},
}


@dataclass(eq=False)
class Tab:
    """One page in a context of its own. `home` is an address of the site that loads nothing else."""

    page: Page
    home: str
    options: dict[str, Any]
    listeners: list[tuple[Any, Callable[..., Any]]] = field(default_factory=list)

    def listen(self, event: Any, listener: Callable[..., Any]) -> None:
        self.page.on(event, listener)
        self.listeners.append((event, listener))

    def clean(self) -> None:
        """As if nobody had used it; raises what Playwright raises when that cannot be."""
        page, context = self.page, self.page.context
        for event, listener in self.listeners:
            page.remove_listener(event, listener)
        self.listeners.clear()
        for other in context.pages:
            if other is not page:
                other.close()
        page.unroute_all(behavior="ignoreErrors")
        context.clear_cookies()
        context.clear_permissions()
        page.goto(self.home)
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        page.emulate_media(
            media="null",
            color_scheme=self.options["color_scheme"],
            reduced_motion=self.options["reduced_motion"],
        )
        if page.viewport_size != self.options["viewport"]:
            page.set_viewport_size(self.options["viewport"])


class Tabs:
    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self._free: dict[str, list[Tab]] = {}

    def free(self) -> list[BrowserContext]:
        return [tab.page.context for tabs in self._free.values() for tab in tabs]

    def take(self, home: str, **options: Any) -> Tab:
        """A clean tab with these options of a context."""
        options = {**DEFAULTS, **options}
        free = self._free.get(_kind(home, options))
        if free:
            return free.pop()
        return Tab(self.browser.new_context(**options).new_page(), home, options)

    def put_back(self, tab: Tab) -> None:
        if tab.page.is_closed():
            return
        try:
            tab.clean()
        except Error:
            # The site does not answer any more, say.
            tab.page.context.close()
        else:
            self._free.setdefault(_kind(tab.home, tab.options), []).append(tab)


def _kind(home: str, options: dict[str, Any]) -> str:
    return repr((home, sorted(options.items())))
