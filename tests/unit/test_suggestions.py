"""Names that an error lists: the closest first, in order, and no more than anybody reads."""

from __future__ import annotations

import pytest

from app.policy.suggestions import MOST, MOST_TOLD, closest_first, unknown


@pytest.mark.parametrize(
    ("given", "allowed", "first"),
    [
        ("nmae", {"id", "email", "name"}, "name"),
        ("limt", {"domain", "limit", "order"}, "limit"),
        ("partner_id.nmae", {"partner_id.id", "partner_id.name"}, "partner_id.name"),
        ("zzz", {"b", "a"}, "a"),
        ("", {"b", "a"}, "a"),
        ("x" * 100_000, {"b", "a"}, "a"),
    ],
)
def test_what_looks_alike_comes_first(given: str, allowed: set[str], first: str) -> None:
    found = closest_first(given, allowed)
    assert found[0] == first
    assert set(found) == allowed


def test_only_a_guess_that_is_close_is_made() -> None:
    assert "Did you mean" not in unknown("No.", "zzz", ["name"], name="n", parameter="p").message
    assert "Did you mean name?" in unknown("No.", "nam", ["name"], name="n", parameter="p").message


def test_a_long_list_is_cut_in_the_data_and_more_in_the_message() -> None:
    error = unknown("No.", "x", [f"field_{number:03}" for number in range(200)], name="n", parameter="p")
    assert len(error.data["allowed"]) == MOST
    assert error.message.count("field_") == MOST_TOLD
    assert error.message.endswith(f"and {200 - MOST_TOLD} more.")


def test_a_name_that_is_close_is_found_at_the_end_of_a_long_list() -> None:
    assert closest_first("zzname", [*(f"field_{number:03}" for number in range(200)), "zz_name"])[0] == "zz_name"


def test_where_nothing_is_allowed_that_is_said() -> None:
    error = unknown("Unknown.", "x", [], name="n", parameter="p")
    assert (error.message, error.data["allowed"]) == ("Unknown. None is allowed.", [])
