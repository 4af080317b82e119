"""System-wide settings that hold for all APIs: rows of ``gatehouse.setting``, a key each, changed in the panel.

They are part of the catalog: a change reaches every worker on every host as fast as one of a definition.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, model_validator

from app.definitions.document import Strict
from app.definitions.problems import refuse_contradictions

_logger = logging.getLogger(__name__)


class SystemSettings(Strict):
    """The settings in force. Sizes are bytes; the bounds keep a slip of the pen from locking people out or in.

    ``max_body_size`` None leaves the limit of the environment, which is the most in any case. The tries are those
    with wrong credentials: of one account from one address, of one address, and of one account from anywhere.
    """

    log_retention_days: int = Field(default=90, ge=1, le=3650)
    changes_retention_days: int = Field(default=30, ge=1, le=365)
    delivery_retention_days: int = Field(default=14, ge=4, le=365)
    log_body_size: int = Field(default=16_384, ge=256, le=262_144)
    max_body_size: int | None = Field(default=None, ge=1024)
    login_tries_per_minute: int = Field(default=10, ge=3, le=60)
    login_tries_per_hour: int = Field(default=50, ge=3, le=1_000)
    address_tries_per_minute: int = Field(default=30, ge=5, le=1_000)
    address_tries_per_hour: int = Field(default=300, ge=5, le=10_000)
    account_tries_per_hour: int = Field(default=60, ge=5, le=1_000)

    @model_validator(mode="after")
    def _hours_hold_minutes(self) -> SystemSettings:
        refuse_contradictions(
            (f"{who}_tries_per_hour", "an hour can't take fewer than a minute")
            for who in ("login", "address")
            if getattr(self, f"{who}_tries_per_hour") < getattr(self, f"{who}_tries_per_minute")
        )
        return self

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> SystemSettings:
        """Return the settings among all that is stored; what can't be (SQL can write anything) has its default."""
        given = {name: stored[name] for name in cls.model_fields if name in stored}
        while True:
            try:
                return cls.model_validate(given)
            except ValidationError as error:
                wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]} or set(given)
                _logger.error("Settings that can't be so have their defaults: %s", ", ".join(sorted(wrong)))
                given = {name: value for name, value in given.items() if name not in wrong}


def bounds(name: str) -> tuple[int, int | None]:
    """Return the least and the most that a setting may be; None for no upper bound of its own."""
    found = {
        side: getattr(each, side)
        for each in SystemSettings.model_fields[name].metadata
        for side in ("ge", "le")
        if hasattr(each, side)
    }
    return found["ge"], found.get("le")
