"""Records by their names, for an admin who chooses one: as far as the environment's user may see them."""

from __future__ import annotations

from collections.abc import Sequence

from odoo.exceptions import AccessError

from .transaction import Environment


def matching(env: Environment, model: str, text: str, limit: int = 20) -> list[tuple[int, str]]:
    """Return (id, name) of the records that Odoo's own search by name finds; none where the user may not read them."""
    try:
        return [(int(number), str(name)) for number, name in env[model].name_search(text, limit=limit)]
    except AccessError:
        return []


def named(env: Environment, model: str, ids: Sequence[int]) -> list[tuple[int, str]]:
    """Return (id, name) of those records that are there and that the user may read, also archived ones."""
    try:
        found = env[model].with_context(active_test=False).search([("id", "in", list(ids))])
        return [(record.id, str(record.display_name)) for record in found]
    except AccessError:
        return []
