"""Callers as the log keeps them: what is written can be read."""

from __future__ import annotations

import pytest

from app.analytics import callers
from app.analytics.callers import Caller


@pytest.mark.parametrize(
    ("text", "caller"),
    [
        (callers.of_user(7), Caller(uid=7)),
        (callers.of_client(3), Caller(client=3)),
        (callers.of_client(3, 7), Caller(client=3, uid=7)),
        (callers.PUBLIC, Caller()),
        (None, Caller(known=False)),
        (callers.of_trial(2, callers.of_client(3, 7), rolled_back=True), Caller(3, 7, admin=2, rolled_back=True)),
        (callers.of_trial(2, None, rolled_back=False), Caller(admin=2, known=False)),
        (callers.of_trial(2, callers.PUBLIC, rolled_back=False), Caller(admin=2)),
        ("user:x", Caller(known=False)),
        ("made up", Caller(known=False)),
    ],
)
def test_what_is_written_can_be_read(text: str | None, caller: Caller) -> None:
    assert callers.read(text) == caller


def test_all_who_had_to_do_with_a_call_are_named() -> None:
    assert callers.read("panel-test:2/client:3:7").people == [2, 7]
