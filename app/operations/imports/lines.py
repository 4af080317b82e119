"""Lines of a body that comes in pieces: each is the body of one record, as a call for it alone would have it.

NDJSON has an object on each line. CSV (RFC 4180) has the names of fields on its first; its cells are texts, of which
an empty one is no value.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.errors import ApiError, BadRequest
from app.json import load

#: Bytes of one line at most: it has to be in memory.
LONGEST = 8 * 1024 * 1024
csv.field_size_limit(max(LONGEST, csv.field_size_limit()))  # of the process: Odoo raises it too
#: Text of a cell, as JSON has it.
Converter = Callable[[str], Any]
#: What ends a row that is in no quotes, and what opens quotes, as the first of a cell.
_MARK = re.compile(r'\n|(?<![^,\n])"')
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a body: the number of the line that it begins on, and its values, or why it has none."""

    number: int
    size: int
    values: Any = None
    error: ApiError | None = None


class Lines(Protocol):
    """Reads the lines of one body. Raises BadRequest, behind the lines before it, where no more could be read."""

    def feed(self, data: bytes) -> Iterator[Line]:
        """Yield the lines that are whole with these bytes."""

    def end(self) -> Iterator[Line]:
        """Yield the lines that are left when all has come."""


class NdjsonLines:
    """Lines of JSON. What is wrong with one is no matter of the others; empty ones are left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._number = 0

    def feed(self, data: bytes) -> Iterator[Line]:
        if not self._number:
            self._rest, data = b"", (self._rest + data).removeprefix(_BOM)
        *whole, self._rest = (self._rest + data).split(b"\n")
        for text in whole:
            self._number += 1
            if text.strip(b" \t\r"):
                yield self._line(text)
        if len(self._rest) > LONGEST:
            raise _too_long(self._number + 1)

    def end(self) -> Iterator[Line]:
        yield from self.feed(b"\n" if self._rest else b"")

    def _line(self, text: bytes) -> Line:
        try:
            return Line(self._number, len(text), load(text))
        except ValueError as error:
            refused = BadRequest(f"The line is not valid JSON: {error}.", name="invalid_json")
            return Line(self._number, len(text), error=refused)


class CsvLines:
    """Rows of CSV in UTF-8. A row of another length than the first has an error.

    Each character is looked at once, however long a row is and in however many pieces it comes.
    """

    def __init__(self, convert: Callable[[Sequence[str]], Mapping[str, tuple[str, Converter]]]) -> None:
        """``convert`` says of the columns which field each of them is, and how its text is read; raises BadRequest."""
        self._convert = convert
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._rest = ""
        self._seen = 0  # characters of it
        self._is_quoted = False
        self._number = 1
        self._columns: list[tuple[str, Converter]] | None = None

    def feed(self, data: bytes) -> Iterator[Line]:
        yield from self._read(data)

    def end(self) -> Iterator[Line]:
        yield from self._read(b"", final=True)
        if self._rest and not self._rest.endswith("\n"):
            yield from self._rows("\n")
        if self._rest:
            raise _invalid(self._number, "a quote is opened, and not closed")
        if self._columns is None:
            raise _invalid(1, "the names of fields are expected on the first line")

    def _read(self, data: bytes, *, final: bool = False) -> Iterator[Line]:
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            yield from self._rows(error.object[: error.start].decode())
            raise _invalid(self._number + self._rest.count("\n"), "the text is not UTF-8") from None
        yield from self._rows(text)

    def _rows(self, text: str) -> Iterator[Line]:
        """Yield the rows that end in a text: at the ends of lines that are in no quotes."""
        if self._number == 1 and not self._rest:
            text = text.removeprefix("\ufeff")
        self._rest += text
        begin = 0
        while (end := self._next_end()) is not None:
            yield from self._row(self._rest[begin:end])
            begin = end
        self._rest, self._seen = self._rest[begin:], self._seen - begin
        if len(self._rest) > LONGEST:
            raise _too_long(self._number)

    def _next_end(self) -> int | None:
        """Return the place behind the next row in the rest, None where it is not there as a whole."""
        rest = self._rest
        while self._seen < len(rest):
            if self._is_quoted:
                quote = rest.find('"', self._seen)
                self._seen = quote if quote >= 0 else len(rest)
                if self._seen + 1 >= len(rest):  # two of them are one, and in quotes
                    return None
                self._is_quoted = rest[quote + 1] == '"'
                self._seen += 1 + self._is_quoted
                continue
            mark = _MARK.search(rest, self._seen)
            self._seen = mark.end() if mark is not None else len(rest)
            if mark is not None and mark[0] == "\n":
                return self._seen
            self._is_quoted = mark is not None
        return None

    def _row(self, text: str) -> Iterator[Line]:
        number = self._number
        self._number += text.count("\n")
        if text in ("\n", "\r\n"):
            return
        try:
            cells = next(csv.reader([text], strict=True))
        except csv.Error as error:
            if self._columns is None:
                raise _invalid(number, str(error)) from None
            yield Line(number, len(text), error=_invalid(number, str(error)))
            return
        if self._columns is None:
            self._columns = self._head(cells)
            return
        yield self._line(number, len(text), cells, self._columns)

    def _head(self, names: list[str]) -> list[tuple[str, Converter]]:
        found = self._convert(names)
        columns = [found[name] for name in names]
        fields = [field for field, _ in columns]
        twice = next((field for field in fields if fields.count(field) > 1), None)
        if twice is not None:
            raise _invalid(1, f"two columns are {twice[:80]!r}")
        return columns

    @staticmethod
    def _line(number: int, size: int, cells: list[str], columns: list[tuple[str, Converter]]) -> Line:
        if len(cells) != len(columns):
            return Line(number, size, error=_invalid(number, f"the row has {len(cells)} of {len(columns)} cells"))
        try:
            values = {field: convert(cell) for cell, (field, convert) in zip(cells, columns, strict=True)}
        except ApiError as error:
            return Line(number, size, error=error)
        return Line(number, size, values)


def _invalid(number: int, why: str) -> BadRequest:
    return BadRequest(f"Line {number} is no CSV: {why}.", name="invalid_line", data={"line": number})


def _too_long(number: int) -> BadRequest:
    message = f"Line {number} is longer than {LONGEST} bytes."
    return BadRequest(message, name="invalid_line", data={"line": number})
