"""Refusals of a client's filter: each names the condition, or the part of it, that is at fault."""

from __future__ import annotations

from collections.abc import Iterable

from app.errors import BadRequest
from app.policy import suggestions


def invalid(message: str, value: object = None) -> BadRequest:
    """Return the error of a filter that is not well formed, or of a value that does not fit."""
    if value is not None:
        message = f"{message} Not: {suggestions.shown(value)}."
    return BadRequest(message, name="invalid_domain", data={"parameter": "domain"})


def unknown_field(path: str, allowed: Iterable[str]) -> BadRequest:
    """Return the error of a path that leads to nothing that is exposed; ``allowed`` are those that do."""
    return suggestions.unknown(
        f"{suggestions.shown(path)} is no field that this API can filter by.",
        path,
        allowed,
        name="unknown_field",
        parameter="domain",
        field=path[:200],
    )


def unknown_operator(path: str, said: str, operator: str, allowed: Iterable[str]) -> BadRequest:
    """Return the error of an operator that there is not, or not for the field; ``said`` which of both."""
    return suggestions.unknown(
        f"{path[:200]}: {said}.", operator, allowed, name="unknown_operator", parameter="domain", field=path[:200]
    )
