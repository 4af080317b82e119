"""Commands of Gatehouse, each in a process of its own that is forked from one which has imported all code."""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

_ROOT = Path(__file__).resolve().parents[2]
#: Three of four seconds that a command takes go into importing this.
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["app.factory", "flask.cli"])


def run_flask(arguments: Sequence[str], environment: dict[str, str], *, check: bool = True) -> CompletedProcess[str]:
    """Run ``flask`` as an admin would, apart from what is imported; fails the test where the command does."""
    command = ["flask", "--app", "app.factory:create_app()", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        process = _forks.Process(target=_run, args=(command, environment, folder))
        process.start()
        process.join()
        output, errors = (Path(folder, name).read_text() for name in ("output", "errors"))
    assert process.exitcode is not None
    done = CompletedProcess(command, process.exitcode, output, errors)
    process.close()
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def _run(command: list[str], environment: dict[str, str], folder: str) -> None:
    from flask.cli import main

    for number, name in ((1, "output"), (2, "errors")):
        with Path(folder, name).open("wb") as file:
            os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(_ROOT)
    sys.argv = command
    main()
