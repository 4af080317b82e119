"""Requests of tools into the app itself, as steps of a batch are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from app.clients import resources
from app.mcp.tools import Tool, ToolRequest
from app.operations.report import CallReport
from app.policy.batch import Step
from app.web import steps
from app.web.current import current_app_object, current_request, current_state
from app.web.routing import Gatehouse
from app.web.steps import StepAnswer, StepMark

#: Headers of a request that leaves nothing behind.
DRY_RUN: Mapping[str, str] = {"Prefer": "tx=rollback"}


def made(
    tool: Tool, asked: ToolRequest, headers: Mapping[str, str] | None = None, approved_by: int | None = None
) -> StepAnswer:
    """Make the request of a tool, and return its answer; ``approved_by`` is the person who has approved it."""
    request, state = current_request(), current_state()
    step = Step(0, asked.method, asked.path, asked.query, body=asked.body, headers=headers or {})
    here = resources.of(request.host_url)
    mark = StepMark(
        CallReport(), tool.endpoint, body=asked.body, tool=tool.name, resource=here, approved_by=approved_by
    )
    environ = steps.environ_of(step, asked.path, mark, request, state.request_id, inherited=steps.OF_TOOL)
    try:
        return steps.send(cast(Gatehouse, current_app_object()).wsgi_app, environ)
    finally:
        for log in mark.logged:
            log(True)
