"""Logging: one line per event on standard error, for the service manager to keep."""

from __future__ import annotations

import logging
from logging.config import dictConfig

from app.config import Settings
from app.observe.log_lines import Ids, JsonFormatter, TextFormatter


def init_logging(settings: Settings, ids: Ids) -> None:
    """Set up the root logger, whose lines carry the ids of their request.

    Odoo's loggers are quieter by one level: its news are not the operator's here.
    """
    # By number: Odoo gives the name INFO to a level of its own that is higher (odoo/netsvc.py, RUNBOT).
    formatter = JsonFormatter if settings.log_format == "json" else TextFormatter
    level: int = getattr(logging, settings.log_level)
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": formatter, "ids": ids}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": level, "handlers": ["stderr"]},
            "loggers": {
                "odoo": {"level": max(level, logging.WARNING)},
                # It logs every query that a client's input makes fail; what is a defect of ours is logged by us.
                "odoo.sql_db": {"level": "CRITICAL"},
                "alembic": {"level": max(level, logging.WARNING)},
                # gunicorn gives it a handler with a format of its own.
                "gunicorn.error": {"handlers": [], "propagate": True},
            },
        }
    )
