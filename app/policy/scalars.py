"""Values of the types that hold no ids: a converter for each, from the form that clients write into Odoo's."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from app import literals
from app.errors import BadRequest
from app.json import is_clean
from odoo_bridge.types import FieldInfo

#: Deepest nesting of a value of type json or properties.
MAX_JSON_DEPTH = 20
#: What ends the first part of a pointer.
_KEY = re.compile(r"[.\[]")
_INT4 = range(-(2**31), 2**31)


def invalid(pointer: str, expected: str, value: object = None) -> BadRequest:
    """Return the error for a value at a pointer (``line_ids[0].name``) that is not what is expected there."""
    text = f"{pointer[:200]}: {expected}."
    if value is not None:
        shown = repr(value)
        text += f" Not: {shown if len(shown) <= 80 else shown[:77] + '...'}."
    return BadRequest(text, name="invalid_value", data=place(pointer))


def place(pointer: str) -> dict[str, str]:
    """Return the data of an error about a value: its pointer, and the key of the body that it stands under."""
    return {"parameter": _KEY.split(pointer, maxsplit=1)[0][:200], "field": pointer[:200]}


def _text(value: object, info: FieldInfo, pointer: str) -> Any:
    if not isinstance(value, str) or not is_clean(value):
        raise invalid(pointer, "text is expected", value)
    if info.size and len(value) > info.size:
        raise invalid(pointer, f"at most {info.size} characters are allowed")
    return value or False


def _integer(value: object, info: FieldInfo, pointer: str) -> int:
    if isinstance(value, float) and value.is_integer():  # JSON does not tell 5.0 from 5
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in _INT4:
        raise invalid(pointer, "a whole number from -2147483648 to 2147483647 is expected", value)
    return value


def _number(value: object, info: FieldInfo, pointer: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:
        raise invalid(pointer, "a number is expected", value)
    if not math.isfinite(value):
        raise invalid(pointer, "a finite number is expected", value)
    return value


def _boolean(value: object, info: FieldInfo, pointer: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(pointer, "true or false is expected", value)
    return value


def _date(value: object, info: FieldInfo, pointer: str) -> Any:
    if value == "":
        return False
    day = literals.to_date(value)
    if day is None:
        raise invalid(pointer, "a date YYYY-MM-DD is expected", value)
    return day


def _datetime(value: object, info: FieldInfo, pointer: str) -> Any:
    if value == "":
        return False
    moment = literals.to_datetime(value)
    if moment is None:
        raise invalid(pointer, "a date and time in ISO 8601 is expected, for example 2026-01-31T08:00:00Z", value)
    return moment.replace(microsecond=0)


def _choice(value: object, info: FieldInfo, pointer: str) -> Any:
    if value == "":
        return False
    allowed = [key for key, _ in info.selection]
    if value not in allowed:
        raise invalid(pointer, f"one of {', '.join(allowed[:20])} is expected", value)
    return value


def _binary(value: object, info: FieldInfo, pointer: str) -> Any:
    if value == "":
        return False
    try:
        if not isinstance(value, str):
            raise TypeError
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise invalid(pointer, "the content in base64 is expected", value) from None
    return value


def _json(value: object, info: FieldInfo, pointer: str) -> Any:
    if not _is_bounded_json(value, MAX_JSON_DEPTH):
        raise invalid(pointer, f"JSON of text without NUL, nested at most {MAX_JSON_DEPTH} deep, is expected")
    return value


def _is_bounded_json(value: object, depth: int) -> bool:
    if isinstance(value, str):
        return is_clean(value)
    if isinstance(value, (int, float)):
        # PostgreSQL keeps numbers of any size, JSON's readers do not: what is stored has to come out again.
        return math.isfinite(value) and abs(value) < 2**63
    if isinstance(value, Mapping):
        return depth > 0 and all(is_clean(key) and _is_bounded_json(item, depth - 1) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return depth > 0 and all(_is_bounded_json(item, depth - 1) for item in value)
    return value is None


#: The converter of each type. It gets a value that is not null (but for a boolean), the field, and the pointer to name
#: it by; it raises BadRequest.
SCALARS: dict[str, Callable[[object, FieldInfo, str], Any]] = {
    "char": _text,
    "text": _text,
    "html": _text,
    "integer": _integer,
    "float": _number,
    "monetary": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "selection": _choice,
    "binary": _binary,
    "json": _json,
}
