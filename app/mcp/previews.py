"""Previews: what a write of an agent would change, for a person to judge: before and after, value by value.

What is shown are texts that others may have written, to be taken for something else: each value stands by itself, on a
line of its own, in quotes, and with nothing in it that can't be seen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.json import dumps
from app.mcp.messages import Json
from app.mcp.tools import Tool

#: Characters of a value that programs and persons are shown, and of what names a record.
_FOR_PROGRAMS, _FOR_PERSONS, _LONGEST_NAME = 1_000, 4_000, 200
#: Characters that a person is shown in all.
_LONGEST_TEXT = 20_000
#: Characters before the first one that differs, where long values are shown from there on.
_AROUND = 20
#: Characters that change how others look, or that nobody sees (Unicode 4.5, general categories).
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
#: Letters, marks and symbols that look like nothing: fillers of Hangul, the empty pattern of Braille, joiners and
#: variation selectors (Unicode, Default_Ignorable_Code_Point).
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0000, 0xE1000))
#: Fields that say what a record is called, where its API shows them.
_NAMES = ("display_name", "name")
_NOTHING: tuple[Any, ...] = (None, False, "", [], {})


@dataclass(frozen=True, slots=True)
class Preview:
    """The change that a write would make: ``content`` is for programs, ``text`` for a person.

    ``is_whole`` is False where not all of it is shown to the person.
    """

    content: Json
    text: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """A line for a person; ``is_whole`` is False where it shows only a part of what would be written."""

    text: str
    is_whole: bool = True
    is_written: bool = True

    @property
    def as_told(self) -> _Line:
        """The same of what would not be written, but is told to who decides."""
        return _Line(self.text, is_written=False)


def preview(tool: Tool, arguments: Mapping[str, Any], before: Json | None, result: Any, company: str = "") -> Preview:
    """Return the change that a write would make: ``before`` is the record as it is, None if that is new or unreadable.

    ``result`` is what its dry run has answered, ``company`` the one that the call asks for, if it does.
    """
    named = _part(str(arguments.get("id", arguments.get("value", ""))), 0, _LONGEST_NAME)
    content: Json = {"record": named.shown or None}
    called = next((before[name][:_LONGEST_NAME] for name in _NAMES if before and isinstance(before.get(name), str)), "")
    if called:
        content["name"] = called
    if tool.offer.wraps == "record":
        after = result if isinstance(result, dict) else {}
        given, files = arguments.get("values"), _files(tool)
        changes = _changes(before, after, given if isinstance(given, dict) else {}, files)
        content["changes"] = {name: _change(change) for name, change in changes.items()}
        lines = [_changed(name, change, is_file=name in files) for name, change in changes.items()]
    elif tool.offer.wraps == "deleted":
        content["before"] = _values(before or {})
        lines = [_line(name, value).as_told for name, value in (before or {}).items()]
    else:
        given = arguments.get("arguments", {})
        content["arguments"] = _values(given) if isinstance(given, dict) else _value(given)
        content["answer"] = _value(result)
        lines = [*(_line(name, value) for name, value in _items(given)), _line("Answer", result).as_told]
    # The value of a key may say anything; an id is a word.
    of = [
        _quoted(named)[0] if "value" in arguments else _seen(named.shown),
        _quoted(_Part(called))[0] if called else "",
    ]
    where = [f"API {_seen(tool.endpoint.definition.name)}", f"company {_seen(company)}" if company else ""]
    title = f"{' '.join(filter(None, [tool.title, *of]))} ({', '.join(filter(None, where))})"
    return _shown(content, [_Line(title, named.is_whole), *lines])


def _files(tool: Tool) -> frozenset[str]:
    """Return the fields of a tool's records that hold files."""
    exposure = tool.endpoint.exposure
    fields = exposure.node.fields if exposure is not None else {}
    return frozenset(name for name, info in fields.items() if info.type in ("binary", "image"))


