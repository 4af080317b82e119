"""Names of tools: what clients take, and each its own."""

from __future__ import annotations

import re

from app.mcp import naming
from app.mcp.naming import LONGEST


def test_words_become_parts_of_names() -> None:
    assert naming._words("Partners & Crème Brûlée (2)") == "partners_creme_brulee_2"
    assert naming._words("партнёры") == ""


def test_a_long_name_is_cut_and_stays_its_own() -> None:
    one, other = (naming._shortened("a" * 80 + end) for end in ("_search", "_read"))
    assert len(one) == len(other) == LONGEST
    assert one != other
    assert re.fullmatch(r"[a-z0-9_]{1,64}", one)
    assert naming._shortened("partners_search") == "partners_search"


def test_names_that_are_alike_are_told_apart() -> None:
    found = naming._unlike(["a", "b", "a", "c" * LONGEST, "c" * LONGEST], ["1", "2", "3", "4", "5"])
    assert len(set(found)) == 5
    assert found[1] == "b"
    assert all(len(name) <= LONGEST for name in found)
    assert found == naming._unlike(["a", "b", "a", "c" * LONGEST, "c" * LONGEST], ["1", "2", "3", "4", "5"])
