"""Fixtures of the tests with programs around the server: the server of ``tests/server``."""

from __future__ import annotations

from tests.server.conftest import live_sql, server  # noqa: F401  they are fixtures here too
