"""The frame of every command of the set-up: signals, and errors as messages instead of tracebacks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable

from dev import paths, signals
from dev.errors import SetupError, disk_full, from_os_error

SCARCE = 50_000_000  # bytes


def run(job: Callable[[], int | None]) -> int:
    """Run `job` and return the exit code: its own (None is 0), 1 after an error, 128 + n after signal n."""
    signals.install()
    try:
        return job() or 0
    except (SetupError, OSError) as error:
        known = error if isinstance(error, SetupError) else from_os_error(error)
        print(f"\n{known}", file=sys.stderr, flush=True)
        # A full disk does not always show in the message: PostgreSQL goes down, and others miss it.
        if disk_full().todo not in str(known) and shutil.disk_usage(paths.ROOT).free < SCARCE:
            print(f"{disk_full()}", file=sys.stderr, flush=True)
        return 1
    except signals.Stopped as stopped:
        print("\nInterrupted. The same command goes on from here.", file=sys.stderr, flush=True)
        return stopped.exit_code
