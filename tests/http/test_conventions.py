"""Conventions of all answers: contract section 12."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from .conftest import Client

Publish = Callable[..., str]


def test_the_rate_limit_is_told_as_the_draft_says(anyone: Client, publish: Publish) -> None:
    route = publish(authentication="public", run_as="demo", rate_limit="2/hour")
    first, _, refused = (anyone("GET", route) for _ in range(3))
    assert first.headers["RateLimit-Policy"] == '"default";q=2;w=3600'
    assert re.fullmatch('"default";r=1;t=[0-9]+', first.headers["RateLimit"])
    assert refused.status_code == 429
    assert refused.headers["RateLimit-Policy"] == '"default";q=2;w=3600'
    left, seconds = re.fullmatch('"default";r=([0-9]+);t=([0-9]+)', refused.headers["RateLimit"]).groups()  # type: ignore[union-attr]
    assert (left, seconds) == ("0", refused.headers["X-RateLimit-Reset"])
    assert int(refused.headers["Retry-After"]) >= int(seconds)


def test_pages_may_read_the_headers_of_the_rate_limit_and_of_the_end(anyone: Client, publish: Publish) -> None:
    route = publish(authentication="public", run_as="demo", cors_origins=["*"])
    exposed = anyone("GET", route, headers={"Origin": "https://a.example"}).headers["Access-Control-Expose-Headers"]
    assert {"RateLimit", "RateLimit-Policy", "Deprecation", "Sunset"} <= set(exposed.split(", "))


def test_a_login_with_a_key_tells_its_rate_limit(anyone: Client, publish: Publish) -> None:
    route = publish(models=[], type="key_authentication", rate_limit="9/minute")
    answer = anyone("POST", route, json={"db": "x", "login": "x", "password": "x"})
    assert answer.headers["X-RateLimit-Limit"] == "9"
    assert answer.headers["RateLimit-Policy"] == '"default";q=9;w=60'


@pytest.mark.parametrize(
    ("method", "below", "status"),
    [("GET", "", 200), ("GET", "?limit=x", 400), ("GET", "/none", 404), ("OPTIONS", "", 200)],
)
def test_all_answers_of_an_api_tell_its_end(
    admin: Client, publish: Publish, method: str, below: str, status: int
) -> None:
    route = publish(deprecated="2026-10-01", sunset="2027-01-01")
    answer = admin(method, route + below)
    assert answer.status_code == status
    assert answer.headers["Deprecation"] == "@1790812800"
    assert answer.headers["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"


def test_who_is_not_let_in_is_told_the_end_too(anyone: Client, publish: Publish) -> None:
    answer = anyone("GET", publish(sunset="2020-01-01"))
    assert answer.status_code == 401
    assert answer.headers["Sunset"] == "Wed, 01 Jan 2020 00:00:00 GMT"
    assert "Deprecation" not in answer.headers


def test_an_api_is_served_past_its_sunset(admin: Client, publish: Publish) -> None:
    admin.result("GET", publish(deprecated="2019-01-01", sunset="2020-01-01"))


def test_the_document_marks_what_is_deprecated(admin: Client, publish: Publish) -> None:
    old, new = publish(deprecated="2026-10-01"), publish()
    document = admin("GET", "/api/openapi.json").json
    assert all(operation["deprecated"] for operation in document["paths"][old].values())
    assert "Deprecation" in document["paths"][old]["get"]["responses"]["400"]["headers"]
    assert not any("deprecated" in operation for operation in document["paths"][new].values())
