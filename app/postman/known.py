"""Records to try with: a collection's requests work as they come out of the box."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.definitions.definition import Definition
from odoo_bridge import records
from odoo_bridge.transaction import Environment


def known_ids(root: Environment, definitions: Iterable[Definition]) -> dict[tuple[int, str], Any]:
    """Return a record to try with for each model of each API, in the API's form."""
    found = {}
    for definition in definitions:
        for exposure in definition.exposures.values():
            record_id = records.first(root, exposure.name, list(exposure.domain))
            if record_id is not None:
                found[definition.id, exposure.name] = definition.ids.of(exposure.name).encode(record_id)
    return found
