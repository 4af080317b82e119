"""Odoo's filestore, made to forget files that could not be written to their end.

Odoo names a file after its content, writes it in place and, where the disk is full, leaves the first part of it there
(base/models/ir_attachment.py, ``_file_write``). From then on every try to save that content is refused, because it
"collides with an existing file".
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from odoo.addons.base.models.ir_attachment import IrAttachment

_write = IrAttachment._file_write


def _file_write(self: Any, bin_value: bytes, checksum: str) -> Any:
    try:
        return _write(self, bin_value, checksum)
    except OSError:
        path = self._full_path(f"{checksum[:2]}/{checksum}")
        with contextlib.suppress(OSError):
            # Another process may have written the same content meanwhile.
            if not self._same_content(bin_value, path):
                os.unlink(path)
        raise


def install() -> None:
    """Clean up after a file that can't be written; in this process."""
    IrAttachment._file_write = _file_write
