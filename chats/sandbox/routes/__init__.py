"""The operations that are served, and which of them cost credits as they arrive.

Owns the table from an operation of the spec to the function that answers it. Relies on the modules
beside it. What is not in this table is not served.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import Response

from chats.sandbox.routes import chats, files, messages, projects, settings, sources, usage
from chats.sandbox.world import Call

Answer = Callable[[Call], Awaitable[Response]]

ANSWERS: dict[str, Answer] = {
    "chats.create": chats.create,
    "chats.createStream": chats.create_stream,
    "chats.createAsync": chats.create_async,
    "chats.createFromFiles": sources.from_files,
    "chats.createFromZip": sources.from_zip,
    "chats.createFromRepo": sources.from_repo,
    "chats.list": chats.list_all,
    "chats.get": chats.read,
    "chats.update": chats.update,
    "chats.delete": chats.delete,
    "chats.duplicate": chats.duplicate,
    "chats.resume": chats.resume,
    "chats.getFiles": files.read,
    "chats.updateFiles": files.update,
    "chats.downloadFiles": files.download,
    "chats.getPreview": files.preview,
    "chats.restoreMessage": files.restore,
    "chats.deploy": projects.deploy,
    "chats.createVercelProject": projects.create_vercel_project,
    "chats.getConnectStatus": projects.connect_status,
    "messages.send": messages.send,
    "messages.sendStream": messages.send_stream,
    "messages.sendAsync": messages.send_async,
    "messages.resolve": messages.resolve,
    "messages.resolveStream": messages.resolve_stream,
    "messages.resolveAsync": messages.resolve_async,
    "messages.list": messages.list_all,
    "messages.get": messages.read,
    "messages.stop": messages.stop,
    "mcpServers.list": settings.list_servers,
    "mcpServers.create": settings.create_server,
    "mcpServers.get": settings.read_server,
    "mcpServers.update": settings.update_server,
    "mcpServers.delete": settings.delete_server,
    "settings.getPreviewHosts": settings.read_hosts,
    "settings.setPreviewHosts": settings.set_hosts,
    "usage.getSummary": usage.summary,
    "usage.listEvents": usage.events,
    "usage.getActivity": usage.activity,
    "webhooks.list": settings.list_hooks,
    "webhooks.create": settings.create_hook,
    "webhooks.get": settings.read_hook,
    "webhooks.update": settings.update_hook,
    "webhooks.delete": settings.delete_hook,
}

CHARGED = frozenset(
    {
        "chats.create",
        "chats.createStream",
        "chats.createAsync",
        "chats.createFromFiles",
        "chats.createFromZip",
        "chats.createFromRepo",
        "chats.duplicate",
        "chats.restoreMessage",
        "chats.deploy",
        "messages.send",
        "messages.sendStream",
        "messages.sendAsync",
        "messages.resolve",
        "messages.resolveStream",
        "messages.resolveAsync",
    }
)
"""The POSTs that nobody may send twice: they cost credits, or make something that stays."""
