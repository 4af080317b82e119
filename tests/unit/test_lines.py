"""Lines of bodies that come in pieces."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ApiError
from app.operations.imports import lines as of_bodies
from app.operations.imports.lines import CsvLines, Line, Lines, NdjsonLines

#: Bytes of a line at most, in the tests of longer ones.
SHORT = 1_000


def _columns(names: Sequence[str]) -> Mapping[str, tuple[str, Any]]:
    return {name: (name, str) for name in names}


def _read(lines: Lines, data: bytes, size: int = 1 << 20) -> tuple[list[Line], ApiError | None]:
    """Return the lines of a body that comes in pieces, and the error that ends it."""
    found: list[Line] = []
    try:
        for place in range(0, len(data), size):
            found.extend(lines.feed(data[place : place + size]))
        found.extend(lines.end())
    except ApiError as error:
        return found, error
    return found, None


def _values(data: bytes, size: int = 1 << 20) -> list[Any]:
    found, error = _read(CsvLines(_columns), data, size)
    assert error is None, error
    return [line.values for line in found]


_CELLS = st.text(alphabet='ab",\n;é ', max_size=6)


@given(
    rows=st.lists(st.tuples(_CELLS, _CELLS), max_size=8), size=st.integers(1, 9), end=st.sampled_from(["\r\n", "\n"])
)
def test_rows_are_those_that_pythons_reader_finds_in_the_whole(
    rows: list[tuple[str, str]], size: int, end: str
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator=end).writerows([("x", "y"), *rows])
    expected = [{"x": x, "y": y} for x, y in rows]
    assert _values(text.getvalue().encode(), size) == expected


def test_a_quote_within_a_cell_is_a_quote() -> None:
    data = b'name,n\n5" pipe,1\n6" and 7"" pipe,2\n"8"" pipe",3\n'
    assert [each["name"] for each in _values(data)] == ['5" pipe', '6" and 7"" pipe', '8" pipe']


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_the_last_row_needs_no_end(end: str) -> None:
    assert _values(f"name\na\nb{end}".encode()) == [{"name": "a"}, {"name": "b"}]


@pytest.mark.parametrize(
    ("data", "numbers", "told"),
    [
        (b'name\na\n"b\nc', [2], "Line 3 is no CSV: a quote is opened, and not closed"),
        (b"name\na\nb\nc\xff\nd\n", [2, 3], "Line 4 is no CSV: the text is not UTF-8"),
        (b"name\na\n" + b"x" * (SHORT + 2), [2], "Line 3 is longer"),
    ],
)
def test_what_can_not_be_read_ends_it_behind_the_lines_before(
    data: bytes, numbers: list[int], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_bodies, "LONGEST", SHORT)
    found, error = _read(CsvLines(_columns), data)
    assert [line.number for line in found] == numbers
    assert error is not None
    assert error.message.startswith(told)


def test_a_row_that_is_none_has_an_error_of_its_own() -> None:
    found, error = _read(CsvLines(_columns), b'name\n"a"b\nc\rd\nf\n')
    assert error is None
    assert [(line.number, line.error is None) for line in found] == [(2, False), (3, False), (4, True)]


def test_a_cell_longer_than_pythons_reader_takes_by_itself_is_one() -> None:
    assert _values(b'name\n"' + b"x" * 200_000 + b'"\n', 64_000) == [{"name": "x" * 200_000}]


@pytest.mark.parametrize("filling", [b"\n", b'""', b"x", b",\n"])
def test_a_row_in_many_pieces_is_looked_at_once(filling: bytes) -> None:
    lines = CsvLines(_columns)
    assert list(lines.feed(b'name\n"')) == []
    data = filling * 5_000
    for place in range(0, len(data), 99):
        assert list(lines.feed(data[place : place + 99])) == []
        assert lines._seen >= len(lines._rest) - 1  # a quote may be the first of two
    (line,) = [*lines.feed(b'"\n'), *lines.end()]
    assert line.values == {"name": data.decode().replace('""', '"')}


@pytest.mark.parametrize("lines", [NdjsonLines(), CsvLines(_columns)])
def test_a_byte_order_mark_is_no_part_of_the_text(lines: Lines) -> None:
    text = b"name\na\n" if isinstance(lines, CsvLines) else b'{"name": "a"}\n'
    found, error = _read(lines, b"\xef\xbb\xbf" + text, 2)
    assert ([line.values for line in found], error) == ([{"name": "a"}], None)


def test_a_line_of_json_that_is_too_long_ends_it_behind_the_lines_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_bodies, "LONGEST", SHORT)
    found, error = _read(NdjsonLines(), b"{}\n[]\n" + b"x" * (SHORT + 1))
    assert [line.number for line in found] == [1, 2]
    assert error is not None
    assert error.message.startswith("Line 3 is longer")
