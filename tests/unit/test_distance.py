"""How far the database is."""

from __future__ import annotations

from odoo_bridge.distance import Distance


def distance_of(*waits: float) -> float:
    """Return the distance after these waits, each of which came a hundred times."""
    found = Distance()
    for wait in waits:
        for _ in range(100):
            found.note(wait)
    return found.seconds


def test_nothing_is_far_before_it_was_asked() -> None:
    assert distance_of() == 0.0


def test_statements_that_are_slow_by_themselves_make_no_distance() -> None:
    found = Distance()
    for number in range(200):
        found.note(0.0002 if number % 10 == 0 else 3.0)
    assert found.seconds == 0.0002


def test_a_distance_that_has_changed_is_known_soon() -> None:
    assert distance_of(0.0002, 0.002) == 0.002
    assert distance_of(0.002, 0.0002) == 0.0002
