"""Calls of tools: each is a request into the app itself, and passes the one line that all calls pass."""

from __future__ import annotations

import logging

from app.blueprints.mcp.asking import Asking
from app.blueprints.mcp.callers import Agent
from app.blueprints.mcp.requests import made
from app.errors import ApiError
from app.mcp import results
from app.mcp.messages import Code, Json, Message, ProtocolError
from app.web.services import services

_logger = logging.getLogger(__name__)


def call(message: Message, agent: Agent) -> Json:
    """Answer ``tools/call``. What a model can mend is a result with ``isError``; raises ProtocolError for all else."""
    name, arguments = message.params.get("name"), message.params.get("arguments", {})
    tool = agent.tools.find(name)
    if tool is None:
        raise ProtocolError(Code.INVALID_PARAMS, f"Unknown tool: {str(name)[:80]}")
    if not isinstance(arguments, dict):
        raise ProtocolError(Code.INVALID_PARAMS, "arguments must be an object.")
    try:
        asked = tool.request(arguments)
        if tool.asks != "none":
            return Asking(message, agent, tool, asked, arguments).answer()
    except ApiError as error:
        # Of no call of the API, which is what the request log has.
        _logger.info("Tool %s refused to %s: %s", tool.name, agent.key, error.name)
        return message.result(results.of_error(error.to_json()))
    return message.result(results.of_answer(tool, made(tool, asked), services().settings.mcp_bytes))
