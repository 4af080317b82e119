"""HTTP in one process, as a worker does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from bench.load import WrongAnswer
from bench.wire import Wire, post
from serving import plain_requests

REQUEST = post("/method", "secret", b"{}")


class Application:
    """An application that answers with what it was asked."""

    status = "200 OK"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = f"{environ['PATH_INFO']} {environ['HTTP_AUTHORIZATION']} {environ['wsgi.input'].read().decode()}"
        start_response(self.status, [("Content-Length", str(len(body)))])
        return [body.encode()]


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def connection(application: Application) -> Iterator[Wire]:
    made = Wire(application)
    yield made
    made.close()


def _without_date(answer: bytes) -> bytes:
    return re.sub(rb"Date: [^\r]*", b"", answer)


def test_one_connection_takes_request_after_request(connection: Wire) -> None:
    answers = [connection.call(REQUEST) for _ in range(3)]
    assert all(answer.endswith(b"\r\n\r\n/method Bearer secret {}") for answer in answers)


def test_the_answer_is_the_same_without_plain_requests_which_are_then_not_looked_for(
    connection: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = connection.call(REQUEST)

    def fail(*arguments: object) -> None:
        raise AssertionError("A plain request is looked for")

    with connection.without("plain_requests"):
        monkeypatch.setattr(plain_requests, "found_in", fail)
        assert _without_date(connection.call(REQUEST)) == _without_date(answer)
        monkeypatch.undo()
    assert _without_date(connection.call(REQUEST)) == _without_date(answer)


def test_an_error_is_no_answer_to_time(connection: Wire, application: Application) -> None:
    application.status = "401 Unauthorized"
    with pytest.raises(WrongAnswer, match="401 Unauthorized"):
        connection.call(REQUEST)
