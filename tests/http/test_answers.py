"""Answers that Gatehouse finishes itself are what Werkzeug would have made of them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Response

from app.web.answers import PROBLEM, Answer
from tests.http.conftest import Client, Publish


@pytest.fixture
def statuses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses of answers that were compared with Werkzeug's way to finish them."""
    compared = []
    own = Answer.get_wsgi_response

    def both(answer: Answer, environ: dict[str, Any]) -> Any:
        ours, theirs = own(answer, environ), Response.get_wsgi_response(answer, environ)
        assert (b"".join(ours[0]), *ours[1:]) == (b"".join(theirs[0]), *theirs[1:])
        compared.append(answer.status_code)
        return ours

    monkeypatch.setattr(Answer, "get_wsgi_response", both)
    return compared


def test_an_answer_is_finished_as_werkzeug_finishes_it(
    statuses: list[int], admin: Client, anyone: Client, publish: Publish
) -> None:
    route = publish(fields=["name"], page_size=1, cors_origins=["https://there.example"])
    records = [admin.result("POST", route, json={"name": name}) for name in ("é", "two")]
    one = f"{route}/{records[0]['id']}"
    admin("GET", route, headers={"Origin": "https://there.example"})
    tag = admin("GET", one).headers["ETag"]
    admin("GET", one, headers={"If-None-Match": tag})
    admin("HEAD", one)
    admin("PATCH", one, json={"name": "three"}, headers={"If-Match": tag})
    admin("PATCH", one, json={"name": "four"}, headers={"If-Match": tag})
    admin("GET", f"{route}?limit=é", headers={"Accept": PROBLEM})
    admin("GET", f"{route}/nothing")
    admin("PUT", route)
    admin("POST", route, data=b"{", headers={"Content-Type": "application/json"})
    admin("DELETE", one)
    anyone("GET", route)
    assert set(statuses) >= {200, 304, 400, 401, 404, 405, 412}
