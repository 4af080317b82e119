"""Odoo's data folder as it is at the moment: whether files can be written there, and how much room is left."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from odoo import http

from .boot import Instance
from .errors import Unavailable
from .translation import storage_error

#: Bytes that a trial writes: a block, as a full disk may take a few bytes into what it has left of one.
_TRIAL = bytes(4096)


def try_filestore(instance: Instance) -> None:
    """Write a file where attachments go; nothing remains of it. Raises Unavailable.

    A folder that is missing is told and not made: its disk may not be mounted.
    """
    with _told("data_dir_unavailable", instance.data_dir):
        filestore = instance.data_dir / "filestore"
        candidates = (filestore / instance.database, filestore)  # which Odoo makes with the first attachment
        _write(next((path for path in candidates if path.exists()), instance.data_dir))


def try_sessions() -> None:
    """Write a file where sessions are kept; nothing remains of it. Raises Unavailable."""
    with _told("session_store_unavailable", Path("sessions")):
        _write(Path(http.root.session_store.path))


def free_bytes(instance: Instance) -> int:
    """Return the bytes that this user may still write to the disk of ``data_dir``. Raises Unavailable."""
    with _told("data_dir_unavailable", instance.data_dir):
        return shutil.disk_usage(instance.data_dir).free


def _write(folder: Path) -> None:
    """Write a file; without a name where the file system can, so that none is left if this process dies meanwhile."""
    with tempfile.TemporaryFile(prefix="gatehouse-", dir=folder) as file:
        file.write(_TRIAL)
        file.flush()  # which goes on where the system took a part


@contextmanager
def _told(name: str, path: Path) -> Iterator[None]:
    """Tell an error of the operating system with the path, for ops."""
    try:
        yield
    except OSError as error:
        message = f"{error.filename or path}: {os.strerror(error.errno or 0)}"
        known = storage_error(error)
        raise type(known or Unavailable(""))(message, name=known.name if known else name) from error
