"""Settings from a file: ``GATEHOUSE_ENV_FILE`` names it. A reload reads it anew, which no process's environment can be.

The form is that of systemd's EnvironmentFile= and of ``.env`` files: ``NAME=value`` lines, quotes where a value has
blanks, ``#`` for comments. What the environment itself says comes first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from dotenv import dotenv_values

VARIABLE = "GATEHOUSE_ENV_FILE"


def load(environ: MutableMapping[str, str] = os.environ) -> None:
    """Add the file's settings to the environment; nothing happens where no file is named.

    To be called before anything of ``app`` or ``odoo_bridge`` is imported. Ends the process, with a message, where the
    file can't be read.
    """
    name = environ.get(VARIABLE)
    if not name:
        return
    try:
        with Path(name).open() as file:
            values = dotenv_values(stream=file, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{VARIABLE}={name} can't be read: {error}.")
    for key, value in values.items():
        if value is not None:
            environ.setdefault(key, value)
