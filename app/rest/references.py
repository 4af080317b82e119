"""Ids inside of written values: a call may name only records that its user can see."""

from __future__ import annotations

from collections.abc import Sequence

from app.errors import BadRequest
from app.policy.values import Checked, Lines
from odoo_bridge import records
from odoo_bridge.transaction import Environment


def verify(env: Environment, items: Sequence[Checked], owners: Sequence[Sequence[int]] = ()) -> None:
    """Ask Odoo, once per model, whether the user can see every record that the values name.

    ``owners`` are the ids of the records that each item writes to; lines that an item's commands change have to be
    theirs. Raises BadRequest that names the field.
    """
    wanted: dict[str, set[int]] = {}
    for item in items:
        for model, record_id in item.references:
            wanted.setdefault(model, set()).add(record_id)
    visible = {model: records.visible(env, model, sorted(ids), []) for model, ids in wanted.items()}
    for index, item in enumerate(items):
        for (model, record_id), pointer in item.references.items():
            if record_id not in visible[model]:
                raise _no_such_record(model, pointer)
        for lines in item.lines:
            _verify_lines(env, lines, owners[index])


def _verify_lines(env: Environment, lines: Lines, owners: Sequence[int]) -> None:
    ids = owners if lines.record is None else [lines.record]
    if not set(lines.ids) <= records.lines(env, lines.model, ids, lines.field):
        raise BadRequest(
            f"{lines.pointer}: this is no line of the record that is written.",
            name="invalid_value",
            data={"field": lines.pointer},
        )


def _no_such_record(model: str, pointer: str) -> BadRequest:
    return BadRequest(f"{pointer}: there is no such record of {model}.", name="invalid_value", data={"field": pointer})
