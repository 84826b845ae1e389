"""MCP servers: tools that the agent may use beside its own.

Owns these operations, their answers and the ways to authenticate. Relies on `calls` for the way.
What authenticates is in no repr. v0 takes at most 10 servers per person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from chats.v0api import limits
from chats.v0api.answers import done, json_value, objects, with_id
from chats.v0api.calls import Calls, segment
from chats.v0api.types import Json, Wire, text, texts

SCOPES = ("user", "team")


@dataclass(frozen=True, slots=True)
class NoAuth:
    def wire(self) -> dict[str, Json]:
        return {"type": "none"}


@dataclass(frozen=True, slots=True)
class BearerAuth:
    token: str = field(repr=False)

    def wire(self) -> dict[str, Json]:
        return {"type": "bearer", "token": self.token}


@dataclass(frozen=True, slots=True)
class HeaderAuth:
    headers: Mapping[str, str] = field(repr=False)

    def wire(self) -> dict[str, Json]:
        return {"type": "custom-headers", "headers": dict(self.headers)}


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthConfig:
    """What is "" is not said."""

    authorization_url: str
    token_url: str
    client_id: str
    scopes: tuple[str, ...]
    use_pkce: bool
    registration_url: str = ""
    client_secret: str = field(default="", repr=False)
    issuer: str = ""
    resource: str = ""
    client_id_metadata_document_supported: bool = False

    @classmethod
    def from_wire(cls, wire: Wire) -> OAuthConfig:
        return cls(
            authorization_url=text(wire.get("authorizationUrl")),
            token_url=text(wire.get("tokenUrl")),
            client_id=text(wire.get("clientId")),
            scopes=texts(wire.get("scopes")),
            use_pkce=wire.get("usePKCE") is True,
            registration_url=text(wire.get("registrationUrl")),
            client_secret=text(wire.get("clientSecret")),
            issuer=text(wire.get("issuer")),
            resource=text(wire.get("resource")),
            client_id_metadata_document_supported=(
                wire.get("clientIdMetadataDocumentSupported") is True
            ),
        )

    def wire(self) -> dict[str, Json]:
        url = self.registration_url
        more = {
            "registrationUrl": url and limits.url("auth.config.registrationUrl", url),
            "clientSecret": self.client_secret,
            "issuer": self.issuer,
            "resource": self.resource,
            "clientIdMetadataDocumentSupported": self.client_id_metadata_document_supported,
        }
        return {
            "authorizationUrl": limits.url("auth.config.authorizationUrl", self.authorization_url),
            "tokenUrl": limits.url("auth.config.tokenUrl", self.token_url),
            "clientId": self.client_id,
            "scopes": list(self.scopes),
            "usePKCE": self.use_pkce,
            **{name: value for name, value in more.items() if value},
        }


@dataclass(frozen=True, slots=True)
class OAuth:
    """`expires_at` is "" where v0 does not say."""

    config: OAuthConfig | None = None
    connected: bool = False
    expires_at: str = ""

    def wire(self) -> dict[str, Json]:
        found: dict[str, Json] = {"type": "oauth", "connected": self.connected}
        if self.config is not None:
            found["config"] = self.config.wire()
        return {**found, "expiresAt": self.expires_at} if self.expires_at else found


@dataclass(frozen=True, slots=True)
class UnknownAuth:
    """A way that this client does not know; it cannot be sent."""

    type: str


Auth = NoAuth | BearerAuth | HeaderAuth | OAuth


def auth_from_wire(wire: Json) -> Auth | UnknownAuth:
    """Never raises."""
    found = wire if isinstance(wire, Mapping) else {}
    kind = text(found.get("type"))
    match kind:
        case "none":
            return NoAuth()
        case "bearer":
            return BearerAuth(text(found.get("token")))
        case "custom-headers":
            headers = found.get("headers")
            headers = headers if isinstance(headers, Mapping) else {}
            return HeaderAuth({name: text(value) for name, value in headers.items()})
        case "oauth":
            config = found.get("config")
            return OAuth(
                OAuthConfig.from_wire(config) if isinstance(config, Mapping) else None,
                found.get("connected") is True,
                text(found.get("expiresAt")),
            )
        case _:
            return UnknownAuth(kind)


@dataclass(frozen=True, slots=True)
class McpServer:
    """`scope` is one of SCOPES."""

    id: str
    name: str
    url: str
    description: str
    created_at: str
    updated_at: str
    user_id: str
    enabled: bool
    auth: Auth | UnknownAuth
    scope: str
    wire: Wire = field(repr=False)

    @classmethod
    def from_wire(cls, wire: Wire) -> McpServer:
        return cls(
            text(wire.get("id")),
            text(wire.get("name")),
            text(wire.get("url")),
            text(wire.get("description")),
            text(wire.get("createdAt")),
            text(wire.get("updatedAt")),
            text(wire.get("userId")),
            wire.get("enabled") is True,
            auth_from_wire(wire.get("auth")),
            text(wire.get("scope")),
            wire,
        )


class McpServers(Calls):
    async def list_mcp_servers(self) -> tuple[McpServer, ...]:
        found = objects(await self._get("/mcp-servers"), "mcpServers")
        return tuple(map(McpServer.from_wire, found))

    async def get_mcp_server(self, server_id: str) -> McpServer:
        return McpServer.from_wire(with_id(await self._get(f"/mcp-servers/{segment(server_id)}")))

    async def create_mcp_server(
        self,
        *,
        name: str,
        url: str,
        description: str = "",
        enabled: bool = True,
        auth: Auth = NoAuth(),
        scope: str = "user",
    ) -> McpServer:
        body = _body(name, url, description or None, enabled, auth, scope)
        found = await self._change("POST", "/mcp-servers", body, read=json_value)
        return McpServer.from_wire(with_id(found))

    async def update_mcp_server(
        self,
        server_id: str,
        *,
        name: str | None = None,
        url: str | None = None,
        description: str | None = None,
        enabled: bool | None = None,
        auth: Auth | None = None,
        scope: str | None = None,
    ) -> McpServer:
        """Changes what is given."""
        body = _body(name, url, description, enabled, auth, scope)
        path = f"/mcp-servers/{segment(server_id)}"
        return McpServer.from_wire(
            with_id(await self._change("PATCH", path, body, read=json_value))
        )

    async def delete_mcp_server(self, server_id: str) -> None:
        await self._change("DELETE", f"/mcp-servers/{segment(server_id)}", read=done)


def _body(
    name: str | None,
    url: str | None,
    description: str | None,
    enabled: bool | None,
    auth: Auth | None,
    scope: str | None,
) -> dict[str, Json]:
    body: dict[str, Json] = {}
    if name is not None:
        body["name"] = limits.text("name", name, least=1, most=limits.MCP_NAME)
    if url is not None:
        body["url"] = limits.text("url", limits.url("url", url), most=limits.MCP_URL)
    if description is not None:
        body["description"] = limits.text("description", description, most=limits.MCP_DESCRIPTION)
    if enabled is not None:
        body["enabled"] = enabled
    if auth is not None:
        body["auth"] = auth.wire()
    if scope is not None:
        body["scope"] = limits.word("scope", scope, SCOPES)
    return body
