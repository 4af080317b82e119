"""What the tests on a real Odoo database share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import fast

#: Modules whose tests are about the fast pieces themselves, whatever GATEHOUSE_FAST says of all others.
_OF_PIECES = (
    "test_alone",
    "test_columns",
    "test_environments",
    "test_fetches",
    "test_counts",
    "test_prefetch",
    "test_prepared",
    "test_rows",
    "test_statements",
    "test_writes",
)


@pytest.fixture(autouse=True, scope="module")
def nobody_else(app: Gatehouse) -> Iterator[None]:
    """Let the shared app's watcher rest: it follows signals, fills caches and takes connections as the tests do."""
    catalog = app.services.catalog
    catalog.stop()
    yield
    catalog._stopped.clear()
    catalog._watching = None


@pytest.fixture(autouse=True, scope="module")
def fast_pieces(app: Gatehouse, request: pytest.FixtureRequest) -> Iterator[None]:
    """Use the fast pieces in the tests that are about them."""
    if request.module.__name__.rpartition(".")[2] in _OF_PIECES:
        fast.switch(on=True)
    yield
    fast.switch(on=app.services.settings.fast == "on")
