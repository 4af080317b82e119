"""Callers of the MCP server: by a Bearer token or an API key alone, and the tools that are theirs."""

from __future__ import annotations

from dataclasses import dataclass

from app.analytics import callers
from app.auth.throttle import check_rate
from app.clients import resources
from app.errors import Forbidden, Unauthorized
from app.mcp.toolbox import Tools
from app.operations import visible
from app.operations.report import CallReport
from app.principal import Credentials
from app.web.current import current_request, current_state
from app.web.routing import served_endpoints
from app.web.services import services

#: Messages of a caller.
_RATE = "600/minute"


@dataclass(frozen=True, slots=True)
class Agent:
    """The caller of a message.

    ``key`` is the same text for all of this caller's, and for nobody else's; ``uid`` is the person in whose name they
    call, None for a client app by itself.
    """

    key: str
    uid: int | None
    tools: Tools


def current_agent() -> Agent:
    """Return the caller of the current message; raises Unauthorized, Forbidden and TooManyRequests."""
    request, state = current_request(), current_state()
    report = state.report = CallReport()
    presented = Credentials(
        authorization=request.environ.get("HTTP_AUTHORIZATION"),
        address=request.remote_addr or "",
        resource=resources.of(request.host_url),
    )
    if not presented.authorization:
        raise Unauthorized("Send a Bearer token or an Odoo API key in the header Authorization.")
    served = served_endpoints()
    known = visible.shown(served)
    principals = services().gateway.callers(presented, visible.executors(known), report)
    if not principals:
        raise Forbidden("This client app acts as no user here.", name="client_without_user")
    # They are all the same caller, whoever executes their calls.
    principal = report.principal = next(iter(principals.values()))
    report.rate = services().throttle.hit(_RATE, "mcp", "", principal.key)
    check_rate(_RATE, report.rate)
    tools = services().toolbox.of(served, visible.to(principals, known))
    return Agent(f"{principal.key} {principal.url}".strip(), callers.read(principal.key).uid, tools)
