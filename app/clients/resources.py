"""Resource indicators: for which of the resources of this server a token is good (RFC 8707).

There is one that tokens are asked for: the MCP server. All else takes tokens that name none.
"""

from __future__ import annotations

from urllib.parse import urlsplit

#: The path of the MCP server.
AGENTS = "/api/mcp"
_PORTS = {"http": 80, "https": 443}


def of(root: str) -> str:
    """Return the resource of the MCP server, below the address of this server."""
    return canonical(root.rstrip("/") + AGENTS) or ""


def canonical(text: str) -> str | None:
    """Return an absolute URI in the one form that is compared; None for what is none (RFC 8707 2: no fragment)."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or "#" in text or "@" in parts.netloc or parts.query:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"
