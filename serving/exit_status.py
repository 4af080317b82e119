"""The exit status of a command with ``--check``: 1 says that something would change, and nothing else may say it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

CHECK = "--check"
NOT_TRIED = 2


@contextmanager
def told_apart(arguments: Sequence[str]) -> Iterator[None]:
    """With ``--check`` among the arguments, end with 2 where Python or click would end with 1.

    They do for an exception that nobody expected, for an error that is told, and for Ctrl-C. ``sys.exit(1)`` is how the
    command itself says what it has found.
    """
    try:
        yield
    except click.ClickException as error:
        if CHECK in arguments and error.exit_code == 1:
            error.show()
            sys.exit(NOT_TRIED)
        raise
    except (click.exceptions.Exit, SystemExit):
        raise
    except BaseException as error:
        if CHECK not in arguments:
            raise
        if isinstance(error, (KeyboardInterrupt, click.Abort)):
            click.echo("Aborted!", err=True)
        else:
            traceback.print_exc()
        sys.exit(NOT_TRIED)
