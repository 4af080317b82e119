"""A retried POST does its work once: the key and its answer are stored in the transaction that does the work.

Keys belong to one caller of one API and are kept for 24 hours. A call that fails stores nothing, so that trying it
again tries it again; but where a method commits by itself its key is stored then, and the call is not begun anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from app.errors import BadRequest, Conflict, Unprocessable
from app.json import dumps
from odoo_bridge.transaction import Environment

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEEP = "24 hours"
_HEADER = {"parameter": "Idempotency-Key"}
#: In place of the API's id, of a batch: its key belongs to the caller alone.
BATCH = 0


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's key, and a hash of what it asks."""

    key: str
    request: bytes

    @classmethod
    def of(cls, key: str | None, request: Callable[[], bytes]) -> Idempotency | None:
        """Return the key of a header, None without one; ``request`` gives all that the answer depends on.

        Raises BadRequest.
        """
        if key is None:
            return None
        if not _KEY.fullmatch(key):
            raise BadRequest(
                "Idempotency-Key must have 1 to 255 visible ASCII characters, for example a UUID.",
                name="invalid_idempotency_key",
                data=_HEADER,
            )
        return cls(key, hashlib.sha256(request()).digest())


def once(env: Environment, asked: Idempotency, api_id: int, caller: str, work: Callable[[], Any]) -> Any:
    """Return the result of ``work``, or of the call that came with this key before.

    Two calls at the same time: the second waits at the insert, then PostgreSQL refuses it, and the transaction's
    retry finds the first one's result. Raises what ``begin`` does.
    """
    known = begin(env, asked, api_id, caller)
    if known is not None:
        return known
    result = work()
    finish(env, asked, api_id, caller, result)
    return result


def begin(env: Environment, asked: Idempotency, api_id: int, caller: str) -> orjson.Fragment | None:
    """Take note of a call, and return None; or the result of the one that came with this key before.

    Raises Unprocessable for a key that came with another request, and Conflict where the first one has committed a
    part and nothing more: it goes on, or has failed.
    """
    identity = (api_id, caller, asked.key)
    env.cr.execute(
        "SELECT request, result FROM gatehouse.idempotency "
        f"WHERE api_id = %s AND caller = %s AND key = %s AND created_at > now() - interval '{_KEEP}'",
        identity,
    )
    known = env.cr.fetchone()
    if known is not None:
        if bytes(known[0]) != asked.request:
            raise Unprocessable(
                "This Idempotency-Key came with another request before, or the API has changed since.",
                name="idempotency_key_reused",
                data=_HEADER,
            )
        if known[1] is None:
            raise Conflict(
                "The call that came with this Idempotency-Key has committed a part of its work; it goes on, or has "
                "failed since. Look at what it has done before you call with another key.",
                name="idempotency_key_unfinished",
                data=_HEADER,
            )
        return orjson.Fragment(bytes(known[1]))
    _forget_old(env, identity)
    env.cr.execute(
        "INSERT INTO gatehouse.idempotency (api_id, caller, key, request) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING",  # in REPEATABLE READ this waits, and then fails as a serialization failure
        (*identity, asked.request),
    )
    return None


def finish(env: Environment, asked: Idempotency, api_id: int, caller: str, result: Any) -> None:
    """Keep the result of a call that has begun."""
    env.cr.execute(
        "UPDATE gatehouse.idempotency SET result = %s WHERE api_id = %s AND caller = %s AND key = %s",
        (dumps(result), api_id, caller, asked.key),
    )


def _forget_old(env: Environment, identity: tuple[int, str, str]) -> None:
    """Delete this key where it is old, and a few others: whoever adds a row clears some away."""
    env.cr.execute(
        "DELETE FROM gatehouse.idempotency WHERE (api_id, caller, key) IN ("
        " SELECT api_id, caller, key FROM gatehouse.idempotency"
        f" WHERE created_at <= now() - interval '{_KEEP}'"
        " ORDER BY (api_id = %s AND caller = %s AND key = %s) DESC LIMIT 10 FOR UPDATE SKIP LOCKED)",
        identity,
    )
