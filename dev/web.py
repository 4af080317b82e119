"""A server as a child process, gunicorn or Odoo's own: started, awaited, stopped in order."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from dev import paths, signals
from dev.bind import Address
from dev.errors import SetupError
from dev.steps import say

READY_SECONDS = 120.0


@dataclass(frozen=True)
class Program:
    """A server: its name in messages, its command line, the path that answers 200 once it serves, and its target."""

    name: str
    command: Sequence[str]
    ready: str
    target: str


GUNICORN = Program(
    "gunicorn", (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"), "/readyz", "serve"
)


@contextlib.contextmanager
def running(program: Program, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a server running while the block runs; nothing of it is left afterwards."""
    process = None
    try:
        with signals.deferred():
            process = start(program.command, env)
        yield process
    finally:
        if process is not None:
            stop(process)


def start(command: Sequence[str], env: Mapping[str, str], output: BinaryIO | None = None) -> subprocess.Popen[bytes]:
    """Start a server, or what works beside one; its output goes to ours, or into a file."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=dict(env),
        cwd=paths.ROOT,
        # A terminal's Ctrl-C would cut requests off (SIGINT is gunicorn's quick stop): it must not get there.
        start_new_session=True,
        preexec_fn=signals.end_with_parent,
    )


def stop(*processes: subprocess.Popen[bytes]) -> None:
    """End servers, all at once: requests in flight get the time that they give them, unless we are told a second time.

    Those that have ended already are none to wait for.
    """
    try:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    except KeyboardInterrupt:
        say("Stopping at once.")
    finally:
        with signals.deferred():
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_ready(process: subprocess.Popen[bytes], address: Address, program: Program = GUNICORN) -> None:
    """Wait until the server is ready to serve. Raises SetupError when it ends, or takes too long."""
    deadline = time.monotonic() + READY_SECONDS
    answer = "no answer"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ended(process.returncode, program)
        answer = ask(address, program.ready)
        if answer.startswith("200 "):
            return
        time.sleep(0.05)
    what = f"The server is not ready after {READY_SECONDS:.0f} s. GET {program.ready}: {answer}"
    raise SetupError(what, "See its messages.")


def ask(address: Address, path: str) -> str:
    """Return the status and the body of a GET, or what went wrong."""
    # Not urllib: a proxy that is set for the network is not asked about this machine.
    connection = http.client.HTTPConnection(address.callable_host, address.port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return f"{response.status} {response.read(1000).decode(errors='replace').strip()}"
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()


@contextlib.contextmanager
def until_stopped() -> Iterator[None]:
    """Be asked to end while the block runs: the way in which serving ends well, from its first line on."""
    try:
        yield
    except signals.Stopped:
        say("\nStopping; a second Ctrl-C does not wait for requests in flight.")


def watch(
    process: subprocess.Popen[bytes], program: Program = GUNICORN, meanwhile: Callable[[], None] = lambda: None
) -> NoReturn:
    """Watch a server until a signal ends us, and do something twice a second meanwhile.

    Raises SetupError when the server ends by itself.
    """
    while process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        meanwhile()
    raise ended(process.returncode, program)


def ended(code: int, program: Program = GUNICORN) -> SetupError:
    """Return the error for a server that is no longer there."""
    todo = f"Its messages above say why. The data is kept; run `make {program.target}` again."
    return SetupError(f"{program.name} {end_of(code)}.", todo)


def end_of(code: int) -> str:
    """Return in words how a process has ended."""
    return f"was ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
