"""Refusals of a client's filter: each names the condition, or the part of it, that is at fault."""

from __future__ import annotations

from app.errors import BadRequest


def invalid(message: str, value: object = None) -> BadRequest:
    """Return the error of a filter that is not well formed, or of a value that does not fit."""
    if value is not None:
        message = f"{message} Not: {_short(value)}."
    return BadRequest(message, name="invalid_domain", data={"parameter": "domain"})


def unknown_field(path: str) -> BadRequest:
    """Return the error of a path that leads to nothing that is exposed."""
    return BadRequest(
        f"{_short(path)} is no field that this API can filter by.",
        name="unknown_field",
        data={"field": path[:200]},
    )


def unknown_operator(path: str, operator: str) -> BadRequest:
    """Return the error of an operator that there is not."""
    return BadRequest(f"{path}: unknown operator {_short(operator)}.", name="unknown_operator")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
