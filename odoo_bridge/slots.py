"""Slots that one holder may have in the database at once, held by a transaction: they end with it, whatever ends it."""

from __future__ import annotations

import hashlib

from .transaction import Environment


def take(root: Environment, holder: str, most: int) -> bool:
    """Take one of a holder's slots until the end of the transaction; return False where all of them are taken.

    They are advisory locks, which all workers and hosts see, on the server that the transaction reads from.
    """
    for number in range(most):
        digest = hashlib.sha256(f"gatehouse:{holder}:{number}".encode()).digest()
        root.cr.execute("SELECT pg_try_advisory_xact_lock(%s)", (int.from_bytes(digest[:8], "big", signed=True),))
        if root.cr.fetchone()[0]:
            return True
    return False
