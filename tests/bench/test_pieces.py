"""Which fast pieces are worth their lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock

import pytest

from bench import piece_calls, pieces, wire
from bench.pieces import CALLS_OF, ROUNDS, WITH, WITHOUT, Timing, Work
from odoo_bridge import fast
from tests.pages import ROOT


def timing(*wins: float, piece: str = "rows", call: str = "search 80") -> Timing:
    """Timing of a call that takes a hundredth of a second without the piece; ``wins`` are those of its pairs."""
    return Timing(piece, call, {WITH: [0.01 * (1 - win) for win in wins], WITHOUT: [0.01] * len(wins)})


def test_each_piece_has_calls_of_its_own_and_they_are_there() -> None:
    works = piece_calls.works(Mock(), 1, Mock(), "token")
    assert set(CALLS_OF) == {*fast.PIECES, *wire.PIECES}
    assert all(1 <= len(calls) <= 3 for calls in CALLS_OF.values())
    assert {call for calls in CALLS_OF.values() for call in calls} == set(works)


@pytest.mark.parametrize(
    ("wins", "is_worth"),
    [
        ([0.06] * 8, True),
        ([0.06] * 6 + [-0.5] * 2, True),
        ([0.04] * 8, False),  # always, but too little
        ([0.3] * 5 + [-0.01] * 3, False),  # much, but not often enough
        ([0.9] + [0.0] * 7, False),  # by luck in one pair
        ([0.9] * 3 + [0.01] * 5, False),
    ],
)
def test_a_piece_is_worth_its_lines_where_it_wins_enough_and_often(wins: list[float], is_worth: bool) -> None:
    assert timing(*wins).is_enough == is_worth
    assert list(pieces.wasted([timing(*wins)])) == (
        [] if is_worth else ["The piece rows wins no call of its own by 5% and in 6 of 8 pairs."]
    )


def test_one_call_of_its_own_is_enough_for_a_piece_and_none_of_another() -> None:
    little, much = [0.0] * 8, [0.2] * 8
    found = [timing(*much), timing(*little, call="read"), timing(*little, piece="writes", call="update")]
    assert list(pieces.wasted(found)) == ["The piece writes wins no call of its own by 5% and in 6 of 8 pairs."]


def test_each_call_is_made_with_its_pieces_and_without_in_turn_and_no_other() -> None:
    off: list[str] = []
    made: Counter[tuple[str, bool]] = Counter()

    @contextmanager
    def without(piece: str) -> Iterator[None]:
        off.append(piece)
        yield
        off.pop()

    def work(call: str) -> Work:
        return Work(lambda: made.update([(call, not off)]), calls=3, warming=1)

    calls = ("update", "create", "read")
    found = pieces.measure({call: work(call) for call in calls}, without, ["prefetch"])
    assert made == {(call, on): 3 * ROUNDS for call in ("update", "create") for on in (True, False)}
    assert [len(blocks) for each in found for blocks in each.blocks.values()] == [ROUNDS] * 4


def test_the_calls_that_warm_up_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 9.0, 10.0, 11.0, 20.0, 22.0])
    monkeypatch.setattr(pieces.time, "perf_counter", lambda: next(clock))
    assert Work(lambda: None, calls=3, warming=1).block() == 1.5


def test_a_row_names_the_piece_with_those_that_go_with_it_and_its_call() -> None:
    *_, row = pieces.markdown([timing(*[0.1] * 7, -0.1, piece="statements")]).splitlines()
    assert row == "| `statements`, with `rows`: search 80 | 9.00 | 10.00 | 10 % | 7 of 8 |"
    entry: dict[str, Any] = timing(*[0.1] * 7, -0.1).entry()
    assert (entry["piece"], entry["win"], entry["won"], entry["pairs"]) == ("rows", 0.1, 7, 8)


def test_the_page_tells_of_each_piece_and_the_calls_that_it_is_judged_by() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \|.*\| `[\w/.]+` \| ([^|]+) \|$", page, re.MULTILINE)
    assert {piece: tuple(calls.split("; ")) for piece, calls in rows} == CALLS_OF
