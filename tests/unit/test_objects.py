"""JSON objects of rows are those that names and values make as pairs, whatever the names."""

from __future__ import annotations

import pytest

from app.operations.serialize.objects import objects


@pytest.mark.parametrize("names", [("id",), ("id", "name"), ("id", 'it\'s "a" {name}\\', "x_é", "class")])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_each_row_becomes_an_object_of_its_names(names: tuple[str, ...], count: int) -> None:
    rows = [tuple(f"{row} {name}" for name in names) for row in range(count)]
    assert objects(names)(rows) == [dict(zip(names, row, strict=True)) for row in rows]


def test_the_names_come_in_their_order() -> None:
    (made,) = objects(("b", "a", "c"))([(1, 2, 3)])
    assert list(made) == ["b", "a", "c"]


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="unpack"):
        objects(("id", "name"))([(1, 2, 3)])
