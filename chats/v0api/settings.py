"""Settings of the scope that the key belongs to: the hosts that may embed previews.

Owns these operations. Relies on `calls` for the way. Team members of an organisation inherit the
setting and cannot change it: Forbidden.
"""

from __future__ import annotations

from collections.abc import Sequence

from chats.v0api import limits
from chats.v0api.answers import json_value, with_list
from chats.v0api.calls import Calls
from chats.v0api.types import Json, texts

HOSTS = 5
HOST = 256


class Settings(Calls):
    async def get_preview_hosts(self) -> tuple[str, ...]:
        return _hosts(await self._get("/settings/preview-hosts"))

    async def set_preview_hosts(self, hosts: Sequence[str]) -> tuple[str, ...]:
        """Replaces them all by `hosts`, at most 5.

        Each is a hostname without scheme, port or path; `*.` stands for one label before it, `**.`
        for one or more.
        """
        limits.count("hosts", hosts, most=HOSTS)
        body = {"hosts": [limits.text("hosts", host, most=HOST) for host in hosts]}
        return _hosts(await self._change("PUT", "/settings/preview-hosts", body, read=json_value))


def _hosts(wire: Json) -> tuple[str, ...]:
    return texts(with_list(wire, "hosts")["hosts"])
