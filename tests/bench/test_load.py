"""What wrk is told, and what is read from it."""

from __future__ import annotations

import json

import pytest

from bench import load
from bench.load import WrongAnswer
from bench.request import VALUE, Request

FOUND = {"requests": 600, "microseconds": 3_000_000, "p50": 4000, "p99": 9000, "bad": 0, "lost": 0, "first_bad": ""}


def output(**found: object) -> str:
    return f"Running 3s test @ http://127.0.0.1\nRequests/sec: 1\n\n{json.dumps(FOUND | found)}\n"


def test_the_outcome_is_read_in_seconds() -> None:
    outcome = load.parse(output())
    assert (outcome.per_second, outcome.p50, outcome.p99) == (200, 0.004, 0.009)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"bad": 3, "first_bad": "500 oh no"}, "3 of 600 answers were wrong. The first: 500 oh no"),
        ({"lost": 2}, "2 requests got no answer"),
        ({"requests": 0}, "no answer in the time given"),
    ],
)
def test_wrong_and_missing_answers_make_a_load_worthless(found: dict[str, object], message: str) -> None:
    with pytest.raises(WrongAnswer, match=message):
        load.parse(output(**found))


def test_a_request_is_said_in_lua() -> None:
    request = Request("POST", f"/{VALUE}", {"X-Y": 'a "b"'}, '{"n": 1}', values=("1", "2"))
    assert load.lua(request.lua()) == (
        '{["method"] = "POST", ["path"] = "/@V@", ["headers"] = {["X-Y"] = "a \\"b\\""}, '
        '["body"] = "{\\"n\\": 1}", ["status"] = 200, ["values"] = {"1", "2"}}'
    )


@pytest.mark.parametrize("value", ["ä", 1.5])
def test_what_lua_would_misread_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        load.lua(value)
