"""Trial of another version of this server, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence

#: Seconds that it may take.
PATIENCE = 300
#: A shell says how the trial has ended: gunicorn's arbiter waits for all its children, and takes the exit code away.
_SHELL = '"$@" 3>&-; echo $? >&3'


class StartTrial:
    """Loads settings, Odoo's registry and definitions (``gunicorn --check-config``); what is wrong goes to the log."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], closed: Iterable[int] = ()) -> None:
        """``closed``: descriptors that it would inherit and must not have. Raises OSError."""
        self._ends = time.monotonic() + PATIENCE
        self._result, result = os.pipe()
        os.set_blocking(self._result, False)
        try:
            arguments = ["sh", "-c", _SHELL, "trial", *command, "--check-config"]
            # In this order: the result may have to take the place of one that is closed.
            actions: list[tuple[int, ...]] = [(os.POSIX_SPAWN_DUP2, result, 3)]
            actions += [(os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in closed if descriptor != 3]
            # In a group of its own, to be ended as a whole.
            self._pid = os.posix_spawn("/bin/sh", arguments, environ, file_actions=actions, setpgroup=0)
        except OSError:
            os.close(self._result)
            raise
        finally:
            os.close(result)

    def outcome(self) -> bool | None:
        """Return True if it starts, False if not, None as long as that is open. After an answer the trial is over."""
        try:
            said = os.read(self._result, 16)
        except BlockingIOError:
            if time.monotonic() < self._ends:
                return None
            said = b""
        self.kill()
        return said.strip() == b"0"

    def kill(self) -> None:
        """End it, if it has not ended by itself."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        os.close(self._result)
