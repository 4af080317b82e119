"""Approvals of agents' writes in the database: good for one call of one caller, once, for five minutes.

An approval is a secret of which a hash is kept, as of tokens. All that it is good for lies in its row, so that nothing
of it has to be believed of who shows it. Every function runs in the transaction that it is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import orjson

from app.clients import tokens
from app.clients.tokens import Hasher
from app.json import dumps

#: Seconds for which one is good.
LIFETIME: Final = 300
#: Those of one caller that wait at once.
MOST_OPEN: Final = 50
#: How it is given: by the client's own form, by the agent in a further call, or by a person who is logged in.
Way = Literal["form", "argument", "person"]
Status = Literal["pending", "approved", "refused", "used"]


@dataclass(frozen=True, slots=True)
class Bound:
    """All that an approval is good for.

    ``caller`` is who asks, ``revision`` that of the API. ``arguments`` is a digest of the arguments and of the headers
    that say in which company, language and time zone. ``condition`` is the header under which the write is made, so
    that it is of the record which was shown.
    """

    caller: str
    tool: str
    api_id: int
    revision: int
    arguments: bytes
    condition: Mapping[str, str]

    @classmethod
    def of(
        cls,
        caller: str,
        tool: str,
        api_id: int,
        revision: int,
        arguments: Mapping[str, Any],
        wishes: Mapping[str, str],
        condition: Mapping[str, str],
    ) -> Bound:
        """Return the call that an approval is bound to; ``wishes`` are the headers that change what it does."""
        content = orjson.dumps([arguments, wishes], option=orjson.OPT_SORT_KEYS)
        return cls(caller, tool, api_id, revision, hashlib.sha256(content).digest(), dict(condition))


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval in the database. ``uid`` is the person in whose name the agent calls, None for an app by itself."""

    lookup: str
    bound: Bound
    way: Way
    status: Status
    uid: int | None
    text: str
    created_at: datetime
    decided_by: int | None
    is_over: bool


def store(cr: Any, hasher: Hasher, bound: Bound, way: Way, uid: int | None, text: str) -> str | None:
    """Store a new approval and return its secret, None where too many of this caller's wait.

    ``text`` is what a person is shown; it is kept until they decide.
    """
    cr.execute(
        "SELECT count(*) FROM gatehouse.approval WHERE caller = %s AND status = 'pending' AND expires_at > now()",
        (bound.caller,),
    )
    if cr.fetchone()[0] >= MOST_OPEN:
        return None
    secret = tokens.generate(tokens.APPROVAL)
    cr.execute(
        "INSERT INTO gatehouse.approval "
        "(lookup, hash, caller, tool, api_id, revision, arguments, condition, way, uid, text, expires_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, now() + %s * interval '1 second')",
        (
            tokens.lookup_of(secret, tokens.APPROVAL),
            hasher.hash(secret),
            bound.caller,
            bound.tool,
            bound.api_id,
            bound.revision,
            bound.arguments,
            dumps(dict(bound.condition)).decode(),
            way,
            uid,
            text if way == "person" else "",
            LIFETIME,
        ),
    )
    return secret


_COLUMNS = (
    "lookup, caller, tool, api_id, revision, arguments, condition, way, status, uid, text, created_at, decided_by, "
    "expires_at <= now()"
)


def shown(cr: Any, hasher: Hasher, secret: str) -> Approval | None:
    """Return the approval of a secret; None for any other text."""
    lookup = tokens.lookup_of(secret, tokens.APPROVAL)
    cr.execute(f"SELECT hash, {_COLUMNS} FROM gatehouse.approval WHERE lookup = %s", (lookup,))
    row = cr.fetchone()
    return _approval(row[1:]) if row is not None and hasher.matches(secret, row[0]) else None


def find(cr: Any, lookup: str) -> Approval | None:
    """Return the approval that a person looks at."""
    cr.execute(f"SELECT {_COLUMNS} FROM gatehouse.approval WHERE lookup = %s", (lookup,))
    row = cr.fetchone()
    return _approval(row) if row is not None else None


def pending(cr: Any) -> list[Approval]:
    """Return those that wait for a person, the oldest first, a hundred at most."""
    cr.execute(
        f"SELECT {_COLUMNS} FROM gatehouse.approval "
        "WHERE way = 'person' AND status = 'pending' AND expires_at > now() ORDER BY created_at LIMIT 100"
    )
    return [_approval(row) for row in cr.fetchall()]


def decide(cr: Any, lookup: str, status: Literal["approved", "refused"], decided_by: int | None) -> None:
    """Have an approval that waits be given or refused; one that was given can be refused until it is used."""
    open_ones = ["pending"] if status == "approved" else ["pending", "approved"]
    cr.execute(
        "UPDATE gatehouse.approval SET status = %s, decided_by = %s, text = '' "
        "WHERE lookup = %s AND status = ANY(%s) AND expires_at > now()",
        (status, decided_by, lookup, open_ones),
    )


def use(cr: Any, approval: Approval) -> bool:
    """Take an approval for the write that it is for; False where another call has taken it."""
    waiting = "approved" if approval.way == "person" else "pending"
    cr.execute(
        "UPDATE gatehouse.approval SET status = 'used' "
        "WHERE lookup = %s AND status = %s AND expires_at > now() RETURNING lookup",
        (approval.lookup, waiting),
    )
    return cr.fetchone() is not None


def give_back(cr: Any, approval: Approval) -> None:
    """Let an approval be good again: the write that it was taken for has not been made."""
    cr.execute(
        "UPDATE gatehouse.approval SET status = %s WHERE lookup = %s AND status = 'used'",
        (approval.status, approval.lookup),
    )


def _approval(row: Any) -> Approval:
    lookup, caller, tool, api_id, revision, arguments, condition, way, status, uid, text, created, by, is_over = row
    bound = Bound(caller, tool, api_id, revision, bytes(arguments), condition)
    return Approval(lookup, bound, way, status, uid, text, created, by, is_over)


def is_lookup(text: str) -> bool:
    """True for what may be the lookup part of an approval, as its page's address has it."""
    return tokens.LOOKUP.fullmatch(text) is not None


def lookup_of(secret: str) -> str:
    """Return the part of a secret by which it is found; "" of any other text."""
    return tokens.lookup_of(secret, tokens.APPROVAL) or ""
