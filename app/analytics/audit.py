"""The audit: who changed what, written in the very transaction of the change.

A process that dies at any moment leaves both the change and its row, or neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """Something that a call did to records. ``action`` is an operation, or the method of an RPC call."""

    action: str
    model: str
    ids: tuple[int, ...]
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Author:
    """Who called, through what, and from where."""

    request_id: str
    api_id: int
    api: str
    caller: str
    client: str | None
    uid: int
    address: str


def write(cr: Any, author: Author, changes: Sequence[Change]) -> None:
    """Write a row for each change, in the transaction of ``cr``."""
    for change in changes:
        cr.execute(
            "INSERT INTO gatehouse.audit "
            "(request_id, api_id, api, action, model, record_ids, fields, caller, client, uid, address) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                author.request_id,
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
            ),
        )
