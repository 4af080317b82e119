"""Results of methods as JSON: records as ids in the API's form, bytes as base64."""

from __future__ import annotations

import base64
import math
from typing import Any

from app.definitions.ids import Ids
from odoo_bridge.types import Records


def to_json(value: Any, ids: Ids) -> Any:
    """Return the JSON of plain data that ``methods.call`` gave; dates are left to the JSON writer."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, Records):
        encode = ids.of(value.model).encode
        return [encode(record_id) for record_id in value.ids]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: to_json(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item, ids) for item in value]
    return value
