"""Gain of each fast piece: calls through the gateway with it and without, in one process; part of ``bench overhead``.

They are made in blocks, in turn: the first calls of a block only warm up, as a statement is prepared when it has come
often enough, and a connection that Odoo resets forgets its statements.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from statistics import median

from dev.steps import say
from odoo_bridge import fast
from odoo_bridge.fast import PIECES, Piece

#: Blocks of each call with a piece and without it, the calls of a block, and of them those that only warm up.
ROUNDS, CALLS, WARMING = 8, 40, 12
#: A piece that wins less of every call is not worth its lines.
LEAST = 0.05
WITH, WITHOUT = True, False


@dataclass
class Timing:
    """Medians of blocks in seconds, with the piece and without."""

    blocks: dict[bool, list[float]] = field(default_factory=lambda: {WITH: [], WITHOUT: []})

    @property
    def milliseconds(self) -> tuple[float, float]:
        """The median with the piece, and without."""
        return median(self.blocks[WITH]) * 1000, median(self.blocks[WITHOUT]) * 1000

    @property
    def win(self) -> float:
        """Part of the call's time that the piece spares: the median over pairs of blocks."""
        pairs = zip(self.blocks[WITH], self.blocks[WITHOUT], strict=True)
        return median(1 - with_it / without_it for with_it, without_it in pairs)


Timings = dict[Piece, dict[str, Timing]]


def measure(calls: Mapping[str, Callable[[], object]], only: Mapping[str, Piece]) -> Timings:
    """Time each call with and without each piece, those of ``only`` with that piece alone; takes minutes."""
    found: Timings = {
        piece: {title: Timing() for title in calls if only.get(title, piece) == piece} for piece in PIECES
    }
    for number in range(ROUNDS):
        say(f"  round {number + 1} of {ROUNDS}")
        for piece, timings in found.items():
            for title in timings:
                for on in (WITH, WITHOUT) if number % 2 else (WITHOUT, WITH):
                    with nullcontext() if on else fast.without(piece):
                        timings[title].blocks[on].append(_block(calls[title]))
    return found


def report(timings: Timings) -> list[str]:
    """Print the table; return a sentence for each piece that is not worth its lines."""
    titles = list(dict.fromkeys(title for by_title in timings.values() for title in by_title))
    print(f"\n| piece | {' | '.join(titles)} |\n| --- |{' ---: |' * len(titles)}")
    for piece, by_title in timings.items():
        print(f"| {piece} | {' | '.join(_cell(by_title.get(title)) for title in titles)} |")
    print("\nMilliseconds with the piece and without, and what it wins of the call.")
    return [
        f"The piece {piece} wins less than {LEAST:.0%} of every call."
        for piece, by_title in timings.items()
        if max(timing.win for timing in by_title.values()) < LEAST
    ]


def _cell(timing: Timing | None) -> str:
    if timing is None:
        return ""
    with_it, without_it = timing.milliseconds
    return f"{with_it:.2f}, {without_it:.2f}: {timing.win:.0%}"


def _block(call: Callable[[], object]) -> float:
    seconds = []
    for _ in range(CALLS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return median(seconds[WARMING:])
