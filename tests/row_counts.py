"""Rows that Odoo's tables gain, as a second connection sees them; those of its chatter by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Sql = Callable[..., list[tuple[Any, ...]]]

MESSAGES, FOLLOWERS, NOTIFICATIONS, VALUES = CHATTER = (
    "mail_message",
    "mail_followers",
    "mail_notification",
    "mail_tracking_value",
)


def gained(sql: Sql, work: Callable[[], T]) -> tuple[T, dict[str, int]]:
    """Do something; return its result, and how many rows each table has gained that has another number than before."""
    before = _count(sql)
    result = work()
    return result, {table: count - before[table] for table, count in _count(sql).items() if count != before[table]}


def _count(sql: Sql) -> dict[str, int]:
    names = sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return dict(sql(" UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for (name,) in names)))
