"""Messages of the Model Context Protocol: which are good, and what is said about all others."""

from __future__ import annotations

import base64
from typing import Any

import mcp_types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import methods

from app.mcp import messages
from app.mcp.messages import HANDSHAKE, MODERN, REVISIONS, Code, Message, ProtocolError, Routing, parse

_META = "io.modelcontextprotocol/"


def modern(method: str = "tools/list", **params: Any) -> dict[str, Any]:
    """Return a request of the newest revision."""
    meta = {f"{_META}protocolVersion": MODERN, f"{_META}clientCapabilities": {}}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta, **params}}


def routing(method: str = "tools/list", name: str | None = None, version: str | None = MODERN) -> Routing:
    return Routing(version, method, name)


def refused(document: Any, headers: Routing) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        parse(document, headers)
    mcp_types.ErrorData.model_validate(caught.value.to_json())
    return caught.value


def test_a_request_of_the_newest_revision_stands_for_itself() -> None:
    document = modern()
    meta = document["params"]["_meta"]
    meta[f"{_META}clientInfo"] = {"name": "Claude\u202e", "version": "1.2"}
    meta[f"{_META}clientCapabilities"] = {"elicitation": {"form": {}, "url": {}}}
    found = parse(document, routing())
    assert (found.id, found.method, found.revision) == (1, "tools/list", MODERN)
    assert found.agent == "Claude 1.2"
    assert found.elicits == {"form", "url"}


@pytest.mark.parametrize(
    ("declared", "modes"),
    [
        (None, set()),
        ({}, {"form"}),
        ({"form": {}}, {"form"}),
        ({"url": {}}, {"url"}),
        ({"x": {}}, set()),
        ([], set()),
        ("form", set()),
    ],
)
def test_an_empty_capability_stands_for_forms(declared: Any, modes: set[str]) -> None:
    document = modern()
    if declared is not None:
        document["params"]["_meta"][f"{_META}clientCapabilities"] = {"elicitation": declared}
    assert parse(document, routing()).elicits == modes


@pytest.mark.parametrize("version", [None, *HANDSHAKE])
def test_requests_of_older_revisions_say_theirs_in_the_header_alone(version: str | None) -> None:
    found = parse({"jsonrpc": "2.0", "id": "a", "method": "tools/list"}, Routing(version))
    assert found.revision == (version or HANDSHAKE[-1])
    assert not found.is_modern


def test_a_notification_has_no_id_and_needs_no_headers() -> None:
    found = parse({"jsonrpc": "2.0", "method": "notifications/initialized"}, Routing())
    assert found.id is None


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        [modern()],
        "x",
        1,
        {},
        {"jsonrpc": "2.0"},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1, "method": 1},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": None, "method": "ping"},
        {"jsonrpc": "2.0", "id": True, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
        {"jsonrpc": "2.0", "id": {}, "method": "ping"},
    ],
)
def test_what_is_no_message_is_refused(document: Any) -> None:
    error = refused(document, Routing())
    assert (error.code, error.status) == (Code.INVALID_REQUEST, 400)


