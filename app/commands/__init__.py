"""The commands of contract section 7, for ``flask``."""

from __future__ import annotations

from flask import Flask

from app.commands import api, client, database, log


def init_commands(app: Flask) -> None:
    """Register the commands."""
    for group in (database.group, api.group, client.group, client.tokens, log.group):
        app.cli.add_command(group)
