"""The audit: who changed what, written in the very transaction of the change.

A process that dies at any moment leaves both the change and its row, or neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """Something that a call did to records. ``action`` is an operation, or the method of an RPC call.

    A method may have changed nothing at all: ``certain`` is False, and the transaction tells whether it wrote.
    """

    action: str
    model: str
    ids: tuple[int, ...]
    fields: tuple[str, ...] = ()
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Author:
    """The author of changes. Clients may choose request ids, and one twice; call ids are ours.

    ``tool`` is the one that an AI agent has called, ``approved_by`` the person who has approved it.
    """

    request_id: str
    call_id: str
    api_id: int
    api: str
    caller: str
    client: str | None
    uid: int
    address: str
    tool: str | None = None
    approved_by: int | None = None


_INSERT = (
    "INSERT INTO gatehouse.audit "
    "(request_id, call_id, api_id, api, action, model, record_ids, fields, caller, client, uid, address, tool, "
    "approved_by) "
    "SELECT %s, %s, %s, %s, %s, %s, %s::int[], %s::text[], %s, %s, %s, %s, %s, %s"
)
#: PostgreSQL numbers a transaction when it first writes.
_IF_WRITTEN = " WHERE pg_current_xact_id_if_assigned() IS NOT NULL"


def write(cr: Any, author: Author, changes: Sequence[Change]) -> None:
    """Write a row for each change as ``cr`` commits, after all else; none for a method that has written nothing.

    A transaction that only read costs no write to the disk when it is committed, and one that has sent no statement
    no round trip.
    """
    for change in changes:
        certain = change.certain or cr.commits > 0  # what a method has committed by itself, this transaction forgot
        cr.execute_at_commit(
            _INSERT if certain else _INSERT + _IF_WRITTEN,
            (
                author.request_id,
                author.call_id,
                author.api_id,
                author.api,
                change.action,
                change.model,
                list(change.ids),
                list(change.fields),
                author.caller,
                author.client,
                author.uid,
                author.address,
                author.tool,
                author.approved_by,
            ),
            if_begun=not certain,
        )
