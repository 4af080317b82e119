"""Code that is there for speed alone. Each piece falls back to Odoo's or psycopg2's own way, and can be switched off.

``GATEHOUSE_FAST=off`` turns all of them off: what to try first where an answer is in doubt. What each piece wins is a
row of ``make bench ARGS=overhead``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

_logger = logging.getLogger(__name__)

Piece = Literal[
    "round_trips",  # BEGIN and settings go with the first statement of a transaction, COMMIT with the last (``driver``)
    "prepared",  # statements that come again and again are prepared
    "statements",  # the SQL of searches is remembered
    "rows",  # and its rows become a table without Odoo's cache
    "alone",  # a call that is one statement has neither BEGIN nor COMMIT
    "columns",  # other values are read by columns
    "deep_pages",  # rows of pages far back are looked up late
    "counts",  # counts are remembered for a walk, and asked for together with a page
    "prefetch",  # the writing user's rows are read at once
    "foresight",  # and with them what such a write has read before
    "writes",  # what creates and writes ask of the definitions of fields is remembered
    "fetches",  # the SQL of what Odoo reads by itself is remembered
    "principals",  # who calls is remembered
]
PIECES: tuple[Piece, ...] = get_args(Piece)
#: Pieces that go with another: a connection that is reset between two calls keeps no statements prepared, say.
LEAN_ON: dict[Piece, frozenset[Piece]] = {
    "round_trips": frozenset({"prepared", "alone"}),
    "statements": frozenset({"rows"}),
    "prefetch": frozenset({"foresight"}),
}

_off: set[Piece] = set()


def is_on(piece: Piece) -> bool:
    """True if a piece is used."""
    return piece not in _off


def switch(*, on: bool) -> None:
    """Use all pieces, or none; before anything connects to the database."""
    _off.clear()
    if not on:
        _off.update(PIECES)
        _logger.warning("GATEHOUSE_FAST=off: Odoo's own way is taken everywhere, which is slower")


def switch_off(piece: Piece, why: str) -> None:
    """Use a piece no more, nor those that lean on it, and say why."""
    gone = {piece, *LEAN_ON.get(piece, ())}
    _off.update(gone)
    for each in sorted(gone):
        _logger.warning("The fast piece %s is off: %s", each, why)


@contextmanager
def without(piece: Piece) -> Iterator[None]:
    """Do something without a piece, nor those that lean on it, to see what it wins."""
    gone = {piece, *LEAN_ON.get(piece, ())} - _off
    _off.update(gone)
    try:
        yield
    finally:
        _off.difference_update(gone)
