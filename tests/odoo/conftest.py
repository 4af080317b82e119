"""What the tests on a real Odoo database share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.web.routing import Gatehouse


@pytest.fixture(autouse=True, scope="module")
def nobody_else(app: Gatehouse) -> Iterator[None]:
    """Let the shared app's watcher rest: it follows signals, fills caches and takes connections as the tests do."""
    catalog = app.services.catalog
    catalog.stop()
    yield
    catalog._stopped.clear()
    catalog._watching = None
