"""Formats of the log's lines: text for people, or JSON for what collects logs.

No text of a client can make a line of its own or change a terminal: what is not printable is written as an escape,
and the lines of a traceback are indented.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, TypeAlias

#: The ids of the request that a line belongs to, by name; none outside of a request.
Ids: TypeAlias = "Callable[[], Mapping[str, str]]"


class TextFormatter(logging.Formatter):
    """``2026-01-31T12:00:00.000Z 4711 WARNING app.web.hooks [request id, trace id]: message``."""

    def __init__(self, ids: Ids = dict) -> None:
        super().__init__()
        self._ids = ids

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and those of a traceback."""
        ids = self._ids()
        context = f" [{', '.join(dict.fromkeys(ids.values()))}]" if ids else ""
        head = f"{_time(record)} {record.process} {record.levelname} {record.name}{context}: "
        text = head + printable(record.getMessage())
        for part in (self._traceback(record), record.stack_info):
            for line in (part or "").splitlines():
                text += f"\n    {printable(line)}"
        return text

    def _traceback(self, record: logging.LogRecord) -> str | None:
        return self.formatException(record.exc_info) if record.exc_info else record.exc_text


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, pid, message, the ids of the request, and what the event adds."""

    def __init__(self, ids: Ids = dict) -> None:
        super().__init__()
        self._ids = ids

    def format(self, record: logging.LogRecord) -> str:
        """Return the object. ASCII alone: no reader can take a character for the end of a line."""
        document: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
            **self._ids(),
            **facts(record),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            document["stack"] = record.stack_info
        return json.dumps(document, default=str)


def printable(text: str) -> str:
    """Return a text in which line breaks, escape sequences and the like are written out."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def facts(record: logging.LogRecord) -> Mapping[str, Any]:
    """Return the facts that an event adds to its line: ``_logger.info("…", extra={"facts": {…}})``."""
    found: Mapping[str, Any] = getattr(record, "facts", {})
    return found


def _time(record: logging.LogRecord) -> str:
    """Return the event's time, in UTC."""
    return datetime.fromtimestamp(record.created, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
