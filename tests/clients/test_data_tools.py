"""Tools that people read much data with: dlt, pandas and duckdb, on a live server."""

from __future__ import annotations

import pytest

from tests import pypi
from tests.clients.conftest import PROGRAMS, Run

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]


def test_dlt_pandas_and_duckdb(run: Run) -> None:
    python = pypi.python("dlt")
    assert run([python, PROGRAMS / "with_data_tools.py"], RUNTIME__DLTHUB_TELEMETRY="false").endswith("done\n")
