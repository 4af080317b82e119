"""Tools that people read much data with, or follow its changes: dlt, pandas, duckdb and Singer, on a live server."""

from __future__ import annotations

import pytest

from tests import pypi
from tests.clients.conftest import PROGRAMS, Run

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]


def test_dlt_pandas_and_duckdb(run: Run) -> None:
    python = pypi.python("dlt")
    assert run([python, PROGRAMS / "with_data_tools.py"], RUNTIME__DLTHUB_TELEMETRY="false").endswith("done\n")


def test_dlt_and_a_singer_tap_follow_changes(run: Run) -> None:
    python = pypi.python("singer-sdk")
    assert "done\n" in run([python, PROGRAMS / "with_delta.py"], RUNTIME__DLTHUB_TELEMETRY="false")
