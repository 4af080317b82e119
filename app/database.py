"""Connections to our own tables outside of a call: one for each transaction. Inside of a call Odoo's cursor is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg2
import psycopg2.extensions

Cursor: TypeAlias = psycopg2.extensions.cursor


class Database:
    """The database of Odoo, in which our tables are. No connection is kept, so none can be shared by a fork."""

    def __init__(self, dsn: Mapping[str, Any]) -> None:
        """``dsn`` are psycopg2's connection keywords."""
        self.dsn = dict(dsn)
        #: Called with 1 for each connection that is opened, and with -1 when it is closed.
        self.on_connection: Callable[[int], None] = lambda change: None

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """Give a cursor; what it did is committed at the end of the block, and rolled back where that raises.

        Raises psycopg2.Error.
        """
        connection = psycopg2.connect(**self.dsn)
        self.on_connection(1)
        try:
            with connection, connection.cursor() as cr:
                yield cr
        finally:
            connection.close()
            self.on_connection(-1)

    def rows(self, query: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows of a query, each by the names of its columns."""
        with self.transaction() as cr:
            cr.execute(query, parameters)
            names = [column.name for column in cr.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cr.fetchall()]
