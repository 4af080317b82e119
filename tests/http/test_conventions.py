"""Conventions of all answers: contract section 12."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.http.conftest import Client, Publish

PROBLEM = "application/problem+json"


def test_the_message_is_repeated_where_clients_of_odoo_look(admin: Client, anyone: Client, publish: Publish) -> None:
    route = publish(authentication="public", run_as="demo")
    bulk = admin.result("POST", f"{route}?atomic=false", json=[{"nmae": "x"}])
    errors = [
        bulk[0]["error"],
        anyone.error("GET", "/api/nothing/here")[1],
        anyone.error("GET", "/nothing")[1],
        anyone.error("DELETE", f"{route}/bulk")[1],
        anyone.error("POST", "/web/session/authenticate", json={"db": "x", "login": "x", "password": "x"})[1],
    ]
    for error in errors:
        assert error["data"]["message"] == error["message"]


@pytest.mark.parametrize(
    ("accept", "is_problem"),
    [
        (PROBLEM, True),
        (f"application/json, {PROBLEM}", True),
        (f"{PROBLEM};q=0.9, application/json;q=0.5", True),
        (f"{PROBLEM};q=0.9, */*;q=0.8", True),
        ("APPLICATION/PROBLEM+JSON", True),
        (f"{PROBLEM};charset=utf-8", True),
        (f"application/json, {PROBLEM};q=0.5", False),
        (f"*/*, {PROBLEM};q=0.5", False),
        (f"{PROBLEM};q=0", False),
        ("application/*", False),
        ("*/*", False),
        ("", False),
        (f"x{PROBLEM}", False),
    ],
)
def test_errors_come_as_problems_where_a_client_prefers_them(anyone: Client, accept: str, is_problem: bool) -> None:
    answer = anyone("GET", "/api/nothing/here", headers={"Accept": accept})
    assert answer.status_code == 404
    assert answer.content_type == (PROBLEM if is_problem else "application/json")
    assert ("title" in answer.json) == is_problem
    assert "Accept" in answer.vary


def test_a_problem_says_all_that_an_error_says(admin: Client, publish: Publish) -> None:
    route = publish()
    _, error = admin.error("POST", route, json={"nmae": "x"})
    answer = admin("POST", route, json={"nmae": "x"}, headers={"Accept": PROBLEM})
    told = {key: value for key, value in error["data"].items() if key not in ("message", "request_id")}
    assert answer.json == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": error["message"],
        "request_id": answer.headers["X-Request-ID"],
        **told,
    }


def test_no_problem_is_answered_with_200(admin: Client, anyone: Client, publish: Publish, database: str) -> None:
    route = publish()
    wrong: dict[str, Any] = {"json": {"name": "forbidden"}}
    assert admin("POST", route, **wrong).status_code == 200
    problem = admin("POST", route, **wrong, headers={"Accept": PROBLEM})
    assert (problem.status_code, problem.json["status"], problem.content_type) == (422, 422, PROBLEM)

    credentials = {"db": database, "login": "nobody", "password": "wrong"}
    assert anyone("POST", "/web/session/authenticate", json=credentials).status_code == 200
    answer = anyone("POST", "/web/session/authenticate", json=credentials, headers={"Accept": PROBLEM})
    assert (answer.status_code, answer.json["status"]) == (401, 401)


def test_results_stay_plain_json_whatever_form_errors_have(admin: Client, publish: Publish) -> None:
    answer = admin("GET", publish(), headers={"Accept": PROBLEM})
    assert (answer.status_code, answer.content_type) == (200, "application/json")


def test_oauth2_endpoints_keep_their_own_form_of_errors(anyone: Client) -> None:
    answer = anyone("POST", "/api/oauth2/token", data={"client_id": "x"}, headers={"Accept": PROBLEM})
    too_large = {"Content-Length": str(2**40), "Accept": PROBLEM}
    refused = anyone("POST", "/api/oauth2/token", data=b"x", headers=too_large)
    for each in (answer, refused):
        assert each.status_code >= 400
        assert each.content_type == "application/json"
        assert set(each.json) <= {"error", "error_description"}


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
    [("GET", "", 200), ("GET", "?limit=x", 400), ("GET", "/none", 404), ("PUT", "", 405), ("OPTIONS", "", 200)],
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
    assert "Deprecation" in document["paths"][old]["get"]["responses"]["200"]["headers"]
    assert not any("deprecated" in operation for operation in document["paths"][new].values())