def _shown(content: Json, lines: list[_Line]) -> Preview:
    """Return the preview of these lines; those for which there is no room are counted."""
    room, kept = _LONGEST_TEXT, list[str]()
    for line in lines:
        room -= len(line.text) + 1
        if room < 0:
            break
        kept.append(line.text)
    left = lines[len(kept) :]
    is_whole = all(line.is_whole for line in lines) and not any(line.is_written for line in left)
    if left:
        kept.append(f"… and {len(left)} more, not shown")
    return Preview(content, "\n".join(kept), is_whole)


def _changes(before: Json | None, after: Json, given: Mapping[str, Any], files: Container[str]) -> dict[str, Json]:
    """Return the values that differ, by field, and those that are written although no read tells a difference.

    So are files, of which a read shows an address, and all of a record that its writer can't read any more.
    """
    if before is None:
        read = {name for name in given if name in after and name not in files}
        new = {name: {"after": after[name]} if name in read else {"written": given[name]} for name in given}
        rest = {name: value for name, value in after.items() if name not in given and value not in _NOTHING}
        return {**new, **{name: {"after": value} for name, value in rest.items() if name != "id"}}
    found = {
        name: {"before": before.get(name), "after": value}
        for name, value in after.items()
        if name != "id" and before.get(name) != value and name not in files
    }
    unseen = {name: value for name, value in given.items() if name not in found and before.get(name) != value}
    return {**found, **{name: {"written": value} for name, value in unseen.items()}}


def _changed(name: str, change: Json, *, is_file: bool) -> _Line:
    if "before" in change:
        before, after = (_quoted(part) for part in _difference(change["before"], change["after"], _FOR_PERSONS))
        return _Line(f"{_seen(name)}: {before[0]} → {after[0]}", after[1])
    if "written" in change:
        line = _line(name, change["written"], "is written as ")
        return replace(line, is_whole=line.is_whole or is_file)  # which nobody reads
    return _line(name, change["after"])


def _line(name: str, value: Any, verb: str = "") -> _Line:
    text, is_whole = _quoted(_part(value, 0, _FOR_PERSONS))
    return _Line(f"{_seen(name)}: {verb}{text}", is_whole)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(index), item) for index, item in enumerate(value))


def _change(change: Json) -> Json:
    """Return a change as programs are shown it."""
    if "before" not in change:
        return _values(change)
    before, after = _difference(change["before"], change["after"], _FOR_PROGRAMS)
    return {"before": before.shown, "after": after.shown}


def _values(values: Json) -> Json:
    return {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    """Return a value as programs are shown it."""
    return _part(value, 0, _FOR_PROGRAMS).shown


@dataclass(frozen=True, slots=True)
class _Part:
    """A value, or a part of its text where that is too long; ``is_whole`` is False where something is left out."""

    shown: Any
    is_whole: bool = True


def _part(value: Any, start: int, longest: int) -> _Part:
    """Return a value from some character on."""
    text = value if isinstance(value, str) else dumps(value).decode()
    if not start and len(text) <= longest:
        return _Part(value)
    left = max(0, len(text) - start - longest)
    more = f" … ({left} more characters)" if left else ""
    return _Part(f"{'… ' if start else ''}{text[start : start + longest]}{more}", not left)


def _difference(before: Any, after: Any, longest: int) -> tuple[_Part, _Part]:
    """Return two values, long ones from where they begin to differ."""
    old, new = (value if isinstance(value, str) else dumps(value).decode() for value in (before, after))
    shorter = min(len(old), len(new))
    differs = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    start = max(0, differs - _AROUND) if max(len(old), len(new)) > longest else 0
    return _part(before, start, longest), _part(after, start, longest)


def _quoted(part: _Part) -> tuple[str, bool]:
    """Return a part as persons are shown it, and whether it is whole: JSON of one line, in which all can be seen."""
    text = _seen(dumps(part.shown).decode())
    return text[: 2 * _FOR_PERSONS], part.is_whole and len(text) <= 2 * _FOR_PERSONS


def _seen(text: str) -> str:
    """Return a text with what can't be seen in it written out."""
    return "".join(_written(each) if _is_unseen(each) else each for each in text)


def _is_unseen(character: str) -> bool:
    if character.isascii():
        return not character.isprintable()
    is_selector = any(ord(character) in each for each in _SELECTORS)
    return is_selector or character in _BLANK or unicodedata.category(character) in _UNSEEN


def _written(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"
