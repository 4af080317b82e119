"""Claims of keys: of calls that make a record of one key at the same time, one makes it and the others find it.

A claim is a row that each of them writes. A lock would be taken after the transaction's snapshot, and so too late:
of the row, PostgreSQL refuses the second writer as a serialization failure, and its retry looks anew. The row has to
stay when the call is over: to a transaction that began before, it is what has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from app.operations.keys import Value
from odoo_bridge.transaction import Environment

#: Longer than any transaction may last.
_KEEP = "1 hour"


def claim(env: Environment, model: str, scope: str, values: Iterable[Value]) -> None:
    """Claim values of a key for new records, until the transaction ends. Two statements.

    In one order, so that no two calls that claim all at once wait for each other; where records are saved one by one
    two can, and PostgreSQL ends one of them, which is tried again.
    """
    digests = sorted(hashlib.sha256(repr(value).encode()).digest() for value in values)
    if not digests:
        return
    env.cr.execute(
        "INSERT INTO gatehouse.claim (model, scope, digest) SELECT %s, %s, unnest(%s::bytea[]) "
        "ON CONFLICT (model, scope, digest) DO UPDATE SET claimed_at = now()",
        (model, scope, digests),
    )
    # Behind it, as this waits for nobody.
    env.cr.execute(
        "DELETE FROM gatehouse.claim WHERE (model, scope, digest) IN ("
        " SELECT model, scope, digest FROM gatehouse.claim"
        f" WHERE claimed_at <= now() - interval '{_KEEP}' AND NOT (model = %s AND scope = %s AND digest = ANY(%s))"
        " ORDER BY claimed_at LIMIT %s FOR UPDATE SKIP LOCKED)",
        (model, scope, digests, 2 * len(digests)),
    )
