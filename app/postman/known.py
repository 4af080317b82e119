"""Facts of the database that a collection needs to run: records to try with, rights, unique fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.definitions.definition import Definition
from app.postman.values import needed_models
from odoo_bridge import records, rights
from odoo_bridge.credentials import public_user
from odoo_bridge.errors import BridgeError
from odoo_bridge.transaction import Environment, act_as


@dataclass(frozen=True, slots=True)
class Known:
    """Facts about one API.

    ``ids`` holds the public id of a record for each model that is exposed, or that a new record has to name, where
    there is one. ``allowed`` holds, for each model that is exposed, what the executing user may do; it is None where
    callers execute as themselves. ``unique`` holds, for each such model, the fields that no two records have alike.
    """

    ids: Mapping[str, Any] = field(default_factory=dict)
    allowed: Mapping[str, frozenset[str]] | None = None
    unique: Mapping[str, frozenset[str]] = field(default_factory=dict)


def known(root: Environment, definitions: Iterable[Definition]) -> dict[int, Known]:
    """Return the facts about each API, by its id: with records that its executing user sees, where it has one."""
    return {definition.id: _known(root, definition) for definition in definitions}


def _known(root: Environment, definition: Definition) -> Known:
    uid = definition.run_as
    if uid is None and definition.document.authentication == "public":
        uid = public_user(root).uid
    env = root if uid is None else act_as(root, uid, {})
    wanted: dict[str, list[Any]] = {model: [] for model in needed_models(definition)}
    wanted |= {exposure.name: list(exposure.domain) for exposure in definition.exposures.values()}
    found = {model: _first(env, model, domain) for model, domain in wanted.items()}
    return Known(
        {model: definition.ids.of(model).encode(each) for model, each in found.items() if each is not None},
        None if uid is None else {model: rights.allowed(env, model) for model in definition.exposures},
        {model: rights.unique_fields(root, model) for model in definition.exposures},
    )


def _first(env: Environment, model: str, domain: list[Any]) -> int | None:
    """Return the first record that the user of ``env`` sees, None for none."""
    if model not in env or "read" not in rights.allowed(env, model):
        return None
    try:
        return records.first(env, model, domain)
    except BridgeError:  # a field of the domain that is not theirs to see
        return None
