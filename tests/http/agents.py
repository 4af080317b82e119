"""A client of the MCP server that takes nothing on trust: each answer is held against the official SDK's types."""

from __future__ import annotations

import itertools
import re
from typing import Any

import jsonschema
import mcp_types
from mcp_types import methods
from werkzeug.test import TestResponse

from app.mcp.messages import HANDSHAKE, MODERN
from app.web.routing import Gatehouse
from tests.http.conftest import Client

_NAMED = {"tools/call": "name", "resources/read": "uri"}
_META = "io.modelcontextprotocol/"
Json = dict[str, Any]


class Agent:
    """An agent with a token or a key, which speaks one revision."""

    def __init__(self, app: Gatehouse, token: str | None, revision: str = MODERN, elicits: Json | None = None) -> None:
        for storage in app.services.throttle._storages:
            storage.reset()  # the tests of a minute send more messages than a caller may
        self.http = app.test_client()
        self.token = token
        self.revision = revision
        self.elicits = elicits
        self._ids = itertools.count(1)
        self._answers: dict[str, Json] = {}

    def headers(self, method: str, params: Json) -> dict[str, str]:
        """Return the headers of a request."""
        found = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": self.revision}
        if self.token:
            found["Authorization"] = f"Bearer {self.token}"
        if self.revision == MODERN:
            found["Mcp-Method"] = method
            if method in _NAMED:
                found["Mcp-Name"] = str(params.get(_NAMED[method]))
        return found

    def params(self, params: Json) -> Json:
        """Return parameters with what each request of the newest revision says."""
        if self.revision != MODERN:
            return params
        capabilities = {} if self.elicits is None else {"elicitation": self.elicits}
        meta = {
            f"{_META}protocolVersion": MODERN,
            f"{_META}clientInfo": {"name": "test", "version": "1"},
            f"{_META}clientCapabilities": capabilities,
        }
        return {**params, "_meta": meta}

    def post(self, method: str, params: Json | None = None, headers: Json | None = None) -> TestResponse:
        """Send a request and return the answer."""
        params = params or {}
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": self.params(params)}
        all_headers = {**self.headers(method, params), **(headers or {})}
        return self.http.post("/api/mcp", json=body, headers=all_headers, buffered=True)

    def __call__(self, method: str, params: Json | None = None) -> Json:
        """Return the result of a request, which the SDK's types take for one."""
        answer = self.post(method, params)
        assert answer.status_code == 200, answer.text
        assert "result" in answer.json, answer.text
        result: Json = answer.json["result"]
        methods.validate_server_result(method, self.revision, result)
        return result

    def error(self, method: str, params: Json | None = None, headers: Json | None = None) -> tuple[int, Json]:
        """Return status and error of a request that has to fail."""
        answer = self.post(method, params, headers)
        assert "error" in answer.json, answer.text
        assert "Traceback" not in answer.text
        error: Json = answer.json["error"]
        mcp_types.ErrorData.model_validate(error)
        return answer.status_code, error

    def tools(self) -> dict[str, Json]:
        """Return the tools by name, of all pages; all schemas are schemas."""
        found: dict[str, Json] = {}
        params: Json = {}
        while True:
            page = self("tools/list", params)
            found |= {tool["name"]: tool for tool in page["tools"]}
            if "nextCursor" not in page:
                break
            params = {"cursor": page["nextCursor"]}
        for tool in found.values():
            for schema in (tool["inputSchema"], tool["outputSchema"]):
                jsonschema.Draft202012Validator.check_schema(schema)
        self._answers |= {name: tool["outputSchema"] for name, tool in found.items()}
        return found

    def call(self, name: str, arguments: Json | None = None, **more: Any) -> Json:
        """Return the result of a tool's call; what is no error is as the tool has said."""
        result = self("tools/call", {"name": name, "arguments": arguments or {}, **more})
        if not result.get("isError") and result.get("resultType") != "input_required":
            if name not in self._answers:
                self.tools()
            jsonschema.validate(result["structuredContent"], self._answers[name], jsonschema.Draft202012Validator)
        return result

    def told(self, name: str, arguments: Json | None = None, **more: Any) -> Json:
        """Return what a tool's call that has to succeed tells."""
        result = self.call(name, arguments, **more)
        assert not result.get("isError"), result
        told: Json = result["structuredContent"]
        return told

    def refused(self, name: str, arguments: Json | None = None, **more: Any) -> Json:
        """Return what a tool's call that has to fail tells."""
        result = self.call(name, arguments, **more)
        assert result["isError"], result
        told: Json = result["structuredContent"]
        return told

    def approved(self, name: str, arguments: Json) -> Json:
        """Return what the call of a tool tells that was shown first, and approved."""
        return self.told(name, {**arguments, "approval": self.told(name, arguments)["approval"]})


def named(route: str, action: str = "") -> str:
    """Return the name of an API's tool, or what the names of all begin with."""
    return f"api_{route.removeprefix('/api/t')}" + (f"_{action}" if action else "")


def press(person: Client, address: str, button: str) -> str:
    """Press a button of an approval's page, and return the page."""
    path = address.removeprefix("http://localhost")
    page = person("GET", path)
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert (page.status_code, found is not None) == (200, True), page.text
    text: str = person("POST", path, data={"csrf_token": found[1], button: "1"}).text
    return text


def page_of(approval: str) -> str:
    """Return the path of an approval's page."""
    return f"/api/oauth2/approvals/{approval.split('_')[1]}"


REVISIONS = (MODERN, HANDSHAKE[0])
