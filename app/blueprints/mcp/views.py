"""``POST /api/mcp``: one message in, one answer out (specification 2026-07-28, basic/transports/streamable-http)."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response

from app.blueprints.mcp.callers import current_agent
from app.blueprints.mcp.methods import answer
from app.clients import resources
from app.clients.document import LOOPBACK
from app.errors import Forbidden, UnsupportedMediaType
from app.json import dumps, load
from app.mcp import messages
from app.mcp.messages import Code, Message, ProtocolError, Routing
from app.web.answers import Answer
from app.web.current import current_incoming, current_request
from app.web.services import services

blueprint = Blueprint("mcp", __name__)
#: Headers that a page of an allowed origin can send.
_ACCEPTED = "Authorization, Content-Type, MCP-Protocol-Version, Mcp-Method, Mcp-Name, X-Request-ID"


@blueprint.post("/api/mcp")
def serve() -> Response:
    _check_origin()
    agent = current_agent()
    message_id, message = None, None
    try:
        document = _document()
        message_id = messages.id_of(document)
        message = messages.parse(document, _routing())
        if message.id is None:
            return Response(status=202)
        return _json(answer(message, agent))
    except ProtocolError as error:
        return _json(messages.failure(message_id, error), _status(error, message))


def _check_origin() -> None:
    """Refuse messages of other origins' pages, and of names that DNS rebinding may lead here by; raises Forbidden."""
    origin = current_request().headers.get("Origin")
    if origin is None or origin.lower() in services().settings.agents_origins or _is_own(origin):
        return
    message = "This origin may not call here. An operator allows origins by GATEHOUSE_MCP_ORIGINS."
    raise Forbidden(message, name="foreign_origin", data={"parameter": "Origin"})


def _is_own(origin: str) -> bool:
    """True if an origin is this server by a name known to be its own, and not just the one that it is called by."""
    try:
        parts = urlsplit(origin.lower())
        known = services().settings.hosts is not None or parts.hostname in LOOPBACK  # the hosts have been checked
        return known and parts.scheme in ("http", "https") and parts.netloc == current_request().host.lower()
    except ValueError:
        return False


@blueprint.after_request
def _challenge(response: Response) -> Response:
    """Say to who may not call where it is told how they may (RFC 9728 5.1), and to pages of ours that they may."""
    request = current_request()
    challenge = response.headers.get("WWW-Authenticate")
    if challenge is not None:
        metadata = f"{request.host_url}.well-known/oauth-protected-resource{resources.AGENTS}"
        response.headers["WWW-Authenticate"] = f'{challenge}, resource_metadata="{metadata}"'
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() in services().settings.agents_origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Headers"] = _ACCEPTED
        response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate, X-Request-ID"
    response.vary.add("Origin")
    return response


def _document() -> object:
    request = current_request()
    if not request.is_json:
        message = "A message is JSON, with Content-Type: application/json."
        raise UnsupportedMediaType(message, data={"parameter": "Content-Type"})
    try:
        return load(current_incoming().data)
    except ValueError as error:
        raise ProtocolError(Code.PARSE_ERROR, f"The body is not valid JSON: {error}.") from None


def _routing() -> Routing:
    headers = current_request().headers
    return Routing(headers.get("MCP-Protocol-Version"), headers.get("Mcp-Method"), headers.get("Mcp-Name"))


def _status(error: ProtocolError, message: Message | None) -> int:
    """Return the status of an error: where a revision with a handshake could read the request, it answers 200."""
    return error.status if message is None or message.is_modern else 200


def _json(document: messages.Json, status: int = 200) -> Response:
    return Answer(dumps(document), status=status, content_type="application/json")
