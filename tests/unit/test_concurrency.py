"""How many calls a caller has under way at most."""

from __future__ import annotations

import pytest

from app.auth.concurrency import Concurrency
from app.errors import TooManyRequests


def test_a_caller_has_no_more_calls_under_way_than_it_may_and_others_are_free() -> None:
    concurrency = Concurrency(2)
    concurrency.enter("a")
    concurrency.enter("a")
    with pytest.raises(TooManyRequests) as caught:
        concurrency.enter("a")
    assert (caught.value.name, caught.value.headers["Retry-After"]) == ("too_many_at_once", "1")
    concurrency.enter("b")
    concurrency.leave("a")
    concurrency.enter("a")


def test_who_has_none_under_way_is_forgotten() -> None:
    concurrency = Concurrency(1)
    concurrency.enter("a")
    concurrency.leave("a")
    assert not concurrency._counts
