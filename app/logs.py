"""Logging: one line per event on standard error, for the service manager to keep."""

from __future__ import annotations

import logging
from logging.config import dictConfig

from app.config import Settings


def init_logging(settings: Settings) -> None:
    """Set up the root logger. Odoo's loggers are quieter by one level: its news are not the operator's here."""
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"format": "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": settings.log_level, "handlers": ["stderr"]},
            "loggers": {
                "odoo": {"level": max(logging.getLevelName(settings.log_level), logging.WARNING)},
                # It logs every query that a client's input makes fail; what is a defect of ours is logged by us.
                "odoo.sql_db": {"level": "CRITICAL"},
            },
        }
    )
