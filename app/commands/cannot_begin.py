"""End of a command that could not begin: exit status 2, as click ends one for a wrong option."""

from __future__ import annotations

import click


class CannotBegin(click.ClickException):
    """Nothing was tried; the message says why."""

    exit_code = 2
