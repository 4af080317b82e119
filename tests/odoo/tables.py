"""Tables turned into the rows that Odoo's own ``_read_format`` returns."""

from __future__ import annotations

from typing import Any

from odoo_bridge.types import Table


def rows(table: Table) -> list[dict[str, Any]]:
    columns = {"id": table.ids, **table.values}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
