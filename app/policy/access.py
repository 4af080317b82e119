"""What a principal may do with an API; who it is has been settled before."""

from __future__ import annotations

from app.catalog.definition import Definition
from app.errors import Unavailable


def check_served(definition: Definition) -> None:
    """Refuse an API whose definition no longer fits Odoo; raises Unavailable with what is missing for admins only."""
    if definition.problems:
        raise Unavailable(
            "This API is out of service, because Odoo has changed. Its administrator finds the reason in the log.",
            name="definition_broken",
            retry_after=60,
        )
