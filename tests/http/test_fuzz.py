"""Generated requests to every endpoint: whatever comes in, no answer is a 500."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.definitions.document import ApiDocument
from app.web.routing import Gatehouse
from tests import stored_apis
from tests.extent import extent
from tests.http.conftest import Client

FIELDS = [
    "name", "code", "notes", "body", "title", "count", "ratio", "amount", "currency_id", "flag", "day", "moment",
    "state",
    "document", "blob", "picture", "partner_id", "parent_id", "child_ids", "line_ids", "tag_ids", "target", "res_model",
    "res_id", "data", "properties", "per_company", "doubled", "length", "partner_email", "active", "display_name",
    "company_id", "create_date", "create_uid",
]  # fmt: skip

_fuzz = settings(
    max_examples=extent(80, 1_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

_text = st.text(max_size=20) | st.sampled_from(
    ["", "0", "-1", "null", "\x00", "\ud83d\ude00", "2026-01-01", "9" * 40, "a,b", "[[]]"]
)
_scalar = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | _text
_json = st.recursive(
    _scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3), max_leaves=8
)
_id = st.sampled_from(["made-up", "", "0", "1", 1, None, True, "own", 2**40])
_field = st.sampled_from(
    [*FIELDS, "id", "nothing", "line_ids.name", "parent_id.name", "day.year_number", "tag_ids.name"]
)
_operator = st.sampled_from(
    [
        "=",
        "!=",
        "in",
        "not in",
        "like",
        "ilike",
        "=like",
        "=ilike",
        "not =like",
        "<",
        ">",
        "<=",
        ">=",
        "child_of",
        "parent_of",
        "any",
        "not any",
        "any!",
        "=?",
        "<>",
        "==",
        "x",
    ]
)
_condition = st.tuples(_field, _operator, _json | st.lists(_id, max_size=3) | _id)
_domain = st.lists(_condition | st.sampled_from(["&", "|", "!"]) | _json, max_size=5)
_command = st.tuples(st.integers(-1, 7), _id, _json | st.dictionaries(_field, _json, max_size=2)).map(list)
_values = st.dictionaries(_field, _json | st.lists(_command, max_size=2) | _id, max_size=5)
_body = (
    _json
    | _values
    | st.lists(_values | _json, max_size=3)
    | st.fixed_dictionaries({"ids": st.lists(_id, max_size=2) | _json})
)


@pytest.fixture(scope="module")
def routes(app: Gatehouse) -> Iterator[list[str]]:
    """Two APIs over one model with every type of field: with and without obfuscated ids."""
    names = []
    for number, obfuscated in enumerate((True, False)):
        document = {
            "name": f"Fuzz {number}",
            "route": f"/api/fuzz/{number}",
            "published": True,
            "id_obfuscation": obfuscated,
            "models": [
                {
                    "model": "test.record",
                    "fields": FIELDS,
                    "search_fields": [name for name in FIELDS if name not in ("length", "properties", "data")],
                    "writable_fields": [
                        name
                        for name in FIELDS
                        if name
                        not in ("doubled", "length", "partner_email", "display_name", "create_date", "create_uid")
                    ],
                    "related": {"line_ids": ["name", "price"], "parent_id": ["name"], "tag_ids": ["name"]},
                }
            ],
        }
        names.append(f"Fuzz {number}")
        stored_apis.write(
            app,
            [ApiDocument.model_validate(document).model_dump(mode="json")],
        )
    app.services.catalog.refresh()
    yield ["/api/fuzz/0", "/api/fuzz/1"]
    stored_apis.delete(app, names)
    app.services.catalog.refresh()


def _encodable(texts: dict[str, str]) -> dict[str, str]:
    """Return the texts without halves of characters, which no client could send."""
    return {
        name.encode("utf-8", "replace").decode(): text.encode("utf-8", "replace").decode()
        for name, text in texts.items()
    }


def _dumps(document: Any) -> bytes:
    return json.dumps(document).encode("utf-8", "surrogatepass")


def _holds(answer: TestResponse) -> None:
    """Any answer but a 500 will do, if it keeps the contract's form."""
    assert answer.status_code < 500, answer.text
    assert "X-Request-ID" in answer.headers
    if answer.status_code != 304 and answer.data:
        assert ("result" in answer.json) != ("error" in answer.json)


