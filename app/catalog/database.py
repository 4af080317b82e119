"""The connection to our own tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg2
from sqlalchemy import Engine, NullPool, create_engine


def make_engine(dsn: Mapping[str, Any]) -> Engine:
    """Return an engine for psycopg2's connection keywords.

    Without a pool: these tables are read when a definition changes and by commands, never during a call, and
    a connection that is not kept can be shared by no fork.
    """
    return create_engine(
        "postgresql+psycopg2://", creator=lambda: psycopg2.connect(**dsn), poolclass=NullPool, future=True
    )
