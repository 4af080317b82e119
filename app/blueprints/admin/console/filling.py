"""The console's form filled in with a record that is there, as the caller finds it through the API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.blueprints.admin.console.inputs import Inputs
from app.blueprints.admin.console.samples import Sample, samples
from app.blueprints.admin.console.targets import Target
from app.operations.actions import CALL_ON_RECORDS, DELETE_MANY, READ_MANY, UPDATE, UPDATE_MANY, Action

#: Actions on several records.
_MANY: tuple[Action, ...] = (READ_MANY, UPDATE_MANY, DELETE_MANY, CALL_ON_RECORDS)
_BODIES: Mapping[Action, Callable[[Sequence[Sample]], Any]] = {
    UPDATE: lambda found: dict(found[0].values) or None,
    UPDATE_MANY: lambda found: [{"id": each.id, **each.values} for each in found],
    DELETE_MANY: lambda found: {"ids": [each.id for each in found]},
}


def can_be_filled(target: Target) -> bool:
    """True if the endpoint is about records that are there."""
    return target.endpoint.exposure is not None and (
        target.endpoint.action.on_one_record or target.endpoint.action in _MANY
    )


def fill(target: Target, inputs: Inputs, uid: int | None) -> dict[str, str]:
    """Return values of the form: ids, and of an update the present values; empty where the user finds no record.

    ``uid`` is who would execute the call, None for the public. Raises BridgeError where they may read none.
    """
    exposure = target.endpoint.exposure
    found = samples(target.definition, exposure, uid) if exposure is not None else []
    if not found:
        return {}
    values = {each.field: str(found[0].id) for each in inputs.at("path")}
    values |= {each.field: ",".join(str(one.id) for one in found) for each in inputs.at("query") if each.name == "ids"}
    make = _BODIES.get(target.endpoint.action)
    body = make(found) if make is not None else None
    if body is not None:
        values["body"] = json.dumps(body, indent=2, ensure_ascii=False)
    return values