@pytest.mark.parametrize("params", [[], "x", 1, None, {"_meta": []}, {"_meta": "x"}])
def test_params_and_meta_are_objects(params: Any) -> None:
    document = {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": params}
    assert refused(document, Routing()).code == Code.INVALID_PARAMS


@pytest.mark.parametrize("key", ["protocolVersion", "clientCapabilities"])
@pytest.mark.parametrize("value", [..., None, 1, []])
def test_what_each_request_has_to_say_is_asked_for(key: str, value: Any) -> None:
    document = modern()
    if value is ...:
        del document["params"]["_meta"][f"{_META}{key}"]
    else:
        document["params"]["_meta"][f"{_META}{key}"] = value
    error = refused(document, routing())
    assert (error.code, error.status) == (Code.INVALID_PARAMS, 400)
    assert key in error.message


@pytest.mark.parametrize(
    ("method", "params", "headers"),
    [
        ("tools/list", {}, Routing(None, "tools/list")),
        ("tools/list", {}, Routing("2025-11-25", "tools/list")),
        ("tools/list", {}, Routing(MODERN, None)),
        ("tools/list", {}, Routing(MODERN, "tools/call")),
        ("tools/list", {}, Routing(MODERN, "TOOLS/LIST")),
        ("tools/call", {"name": "a"}, Routing(MODERN, "tools/call", None)),
        ("tools/call", {"name": "a"}, Routing(MODERN, "tools/call", "b")),
        ("tools/call", {}, Routing(MODERN, "tools/call", "b")),
        ("tools/call", {"name": 1}, Routing(MODERN, "tools/call", "1")),
        ("resources/read", {"uri": "a"}, Routing(MODERN, "resources/read", "=?base64?!?=")),
    ],
)
def test_headers_say_what_the_body_says(method: str, params: dict[str, Any], headers: Routing) -> None:
    error = refused(modern(method, **params), headers)
    assert (error.code, error.status) == (Code.HEADER_MISMATCH, 400)


def test_a_name_can_be_encoded_in_its_header() -> None:
    name = "Hëllo =?base64?"
    encoded = f"=?base64?{base64.b64encode(name.encode()).decode()}?="
    assert parse(modern("tools/call", name=name), routing("tools/call", encoded)).params["name"] == name


@pytest.mark.parametrize("version", ["1900-01-01", "2026-07-29", "", "x" * 500])
def test_an_unknown_revision_is_answered_with_those_that_are_known(version: str) -> None:
    document = modern()
    document["params"]["_meta"][f"{_META}protocolVersion"] = version
    error = refused(document, routing(version=version))
    assert (error.code, error.status) == (Code.UNSUPPORTED_VERSION, 400)
    assert error.data["supported"] == list(REVISIONS)
    mcp_types.UnsupportedProtocolVersionErrorData.model_validate(error.data)


@pytest.mark.parametrize("version", ["2024-11-05", "2027-01-01"])
def test_an_unknown_revision_that_the_header_alone_names_is_answered_so_too(version: str) -> None:
    error = refused({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, Routing(version))
    assert error.code == Code.UNSUPPORTED_VERSION
    assert error.data["supported"] == list(REVISIONS)


def test_an_unknown_revision_of_a_notification_is_refused() -> None:
    assert refused({"jsonrpc": "2.0", "method": "x"}, Routing("1900-01-01")).code == Code.UNSUPPORTED_VERSION


@pytest.mark.parametrize("asked", [*HANDSHAKE, "2024-11-05", MODERN, None, 1, []])
def test_who_begins_with_initialize_gets_their_revision_or_the_newest_such(asked: Any) -> None:
    assert messages.negotiated({"protocolVersion": asked}) == (asked if asked in HANDSHAKE else HANDSHAKE[0])


def test_results_are_as_their_revision_has_them() -> None:
    tools: dict[str, Any] = {"tools": [], "ttlMs": 1, "cacheScope": "private"}
    for revision in REVISIONS:
        answer = Message(1, "tools/list", {}, revision).result(dict(tools))
        methods.validate_server_result("tools/list", revision, answer["result"])
        assert ("resultType" in answer["result"]) is (revision == MODERN)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from(["jsonrpc", "id", "method", "params", "_meta", f"{_META}protocolVersion"])


@given(st.dictionaries(_KEYS, _JSON, max_size=5) | _JSON, st.none() | st.sampled_from([*REVISIONS, "x"]))
def test_whatever_comes_is_a_message_or_an_error_of_the_protocol(document: Any, version: str | None) -> None:
    if isinstance(document, dict):
        document = {**document, "jsonrpc": "2.0"}
    try:
        found = parse(document, Routing(version, "x", "x"))
    except ProtocolError as error:
        mcp_types.ErrorData.model_validate(error.to_json())
    else:
        assert isinstance(found.method, str)
