"""Records that are there to try an endpoint with, as the user finds them who would execute the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.blueprints.admin import transactions
from app.definitions.definition import Definition, Exposure, Node
from app.definitions.ids import PublicId
from app.operations.serialize.records import RecordSerializer
from app.operations.single import visible_to
from odoo_bridge import credentials, records, users
from odoo_bridge.transaction import Environment, act_as

#: Types of fields whose present value is worth to be sent again: short, and the record's own.
_PLAIN = frozenset({"char", "text", "selection", "date", "datetime", "integer", "float", "monetary", "boolean"})

#: Records that an endpoint on several is tried with.
_MOST = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """A record: its id in the API's form, and the values of its plain fields that the API lets one write."""

    id: PublicId
    values: Mapping[str, Any]


def samples(definition: Definition, exposure: Exposure, uid: int | None) -> list[Sample]:
    """Return records that the API's domain and the user's rights admit; ``uid`` None stands for the public.

    Raises BridgeError where the user may read none at all.
    """

    def work(root: Environment) -> list[Sample]:
        acting = credentials.public_user(root).uid if uid is None else uid
        env = records.sizes_only(act_as(root, acting, dict(users.own_context(root, acting))))
        node = _plain(visible_to(env, exposure))
        found = records.search(
            env,
            exposure.name,
            list(exposure.domain),
            node.selection(),
            order=None,
            limit=_MOST,
            offset=0,
            count="none",
        )
        rows = RecordSerializer(definition).rows(found.table, node)
        return [Sample(row.pop("id"), row) for row in rows]

    return transactions.look(work)


def _plain(exposure: Exposure) -> Node:
    fields = exposure.node.fields
    return exposure.node.only(name for name in exposure.writable_fields if fields[name].type in _PLAIN)
