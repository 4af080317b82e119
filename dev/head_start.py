"""A head start: work of another process while this one makes `.venv`. Whoever needs its result looks again."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from dev import paths
from dev.signals import deferred
from dev.steps import end_group, say, step


@contextlib.contextmanager
def of_module(name: str, title: str) -> Iterator[None]:
    """Run a module of ours, which needs the standard library alone, while the block runs; then wait for its end.

    What goes wrong in it is not told: it is tried again where its result is needed. It is ended where the block fails.
    """
    process = None
    try:
        with deferred():
            process = subprocess.Popen(
                [sys.executable, "-m", name],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=paths.ROOT,
                # A group of its own: on Ctrl-C we end it ourselves, and see it gone.
                start_new_session=True,
            )
        say(f"- {title}, beside what follows ...")
        yield
        if process.poll() is None:
            with step(f"{title}: the rest"):
                process.wait()
    except BaseException:
        if process is not None:
            end_group(process)
        raise
