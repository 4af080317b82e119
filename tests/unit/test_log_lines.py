"""What a line of the log looks like, whatever a client has put into it."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from flask import Flask, g

from app.observe.log_lines import JsonFormatter, TextFormatter
from app.observe.tracing import Trace
from app.web.current import RequestState
from app.web.observation import request_ids

FORGED = "x\n2026-01-01T00:00:00.000Z 1 ERROR app: forged\r\x1b[2J\u2028\x00"


def _record(message: str, *arguments: object, **more: object) -> logging.LogRecord:
    record = logging.LogRecord("app.test", logging.WARNING, __file__, 1, message, arguments, None)
    record.__dict__.update(more)
    return record


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_no_text_makes_a_line_of_its_own(formatter: logging.Formatter) -> None:
    line = formatter.format(_record("path %s", FORGED))
    assert line.isprintable()
    assert "forged" in line


def test_a_traceback_is_told_from_lines_of_its_own() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        record = _record("broken")
        record.exc_info = sys.exc_info()
    first, *others = TextFormatter().format(record).split("\n")
    assert first.endswith("app.test: broken")
    assert others
    assert all(line.startswith("    ") and line.isprintable() for line in others)
    assert "ValueError" in json.loads(JsonFormatter().format(record))["exception"]


def test_json_has_a_field_for_each_fact() -> None:
    line = json.loads(JsonFormatter().format(_record("slow", facts={"seconds": 1.5})))
    assert (line["level"], line["logger"], line["message"], line["seconds"]) == ("WARNING", "app.test", "slow", 1.5)
    assert line["time"].endswith("Z")


def test_lines_of_a_request_carry_its_id_and_its_trace() -> None:
    app = Flask("test")
    app.app_ctx_globals_class = RequestState  # type: ignore[assignment]
    with app.test_request_context():
        g.request_id = "request-1"
        assert json.loads(JsonFormatter(request_ids).format(_record("x")))["trace_id"] == "request-1"
        g.trace = Trace("a" * 32, "b" * 16)
        line = json.loads(JsonFormatter(request_ids).format(_record("x")))
        assert (line["request_id"], line["trace_id"], line["parent_id"]) == ("request-1", "a" * 32, "b" * 16)
        assert f"[request-1, {'a' * 32}, {'b' * 16}]" in TextFormatter(request_ids).format(_record("x"))
