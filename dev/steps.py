"""Progress of the long steps: a line with a running clock on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dev.errors import SetupError, diagnose
from dev.signals import deferred

FRAMES = "|/-\\"


def say(text: str = "") -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Show that a step runs, then how long it took."""
    tty = sys.stdout.isatty()
    start = time.monotonic()
    done = threading.Event()

    def spin() -> None:
        count = 0
        while not done.wait(0.2):
            count += 1
            text = f"{FRAMES[count % 4]} {time.monotonic() - start:.0f} s  {title} ..."
            # A line that wraps could not be written over.
            print(f"\r{text[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)

    spinner = threading.Thread(target=spin, daemon=True)
    if tty:
        spinner.start()
    else:
        say(f"- {title} ...")
    result = "failed"
    try:
        yield
        result = "done"
    except (KeyboardInterrupt, SystemExit):
        result = "interrupted"
        raise
    finally:
        done.set()
        seconds = f"{time.monotonic() - start:.1f} s"
        if tty:
            spinner.join()
            print(f"\r\x1b[K- {title} ... {result} ({seconds})", flush=True)
        else:
            say(f"  {result} ({seconds})")


def run(
    command: Sequence[str | Path],
    *,
    log: Path | None,
    what: str,
    todo: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a command to its end, its output in the file `log`; return the output.

    Raises SetupError with the output's last lines when it fails. No process is left when we are interrupted.
    """
    process, output = None, b""
    try:
        with deferred():
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                # A group of its own: on Ctrl-C we end it ourselves, and see it gone.
                start_new_session=True,
            )
        output, _ = process.communicate()
    except FileNotFoundError as error:
        raise SetupError(f"{what}: the command {command[0]} was not found.", todo) from error
    except BaseException:
        if process is not None:
            end_group(process)
        raise
    text = output.decode(errors="replace")
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text)
    if process.returncode:
        raise failed(what, process.returncode, text, todo, log)
    return text


def failed(what: str, code: int, output: str, todo: str = "", log: Path | None = None) -> SetupError:
    """Return the SetupError of a command that ended with `code`, with its last lines."""
    how = f"was ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    lines = [line for line in output.splitlines() if line.strip()][-15:]
    tail = "".join(f"\n    {line[:300]}" for line in lines)
    advice = diagnose(output) or todo
    if log is not None:
        advice = f"{advice}\nThe full output is in {log}.".strip()
    return SetupError(f"{what}: the command {how}. Its last lines:{tail}" if tail else f"{what}: it {how}.", advice)


def end_group(process: subprocess.Popen[bytes], grace: float = 10) -> None:
    """End a process that leads its own group, and all of the group: politely, then by force."""
    for number, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait)
            if number == signal.SIGTERM:
                continue  # the leader is gone: what is left of its group follows by force
            return