@_fuzz
@given(
    domain=_domain,
    order=_text | _field,
    fields=_text | _field,
    limit=_scalar,
    use=st.sets(st.integers(0, 4)),
    api=st.integers(0, 1),
)
def test_no_search_is_a_500(
    domain: Any, order: Any, fields: Any, limit: Any, use: set[int], api: int, demo: Client, routes: list[str]
) -> None:
    everything = [("domain", domain), ("order", order), ("fields", fields), ("limit", limit), ("count", "none")]
    chosen = {name: value for number, (name, value) in enumerate(everything) if number in use}
    _holds(demo("GET", routes[api], data=_dumps(chosen), content_type="application/json"))
    as_text = {name: value if isinstance(value, str) else repr(value) for name, value in chosen.items()}
    _holds(
        demo(
            "GET", routes[api], query_string={name: value.encode("utf-8", "replace") for name, value in as_text.items()}
        )
    )


@_fuzz
@given(method=st.sampled_from(["POST", "PATCH", "DELETE"]), body=_body, api=st.integers(0, 1), atomic=st.booleans())
def test_no_write_to_a_collection_is_a_500(
    method: str, body: Any, api: int, atomic: bool, demo: Client, routes: list[str]
) -> None:
    path = routes[api] if atomic else f"{routes[api]}?atomic=false"
    _holds(demo(method, path, data=_dumps(body), content_type="application/json"))


@pytest.fixture(scope="module")
def own(routes: list[str], _sessions: dict[str, Client]) -> list[str]:
    """A record of each API."""
    return [f"{route}/{_sessions['demo'].result('POST', route, json={'name': 'fuzzed'})['id']}" for route in routes]


@_fuzz
@given(body=_values, api=st.integers(0, 1))
def test_no_update_of_a_record_is_a_500(body: Any, api: int, demo: Client, own: list[str]) -> None:
    body.pop("active", None)
    _holds(demo("PATCH", own[api], data=_dumps(body), content_type="application/json"))


_METHODS = ["GET", "PATCH", "DELETE", "POST", "PUT", "OPTIONS", "HEAD"]
_TAILS = ["bulk?ids=", "bulk?ids=%00", "%2e%2e", "a/b"]
_TYPES = ["application/json", "text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data"]
_HEADERS = [
    "Accept-Language", "X-Timezone", "X-Company-Id", "If-Match", "If-None-Match", "Idempotency-Key", "Range", "Cookie",
    "X-Request-ID", "Authorization", "Content-Encoding",
]  # fmt: skip
_PRINTABLE = "".join(sorted(set(string.printable) - set("\r\n\x0b\x0c")))


@_fuzz
@given(
    method=st.sampled_from(_METHODS),
    tail=st.text(st.characters(blacklist_categories=("Cs",)), max_size=12) | st.sampled_from(_TAILS),
    data=st.binary(max_size=40),
    content_type=st.sampled_from(_TYPES),
    headers=st.dictionaries(st.sampled_from(_HEADERS), st.text(_PRINTABLE, max_size=30), max_size=3),
)
def test_no_path_header_or_body_is_a_500(
    method: str, tail: str, data: bytes, content_type: str, headers: dict[str, str], demo: Client, routes: list[str]
) -> None:
    _holds(demo(method, f"{routes[0]}/{tail}", data=data, content_type=content_type, headers=headers))


_OWN = [
    "/web/session/authenticate", "/web/session/destroy", "/api/oauth2/token", "/api/oauth2/revoke",
    "/api/oauth2/introspect", "/api/oauth2/authorize", "/api/oauth2/login", "/api/oauth2/consents",
    "/.well-known/oauth-authorization-server", "/", "/api", "/api/docs", "/api/docs/logout",
    "/healthz", "/readyz", "/metrics", "/api/image/1/test.record/x/picture", "/api/binary/1/res.partner/x/y",
]  # fmt: skip


@_fuzz
@given(
    method=st.sampled_from(_METHODS),
    path=st.sampled_from(_OWN),
    query=st.dictionaries(_text, _text, max_size=3),
    form=st.dictionaries(
        st.sampled_from(["grant_type", "client_id", "client_secret", "token", "code", "scope"]), _text
    ),
    document=_json,
    as_json=st.booleans(),
    authorization=st.sampled_from(
        ["", "Basic eDp5", "Basic \xff", "Bearer x", "Bearer gha_" + "a" * 16 + "_" + "b" * 43]
    ),
)
def test_no_request_to_our_own_endpoints_is_a_500(
    method: str,
    path: str,
    query: dict[str, str],
    form: dict[str, str],
    document: Any,
    as_json: bool,
    authorization: str,
    anyone: Client,
) -> None:
    body = {"data": _dumps(document), "content_type": "application/json"} if as_json else {"data": _encodable(form)}
    answer = anyone(method, path, query_string=_encodable(query), headers={"Authorization": authorization}, **body)
    assert answer.status_code < 500, answer.text
    assert "X-Request-ID" in answer.headers
