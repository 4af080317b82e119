"""YAML in and out, as text. Only definition files and one form of the panel need it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date, datetime, timezone
from typing import Any

from app.json import unfit

#: Longest text, in characters: hundreds of definitions.
MAX_TEXT = 2_000_000
#: Deepest nesting, and most values of a text, once each alias stands for all that it names.
MAX_DEPTH, MAX_VALUES = 40, 100_000


class NotYaml(ValueError):
    """The text is no YAML, or more than is read of it; the message says where, or what is too much."""


def parse(text: str) -> Any:
    """Parse a text to plain data; raises NotYaml.

    A few letters can stand for much: brackets for a depth that no parser's stack can take, aliases for billions of
    values. Both are counted before anything is made of them.
    """
    # ruamel.yaml takes 3 MB of every worker: it is imported by whoever reads or writes YAML, and not by a call.
    from ruamel.yaml import YAML  # noqa: PLC0415
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    if len(text) > MAX_TEXT:
        raise NotYaml(f"the text is longer than {MAX_TEXT:,} characters")
    try:
        _Count().all(YAML(typ="safe", pure=True).parse(text))
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise NotYaml(" ".join(str(error).split())) from error
    except NotYaml:
        raise
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise NotYaml(f"a value cannot be read: {error}") from error  # 2026-02-30, !!bool maybe
    plain = _plain(content)
    if found := unfit(plain):
        raise NotYaml(f"it holds {found}")
    return plain


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it, with dates and times as Odoo writes them in domains; raises NotYaml."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        moment = value if value.tzinfo is None else value.astimezone(timezone.utc).replace(tzinfo=None)
        return moment.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    raise NotYaml("it holds a value of a kind that JSON does not know (!!binary, !!set, …)")


class _Count:
    """Counts depth and values of a stream of events, which are made one by one as they are asked for."""

    def __init__(self) -> None:
        self._total = 0
        #: Values behind each anchor that is complete.
        self._sizes: dict[str, int] = {}
        #: Lists and mappings that are open: their anchors, and the total when they began.
        self._open: list[tuple[str | None, int]] = []

    def all(self, events: Iterable[Any]) -> None:
        """Look at all events; raises NotYaml at the first that is too much."""
        for event in events:
            self._take(type(event).__name__, getattr(event, "anchor", None))
            if self._total > MAX_VALUES:
                raise NotYaml(f"the text holds more than {MAX_VALUES:,} values; an alias counts as all that it names")

    def _take(self, kind: str, anchor: str | None) -> None:
        if kind == "AliasEvent":
            if anchor not in self._sizes:
                raise NotYaml(f"the alias {anchor!r} names nothing that stands before it")
            self._total += self._sizes[anchor]
        elif kind == "ScalarEvent":
            self._total += 1
            if anchor:
                self._sizes[anchor] = 1
        elif kind in ("SequenceStartEvent", "MappingStartEvent"):
            self._sizes.pop(anchor or "", None)  # from here on it means what has just begun
            self._open.append((anchor, self._total))
            self._total += 1
            if len(self._open) > MAX_DEPTH:
                raise NotYaml(f"the text is nested more than {MAX_DEPTH} levels deep")
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            anchor, began = self._open.pop()
            if anchor:
                self._sizes[anchor] = self._total - began


def dump(content: Any) -> str:
    """Return plain data as YAML, its keys in the order that they have."""
    from ruamel.yaml import YAML  # noqa: PLC0415  see parse

    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # its annotation is too narrow
    yaml.width = 120
    yaml.dump(content, stream)
    return stream.getvalue()
