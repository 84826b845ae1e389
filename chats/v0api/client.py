"""The v0 Platform API, one method for each operation.

Owns nothing but the sum: each resource has a module of its own, and `calls` is the way that all of
them take. Keys of an organisation are not among them.
"""

from __future__ import annotations

from chats.v0api.chats import Chats
from chats.v0api.files import Files
from chats.v0api.mcp_servers import McpServers
from chats.v0api.messages import Messages
from chats.v0api.settings import Settings
from chats.v0api.usage import UsageReports
from chats.v0api.vercel import Vercel
from chats.v0api.webhooks import Webhooks


class Client(Chats, Messages, Files, Vercel, McpServers, Settings, UsageReports, Webhooks):
    """One per process and event loop; `aclose()` ends it, or `async with`.

    `base_url` includes /v2. `read_window` gives the seconds between two reads of a stream's socket
    (see `network`). `revision` "auto" asks v0's own spec, once. `on_outcome` hears of each call that
    is over, with its error or None, and whether it was one that costs credits.
    """
