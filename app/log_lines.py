"""What a line of the log looks like: text for people, or JSON for what collects logs.

No text of a client can make a line of its own or change a terminal: what is not printable is written as an escape,
and the lines of a traceback are indented.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from flask import g, has_request_context

from app.tracing import Trace


class TextFormatter(logging.Formatter):
    """``2026-01-31T12:00:00.000Z 4711 WARNING app.requests [request id, trace id]: message``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and those of a traceback."""
        ids = _ids()
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

    def format(self, record: logging.LogRecord) -> str:
        """Return the object. ASCII alone: no reader can take a character for the end of a line."""
        document: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
            **_ids(),
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
    """Return what an event adds to its line: ``_logger.info("…", extra={"facts": {…}})``."""
    found: Mapping[str, Any] = getattr(record, "facts", {})
    return found


def _ids() -> dict[str, str]:
    """Return the ids of the current request, if there is one; without a trace it stands for its own."""
    request_id: str | None = g.get("request_id") if has_request_context() else None
    if request_id is None:
        return {}
    trace: Trace | None = g.get("trace")
    if trace is None:
        return {"request_id": request_id, "trace_id": request_id}
    return {"request_id": request_id, "trace_id": trace.trace_id, "parent_id": trace.parent_id}


def _time(record: logging.LogRecord) -> str:
    """Return when it happened, in UTC."""
    return datetime.fromtimestamp(record.created, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
