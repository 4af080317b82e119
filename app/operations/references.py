"""Ids inside of written values: a call may name only records that its user can see."""

from __future__ import annotations

from collections.abc import Sequence

from app.definitions.secrets import is_secret_model
from app.errors import BadRequest
from app.policy.scalars import place
from app.policy.values import NEW, Checked, Lines
from odoo_bridge import records
from odoo_bridge.transaction import Environment


def verify(env: Environment, items: Sequence[Checked], owners: Sequence[Sequence[int]] = ()) -> None:
    """Ask Odoo, once per model, whether the user can see every record that the values name.

    ``owners`` are the ids of the records that each item writes to; lines that an item's commands change have to be
    theirs. Raises BadRequest that names the field.
    """
    visible = _visible(env, items)
    for index, item in enumerate(items):
        for (model, record_id), pointer in item.references.items():
            if record_id not in visible[model]:
                raise _no_such_record(model, pointer)
        for lines in item.lines:
            _verify_lines(env, lines, owners[index] if owners else [])


def _visible(env: Environment, items: Sequence[Checked]) -> dict[str, set[int]]:
    """Return those of the records that the values name, by model, that the user can see."""
    wanted: dict[str, set[int]] = {}
    for item in items:
        for (model, record_id), pointer in item.references.items():
            # A many2one_reference takes its model from the client.
            if is_secret_model(model) or not records.has_records(env, model):
                raise _no_such_record(model, pointer)
            wanted.setdefault(model, set()).add(record_id)
    return {model: records.visible(env, model, sorted(ids), []) for model, ids in wanted.items()}


def _verify_lines(env: Environment, lines: Lines, owners: Sequence[int]) -> None:
    if lines.record == NEW:
        ids: Sequence[int] = []
    else:
        ids = owners if lines.record is None else [lines.record]
    foreign = set(lines.ids) - records.lines(env, lines.model, ids, lines.field)
    if foreign and lines.or_nobodys:
        foreign -= records.nobodys_lines(env, lines.model, lines.field, foreign)
    if foreign:
        raise BadRequest(
            f"{lines.pointer}: this is no line of the record that is written.",
            name="invalid_value",
            data=place(lines.pointer),
        )


def _no_such_record(model: str, pointer: str) -> BadRequest:
    return BadRequest(f"{pointer}: there is no such record of {model}.", name="invalid_value", data=place(pointer))
