"""Gain of each fast piece on the calls that it is there for, with it and without, in one process: ``bench overhead``.

They are made in blocks, in turn: the first calls of a block only warm up, as a statement is prepared when it has come
often enough, and a connection that Odoo resets forgets its statements. Of many cells the best one is a matter of luck,
so each piece is judged by few, and by how many pairs of blocks it wins.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from bench import report
from dev.steps import say
from odoo_bridge.fast import LEAN_ON

#: The calls by which each piece is judged, at most three.
CALLS_OF: dict[str, tuple[str, ...]] = {
    "round_trips": ("search 80", "RPC that does nothing", "update"),
    "prepared": ("search 80", "search 80 with a many2one's name", "read"),
    "statements": ("search 80", "read"),
    "rows": ("search 80", "search 80 with a many2one's name", "search 1,000 of ten fields"),
    "alone": ("search 80", "read"),
    "columns": ("search 80 with a computed field",),
    "deep_pages": ("page 500 of ten fields",),
    "counts": ("page 2, counted", "a thousand, counted"),
    "prefetch": ("update", "create"),
    "foresight": ("update", "create"),
    "writes": ("update", "create", "create 1,000"),
    "fetches": ("search 80 with a computed field", "update", "create"),
    "principals": ("read", "RPC that does nothing"),
    "plain_requests": ("RPC by HTTP, in process",),
}
#: The name of partners that are created; in the order of names they come after all others.
CREATED = "Zz of bench overhead"
#: Pairs of blocks of each call, one with the piece and one without it.
ROUNDS = 8
#: A piece is worth its lines if it wins so much of one of its calls, by the median, and so many of the pairs.
LEAST, PAIRS = 0.05, 6
WITH, WITHOUT = True, False
Without = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Work:
    """A call to time: how often it is made in a block, and how many of those only warm up."""

    run: Callable[[], object]
    calls: int = 40
    warming: int = 12

    def block(self) -> float:
        """Make the calls of a block; return the median of those that count, in seconds."""
        seconds = []
        for _ in range(self.calls):
            started = time.perf_counter()
            self.run()
            seconds.append(time.perf_counter() - started)
        return median(seconds[self.warming :])


@dataclass
class Timing:
    """Blocks of a call in seconds, with a piece and without."""

    piece: str
    call: str
    blocks: dict[bool, list[float]] = field(default_factory=lambda: {WITH: [], WITHOUT: []})

    @property
    def milliseconds(self) -> tuple[float, float]:
        """The median with the piece, and without."""
        return median(self.blocks[WITH]) * 1000, median(self.blocks[WITHOUT]) * 1000

    @property
    def wins(self) -> list[float]:
        """Part of the call's time that the piece spares, of each pair of blocks."""
        pairs = zip(self.blocks[WITH], self.blocks[WITHOUT], strict=True)
        return [1 - with_it / without_it for with_it, without_it in pairs]

    @property
    def win(self) -> float:
        """The median of what it spares."""
        return median(self.wins)

    @property
    def won(self) -> int:
        """Number of pairs in which the call takes less with the piece."""
        return sum(win > 0 for win in self.wins)

    @property
    def is_enough(self) -> bool:
        """True if the piece is worth its lines for this call alone."""
        return self.win >= LEAST and self.won >= PAIRS

    def entry(self) -> dict[str, Any]:
        """Return the figures."""
        with_it, without_it = (round(value, 3) for value in self.milliseconds)
        shown: dict[str, Any] = {"piece": self.piece, "call": self.call, "with_ms": with_it, "without_ms": without_it}
        return {**shown, "win": round(self.win, 3), "won": self.won, "pairs": len(self.wins)}


def measure(works: Mapping[str, Work], without: Without, pieces: Iterable[str] = CALLS_OF) -> list[Timing]:
    """Time the calls of each piece with it and without; takes minutes."""
    timings = [Timing(piece, call) for piece in pieces for call in CALLS_OF[piece]]
    for number in range(ROUNDS):
        say(f"  pieces: round {number + 1} of {ROUNDS}")
        for timing in timings:
            for on in (WITH, WITHOUT) if number % 2 else (WITHOUT, WITH):
                with nullcontext() if on else without(timing.piece):
                    timing.blocks[on].append(works[timing.call].block())
    return timings


def markdown(timings: Iterable[Timing]) -> str:
    """Return the table of docs/performance.md, with a row for each piece and call."""
    heads = ["piece, call", "ms with it", "ms without", "wins", "of the pairs"]
    rows = []
    for timing in timings:
        with_it, without_it = timing.milliseconds
        figures = [
            f"{with_it:.2f}",
            f"{without_it:.2f}",
            f"{timing.win * 100:.0f} %",
            f"{timing.won} of {len(timing.wins)}",
        ]
        rows.append([f"{_name(timing.piece)}: {timing.call}", *figures])
    return report.table(heads, rows)


def wasted(timings: Iterable[Timing]) -> Iterator[str]:
    """Yield a sentence for each piece that is not worth its lines for any of its calls."""
    enough: dict[str, bool] = {}
    for timing in timings:
        enough[timing.piece] = enough.get(timing.piece, False) or timing.is_enough
    for piece, is_enough in enough.items():
        if not is_enough:
            yield f"The piece {piece} wins no call of its own by {LEAST:.0%} and in {PAIRS} of {ROUNDS} pairs."


def _name(piece: str) -> str:
    """Return a piece with those that go with it."""
    others = sorted(name for of, names in LEAN_ON.items() if of == piece for name in names)
    with_it = f", with {' and '.join(f'`{name}`' for name in others)}" if others else ""
    return f"`{piece}`{with_it}"
