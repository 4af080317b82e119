"""External ids of records: rows of ``ir.model.data``, whose module is the namespace of one caller.

It is the name of no addon, so that no upgrade of one takes them for what it once brought along, and deletes their
records (``IrModelData._process_end``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from odoo.tools import SQL

from .transaction import Environment


def holders(env: Environment, model: str, namespace: str, names: Collection[str]) -> dict[str, list[int]]:
    """Return the id of the record that has each of the names; none for one whose record is gone. One query."""
    table = SQL.identifier(env[model]._table)
    query = SQL(
        "SELECT d.name, d.res_id FROM ir_model_data d JOIN %s r ON r.id = d.res_id "
        "WHERE d.module = %s AND d.name IN %s AND d.model = %s",
        table,
        namespace,
        tuple(names),
        model,
    )
    return {name: [record_id] for name, record_id in env.execute_query(query)}


def names_of(env: Environment, model: str, namespace: str, prefix: str, ids: Sequence[int]) -> dict[int, str]:
    """Return the name, with this prefix, of each record that has one; of several the first. One query."""
    if not ids:
        return {}
    query = SQL(
        "SELECT DISTINCT ON (res_id) res_id, name FROM ir_model_data "
        "WHERE model = %s AND res_id IN %s AND module = %s AND starts_with(name, %s) ORDER BY res_id, id",
        model,
        tuple(ids),
        namespace,
        prefix,
    )
    return dict(env.execute_query(query))


def give(env: Environment, model: str, namespace: str, ids: Mapping[str, int]) -> None:
    """Give records their names; a name whose record is gone, by a cascade of the database's, is theirs from now on."""
    data = env["ir.model.data"].sudo()
    orphans = data.search([("module", "=", namespace), ("name", "in", list(ids))])
    for orphan in orphans:
        orphan.write({"model": model, "res_id": ids[orphan.name]})
    orphans.flush_recordset()  # ``holders`` asks the table
    taken = set(orphans.mapped("name"))
    # ``_update_xmlids`` would keep all names in the process, and put them into its caches before they are committed.
    data.create(
        [
            {"module": namespace, "name": name, "model": model, "res_id": record_id, "noupdate": True}
            for name, record_id in ids.items()
            if name not in taken
        ]
    )
