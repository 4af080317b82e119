"""The application for the `flask` command: of GATEHOUSE_ODOO_CONF, else of the local set-up of `make serve`."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys

import click
from flask import Flask
from flask.cli import NoAppException

from dev import existing, local, signals
from dev.errors import SetupError, from_os_error
from serving import environment_file, exit_status


class _NotStarted(click.ClickException):
    """No command was tried. By status 1 one of them can say that it has found something."""

    exit_code = 2


def create_app() -> Flask:
    """Return the application; what is missing comes out as a message of the command line."""
    with exit_status.told_apart(sys.argv[1:]):
        return _create_app()


def _create_app() -> Flask:
    environment_file.load()
    try:
        os.environ.update(existing.settings() if os.environ.get("GATEHOUSE_ODOO_CONF") else joined())
    except SetupError as error:
        raise told(error) from error
    except OSError as error:
        raise told(from_os_error(error)) from error
    # Not before the environment says where Odoo is.
    from app.config import ConfigError  # noqa: PLC0415
    from app.factory import create_app as create  # noqa: PLC0415
    from odoo_bridge.errors import BootError  # noqa: PLC0415

    try:
        return create()
    except (ConfigError, BootError) as error:
        raise told(error) from error


def joined() -> dict[str, str]:
    """Return the settings of the local set-up, whose PostgreSQL runs until this process ends. Raises SetupError."""
    signals.install()
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(local.joined()).environment


def told(error: Exception) -> click.ClickException:
    """Return the exception that Flask shows as a message, and nothing else."""
    # The list of commands goes on after one of these; before a command, Flask would add that it knows no such command.
    if sys.argv[1:] in ([], ["--help"]):
        return NoAppException(str(error))
    return _NotStarted(str(error))
