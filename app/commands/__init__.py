"""The commands of contract section 7, for ``flask``."""

from __future__ import annotations

from flask import Flask
from flask.cli import with_appcontext

from app.commands import api, capture, client, database, log, webhook


def init_commands(app: Flask) -> None:
    """Register the commands; all but those of ``flask db`` need tables that this version works on."""
    app.cli.add_command(database.group)
    for group in (api.group, client.group, client.tokens, log.group, capture.group, webhook.group):
        group.callback = with_appcontext(database.check_schema)
        app.cli.add_command(group)
