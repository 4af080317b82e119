"""Counting what a call asks of the database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from odoo.sql_db import Cursor  # noqa: TID251  the tests count what the bridge's cursor does


@contextmanager
def counted_queries(monkeypatch: pytest.MonkeyPatch, *, looks: bool = False) -> Iterator[list[str]]:
    """Yield a list that fills with the queries of this thread, but for the looks at what others have changed."""
    queries: list[str] = []
    here = threading.current_thread()  # the catalog's watcher asks too, in a thread of its own
    execute = Cursor.execute

    def counted(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        text = str(getattr(query, "code", query))
        if threading.current_thread() is here and (looks or "orm_signaling" not in text):
            queries.append(text)
        return execute(self, query, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Cursor, "execute", counted)
        yield queries
