"""Needs of the definitions: of each model of a published API that is followed, whoever may follow it."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from app.definitions.definition import Definition, Exposure
from odoo_bridge.changes import following
from odoo_bridge.changes.needs import Needs, TableNeed, union
from odoo_bridge.changes.tables import Untold
from odoo_bridge.transaction import Environment

_logger = logging.getLogger(__name__)


def followed(definitions: Iterable[Definition]) -> list[tuple[Definition, Exposure]]:
    """Return the models whose changes can be asked for, each with its definition."""
    return [
        (definition, exposure)
        for definition in definitions
        for exposure in definition.exposures.values()
        if definition.document.is_followed(exposure.switches) and not definition.problems
    ]


def needs(root: Environment, definitions: Iterable[Definition]) -> tuple[dict[str, TableNeed], bool]:
    """Return the tables that have to be captured, with their columns, and whether these are all."""
    found: list[Needs] = []
    is_whole = True
    for definition, exposure in followed(definitions):
        try:
            found.append(following.needs_of(root, exposure.name, list(exposure.domain), tuple(exposure.node.fields)))
        except Untold as error:  # a rule that is newer than the definition; whoever asks is told
            is_whole = False
            _logger.warning("%s: %s can't be followed, because %s.", definition.name, exposure.name, error.reason)
    return union(found), is_whole
