"""HEAD is answered as GET in every respect (RFC 9110 9.3.2), but for the body, at every kind of endpoint."""

from __future__ import annotations

from typing import Any

import pytest

from app.web.http_methods import is_safe
from app.web.routing import Gatehouse
from tests.conftest import OPERATOR
from tests.http.conftest import Client, Publish, Root, Sql
from tests.http.test_field_types import PNG

#: What no two answers have in common.
_OWN = frozenset({"X-Request-ID", "Date", "Set-Cookie"})


def _headers(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in _OWN}


def _compare(client: Client, path: str, **options: Any) -> Any:
    """Return the answer to HEAD, once it has been found to be the one to GET without its body."""
    ident = {"X-Request-ID": "the-same"}  # which stands in errors
    options["headers"] = {**ident, **options.get("headers", {})}
    got, head = client("GET", path, **options), client("HEAD", path, **options)
    assert (head.status_code, _headers(head), head.data) == (got.status_code, _headers(got), b""), path
    if got.status_code != 304:
        assert head.headers["Content-Length"] == str(len(got.data))
    return head


#: Addresses of every kind of endpoint, by name; what stands in braces is made for the test.
PLACES = {
    "search": "{rest}",
    "read": "{rest}/{first}",
    "read many": "{rest}/bulk?ids={first},{second}",
    "image": "{picture}",
    "rpc": "{rpc}?value=5",
    "public rpc": "{public}?value=5",
    "no such record": "{rest}/made-up",
    "no such route": "/api/nowhere",
    "wrong parameter": "{rest}?limit=x",
    "login": "/web/session/authenticate",
    "token": "/api/oauth2/token",
    "metadata": "/.well-known/oauth-authorization-server",
    "authorize": "/api/oauth2/authorize?client_id=nobody",
    "consents": "/api/oauth2/consents",
    "health": "/healthz",
    "ready": "/readyz",
    "docs": "/api/docs",
    "a file of the docs": "/api/docs/swagger-ui.css",
    "openapi": "/api/openapi.json",
    "panel": "/admin/",
    "a file of the panel": "/admin/assets/panel.css",
    "download": "/admin/files/download/yaml",
    "no such page": "/admin/nowhere",
}


@pytest.fixture
def places(admin: Client, publish: Publish) -> dict[str, str]:
    """The addresses, with what they are about."""
    rest = publish(fields=["name", "picture"], page_size=1)
    first, second = (admin.result("POST", rest, json={"name": name, "picture": PNG}) for name in ("one", "two"))
    made = {"rest": rest, "first": first["id"], "second": second["id"], "picture": first["picture"]}
    made["rpc"] = publish(fields=(), type="rpc", method="echo", http_methods=["GET", "POST"], id_obfuscation=False)
    made["public"] = publish(fields=(), type="rpc", method="echo", http_methods=["GET"], authentication="public")
    admin("GET", "/admin/")  # which shows, once, what the panel still has to say of what other tests saved
    return {kind: address.format(**made) for kind, address in PLACES.items()}


def test_head_has_the_status_and_headers_of_get_and_no_body(
    places: dict[str, str], admin: Client, app: Gatehouse
) -> None:
    for path in places.values():
        app.services.recorder.flush()  # the panel counts the calls before
        _compare(admin, path)


def test_head_without_credentials_is_refused_as_get_is(places: dict[str, str], anyone: Client) -> None:
    for kind in ("search", "read", "panel", "consents", "metadata"):
        _compare(anyone, places[kind])


def test_a_known_version_is_304_to_head_too(places: dict[str, str], admin: Client) -> None:
    for kind in ("read", "image", "openapi", "a file of the panel"):
        etag = admin("GET", places[kind]).headers["ETag"]
        head = _compare(admin, places[kind], headers={"If-None-Match": etag})
        assert (head.status_code, head.headers["ETag"]) == (304, etag)


def test_head_of_a_search_links_to_the_next_page(places: dict[str, str], admin: Client) -> None:
    assert "limit=1&offset=1" in _compare(admin, places["search"]).headers["Link"]


def test_metrics_answer_head(anyone: Client) -> None:
    head = anyone("HEAD", "/metrics", headers=OPERATOR)
    assert (head.status_code, head.data) == (200, b"")
    assert int(head.headers["Content-Length"]) > 1000


def test_head_of_a_foreign_page_gets_what_get_gets(publish: Publish, demo: Client) -> None:
    route = publish(cors_origins=["https://shop.example"])
    head = _compare(demo, route, headers={"Origin": "https://shop.example"})
    assert head.headers["Access-Control-Allow-Origin"] == "https://shop.example"


def test_an_rpc_method_called_by_head_cannot_write(demo: Client, publish: Publish, root: Root, sql: Sql) -> None:
    route = publish(fields=(), type="rpc", method="rename", http_methods=["GET"], id_obfuscation=False)
    (record,) = root(lambda env: env["test.record"].create({"name": "before"}).ids)
    assert demo("HEAD", f"{route}/{record}?name=after").status_code == 403
    assert sql("SELECT name FROM test_record WHERE id = %s", record) == [("before",)]


def test_a_head_to_a_method_that_is_not_served_by_get_is_405(demo: Client, publish: Publish) -> None:
    route = publish(fields=(), type="rpc", method="rename", http_methods=["POST"])
    head = _compare(demo, f"{route}?name=x", headers={})
    assert (head.status_code, set(head.headers["Allow"].split(", "))) == (405, {"OPTIONS", "POST"})


def test_head_is_counted_with_get(demo: Client, publish: Publish, app: Gatehouse, sql: Sql) -> None:
    route, sent = publish(), "head-in-the-log"
    demo("HEAD", route, headers={"X-Request-ID": sent})
    app.services.recorder.flush()
    assert sql("SELECT endpoint FROM gatehouse.request_log WHERE request_id = %s", sent) == [(f"GET {route}",)]


@pytest.mark.parametrize(
    ("method", "safe"),
    [("GET", True), ("HEAD", True), ("OPTIONS", True), ("POST", False), ("TRACE", False), ("BREW", False)],
)
def test_what_is_not_known_to_be_safe_counts_as_a_write(method: str, safe: bool) -> None:
    assert is_safe(method) is safe


@pytest.mark.parametrize("method", ["TRACE", "BREW"])
def test_a_method_that_nothing_serves_is_refused_everywhere(method: str, places: dict[str, str], admin: Client) -> None:
    for kind, path in places.items():
        answer = admin(method, path)
        # The panel asks for a form's token before it looks for a page.
        expected = 404 if kind == "no such route" else 400 if path.startswith("/admin") else 405
        assert answer.status_code == expected, (kind, answer.text)
