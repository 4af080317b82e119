"""System-wide defaults for new APIs: keys of a definition, and values that APIs have where they say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.catalog.store import DEFAULTS, Stored
from app.definitions.document import ApiDocument
from app.definitions.problems import Problem, shape_problems


def stored_defaults(stored: Stored) -> dict[str, Any]:
    """Return the defaults among what is stored."""
    return dict(stored.settings.get(DEFAULTS, {}))


def sample_api(given: Mapping[str, Any]) -> ApiDocument:
    """Return an API with these defaults, of the one type that needs no keys of its own; raises ValidationError."""
    return ApiDocument.model_validate({**given, "name": "defaults", "route": "/api/-", "type": "key_authentication"})


def effective_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of defaults as an API would have them; raises ValidationError."""
    document = sample_api(given)
    return {name: given[name] if name == "type" else getattr(document, name) for name in given}


def default_problems(given: Mapping[str, Any]) -> list[Problem]:
    """Return the problems of defaults; each names the key at fault."""
    try:
        sample_api(given)
    except ValidationError as error:
        return shape_problems(error)
    return []
