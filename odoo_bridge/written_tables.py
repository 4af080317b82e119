"""Tables that this process has written, and when: what was counted before is no longer so."""

from __future__ import annotations

import re
import time
from typing import Any

from odoo.tools import SQL

#: Stands for all tables, where a statement does not say at its beginning which it writes.
ALL = "*"
_WRITE = re.compile(r'\s*(?:INSERT\s+INTO|UPDATE(?:\s+ONLY)?)\s+(?:"?\w+"?\.)?"?(\w+)', re.IGNORECASE)
_READ = re.compile(
    r"\s*(?:SELECT|SAVEPOINT|RELEASE|ROLLBACK|SET|RESET|SHOW|EXPLAIN|LOCK|VALUES|NOTIFY)\b", re.IGNORECASE
)
_COMMON_TABLE = re.compile(r"\s*WITH\b", re.IGNORECASE)
_CHANGE = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)
#: Bytes of a long statement that are looked at.
_HEAD = 200

#: When transactions that had written a table ended, as ``time.monotonic()`` has it.
_last: dict[str, float] = {}


def table(query: Any) -> str | None:
    """Return the table that a statement writes, ``ALL`` where that can't be told; None for one that only reads.

    A DELETE takes rows of other tables along. Functions that a statement calls are believed to write nothing.
    """
    text = query.code if isinstance(query, SQL) else query
    if isinstance(text, bytes):
        text = text[:_HEAD].decode(errors="replace")
    if not isinstance(text, str):
        return ALL
    if ";" in text and ";" in text.rstrip("; \n"):  # several statements, or a value with one in it
        return ALL
    if text.startswith("SELECT") or _READ.match(text):
        return None
    found = _WRITE.match(text)
    if found:
        return found[1].lower()
    return None if _COMMON_TABLE.match(text) and not _CHANGE.search(text) else ALL


def end(cr: Any) -> None:
    """Note the tables of a cursor whose transaction has ended: all, where it does not know them, as Odoo's own."""
    tables = of(cr)
    for name in (ALL,) if tables is None else tables:
        _last[name] = time.monotonic()


def of(cr: Any) -> frozenset[str] | None:
    """Return the tables that a transaction has written; None where that is not known."""
    tables: frozenset[str] | None = getattr(cr, "written_tables", None)
    return frozenset() if tables is None and getattr(cr, "readonly", False) else tables


def is_pending(env: Any) -> bool:
    """True if the transaction has something that is not written yet."""
    pending = env.transaction
    return any(pending.field_dirty.values()) or any(pending.tocompute.values())


def since(moment: float, names: set[str]) -> bool:
    """True if one of the tables was written by a transaction that ended after a moment."""
    return any(_last.get(name, moment - 1) >= moment for name in (ALL, *names))
